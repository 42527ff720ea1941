package dev.gradus.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gradus.spi.Backend;
import dev.gradus.spi.Storage;
import dev.gradus.tensor.Device;
import dev.gradus.tensor.Tensor;
import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.Buffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tensor of more than 2 GiB goes to a file and comes back, on a backend without its memory. */
class LargeTensorTest {
  private static final long ELEMENTS = (1L << 28) + 3;
  private static final long BYTES = ELEMENTS * Long.BYTES;

  @TempDir Path folder;

  /** Int64 whose values are their indices: each part is made when it is asked for. */
  private record Indices(long numel) implements Storage {
    @Override
    public DType dtype() {
      return DType.I64;
    }
  }

  /** The indices that went to and fro. */
  private long at;

  private long downloaded;
  private long uploaded;

  private Device device() {
    Backend real = new ReferenceBackend("ref");
    return Device.over(
        (Backend)
            Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, args) -> {
                  switch (method.getName()) {
                    case "allocate":
                      return new Indices((Long) args[1]);
                    case "free", "fill", "zero":
                      return null;
                    case "copyStrided":
                      at = Math.max((Long) args[2], (Long) args[5]);
                      return null;
                    case "download":
                      download((Buffer) args[1]);
                      return null;
                    case "upload":
                      upload((Buffer) args[0]);
                      return null;
                    default:
                      try {
                        return method.invoke(real, args);
                      } catch (InvocationTargetException e) {
                        throw e.getCause();
                      }
                  }
                }));
  }

  private void download(Buffer into) {
    LongBuffer out = (LongBuffer) into;
    while (out.hasRemaining()) {
      out.put(at++);
    }
    downloaded = at;
  }

  private void upload(Buffer from) {
    LongBuffer in = (LongBuffer) from;
    while (in.hasRemaining()) {
      assertEquals(uploaded++, in.get());
    }
  }

  @Test
  @Tag("long")
  void moreThanTwoGibibytesGoAndComeBack() throws IOException {
    assumeTrue(
        Files.getFileStore(folder).getUsableSpace() > BYTES + (1L << 30),
        "the disk has no room for a file of 2 GiB");
    Path file = folder.resolve("large");
    try (Device device = device()) {
      Tensor large = device.zeros(DType.I64, ELEMENTS);
      SafeTensors.save(file, Map.of("large", large));
      assertEquals(ELEMENTS, downloaded);
      assertTrue(Files.size(file) > BYTES);
      SafeTensors.loadInto(file, Map.of("large", large));
      assertEquals(ELEMENTS, uploaded);
    }
  }
}
