package dev.gradus.backend.cuda;

import dev.gradus.types.DType;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * What each {@link KernelCase} gave on the emulated device, and the kernels that it started there:
 * the jar's file {@code recorded.gz}, big-endian and compressed by gzip. For each case a name, a
 * count and the kernels' names; a count and the results, each its type's name, its count of
 * elements and their bits.
 */
final class RecordedValues {
  /** The jar's file. */
  static final String RESOURCE = "recorded.gz";

  private final Map<String, Recorded> cases;

  /**
   * A case's values.
   *
   * @param kernels the kernels that it started
   * @param results its results
   */
  record Recorded(List<String> kernels, List<Values> results) {
    /** Values; the lists are copied. */
    Recorded {
      kernels = List.copyOf(kernels);
      results = List.copyOf(results);
    }
  }

  RecordedValues(Map<String, Recorded> cases) {
    this.cases = Collections.unmodifiableMap(new LinkedHashMap<>(cases));
  }

  /** By the cases' names, in their order. */
  Map<String, Recorded> cases() {
    return cases;
  }

  /** Those of a case; null where it was not recorded. */
  @Nullable Recorded of(KernelCase kernelCase) {
    return cases.get(kernelCase.name());
  }

  /** The jar's. */
  static RecordedValues ofJar() throws IOException {
    try (InputStream in = RecordedValues.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IOException("the jar has no " + RESOURCE + "; rebuild gradus-backend-cuda");
      }
      return read(in);
    }
  }

  static RecordedValues read(InputStream stream) throws IOException {
    Map<String, Recorded> cases = new LinkedHashMap<>();
    DataInputStream in = new DataInputStream(new GZIPInputStream(stream));
    for (int left = in.readInt(); left > 0; left--) {
      String name = in.readUTF();
      List<String> kernels = new ArrayList<>();
      for (int n = in.readInt(); n > 0; n--) {
        kernels.add(in.readUTF());
      }
      List<Values> results = new ArrayList<>();
      for (int n = in.readInt(); n > 0; n--) {
        results.add(readValues(in));
      }
      cases.put(name, new Recorded(kernels, results));
    }
    return new RecordedValues(cases);
  }

  private static Values readValues(DataInputStream in) throws IOException {
    DType dtype = DType.valueOf(in.readUTF());
    long[] bits = new long[in.readInt()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] =
          switch (dtype) {
            case F32 -> in.readInt();
            case F64, I64 -> in.readLong();
            case BOOL -> in.readByte();
          };
    }
    return new Values(dtype, bits);
  }

  void write(OutputStream stream) throws IOException {
    try (DataOutputStream out = new DataOutputStream(new GZIPOutputStream(stream))) {
      out.writeInt(cases.size());
      for (Map.Entry<String, Recorded> c : cases.entrySet()) {
        out.writeUTF(c.getKey());
        out.writeInt(c.getValue().kernels().size());
        for (String kernel : c.getValue().kernels()) {
          out.writeUTF(kernel);
        }
        out.writeInt(c.getValue().results().size());
        for (Values values : c.getValue().results()) {
          write(values, out);
        }
      }
    }
  }

  private static void write(Values values, DataOutputStream out) throws IOException {
    out.writeUTF(values.dtype().name());
    out.writeInt(values.count());
    for (int i = 0; i < values.count(); i++) {
      switch (values.dtype()) {
        case F32 -> out.writeInt((int) values.bits(i));
        case F64, I64 -> out.writeLong(values.bits(i));
        case BOOL -> out.writeByte((int) values.bits(i));
      }
    }
  }
}
