package dev.gradus.testing;

import dev.gradus.spi.Storage;
import dev.gradus.types.DType;
import java.lang.reflect.Array;
import java.util.Arrays;

/** A whole Java array of the type's own elements, which knows its owner and whether it is freed. */
final class ReferenceStorage implements Storage {
  private final ReferenceBackend owner;
  private final DType dtype;
  private final Object array;
  private final int numel;
  private volatile boolean freed;

  ReferenceStorage(ReferenceBackend owner, DType dtype, int numel) {
    this.owner = owner;
    this.dtype = dtype;
    this.numel = numel;
    this.array =
        switch (dtype) {
          case F32 -> new float[numel];
          case F64 -> new double[numel];
          case I64 -> new long[numel];
          case BOOL -> new boolean[numel];
        };
    poison();
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long numel() {
    return numel;
  }

  ReferenceBackend owner() {
    return owner;
  }

  boolean isFreed() {
    return freed;
  }

  /** Ends the storage; its content becomes poison, so that an alias of the array shows too. */
  void free() {
    poison();
    freed = true;
  }

  private void poison() {
    switch (dtype) {
      case F32 -> Arrays.fill(floats(), Float.NaN);
      case F64 -> Arrays.fill(doubles(), Double.NaN);
      case I64 -> Arrays.fill(longs(), Long.MIN_VALUE);
      case BOOL -> Arrays.fill(booleans(), true);
    }
  }

  float[] floats() {
    return (float[]) array;
  }

  double[] doubles() {
    return (double[]) array;
  }

  long[] longs() {
    return (long[]) array;
  }

  boolean[] booleans() {
    return (boolean[]) array;
  }

  /** An element as a double; an I64 beyond 2^53 is rounded, a BOOL is 0 or 1. */
  double get(int i) {
    return switch (dtype) {
      case F32 -> floats()[i];
      case F64 -> doubles()[i];
      case I64 -> longs()[i];
      case BOOL -> booleans()[i] ? 1 : 0;
    };
  }

  /** An element of I64 or BOOL as a long. */
  long getLong(int i) {
    return dtype == DType.BOOL ? (booleans()[i] ? 1 : 0) : longs()[i];
  }

  /** Sets an element, rounded to the type: the one rounding of a reference result. */
  void set(int i, double value) {
    switch (dtype) {
      case F32 -> floats()[i] = (float) value;
      case F64 -> doubles()[i] = value;
      case I64 -> longs()[i] = (long) value;
      case BOOL -> booleans()[i] = value != 0;
    }
  }

  /** Copies one element of a storage of the same type, bit for bit. */
  void copy(int i, ReferenceStorage from, int j) {
    Array.set(array, i, Array.get(from.array, j));
  }

  /** A scalar as this type holds it. */
  double round(double scalar) {
    return switch (dtype) {
      case F32 -> (float) scalar;
      case F64 -> scalar;
      case I64 -> (long) scalar;
      case BOOL -> scalar != 0 ? 1 : 0;
    };
  }
}
