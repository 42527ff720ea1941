package dev.gradus.io;

import dev.gradus.types.DType;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The element types that the format knows, by the names that stand in files. */
enum ElementType {
  BOOL(8, DType.BOOL),
  U8(8, null),
  I8(8, null),
  F8_E4M3(8, null),
  F8_E5M2(8, null),
  F8_E8M0(8, null),
  F8_E4M3FNUZ(8, null),
  F8_E5M2FNUZ(8, null),
  F6_E2M3(6, null),
  F6_E3M2(6, null),
  F4(4, null),
  I16(16, null),
  U16(16, null),
  F16(16, DType.F32),
  BF16(16, DType.F32),
  I32(32, null),
  U32(32, null),
  F32(32, DType.F32),
  F64(64, DType.F64),
  I64(64, DType.I64),
  U64(64, null),
  C64(64, null);

  private static final Map<String, ElementType> NAMED =
      Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(ElementType::name, t -> t));

  private final int bits;
  private final @Nullable DType readAs;

  ElementType(int bits, @Nullable DType readAs) {
    this.bits = bits;
    this.readAs = readAs;
  }

  /** The size of one element in bits; a tensor takes whole bytes. */
  int bits() {
    return bits;
  }

  /** The type of the tensor that reading gives; null where reading is refused. */
  @Nullable DType readAs() {
    return readAs;
  }

  /** The type with this name; null if there is none. */
  static @Nullable ElementType named(String name) {
    return NAMED.get(name);
  }

  /** The type that a tensor is written as. */
  static ElementType of(DType dtype) {
    return switch (dtype) {
      case F32 -> F32;
      case F64 -> F64;
      case I64 -> I64;
      case BOOL -> BOOL;
    };
  }

  /** The float32 with the value of an IEEE 754 binary16; every such value is one. */
  static float fromF16(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = (half >>> 10) & 0x1f;
    int fraction = half & 0x3ff;
    if (exponent == 0) {
      return Float.intBitsToFloat(sign | Float.floatToRawIntBits(fraction * 0x1p-24f));
    }
    int widened = exponent == 0x1f ? 0xff : exponent + 127 - 15;
    return Float.intBitsToFloat(sign | widened << 23 | fraction << 13);
  }

  /** The float32 whose upper half these bits are. */
  static float fromBf16(short upper) {
    return Float.intBitsToFloat(upper << 16);
  }
}
