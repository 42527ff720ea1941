package dev.gradus.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PtxEntriesTest {
  private static Set<String> inexact(String... lines) {
    String body = String.join("\n\t", lines);
    String ptx = ".visible .entry k(\n\t.param .u64 k_param_0\n)\n{\n\t" + body + "\n}\n";
    return PtxEntries.of(ptx).inexact("k");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fma.rn.f32 %f1, %f2, %f3, %f4;",
        "@%p1 div.rn.f64 %fd1, %fd2, %fd3;",
        "sqrt.rn.f32 %f1, %f2;",
        "cvt.rn.f32.f64 %f1, %fd1;",
        "ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd1];",
        "add.f32 %f1, %f2, %f3;",
        "mul.f32 %f1, %f2, %f3;",
        "bra.uni $L__BB0_1;"
      })
  void whatIeeeDefinesIsExact(String line) {
    assertEquals(Set.of(), inexact(line));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ex2.approx.ftz.f32 %f1, %f2;",
        "@!%p2 rcp.approx.ftz.f64 %fd1, %fd2;",
        "div.full.f32 %f1, %f2, %f3;",
        "sin.approx.f32 %f1, %f2;",
        "atom.global.add.f32 %f1, [%rd1], %f2;",
        "red.global.add.f64 [%rd1], %fd2;"
      })
  void approximationsAndAtomicSumsAreNot(String line) {
    Set<String> reasons = inexact(line);
    assertEquals(1, reasons.size());
    assertTrue(line.contains(reasons.iterator().next()), reasons.toString());
  }

  @Test
  void aSumOfAProductMayBeRoundedOnce() {
    assertEquals(
        Set.of("add.f32 of mul.f32"),
        inexact("mul.f32 %f1, %f2, %f3;", "mov.f32 %f4, %f1;", "add.f32 %f5, %f6, %f4;"));
    assertEquals(
        Set.of("sub.f64 of mul.f64"),
        inexact(
            "sub.f64 %fd5, %fd4, %fd6;",
            "selp.f64 %fd4, %fd3, %fd2, %p1;", "neg.f64 %fd3, %fd1;", "mul.f64 %fd1, %fd2, %fd2;"));
  }

  @Test
  void aProductOrASumThatSaysHowItRoundsIsKept() {
    assertEquals(Set.of(), inexact("mul.rn.f32 %f1, %f2, %f3;", "add.f32 %f5, %f6, %f1;"));
    assertEquals(Set.of(), inexact("mul.f32 %f1, %f2, %f3;", "add.rn.f32 %f5, %f6, %f1;"));
    assertEquals(Set.of(), inexact("mul.f32 %f1, %f2, %f3;", "add.f32 %f5, %f6, %f7;"));
  }

  @Test
  void aKernelHasWhatTheFunctionsHaveThatItCalls() {
    PtxEntries entries =
        PtxEntries.of(
            """
            .func  (.param .b64 func_retval0) helper
            (
            	.param .b64 helper_param_0
            )
            ;
            .visible .entry calls(
            	.param .u64 calls_param_0
            )
            {
            	call.uni (retval0),\s
            	helper,\s
            	(
            	param0
            	);
            }
            .visible .entry alone()
            {
            	ret;
            }
            .func  (.param .b64 func_retval0) helper(
            	.param .b64 helper_param_0
            )
            {
            	lg2.approx.f32 %f1, %f2;
            }
            """);
    assertEquals(Set.of("calls", "alone"), entries.names());
    assertEquals(Set.of("lg2.approx.f32"), entries.inexact("calls"));
    assertEquals(Set.of(), entries.inexact("alone"));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> entries.inexact("helper"));
    assertEquals("the PTX has no kernel 'helper'", e.getMessage());
  }

  /** So that a compiler that writes otherwise does not make all kernels exact, or none. */
  @Test
  void theJarsKernelsAreReadWhole() {
    PtxEntries entries = PtxEntries.of(Ptx.text());
    assertEquals(Ptx.kernels().keySet(), entries.names());
    Set<String> inexact =
        entries.names().stream()
            .filter(k -> !entries.inexact(k).isEmpty())
            .collect(Collectors.toSet());
    assertTrue(inexact.containsAll(Set.of("exp_f32", "tanh_f64", "pow_f64", "softmax_f32")));
    for (String exact : new String[] {"adam_f32", "sgd_rows_f64", "gemm_f64", "sum_rows_f32"}) {
      assertEquals(Set.of(), entries.inexact(exact), exact);
    }
    assertTrue(inexact.size() < entries.names().size() / 3, inexact.toString());
  }
}
