package dev.gradus.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.gradus.testing.ReferenceBackend;
import dev.gradus.types.DType;
import dev.gradus.types.Shape;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What operations refuse: the kind of the error, its words, and that nothing was allocated. */
class ChecksTest {
  private Device device;
  private Scope scope;
  private final Map<String, Tensor> made = new HashMap<>();

  @BeforeEach
  void open() {
    device = Device.over(new ReferenceBackend("reference"));
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  /** Ones of a shape, made once, so that a refused call can be seen to allocate nothing. */
  private Tensor ones(long... dims) {
    return made.computeIfAbsent("ones" + Arrays.toString(dims), k -> device.ones(dims));
  }

  private Tensor ids(long... ids) {
    return made.computeIfAbsent("ids" + Arrays.toString(ids), k -> device.tensor(ids));
  }

  /** A wrong argument. */
  private void refused(String text, Runnable r) {
    refused(IllegalArgumentException.class, text, r);
  }

  /** A type that the operation lacks. */
  private void unsupported(String text, Runnable r) {
    refused(UnsupportedOperationException.class, text, r);
  }

  private void refused(Class<? extends RuntimeException> kind, String text, Runnable r) {
    assertEquals(text, assertThrows(kind, r::run).getMessage());
    long before = device.bytesInUse();
    assertThrows(kind, r::run);
    assertEquals(before, device.bytesInUse(), "refused before anything was allocated: " + text);
  }

  // ---- devices, types, shapes

  @Test
  void operandsAreOnOneDevice() {
    try (Device other = Device.over(new ReferenceBackend("cuda:0"))) {
      Tensor x = ones(2, 2);
      Tensor y = other.ones(2, 2);
      Tensor mask = x.gt(0);
      String rule = ": operands are on reference and cuda:0; move one with to(device)";
      refused("add" + rule, () -> x.add(y));
      refused("eq" + rule, () -> x.eq(y));
      refused("matmul" + rule, () -> x.matmul(y));
      refused("linear" + rule, () -> x.linear(y));
      refused("linear" + rule, () -> x.linear(x, y));
      refused("where" + rule, () -> Tensor.where(mask, y, x));
      refused("where" + rule, () -> Tensor.where(mask, x, y));
      refused("concat" + rule, () -> Tensor.concat(List.of(x, y), 0));
      refused("indexSelect" + rule, () -> x.indexSelect(0, y));
      refused("Embedding" + rule, () -> x.embedding("Embedding", y, -1));
      refused("nll" + rule, () -> x.nll("nll", y, 0, -100));
      refused("binaryCrossEntropy" + rule, () -> x.binaryCrossEntropy(y));
    }
  }

  @Test
  void operandsAreOfOneType() {
    Tensor x = ones(2, 2);
    Tensor y = device.ones(DType.F64, 2, 2);
    Tensor mask = x.gt(0);
    String rule = ": operands are float32 and float64; convert one with to(dtype)";
    refused("add" + rule, () -> x.add(y));
    refused("lt" + rule, () -> x.lt(y));
    refused("matmul" + rule, () -> x.matmul(y));
    refused("linear" + rule, () -> x.linear(y));
    refused("linear" + rule, () -> x.linear(x, y));
    refused("where" + rule, () -> Tensor.where(mask, x, y));
    refused("concat" + rule, () -> Tensor.concat(List.of(x, y), 0));
  }

  @Test
  void whatTakesFloatingPointSaysSo() {
    Tensor i = device.ones(DType.I64, 2, 2);
    String rule = ": takes float32 or float64 but is given int64; convert it with to(dtype)";
    unsupported("exp" + rule, i::exp);
    unsupported("div" + rule, () -> i.div(2));
    unsupported("div" + rule, () -> i.div(i));
    unsupported("reciprocal" + rule, () -> i.rdiv(2));
    unsupported("pow" + rule, () -> i.pow(2));
    unsupported("matmul" + rule, () -> i.matmul(i));
    unsupported("linear" + rule, () -> i.linear(i));
    unsupported("mean" + rule, i::mean);
    unsupported("mean" + rule, () -> i.mean(0));
    unsupported("mean" + rule, () -> i.mean(0, true));
    unsupported("var" + rule, i::var);
    unsupported("var" + rule, () -> i.var(new int[] {0}, 1, false));
    unsupported("var" + rule, () -> i.var(0, 1, false));
    unsupported("softmax" + rule, () -> i.softmax(0));
    unsupported("logSoftmax" + rule, () -> i.logSoftmax(0));
    unsupported("normalize" + rule, () -> i.normalize(1, 0));
    unsupported("dropout" + rule, () -> i.dropout(0.5));
    unsupported("nll" + rule, () -> i.nll("nll", ids(0, 0), 0, -100));
    unsupported("leakyRelu" + rule, () -> i.leakyRelu(0.1));
    Tensor b = i.gt(0);
    unsupported(
        "add: takes float32 or float64 but is given bool; convert it with to(dtype)",
        () -> b.add(b));
  }

  @Test
  void truthValuesAreNotReduced() {
    Tensor b = ones(2).gt(0);
    String rule = ": takes numbers but is given bool; convert it with to(dtype)";
    unsupported("sum" + rule, b::sum);
    unsupported("max" + rule, b::max);
    unsupported("min" + rule, () -> b.min(0, false));
    unsupported("argmax" + rule, () -> b.argmax(0, false));
    unsupported("argmin" + rule, () -> b.argmin(0, false));
  }

  @Test
  void integersTakeWholeNumbersOnly() {
    Tensor i = device.arange(3);
    assertArrayEquals(new long[] {2, 3, 4}, i.add(2).toLongArray());
    assertArrayEquals(new long[] {2, 1, 0}, i.rsub(2).toLongArray());
    assertArrayEquals(new long[] {1, 1, 2}, i.clamp(1, Double.POSITIVE_INFINITY).toLongArray());
    assertArrayEquals(new boolean[] {true, true, false}, i.lt(2).toBooleanArray());
    String rule = "5 is not a whole number but the tensor is int64; use one of float32 or float64";
    refused("add: 2." + rule, () -> i.add(2.5));
    refused("mul: 0." + rule, () -> i.mul(0.5));
    refused("clamp: 1." + rule, () -> i.clamp(0, 1.5));
    refused("lt: 1." + rule, () -> i.lt(1.5));
    Tensor mask = i.eq(0);
    refused("full: 0." + rule, () -> device.full(DType.I64, 0.5));
    refused("maskedFill: 1." + rule, () -> i.maskedFill(mask, 1.5));
  }

  @Test
  void integersTakeNumbersOfTheirRangeOnly() {
    Tensor i = device.arange(3);
    Tensor mask = i.eq(0);
    String rule =
        " is outside [-2^63, 2^63) but the tensor is int64; use one of float32 or float64";
    refused("full: 1.0E300" + rule, () -> device.full(DType.I64, 1e300));
    refused("full: 9.223372036854776E18" + rule, () -> device.full(DType.I64, 0x1p63));
    refused("add: Infinity" + rule, () -> i.add(Double.POSITIVE_INFINITY));
    refused("rsub: Infinity" + rule, () -> i.rsub(Double.POSITIVE_INFINITY));
    refused("mul: -Infinity" + rule, () -> i.mul(Double.NEGATIVE_INFINITY));
    refused("gt: -Infinity" + rule, () -> i.gt(Double.NEGATIVE_INFINITY));
    refused("maskedFill: 1.0E300" + rule, () -> i.maskedFill(mask, 1e300));
    refused(
        "full: NaN is not a whole number but the tensor is int64; use one of float32 or float64",
        () -> device.full(DType.I64, Double.NaN));
    assertEquals(Long.MIN_VALUE, device.full(DType.I64, -0x1p63).itemLong());
    assertEquals(Double.POSITIVE_INFINITY, device.scalar(Double.POSITIVE_INFINITY).item());
  }

  @Test
  void truthValuesTakeZeroAndOneOnly() {
    Tensor b = device.tensor(new boolean[] {true, false});
    assertArrayEquals(new boolean[] {true, false}, b.eq(1).toBooleanArray());
    assertArrayEquals(new boolean[] {false, true}, b.lt(1).toBooleanArray());
    assertArrayEquals(new boolean[] {true, true}, b.maskedFill(b.eq(0), 1).toBooleanArray());
    String rule = " is neither 0 nor 1 but the tensor is bool; use one of float32 or float64";
    refused("eq: 2.0" + rule, () -> b.eq(2));
    refused("lt: 2.0" + rule, () -> b.lt(2));
    refused("gt: -1.0" + rule, () -> b.gt(-1));
    refused("gt: 0.5" + rule, () -> b.gt(0.5));
    refused("ne: NaN" + rule, () -> b.ne(Double.NaN));
    refused("full: 3.0" + rule, () -> device.full(DType.BOOL, 3));
    refused("maskedFill: 2.0" + rule, () -> b.maskedFill(b, 2));
  }

  @Test
  void shapesBroadcastOrAreRefused() {
    refused(
        "add: cannot broadcast [3, 4] with [3]; sizes must be equal or 1, and they are 4 and 3 in"
            + " dimension -1",
        () -> ones(3, 4).add(ones(3)));
    refused(
        "binaryCrossEntropy: shapes are [3, 4] and [4]; they must be equal",
        () -> ones(3, 4).binaryCrossEntropy(ones(4)));
    Tensor mask = ones(2, 3).gt(0);
    refused(
        "maskedFill: the mask [2, 3] is larger than the tensor [3]",
        () -> ones(3).maskedFill(mask, 0));
    refused(
        "where: the condition must be bool but is float32; convert it with to(dtype)",
        () -> Tensor.where(ones(3), ones(3), ones(3)));
  }

  @Test
  void dimensionsExist() {
    Tensor x = ones(2, 3);
    String rule = ": dimension 2 does not exist in [2, 3]; it must be in [-2, 2)";
    refused("sum" + rule, () -> x.sum(2));
    refused("mean" + rule, () -> x.mean(2));
    refused("mean" + rule, () -> x.mean(2, true));
    refused("var" + rule, () -> x.var(2, 1, true));
    refused("max" + rule, () -> x.max(2, false));
    refused("min" + rule, () -> x.min(2, false));
    refused("argmax" + rule, () -> x.argmax(2, false));
    refused("argmin" + rule, () -> x.argmin(2, false));
    refused("softmax" + rule, () -> x.softmax(2));
    refused("logSoftmax" + rule, () -> x.logSoftmax(2));
    refused("indexSelect" + rule, () -> x.indexSelect(2, ids(0)));
    refused("flatten" + rule, () -> x.flatten(0, 2));
    refused("squeeze" + rule, () -> x.squeeze(2));
    refused("transpose" + rule, () -> x.transpose(0, 2));
    refused("permute" + rule, () -> x.permute(0, 2));
    refused("narrow" + rule, () -> x.narrow(2, 0, 1));
    refused("slice" + rule, () -> x.slice(2, 0, 1));
    refused("select" + rule, () -> x.select(2, 0));
    refused("concat" + rule, () -> Tensor.concat(List.of(x), 2));
    refused("sum: dimension -3 does not exist in [2, 3]; it must be in [-2, 2)", () -> x.sum(-3));
  }

  @Test
  void aDimensionIsNamedOnce() {
    Tensor x = ones(2, 3);
    refused("sum: [0, 0] names dimension 0 of [2, 3] twice; name it once", () -> x.sum(0, 0));
    refused("mean: [1, -1] names dimension 1 of [2, 3] twice; name it once", () -> x.mean(1, -1));
    refused(
        "var: [0, 0] names dimension 0 of [2, 3] twice; name it once",
        () -> x.var(new int[] {0, 0}, 1, true));
    refused("sum: [0, -1] names dimension 0 of [] twice; name it once", () -> ones().sum(0, -1));
  }

  @Test
  void aScalarHasNoDimensions() {
    Tensor x = ones();
    refused(
        "select: dimension 0 does not exist in [], which has none; reshape(1) gives it one",
        () -> x.select(0, 0));
    refused(
        "concat: dimension 0 does not exist in [], which has none; reshape(1) gives it one",
        () -> Tensor.concat(List.of(x, x), 0));
    refused(
        "sum: dimension 1 does not exist in [], which has none; reshape(1) gives it one",
        () -> x.sum(1));
    refused(
        "softmax: dimension -2 does not exist in [], which has none; reshape(1) gives it one",
        () -> x.softmax(-2));
  }

  /** As in PyTorch a scalar is reduced as if it had one dimension of one element. */
  @Test
  void aScalarIsReducedAsAVectorOfOne() {
    for (int dim : new int[] {0, -1}) {
      Tensor x = device.full(DType.F64, 3).requiresGrad(true);
      List<Tensor> results =
          List.of(
              x.sum(dim),
              x.sum(dim, true),
              x.mean(dim),
              x.max(dim, false),
              x.min(dim, true),
              x.transpose(0, dim));
      for (Tensor t : results) {
        assertEquals(Shape.scalar(), t.shape());
        assertEquals(3, t.item());
        t.backward();
      }
      assertEquals(results.size(), x.grad().item());
      assertEquals(1, x.softmax(dim).item());
      assertEquals(0, x.logSoftmax(dim).item());
      x.zeroGrad();
      x.softmax(dim).backward();
      assertEquals(0, x.grad().item());
      assertEquals(0, x.argmax(dim, true).itemLong());
      assertEquals(Shape.scalar(), x.argmin(dim, false).shape());
      assertEquals(0, x.var(dim, 0, true).item());
      assertEquals(Shape.of(1), x.flatten(0, dim).shape());
    }
  }

  @Test
  void extremesOfNothingAreRefused() {
    Tensor x = ones(2, 0);
    String rule = ": [2, 0] has nothing to reduce; the size must be at least 1";
    refused("max" + rule, x::max);
    refused("min" + rule, x::min);
    refused("max" + rule, () -> x.max(1, false));
    refused("argmin" + rule, () -> x.argmin(1, false));
    refused("argmin" + rule, x::argmin);
    refused("normalize" + rule, () -> x.normalize(1, 1e-5));
    assertEquals(Shape.of(0), x.max(0, false).shape());
  }

  // ---- numbers

  @Test
  void optionsAreNumbersInTheirRanges() {
    Tensor x = ones(2, 2);
    double nan = Double.NaN;
    refused("clamp: min must be a number but is NaN", () -> x.clamp(nan, 1));
    refused("clamp: max must be a number but is NaN", () -> x.clamp(0, nan));
    refused("leakyRelu: slope must be a number but is NaN", () -> x.leakyRelu(nan));
    refused("softplus: beta must be > 0 but is 0.0", () -> x.softplus(0, 20));
    refused("softplus: beta must be > 0 but is NaN", () -> x.softplus(nan, 20));
    refused("softplus: threshold must be a number but is NaN", () -> x.softplus(1, nan));
    refused("dropout: p must be in [0, 1] but is 1.5", () -> x.dropout(1.5));
    refused("dropout: p must be in [0, 1] but is NaN", () -> x.dropout(nan));
    refused("normalize: eps must be >= 0 but is NaN", () -> x.normalize(1, nan));
    refused("normalize: eps must be >= 0 but is -1.0", () -> x.normalize(1, -1));
    refused("normalize: dims must be >= 1 but is 0", () -> x.normalize(0, 0));
    refused("normalize: takes at least 3 dimensions but is given [2, 2]", () -> x.normalize(3, 0));
    refused(
        "nll: label smoothing must be in [0, 1] but is 1.5",
        () -> x.nll("nll", ids(0, 0), 1.5, -1));
    refused(
        "nll: label smoothing must be in [0, 1] but is NaN",
        () -> x.nll("nll", ids(0, 0), nan, -1));
  }

  // ---- products

  @Test
  void matricesFit() {
    refused(
        "matmul: cannot multiply [64, 2] by [64, 2]; the inner dimensions must be equal",
        () -> ones(64, 2).matmul(ones(64, 2)));
    refused(
        "matmul: cannot multiply [2] by [2, 3]; both need at least 2 dimensions: use reshape",
        () -> ones(2).matmul(ones(2, 3)));
    refused(
        "matmul: cannot broadcast [2] with [3]; sizes must be equal or 1, and they are 2 and 3 in"
            + " dimension -1",
        () -> ones(2, 4, 5).matmul(ones(3, 5, 4)));
    refused(
        "linear: cannot apply a weight [3, 5] to [2, 4]; the weight is [out, in] and the input's"
            + " last dimension must be in",
        () -> ones(2, 4).linear(ones(3, 5)));
    refused(
        "linear: the bias [4] does not fit the weight [3, 4]; it must be a vector with one"
            + " value for each output",
        () -> ones(2, 4).linear(ones(3, 4), ones(4)));
    refused(
        "linear: the bias [2, 2] does not fit the weight [4, 3]; it must be a vector with one"
            + " value for each output",
        () -> ones(2, 3).linear(ones(4, 3), ones(2, 2)));
  }

  // ---- shapes

  @Test
  void shapesKeepTheirElements() {
    Tensor x = ones(2, 3);
    refused("reshape: cannot reshape [2, 3] to [4]; it has 6 elements", () -> x.reshape(4));
    refused("reshape: cannot reshape [2, 3] to [4, -1]; it has 6 elements", () -> x.reshape(4, -1));
    refused("reshape: cannot reshape [2, 3] to [0, -1]; it has 6 elements", () -> x.reshape(0, -1));
    String shape = " is not a shape; sizes must be >= 0, and at most one -1";
    refused("reshape: [-1, -1]" + shape, () -> x.reshape(-1, -1));
    refused("reshape: [-2, 3]" + shape, () -> x.reshape(-2, 3));
    String order = " does not name each of the 2 dimensions of [2, 3] once";
    refused("permute: [0]" + order, () -> x.permute(0));
    refused("permute: [0, 0]" + order, () -> x.permute(0, 0));
    refused("permute: [0, 1, 0]" + order, () -> x.permute(0, 1, 0));
    refused(
        "expand: cannot expand [2, 3] to [3]; only dimensions of size 1 can grow",
        () -> x.expand(3));
    refused("shape: [-1, 2, 3] has a negative size; sizes must be >= 0", () -> x.expand(-1, 2, 3));
    refused(
        "expand: cannot expand [2, 3] to [1, 3]; only dimensions of size 1 can grow",
        () -> x.expand(1, 3));
    refused("flatten: dimension 1 comes after dimension 0 in [2, 3]", () -> x.flatten(1, 0));
    refused(
        "unsqueeze: there is no place 3 in [2, 3]; it must be in [-3, 2]", () -> x.unsqueeze(3));
    refused("squeeze: dimension -1 of [2, 3] has size 3; only size 1 can go", () -> x.squeeze(-1));
  }

  @Test
  void partsAreInside() {
    Tensor x = ones(2, 3);
    String rule = " are not in dimension 1 of [2, 3]; it has 3";
    refused("narrow: 2 elements from 2" + rule, () -> x.narrow(1, 2, 2));
    refused("narrow: 1 elements from -1" + rule, () -> x.narrow(1, -1, 1));
    refused("narrow: -1 elements from 0" + rule, () -> x.narrow(1, 0, -1));
    refused(
        "narrow: 9223372036854775807 elements from 1" + rule, () -> x.narrow(1, 1, Long.MAX_VALUE));
    refused("select: position 3 is not in dimension 1 of [2, 3]; it has 3", () -> x.select(1, 3));
    refused("select: position -4 is not in dimension 1 of [2, 3]; it has 3", () -> x.select(1, -4));
    assertEquals(Shape.of(2, 0), x.slice(1, 2, 1).shape());
    assertEquals(Shape.of(2, 2), x.slice(1, -2, 99).shape());
  }

  @Test
  void tensorsThatAreJoinedFit() {
    refused("concat: there is no tensor; give at least one", () -> Tensor.concat(List.of(), 0));
    refused("stack: there is no tensor; give at least one", () -> Tensor.stack(List.of(), 0));
    String rule = " along dimension 0; the other sizes must be equal";
    refused(
        "concat: cannot join [2, 3] and [2, 4]" + rule,
        () -> Tensor.concat(List.of(ones(2, 3), ones(2, 4)), 0));
    refused(
        "concat: cannot join [2, 3] and [3]" + rule,
        () -> Tensor.concat(List.of(ones(2, 3), ones(3)), 0));
    refused(
        "stack: shapes are [2, 3] and [3]; they must be equal",
        () -> Tensor.stack(List.of(ones(2, 3), ones(3)), 0));
  }

  // ---- ids

  @Test
  void anIdOutOfRangeIsNamedWithItsPosition() {
    Tensor table = ones(5, 2);
    String who = "Embedding 'tok'";
    Tensor high = device.tensor(new long[] {0, 1, 2, 3, 4, 5}, 2, 3);
    refused(
        who + ": id 5 at position [1, 2] is outside [0, 5)", () -> table.embedding(who, high, -1));
    Tensor negative = ids(0, -1);
    refused(
        who + ": id -1 at position [1] is outside [0, 5)",
        () -> table.embedding(who, negative, -1));
    Tensor one = device.full(DType.I64, 7);
    refused(who + ": id 7 at position [] is outside [0, 5)", () -> table.embedding(who, one, -1));
    refused(
        "indexSelect: id 2 at position [0] is outside [0, 2)", () -> table.indexSelect(1, ids(2)));
    Tensor scores = ones(3, 4);
    refused(
        "CrossEntropy: id 4 at position [2] is outside [0, 4)",
        () -> scores.nll("CrossEntropy", ids(0, -100, 4), 0, -100));
  }

  @Test
  void idsBornOnTheDeviceAreCheckedToo() {
    Tensor table = ones(5, 2);
    Tensor born = ids(1, 2).add(3);
    refused("tok: id 5 at position [1] is outside [0, 5)", () -> table.embedding("tok", born, -1));
    assertEquals(Shape.of(2, 2), table.embedding("tok", born.sub(1), -1).shape());
    Tensor drawn = device.randint(5, 6, 3);
    refused("tok: id 5 at position [0] is outside [0, 5)", () -> table.embedding("tok", drawn, -1));
  }

  @Test
  void idsThatWereOverwrittenAreCheckedAnew() {
    Tensor table = ones(5, 2);
    Tensor ids = ids(1, 2);
    Tensor view = ids.reshape(2, 1);
    table.embedding("tok", view, -1);
    ids.copyFrom(ids(3, 9));
    refused("tok: id 9 at position [1] is outside [0, 5)", () -> table.embedding("tok", ids, -1));
    refused(
        "tok: id 9 at position [1, 0] is outside [0, 5)", () -> table.embedding("tok", view, -1));
  }

  @Test
  void noIdsAreFine() {
    Tensor table = ones(5, 2).requiresGrad(true);
    Tensor none = device.tensor(new long[0], 0, 3);
    Tensor rows = table.embedding("tok", none, -1);
    assertEquals(Shape.of(0, 3, 2), rows.shape());
    rows.sum().backward();
    assertArrayEquals(new float[10], table.grad().toFloatArray());
    assertEquals(Shape.of(5, 0), table.indexSelect(1, device.arange(0)).shape());
    assertEquals(Shape.of(0, 2), ones(0, 2).embedding("tok", device.arange(0), -1).shape());
  }

  @Test
  void lookupsTakeIdsOfTheRightKind() {
    Tensor table = ones(5, 2);
    String rule = " must be int64 but is float32; convert it with to(dtype)";
    Tensor column = device.zeros(DType.I64, 2, 1);
    refused("tok: ids" + rule, () -> table.embedding("tok", ones(2), -1));
    refused("indexSelect: ids" + rule, () -> table.indexSelect(0, ones(2)));
    refused("nll: targets" + rule, () -> table.nll("nll", ones(5), 0, -100));
    refused(
        "indexSelect: ids must have 1 dimension but are [2, 1]",
        () -> table.indexSelect(0, column));
    refused(
        "tok: padding index 7 is not a row of the table [5, 2]; it must be in [0, 5), or -1 for"
            + " none",
        () -> table.embedding("tok", ids(0), 7));
    refused(
        "tok: padding index -2 is not a row of the table [5, 2]; it must be in [0, 5), or -1 for"
            + " none",
        () -> table.embedding("tok", ids(0), -2));
    refused(
        "tok: the table must have 2 dimensions but is [2]",
        () -> ones(2).embedding("tok", ids(0), -1));
    refused(
        "nll: scores are [5, 2] and targets [3]; scores must be [batch, classes] and targets"
            + " [batch]",
        () -> table.nll("nll", ids(0, 0, 0), 0, -100));
  }

  // ---- empty tensors

  @Test
  void emptyTensorsPassThrough() {
    Tensor x = device.zeros(DType.F64, 0, 3).requiresGrad(true);
    Tensor y = device.zeros(DType.F64, 3, 0).requiresGrad(true);
    List<Tensor> results =
        List.of(
            x.exp(),
            x.add(1).mul(x),
            x.softmax(1),
            x.softmax(0),
            x.normalize(1, 1e-5),
            x.sum(0),
            x.sum(1),
            x.max(1, false),
            x.transpose(0, 1).copy(),
            x.matmul(y),
            y.matmul(x),
            x.linear(device.ones(DType.F64, 4, 3)),
            y.linear(device.zeros(DType.F64, 4, 0), device.ones(DType.F64, 4)),
            Tensor.concat(List.of(x, x), 0),
            x.expand(2, 0, 3));
    for (Tensor t : results) {
      t.sum().backward();
    }
    assertEquals(0, x.grad().numel());
    assertArrayEquals(new double[9], y.matmul(x).toDoubleArray());
    assertEquals(
        12, y.linear(device.zeros(DType.F64, 4, 0), device.ones(DType.F64, 4)).sum().item());
  }

  @Test
  void theWeightOfAnEmptyBatchGetsZeros() {
    Tensor w = device.ones(DType.F64, 4, 3).requiresGrad(true);
    Tensor b = device.ones(DType.F64, 4).requiresGrad(true);
    device.zeros(DType.F64, 0, 3).linear(w, b).sum().backward();
    assertArrayEquals(new double[12], w.grad().toDoubleArray());
    assertArrayEquals(new double[4], b.grad().toDoubleArray());
    Tensor x = device.ones(DType.F64, 2, 3).requiresGrad(true);
    x.linear(device.zeros(DType.F64, 0, 3)).sum().backward();
    assertArrayEquals(new double[6], x.grad().toDoubleArray());
  }
}
