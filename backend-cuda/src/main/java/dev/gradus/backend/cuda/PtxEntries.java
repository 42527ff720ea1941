package dev.gradus.backend.cuda;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The kernels of a PTX text, and for each what leaves its bits to the device. Where there is
 * nothing, every floating-point instruction is one that IEEE 754 defines and the assembler may not
 * change, so all devices have the same bits.
 */
final class PtxEntries {
  private static final Pattern HEAD =
      Pattern.compile("(?:\\.visible )?\\.(entry|func)\\s+(?:\\([^)]*\\)\\s*)?(\\w+)\\s*\\(?\\)?");
  private static final Pattern INSTRUCTION =
      Pattern.compile("\\s*(?:@!?%p\\d+\\s+)?([a-z]\\w*(?:\\.\\w+)*)\\s+([^;]*);.*");
  private static final Pattern FLOATING = Pattern.compile("\\.f(16|32|64)\\b");

  /** Those that IEEE 754 defines, unless the instruction says that it approximates. */
  private static final Set<String> DEFINED =
      Set.of(
          "abs",
          "add",
          "copysign",
          "cvt",
          "div",
          "fma",
          "ld",
          "max",
          "min",
          "mov",
          "mul",
          "neg",
          "rcp",
          "selp",
          "setp",
          "shfl",
          "sqrt",
          "st",
          "sub");

  /** What hands a product on as it is. */
  private static final Set<String> MOVES = Set.of("mov", "neg", "abs", "selp");

  private final Map<String, Set<String>> reasons = new LinkedHashMap<>();

  /** An instruction: its name, then its operands, the result first. */
  private record Instruction(String name, List<String> operands) {
    String base() {
      int dot = name.indexOf('.');
      return dot < 0 ? name : name.substring(0, dot);
    }
  }

  /** A kernel or a function. */
  private static final class Body {
    final boolean entry;
    final List<Instruction> instructions = new ArrayList<>();
    final List<String> lines = new ArrayList<>();

    Body(boolean entry) {
      this.entry = entry;
    }
  }

  private PtxEntries(Map<String, Body> bodies) {
    bodies.forEach(
        (name, body) -> {
          if (body.entry) {
            Set<String> all = reasons(body);
            for (String line : body.lines) {
              Body called = bodies.get(line.strip().replace(",", ""));
              if (called != null) {
                all.addAll(reasons(called));
              }
            }
            reasons.put(name, Collections.unmodifiableSet(all));
          }
        });
  }

  /**
   * The kernels of a text, as the compiler writes it: a body's braces stand at the line's begin.
   */
  static PtxEntries of(String ptx) {
    Map<String, Body> bodies = new LinkedHashMap<>();
    Body next = new Body(false);
    boolean inside = false;
    for (String line : ptx.lines().toList()) {
      Matcher head = HEAD.matcher(line);
      if (!inside && head.matches()) {
        next = new Body(head.group(1).equals("entry"));
        bodies.put(head.group(2), next);
      } else if (line.startsWith("{")) {
        inside = true;
      } else if (line.startsWith("}")) {
        inside = false;
      } else if (inside) {
        next.lines.add(line);
        Matcher instruction = INSTRUCTION.matcher(line);
        if (instruction.matches()) {
          String[] operands = instruction.group(2).replaceAll("[{}\\s]", "").split(",", -1);
          next.instructions.add(new Instruction(instruction.group(1), List.of(operands)));
        }
      }
    }
    return new PtxEntries(bodies);
  }

  /** The kernels' names. */
  Set<String> names() {
    return reasons.keySet();
  }

  /** What leaves a kernel's bits to the device; empty where nothing does. */
  Set<String> inexact(String kernel) {
    Set<String> found = reasons.get(kernel);
    if (found == null) {
      throw new IllegalArgumentException("the PTX has no kernel '" + kernel + "'");
    }
    return found;
  }

  private static Set<String> reasons(Body body) {
    Set<String> reasons = new TreeSet<>();
    for (Instruction i : body.instructions) {
      boolean approximates = i.name.contains(".approx") || i.name.contains(".full");
      if (FLOATING.matcher(i.name).find() && (approximates || !DEFINED.contains(i.base()))) {
        reasons.add(i.name);
      }
    }
    contractions(body, "f32", reasons);
    contractions(body, "f64", reasons);
    return reasons;
  }

  /**
   * Sums of a product that do not say how they round: the assembler may round the two once. Where a
   * product goes is followed from register to register, whatever the branches.
   */
  private static void contractions(Body body, String type, Set<String> reasons) {
    Set<String> products = new HashSet<>();
    Map<String, List<String>> moves = new HashMap<>();
    for (Instruction i : body.instructions) {
      if (i.name.equals("mul." + type)) {
        products.add(i.operands.get(0));
      } else if (MOVES.contains(i.base())) {
        for (String from : i.operands.subList(1, i.operands.size())) {
          moves.computeIfAbsent(from, k -> new ArrayList<>()).add(i.operands.get(0));
        }
      }
    }
    List<String> open = new ArrayList<>(products);
    while (!open.isEmpty()) {
      for (String to : moves.getOrDefault(open.remove(open.size() - 1), List.of())) {
        if (products.add(to)) {
          open.add(to);
        }
      }
    }
    for (Instruction i : body.instructions) {
      boolean sum = i.name.equals("add." + type) || i.name.equals("sub." + type);
      if (sum && (products.contains(i.operands.get(1)) || products.contains(i.operands.get(2)))) {
        reasons.add(i.name + " of mul." + type);
      }
    }
  }
}
