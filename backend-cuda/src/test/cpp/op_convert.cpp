// cvt: between integers, between floats, and across, with PTX's rounding, saturation and values for NaN.
#include <cfenv>
#include <cmath>
#include <limits>

#include "lanes.h"
#include "opcode.h"

namespace emulator {

namespace {

enum Rounding { NEAREST, ZERO, DOWN, UP };

template <int R, class T>
inline T toIntegral(T v) {
    if constexpr (R == ZERO) return std::trunc(v);
    else if constexpr (R == DOWN) return std::floor(v);
    else if constexpr (R == UP) return std::ceil(v);
    else return std::nearbyint(v);
}

inline float flush(float v) {
    const uint32_t bits = toCell<float>(v);
    return fromCell<float>((bits & 0x7F800000u) == 0 ? bits & 0x80000000u : bits);
}
inline double flush(double v) { return v; }

// Out of range gives the nearest bound. NaN gives 0 from single precision to 32 bits and less, else the highest bit.
template <class D, class S, int R, bool FTZ>
struct FloatToInteger {
    static D of(S v) {
        if (v != v) return sizeof(S) == 8 || sizeof(D) == 8 ? D(std::make_unsigned_t<D>(1) << (sizeof(D) * 8 - 1)) : D(0);
        const S r = toIntegral<R>(FTZ ? flush(v) : v);
        if (r <= S(std::numeric_limits<D>::min())) return std::numeric_limits<D>::min();
        if (r >= S(std::numeric_limits<D>::max())) return std::numeric_limits<D>::max();
        return D(r);
    }
};

template <class D, class S>
struct Plain {
    static D of(S v) { return D(v); }
};

template <class D, class S>
struct Clamped {
    static D of(S v) {
        using Big = __int128;
        const Big low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max();
        return D(Big(v) < low ? low : Big(v) > high ? high : Big(v));
    }
};

template <class D, class S, bool FTZ, bool SAT>
struct FloatToFloat {
    static D of(S v) {
        if (FTZ) v = S(flush(v));
        D r = D(v);
        if (FTZ) r = D(flush(r));
        if (SAT) return r >= D(1) ? D(1) : r > D(0) ? r : D(0);
        if constexpr (sizeof(D) == 4) return r != r ? fromCell<float>(0x7FFFFFFFu) : r;
        return r;
    }
};

template <class T, int R, bool FTZ, bool SAT>
struct RoundFloat {
    static T of(T v) { return FloatToFloat<T, T, FTZ, SAT>::of(toIntegral<R>(FTZ ? T(flush(v)) : v)); }
};

// The usual case: operands of 32 and 64 bits in rows of their own size.
template <class D, class S, class Op>
void convert(Warp& w, const Instruction& in, Mask mask) {
    const auto* a = w.row<Cell<S>>(in.r[1]);
    writeRow(w.row<Cell<D>>(in.r[0]), mask, [=](int i) { return toCell<D>(Op::of(fromCell<S>(a[i]))); });
}

template <class D, class S, class Op>
uint64_t convertOne(uint64_t bits) {
    const D value = Op::of(fromCell<S>(Cell<S>(bits)));
    if constexpr (std::is_signed_v<D> && std::is_integral_v<D>) return uint64_t(int64_t(value));
    else return toCell<D>(value);
}

// Rows may be wider than the type (in.extra: 1 the result's, 2 the source's row has 64 bits): the value is in the low bits, a
// result fills the row.
void convertEach(Warp& w, const Instruction& in, Mask mask, uint64_t (*one)(uint64_t)) {
    for (Mask m = mask; m != 0; m &= m - 1) {
        const int i = lowestLane(m);
        const uint64_t value = one(in.extra & 2 ? w.row<uint64_t>(in.r[1])[i] : w.row<uint32_t>(in.r[1])[i]);
        if (in.extra & 1) w.row<uint64_t>(in.r[0])[i] = value;
        else w.row<uint32_t>(in.r[0])[i] = uint32_t(value);
    }
}

template <class D, class S, class Op>
void convertOdd(Warp& w, const Instruction& in, Mask mask) {
    convertEach(w, in, mask, convertOne<D, S, Op>);
}

template <class D, class S, class Op>
Handler withCells(int d, int s) {
    if constexpr (sizeof(D) >= 4 && sizeof(S) >= 4)
        if (d == int(sizeof(D)) && s == int(sizeof(S))) return convert<D, S, Op>;
    return convertOdd<D, S, Op>;
}

template <Handler PLAIN, int MODE>
void rounded(Warp& w, const Instruction& in, Mask mask) {
    std::fesetround(MODE);
    PLAIN(w, in, mask);
    std::fesetround(FE_TONEAREST);
}

// Conversions to a float, which may round.
template <class D, class S, class Op>
Handler inMode(const Opcode& op, int d, int s) {
    constexpr Handler plain = convertOdd<D, S, Op>;
    if (op.has("rz")) return rounded<plain, FE_TOWARDZERO>;
    if (op.has("rm")) return rounded<plain, FE_DOWNWARD>;
    if (op.has("rp")) return rounded<plain, FE_UPWARD>;
    return withCells<D, S, Op>(d, s);
}

template <class D, class S>
Handler fromInteger(const Opcode& op, int d, int s) {
    if constexpr (std::is_floating_point_v<D>) return inMode<D, S, Plain<D, S>>(op, d, s);
    else return op.has("sat") ? withCells<D, S, Clamped<D, S>>(d, s) : withCells<D, S, Plain<D, S>>(d, s);
}

template <class D, class S, bool FTZ>
Handler toInteger(const Opcode& op, int d, int s) {
    if (op.has("rni")) return withCells<D, S, FloatToInteger<D, S, NEAREST, FTZ>>(d, s);
    if (op.has("rzi")) return withCells<D, S, FloatToInteger<D, S, ZERO, FTZ>>(d, s);
    if (op.has("rmi")) return withCells<D, S, FloatToInteger<D, S, DOWN, FTZ>>(d, s);
    if (op.has("rpi")) return withCells<D, S, FloatToInteger<D, S, UP, FTZ>>(d, s);
    return nullptr;
}

template <class D, class S, bool FTZ, bool SAT>
Handler betweenFloats(const Opcode& op, int d, int s) {
    if constexpr (std::is_same_v<D, S>) {
        if (op.has("rni")) return withCells<D, S, RoundFloat<D, NEAREST, FTZ, SAT>>(d, s);
        if (op.has("rzi")) return withCells<D, S, RoundFloat<D, ZERO, FTZ, SAT>>(d, s);
        if (op.has("rmi")) return withCells<D, S, RoundFloat<D, DOWN, FTZ, SAT>>(d, s);
        if (op.has("rpi")) return withCells<D, S, RoundFloat<D, UP, FTZ, SAT>>(d, s);
    }
    return inMode<D, S, FloatToFloat<D, S, FTZ, SAT>>(op, d, s);
}

template <class D, class S>
Handler fromFloat(const Opcode& op, int d, int s) {
    const bool ftz = op.has("ftz");
    if constexpr (std::is_integral_v<D>) {
        return ftz ? toInteger<D, S, true>(op, d, s) : toInteger<D, S, false>(op, d, s);
    } else {
        if (op.has("sat")) return ftz ? betweenFloats<D, S, true, true>(op, d, s) : betweenFloats<D, S, false, true>(op, d, s);
        return ftz ? betweenFloats<D, S, true, false>(op, d, s) : betweenFloats<D, S, false, false>(op, d, s);
    }
}

template <class D>
Handler to(const Opcode& op, Type source, int d, int s) {
    switch (source) {
        case Type::U8: return fromInteger<D, uint8_t>(op, d, s);
        case Type::S8: return fromInteger<D, int8_t>(op, d, s);
        case Type::U16: return fromInteger<D, uint16_t>(op, d, s);
        case Type::S16: return fromInteger<D, int16_t>(op, d, s);
        case Type::U32: return fromInteger<D, uint32_t>(op, d, s);
        case Type::S32: return fromInteger<D, int32_t>(op, d, s);
        case Type::U64: return fromInteger<D, uint64_t>(op, d, s);
        case Type::S64: return fromInteger<D, int64_t>(op, d, s);
        case Type::F32: return fromFloat<D, float>(op, d, s);
        case Type::F64: return fromFloat<D, double>(op, d, s);
        default: return nullptr;
    }
}

}  // namespace

Handler convertHandler(const Opcode& op, int d, int s) {
    if (op.types.size() != 2) return nullptr;
    const Type source = op.types[1];
    switch (op.types[0]) {
        case Type::U8: return to<uint8_t>(op, source, d, s);
        case Type::S8: return to<int8_t>(op, source, d, s);
        case Type::U16: return to<uint16_t>(op, source, d, s);
        case Type::S16: return to<int16_t>(op, source, d, s);
        case Type::U32: return to<uint32_t>(op, source, d, s);
        case Type::S32: return to<int32_t>(op, source, d, s);
        case Type::U64: return to<uint64_t>(op, source, d, s);
        case Type::S64: return to<int64_t>(op, source, d, s);
        case Type::F32: return to<float>(op, source, d, s);
        case Type::F64: return to<double>(op, source, d, s);
        default: return nullptr;
    }
}

}  // namespace emulator
