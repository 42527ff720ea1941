package dev.gradus.types;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class ShapeTest {

  private static void refused(String message, Executable call) {
    assertEquals(message, assertThrows(IllegalArgumentException.class, call).getMessage());
  }

  @Test
  void aScalarHasOneElementAndNoDimension() {
    assertEquals(0, Shape.scalar().rank());
    assertEquals(1, Shape.scalar().numel());
    assertEquals(Shape.scalar(), Shape.of());
    assertEquals("[]", Shape.scalar().toString());
  }

  @Test
  void numelIsTheProductOfTheSizes() {
    assertEquals(24, Shape.of(2, 3, 4).numel());
    assertEquals(0, Shape.of(2, 0, 4).numel());
    assertEquals(12, Shape.of(2, 3, 4).numel(1, 3));
    assertEquals(1, Shape.of(2, 3, 4).numel(1, 1));
    assertEquals(1L << 40, Shape.of(1 << 20, 1 << 20).numel());
  }

  @Test
  void dimensionsCountFromEitherEnd() {
    Shape s = Shape.of(2, 3, 4);
    assertEquals(2, s.dim(0));
    assertEquals(4, s.dim(-1));
    assertEquals(0, s.axis(-3));
    assertEquals(2, s.axis(2));
  }

  @Test
  void stridesAreRowMajor() {
    assertArrayEquals(new long[] {12, 4, 1}, Shape.of(2, 3, 4).strides());
    assertArrayEquals(new long[0], Shape.scalar().strides());
  }

  @Test
  void partsOfAShapeAreShapes() {
    Shape s = Shape.of(2, 3, 4);
    assertEquals(Shape.of(2, 7, 4), s.with(-2, 7));
    assertEquals(Shape.of(2, 4), s.without(1));
    assertEquals(Shape.of(2, 3), s.without(-1));
    assertEquals(Shape.of(3, 4), s.slice(1, 3));
    assertEquals(Shape.scalar(), s.slice(2, 2));
    assertEquals(Shape.of(2, 3, 4, 5, 6), s.append(5, 6));
    assertEquals(360 * 2, s.append(5, 6).numel());
    assertEquals(Shape.of(7), Shape.scalar().append(7));
    assertEquals(s, s.append());
  }

  @Test
  void aShapeIsAValue() {
    long[] dims = {2, 3};
    Shape s = Shape.of(dims);
    dims[0] = 9;
    s.toArray()[1] = 9;
    assertEquals(Shape.of(2, 3), s);
    assertEquals(Shape.of(2, 3).hashCode(), s.hashCode());
    assertNotEquals(Shape.of(3, 2), s);
    assertEquals("[2, 3]", s.toString());
  }

  @Test
  void broadcastAlignsAtTheLastDimension() {
    assertEquals(Shape.of(4, 3), Shape.broadcast("add", Shape.of(4, 1), Shape.of(3)));
    assertEquals(Shape.of(2, 4, 3), Shape.broadcast("add", Shape.of(3), Shape.of(2, 4, 1)));
    assertEquals(Shape.of(5), Shape.broadcast("add", Shape.scalar(), Shape.of(5)));
    assertEquals(Shape.of(0), Shape.broadcast("add", Shape.of(0), Shape.of(1)));
    assertEquals(Shape.of(2, 0), Shape.broadcast("add", Shape.of(2, 1), Shape.of(1, 0)));
  }

  @Test
  void whatDoesNotBroadcastIsRefusedInWords() {
    refused(
        "add: cannot broadcast [64, 2] with [64, 3]; sizes must be equal or 1, and they are 2 and 3"
            + " in dimension -1",
        () -> Shape.broadcast("add", Shape.of(64, 2), Shape.of(64, 3)));
    refused(
        "mul: cannot broadcast [0] with [2]; sizes must be equal or 1, and they are 0 and 2 in"
            + " dimension -1",
        () -> Shape.broadcast("mul", Shape.of(0), Shape.of(2)));
  }

  @Test
  void negativeAndImmenseSizesAreRefusedInWords() {
    refused("shape: [2, -1] has a negative size; sizes must be >= 0", () -> Shape.of(2, -1));
    refused(
        "shape: [4294967296, 4294967296] has more than 2^63 - 1 elements",
        () -> Shape.of(1L << 32, 1L << 32));
  }

  @Test
  void aMissingDimensionIsRefusedInWords() {
    refused(
        "dimension 2 does not exist in [4, 5]; it must be in [-2, 2)", () -> Shape.of(4, 5).dim(2));
    refused(
        "dimension -3 does not exist in [4, 5]; it must be in [-2, 2)",
        () -> Shape.of(4, 5).without(-3));
    refused("dimension 0 does not exist in []; it must be in [0, 0)", () -> Shape.scalar().axis(0));
  }

  @Test
  void anElementHasAnIndexInEachDimension() {
    assertArrayEquals(new long[] {1, 0, 2}, Shape.of(2, 3, 4).position(14));
    assertArrayEquals(new long[] {}, Shape.scalar().position(0));
  }
}
