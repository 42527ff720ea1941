package dev.gradus.backend.cuda.emulator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import java.util.Random;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Instructions that are no function of one lane's registers: shuffles, carries, atomics, memory.
 */
class WarpAndMemoryTest {
  private static final String HEAD =
      """
      .version 8.0
      .target sm_75
      .address_size 64
      .visible .entry k(.param .u64 a, .param .u64 out)
      {
        .reg .b16 %h<9>;
        .reg .b32 %r<40>;
        .reg .b64 %rd<40>;
        .reg .f32 %f<9>;
        .reg .f64 %fd<9>;
        .reg .pred %p<9>;
        mov.u32 %r1, %tid.x;
        ld.param.u64 %rd1, [a];
        ld.param.u64 %rd2, [out];
        mad.wide.u32 %rd3, %r1, 8, %rd1;
        mad.wide.u32 %rd4, %r1, 8, %rd2;
      """;

  private final Random random = new Random(5);

  /** Runs a body for one warp, over longs. */
  private static long[] run(String body, long... a) {
    Gpu gpu = new Gpu("race").with(HEAD + body + "\n  ret;\n}\n");
    Gpu.Memory out = gpu.upload(new long[32]);
    Gpu.check(gpu.run("k", 1, 32, 0, gpu.upload(a), out));
    return gpu.longs(out, 32);
  }

  private long[] randoms() {
    return random.longs(32).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "up,1,0",
    "up,5,0",
    "down,1,31",
    "down,16,31",
    "bfly,7,31",
    "idx,9,31",
    "idx,33,31",
    "down,2,6175",
    "up,3,6144",
    "bfly,5,6175",
    "idx,6,6175",
    "down,1,7198"
  })
  void shuffle(String mode, int distance, int clamp) {
    long[] a = randoms();
    long[] out =
        run(
            """
            ld.global.u32 %%r2, [%%rd3];
            shfl.sync.%s.b32 %%r3|%%p1, %%r2, %d, %d, -1;
            selp.u32 %%r4, 1, 0, %%p1;
            st.global.v2.u32 [%%rd4], {%%r3, %%r4};
            """
                .formatted(mode, distance, clamp),
            a);
    int segment = clamp >> 8 & 31;
    for (int lane = 0; lane < 32; lane++) {
      int first = lane & segment;
      int last = first | (clamp & 31 & ~segment);
      int from =
          switch (mode) {
            case "up" -> lane - (distance & 31);
            case "down" -> lane + (distance & 31);
            case "bfly" -> lane ^ (distance & 31);
            default -> first | (distance & 31 & ~segment);
          };
      boolean inside = mode.equals("up") ? from >= last : from <= last;
      long expected = (int) a[inside ? from : lane] & 0xFFFFFFFFL | (inside ? 1L << 32 : 0);
      assertEquals(Long.toHexString(expected), Long.toHexString(out[lane]), "lane " + lane);
    }
  }

  @Test
  void votesOverPartsOfAWarp() {
    long[] a = new long[32];
    for (int i = 0; i < 32; i++) {
      a[i] = i % 5;
    }
    long[] out =
        run(
            """
            ld.global.u32 %r2, [%rd3];
            setp.eq.u32 %p1, %r2, 0;
            setp.lt.u32 %p2, %r1, 12;
            @!%p2 bra UPPER;
            vote.sync.ballot.b32 %r3, %p1, 0xfff;
            activemask.b32 %r4;
            bra.uni MEET;
            UPPER:
            vote.sync.ballot.b32 %r3, !%p1, 0xfffff000;
            activemask.b32 %r4;
            MEET:
            bar.warp.sync 0xffffffff;
            st.global.v2.u32 [%rd4], {%r3, %r4};
            """,
            a);
    int zeros = 0;
    for (int i = 0; i < 32; i++) {
      zeros |= a[i] == 0 ? 1 << i : 0;
    }
    for (int i = 0; i < 32; i++) {
      int mask = i < 12 ? 0xFFF : 0xFFFFF000;
      long votes = (i < 12 ? zeros : ~zeros) & mask & 0xFFFFFFFFL;
      assertEquals(votes | (mask & 0xFFFFFFFFL) << 32, out[i], "lane " + i);
    }
  }

  @Test
  void carriesOfSumsAndProducts() {
    long[] a = randoms();
    long[] sums =
        run(
            """
            ld.global.v2.u32 {%r2, %r3}, [%rd3];
            add.cc.u32 %r4, %r2, 0x89abcdef;
            addc.u32 %r5, %r3, 0x01234567;
            sub.cc.u32 %r6, %r4, 0xfffffff0;
            subc.u32 %r7, %r5, 0x7;
            st.global.v2.u32 [%rd4], {%r6, %r7};
            """,
            a);
    long[] products =
        run(
            """
            ld.global.v2.u32 {%r2, %r3}, [%rd3];
            mul.lo.u32 %r4, %r2, %r2;
            mul.hi.u32 %r5, %r2, %r2;
            mad.lo.cc.u32 %r5, %r2, %r3, %r5;
            madc.hi.u32 %r6, %r2, %r3, 0;
            mad.lo.cc.u32 %r5, %r3, %r2, %r5;
            madc.hi.cc.u32 %r6, %r3, %r2, %r6;
            addc.u32 %r7, 0, 0;
            mad.lo.cc.u32 %r6, %r3, %r3, %r6;
            madc.hi.u32 %r7, %r3, %r3, %r7;
            st.global.v2.u32 [%rd4], {%r6, %r7};
            """,
            a);
    for (int i = 0; i < 32; i++) {
      assertEquals(a[i] + 0x0123456789abcdefL - 0x7fffffff0L, sums[i]);
      BigInteger value = new BigInteger(Long.toUnsignedString(a[i]));
      assertEquals(value.multiply(value).shiftRight(64).longValue(), products[i]);
    }
  }

  @Test
  void narrowAndWideAccessesExtendTheirValues() {
    long[] a = randoms();
    long[] out =
        run(
            """
            .shared .align 16 .b8 s[512];
            ld.global.s8 %r2, [%rd3+3];
            ld.global.u8 %h1, [%rd3+2];
            ld.global.s16 %rd5, [%rd3+4];
            ld.global.u32 %rd6, [%rd3];
            cvt.s64.s32 %rd7, %r2;
            cvt.u64.u16 %rd8, %h1;
            add.s64 %rd9, %rd7, %rd8;
            xor.b64 %rd10, %rd5, %rd6;
            shl.b32 %r3, %r1, 4;
            mov.u32 %r4, s;
            add.s32 %r5, %r4, %r3;
            st.shared.v2.u64 [%r5], {%rd9, %rd10};
            cvt.u64.u32 %rd11, %r5;
            cvta.shared.u64 %rd12, %rd11;
            ld.v2.u64 {%rd13, %rd14}, [%rd12];
            add.s64 %rd15, %rd13, %rd14;
            st.b64 [%rd4], %rd15;
            """,
            a);
    for (int i = 0; i < 32; i++) {
      long first = (byte) (a[i] >> 24) + (a[i] >> 16 & 255);
      long second = (short) (a[i] >> 32) ^ (a[i] & 0xFFFFFFFFL);
      assertEquals(first + second, out[i]);
    }
  }

  @Test
  void localMemoryBelongsToAThread() {
    long[] a = randoms();
    long[] out =
        run(
            """
            .local .align 8 .b8 frame[32];
            mov.u64 %rd5, frame;
            cvta.local.u64 %rd6, %rd5;
            ld.global.u64 %rd7, [%rd3];
            st.local.u64 [%rd5+8], %rd7;
            not.b64 %rd8, %rd7;
            st.u64 [%rd6+16], %rd8;
            ld.u64 %rd9, [%rd6+8];
            ld.local.u32 %rd10, [%rd5+16];
            xor.b64 %rd11, %rd9, %rd10;
            st.global.u64 [%rd4], %rd11;
            """,
            a);
    for (int i = 0; i < 32; i++) {
      assertEquals(a[i] ^ (~a[i] & 0xFFFFFFFFL), out[i]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"add", "min", "max", "and", "or", "xor", "inc", "dec", "exch"})
  void atomics(String name) {
    String type = name.matches("and|or|xor|exch") ? "b32" : "u32";
    Gpu gpu =
        new Gpu("race")
            .with(
                HEAD
                    + """
                    ld.global.u32 %%r2, [%%rd3];
                    atom.global.%s.%s %%r3, [%%rd2], %%r2;
                    red.global.add.u32 [%%rd2+4], 1;
                    ret;
                    }
                    """
                        .formatted(name, type));
    long[] a = new long[32];
    for (int i = 0; i < 32; i++) {
      a[i] = name.equals("inc") || name.equals("dec") ? 20 : random.nextInt(1000) + 5;
    }
    CUdeviceptr out = gpu.upload(17, 0);
    Gpu.check(gpu.run("k", 1, 32, 0, gpu.upload(a), out));
    int value = 17;
    for (long x : a) {
      int v = (int) x;
      value =
          switch (name) {
            case "add" -> value + v;
            case "min" -> Math.min(value, v);
            case "max" -> Math.max(value, v);
            case "and" -> value & v;
            case "or" -> value | v;
            case "xor" -> value ^ v;
            case "inc" -> value >= v ? 0 : value + 1;
            case "dec" -> value == 0 || value > v ? v : value - 1;
            default -> v;
          };
    }
    assertArrayEquals(new int[] {value, 32}, gpu.ints(out, 2));
  }

  @Test
  void compareAndSwapTakesOneLane() {
    Gpu gpu =
        new Gpu("")
            .with(
                HEAD
                    + """
                    add.s32 %r2, %r1, 1;
                    atom.global.cas.b32 %r3, [%rd2], 0, %r2;
                    setp.eq.u32 %p1, %r3, 0;
                    @%p1 red.global.add.u32 [%rd2+4], 1;
                    atom.global.add.f64 %fd1, [%rd2+8], 0d3FF8000000000000;
                    ret;
                    }
                    """);
    CUdeviceptr out = gpu.upload(new int[4]);
    Gpu.check(gpu.run("k", 1, 32, 0, gpu.upload(new long[32]), out));
    assertArrayEquals(new int[] {1, 1}, gpu.ints(out, 2));
    assertEquals(48.0, gpu.doubles(out, 2)[1]);
  }

  @Test
  void bitFieldsTablesAndPackedRegisters() {
    long[] a = randoms();
    long[] out =
        run(
            """
            ld.global.u64 %rd5, [%rd3];
            mov.b64 {%r2, %r3}, %rd5;
            mov.b32 {%h1, %h2}, %r2;
            mov.b32 %r4, {%h2, %h1};
            bfi.b32 %r5, %r3, %r4, 4, 9;
            lop3.b32 %r6, %r2, %r3, %r5, 0x96;
            setp.ge.s32 %p1, %r2, 0;
            selp.b32 %r7, %r6, %r5, %p1;
            mov.b64 %rd6, {%r5, %r7};
            st.global.u64 [%rd4], %rd6;
            """,
            a);
    for (int i = 0; i < 32; i++) {
      int low = (int) a[i];
      int high = (int) (a[i] >> 32);
      int field = Integer.rotateLeft(low, 16) & ~(0x1FF << 4) | (high & 0x1FF) << 4;
      int chosen = low >= 0 ? low ^ high ^ field : field;
      assertEquals((long) chosen << 32 | field & 0xFFFFFFFFL, out[i]);
    }
  }
}
