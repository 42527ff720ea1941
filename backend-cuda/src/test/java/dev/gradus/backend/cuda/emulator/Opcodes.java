package dev.gradus.backend.cuda.emulator;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Instructions to test, each with what Java computes for it on bit patterns, and the kernels that
 * run them: {@code opN} for all lanes, {@code maskedN} for every third.
 */
final class Opcodes {
  /** An instruction's result from the bits of its operands. */
  @FunctionalInterface
  interface Meaning {
    long of(long a, long b, long c);
  }

  /**
   * A case.
   *
   * @param text the mnemonic
   * @param types of the result and the operands, such as f32 f32 f32
   * @param meaning the result's bits
   * @param ulps what the result may differ by; 0: nothing
   */
  record Case(String text, List<String> types, Meaning meaning, double ulps) {
    int operands() {
      return types.size() - 1;
    }

    String type(int k) {
      return types.get(k);
    }
  }

  private final List<Case> cases = new ArrayList<>();

  List<Case> cases() {
    return cases;
  }

  void add(String text, String types, Meaning meaning) {
    cases.add(new Case(text, List.of(types.split(" ")), meaning, 0));
  }

  void addClose(String text, String types, double ulps, Meaning meaning) {
    cases.add(new Case(text, List.of(types.split(" ")), meaning, ulps));
  }

  static int bytes(String type) {
    return type.equals("pred") ? 4 : Integer.parseInt(type.substring(1)) / 8;
  }

  private static String register(String type) {
    return type.substring(0, 1).equals("f") ? "." + type : ".b" + Math.max(16, 8 * bytes(type));
  }

  /** A module with all cases. */
  String ptx() {
    StringBuilder text = new StringBuilder(".version 8.0\n.target sm_75\n.address_size 64\n");
    for (int k = 0; k < cases.size(); k++) {
      kernel(text, "op" + k, cases.get(k), false);
      kernel(text, "masked" + k, cases.get(k), true);
    }
    return text.toString();
  }

  private static void kernel(StringBuilder text, String name, Case c, boolean masked) {
    text.append(".visible .entry ").append(name).append("(.param .u64 x, .param .u64 y,");
    text.append(" .param .u64 z, .param .u64 out, .param .u32 n)\n{\n");
    text.append("  .reg .b32 %r<9>;\n  .reg .b64 %rd<9>;\n  .reg .pred %p<5>;\n");
    for (int k = 0; k < c.types().size(); k++) {
      String type = c.type(k).equals("pred") ? ".pred" : register(c.type(k));
      text.append("  .reg ").append(type).append(" %v").append(k).append(";\n");
    }
    text.append("  mov.u32 %r1, %ctaid.x;\n  mov.u32 %r2, %ntid.x;\n  mov.u32 %r3, %tid.x;\n");
    text.append("  mad.lo.s32 %r4, %r1, %r2, %r3;\n  ld.param.u32 %r5, [n];\n");
    text.append("  setp.ge.u32 %p1, %r4, %r5;\n  @%p1 bra DONE;\n");
    for (int k = 1; k < c.types().size(); k++) {
      line(text, "ld.param.u64 %%rd1, [%s]", "xyz".substring(k - 1, k));
      line(text, "mad.wide.u32 %%rd2, %%r4, 8, %%rd1");
      line(text, "ld.global.b%d %%v%d, [%%rd2]", 8 * bytes(c.type(k)), k);
    }
    line(text, "ld.param.u64 %%rd1, [out]");
    line(text, "mad.wide.u32 %%rd3, %%r4, 8, %%rd1");
    if (masked) {
      line(text, "rem.u32 %%r6, %%r4, 3");
      line(text, "setp.eq.u32 %%p2, %%r6, 0");
      if (!c.type(0).equals("pred")) {
        line(text, "ld.global.b%d %%v0, [%%rd3]", 8 * bytes(c.type(0)));
      }
    }
    StringBuilder operands = new StringBuilder("%v0");
    for (int k = 1; k < c.types().size(); k++) {
      operands.append(", %v").append(k);
    }
    line(text, "%s%s %s", masked ? "@%p2 " : "", c.text(), operands);
    if (c.type(0).equals("pred")) {
      line(text, "selp.u32 %%r7, 1, 0, %%v0");
      line(text, "%sst.global.u32 [%%rd3], %%r7", masked ? "@%p2 " : "");
    } else {
      line(text, "st.global.b%d [%%rd3], %%v0", 8 * bytes(c.type(0)));
    }
    text.append("DONE:\n  ret;\n}\n");
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append("  ").append(String.format(Locale.ROOT, format, values)).append(";\n");
  }
}
