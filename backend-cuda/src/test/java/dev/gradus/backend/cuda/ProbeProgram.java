package dev.gradus.backend.cuda;

import dev.gradus.spi.Backend;
import dev.gradus.spi.BinaryOp;
import dev.gradus.spi.Gemm;
import dev.gradus.spi.Probe;
import dev.gradus.spi.Spread;
import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.nio.FloatBuffer;

/** A process of its own: prints what the probe finds, and with an argument computes on a device. */
public final class ProbeProgram {
  private ProbeProgram() {}

  /**
   * Prints lines of "name: value".
   *
   * @param args nothing, or the number of the device to compute on
   */
  public static void main(String[] args) {
    CudaBackendProvider provider = new CudaBackendProvider();
    Probe probe = provider.probe();
    System.out.println("status: " + probe.status());
    System.out.println("reason: " + probe.reason());
    System.out.println("remedy: " + probe.remedy());
    System.out.println("devices: " + probe.devices());
    probe.versions().forEach((name, value) -> System.out.println(name + ": " + value));
    if (args.length > 0) {
      try (Backend b = provider.open(Integer.parseInt(args[0]))) {
        Storage x = b.allocate(DType.F32, 3);
        b.upload(FloatBuffer.wrap(new float[] {1, 2, 3}), x);
        b.binary(BinaryOp.MUL, x, Spread.FULL, x, Spread.FULL, x, 0);
        float[] y = new float[3];
        b.download(x, FloatBuffer.wrap(y));
        System.out.println("computed: " + y[0] + " " + y[1] + " " + y[2] + " on " + b.deviceName());
        Storage product = b.allocate(DType.F32, 1);
        b.gemm(Gemm.of(false, false, 1, 1, 3), x, x, product);
        b.download(product, FloatBuffer.wrap(y, 0, 1));
        System.out.println("product: " + y[0] + " by " + b.details().get("matrix products"));
      }
    }
  }
}
