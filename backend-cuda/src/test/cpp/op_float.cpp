// Floating-point arithmetic and comparisons: IEEE 754 as the host computes it, PTX's rules for NaN, zeros and flushing.
#include <cfenv>
#include <cmath>

#include "lanes.h"
#include "opcode.h"

namespace emulator {

namespace {

// Single precision answers one NaN; double precision keeps what the host makes.
inline float canonical(float v) {
    const uint32_t bits = v != v ? 0x7FFFFFFFu : toCell<float>(v);
    return fromCell<float>(bits);
}
inline double canonical(double v) { return v; }

inline float flush(float v) {
    const uint32_t bits = toCell<float>(v);
    return fromCell<float>((bits & 0x7F800000u) == 0 ? bits & 0x80000000u : bits);
}
inline double flush(double v) { return v; }

template <class T>
inline T saturate(T v) {
    return v >= T(1) ? T(1) : v > T(0) ? v : T(0);  // NaN gives +0
}

struct Add { template <class T> static T of(T a, T b) { return a + b; } };
struct Subtract { template <class T> static T of(T a, T b) { return a - b; } };
struct Multiply { template <class T> static T of(T a, T b) { return a * b; } };
struct Divide { template <class T> static T of(T a, T b) { return a / b; } };
struct Fused {
    static float of(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
    static double of(double a, double b, double c) { return __builtin_fma(a, b, c); }
};
struct Reciprocal { template <class T> static T of(T a) { return T(1) / a; } };
struct SquareRoot { template <class T> static T of(T a) { return std::sqrt(a); } };
struct ReciprocalRoot { template <class T> static T of(T a) { return T(1) / std::sqrt(a); } };
struct ReciprocalRootSingle { static float of(float a) { return float(1.0 / std::sqrt(double(a))); } };
struct Sine { static float of(float a) { return std::sin(a); } };
struct Cosine { static float of(float a) { return std::cos(a); } };
struct Log2 { static float of(float a) { return std::log2(a); } };
struct Exp2 { static float of(float a) { return std::exp2(a); } };
struct Tanh { static float of(float a) { return std::tanh(a); } };
// The double approximations that start a Newton iteration keep the upper 32 bits only.
struct CoarseReciprocal {
    static double of(double a) {
        const double r = 1.0 / a;
        const uint64_t bits = toCell<double>(r) & 0xFFFFFFFF00000000u;
        return std::fpclassify(r) == FP_SUBNORMAL ? std::copysign(0.0, r) : fromCell<double>(bits);
    }
};
// One NaN gives the other operand; -0 is below +0.
struct Minimum {
    static float of(float a, float b) {
        float r = a < b ? a : b;
        r = a == b ? fromCell<float>(toCell<float>(a) | toCell<float>(b)) : r;
        return a != a ? b : b != b ? a : r;
    }
    static double of(double a, double b) {
        double r = a < b ? a : b;
        r = a == b ? fromCell<double>(toCell<double>(a) | toCell<double>(b)) : r;
        return a != a ? b : b != b ? a : r;
    }
};
struct Maximum {
    static float of(float a, float b) {
        float r = a > b ? a : b;
        r = a == b ? fromCell<float>(toCell<float>(a) & toCell<float>(b)) : r;
        return a != a ? b : b != b ? a : r;
    }
    static double of(double a, double b) {
        double r = a > b ? a : b;
        r = a == b ? fromCell<double>(toCell<double>(a) & toCell<double>(b)) : r;
        return a != a ? b : b != b ? a : r;
    }
};
struct Absolute { template <class T> static T of(T a) { return std::fabs(a); } };
struct Negate { template <class T> static T of(T a) { return -a; } };
struct CopySign { template <class T> static T of(T sign, T magnitude) { return std::copysign(magnitude, sign); } };

// An operation with PTX's modifiers around it.
template <class Op, class T, bool FTZ, bool SAT>
struct Modified {
    static T in(T a) { return FTZ ? flush(a) : a; }
    static T out(T r) { return SAT ? saturate(r) : canonical(FTZ ? flush(r) : r); }
    static T of(T a) { return out(Op::of(in(a))); }
    static T of(T a, T b) { return out(Op::of(in(a), in(b))); }
    static T of(T a, T b, T c) { return out(Op::of(in(a), in(b), in(c))); }
};

// The host's rounding mode for the time of one instruction.
template <Handler PLAIN, int MODE>
void rounded(Warp& w, const Instruction& in, Mask mask) {
    std::fesetround(MODE);
    PLAIN(w, in, mask);
    std::fesetround(FE_TONEAREST);
}

template <Handler PLAIN>
Handler inMode(const Opcode& op) {
    if (op.has("rz")) return rounded<PLAIN, FE_TOWARDZERO>;
    if (op.has("rm")) return rounded<PLAIN, FE_DOWNWARD>;
    if (op.has("rp")) return rounded<PLAIN, FE_UPWARD>;
    return PLAIN;
}

enum class Arity { One, Two, Three };

template <Arity ARITY, class T, class Op>
constexpr Handler handler() {
    if constexpr (ARITY == Arity::One) return unary<T, T, Op>;
    else if constexpr (ARITY == Arity::Two) return binary<T, T, T, Op>;
    else return ternary<T, T, T, T, Op>;
}

template <Arity ARITY, class Op>
Handler single(const Opcode& op) {
    const bool ftz = op.has("ftz"), sat = op.has("sat");
    if (ftz && sat) return inMode<handler<ARITY, float, Modified<Op, float, true, true>>()>(op);
    if (ftz) return inMode<handler<ARITY, float, Modified<Op, float, true, false>>()>(op);
    if (sat) return inMode<handler<ARITY, float, Modified<Op, float, false, true>>()>(op);
    return inMode<handler<ARITY, float, Modified<Op, float, false, false>>()>(op);
}

template <Arity ARITY, class Op>
Handler both(const Opcode& op) {
    if (op.type() == Type::F32) return single<ARITY, Op>(op);
    return inMode<handler<ARITY, double, Modified<Op, double, false, false>>()>(op);
}

// Sign operations touch no other bit of a NaN.
template <class Op>
Handler sign(const Opcode& op) {
    if (op.type() == Type::F64) return unary<double, double, Op>;
    return op.has("ftz") ? unary<float, float, Modified<Op, float, true, false>> : unary<float, float, Op>;
}

}  // namespace

Handler floatHandler(const Opcode& op) {
    const std::string& b = op.base;
    if (op.type() != Type::F32 && op.type() != Type::F64) return nullptr;
    const bool isSingle = op.type() == Type::F32;
    if (b == "add") return both<Arity::Two, Add>(op);
    if (b == "sub") return both<Arity::Two, Subtract>(op);
    if (b == "mul") return both<Arity::Two, Multiply>(op);
    if (b == "fma" || b == "mad") return both<Arity::Three, Fused>(op);
    if (b == "div") return both<Arity::Two, Divide>(op);
    if (b == "min") return both<Arity::Two, Minimum>(op);
    if (b == "max") return both<Arity::Two, Maximum>(op);
    if (b == "sqrt") return both<Arity::One, SquareRoot>(op);
    if (b == "rcp") return !isSingle && op.has("approx") ? unary<double, double, CoarseReciprocal> : both<Arity::One, Reciprocal>(op);
    if (b == "rsqrt") return isSingle ? single<Arity::One, ReciprocalRootSingle>(op) : unary<double, double, ReciprocalRoot>;
    if (b == "abs") return sign<Absolute>(op);
    if (b == "neg") return sign<Negate>(op);
    if (b == "copysign") return isSingle ? binary<float, float, float, CopySign> : binary<double, double, double, CopySign>;
    if (!isSingle) return nullptr;
    if (b == "sin") return single<Arity::One, Sine>(op);
    if (b == "cos") return single<Arity::One, Cosine>(op);
    if (b == "lg2") return single<Arity::One, Log2>(op);
    if (b == "ex2") return single<Arity::One, Exp2>(op);
    if (b == "tanh") return single<Arity::One, Tanh>(op);
    return nullptr;
}

namespace {

enum class Boolean : uint8_t { None, And, Or, Xor };

template <class T>
inline bool unorderedPair(T a, T b) { return a != a || b != b; }

struct Eq { template <class T> static bool of(T a, T b) { return a == b; } };
struct Ne { template <class T> static bool of(T a, T b) { return a != b && !unorderedPair(a, b); } };
struct Lt { template <class T> static bool of(T a, T b) { return a < b; } };
struct Le { template <class T> static bool of(T a, T b) { return a <= b; } };
struct Gt { template <class T> static bool of(T a, T b) { return a > b; } };
struct Ge { template <class T> static bool of(T a, T b) { return a >= b; } };
struct Equ { template <class T> static bool of(T a, T b) { return a == b || unorderedPair(a, b); } };
struct Neu { template <class T> static bool of(T a, T b) { return a != b; } };
struct Ltu { template <class T> static bool of(T a, T b) { return !(a >= b); } };
struct Leu { template <class T> static bool of(T a, T b) { return !(a > b); } };
struct Gtu { template <class T> static bool of(T a, T b) { return !(a <= b); } };
struct Geu { template <class T> static bool of(T a, T b) { return !(a < b); } };
struct Num { template <class T> static bool of(T a, T b) { return !unorderedPair(a, b); } };
struct Nan { template <class T> static bool of(T a, T b) { return unorderedPair(a, b); } };

Mask combine(const Warp& w, const Instruction& in, Mask value) {
    switch (Boolean(in.extra)) {
        case Boolean::And: return value & w.predicates[in.r[4]];
        case Boolean::Or: return value | w.predicates[in.r[4]];
        case Boolean::Xor: return value ^ w.predicates[in.r[4]];
        default: return value;
    }
}

template <class T, class Compare, bool FTZ>
void compare(Warp& w, const Instruction& in, Mask mask) {
    const auto* a = w.row<Cell<T>>(in.r[2]);
    const auto* b = w.row<Cell<T>>(in.r[3]);
    const Mask value = collect([=](int i) {
        T x = fromCell<T>(a[i]), y = fromCell<T>(b[i]);
        if constexpr (FTZ) {
            x = flush(x);
            y = flush(y);
        }
        return Compare::of(x, y);
    });
    const Mask first = combine(w, in, value), second = combine(w, in, ~value);
    writePredicate(w.predicates[in.r[0]], mask, first);
    if (in.r[1] != ~0u) writePredicate(w.predicates[in.r[1]], mask, second);
}

template <class Compare>
Handler comparisonOf(const Opcode& op) {
    switch (op.type()) {
        case Type::U16: case Type::B16: return compare<uint16_t, Compare, false>;
        case Type::S16: return compare<int16_t, Compare, false>;
        case Type::U32: case Type::B32: return compare<uint32_t, Compare, false>;
        case Type::S32: return compare<int32_t, Compare, false>;
        case Type::U64: case Type::B64: return compare<uint64_t, Compare, false>;
        case Type::S64: return compare<int64_t, Compare, false>;
        case Type::F32: return op.has("ftz") ? compare<float, Compare, true> : compare<float, Compare, false>;
        case Type::F64: return compare<double, Compare, false>;
        default: return nullptr;
    }
}

}  // namespace

Handler comparisonHandler(const Opcode& op) {
    if (op.has("eq")) return comparisonOf<Eq>(op);
    if (op.has("ne")) return comparisonOf<Ne>(op);
    if (op.has("lt") || op.has("lo")) return comparisonOf<Lt>(op);
    if (op.has("le") || op.has("ls")) return comparisonOf<Le>(op);
    if (op.has("gt") || op.has("hi")) return comparisonOf<Gt>(op);
    if (op.has("ge") || op.has("hs")) return comparisonOf<Ge>(op);
    if (op.has("equ")) return comparisonOf<Equ>(op);
    if (op.has("neu")) return comparisonOf<Neu>(op);
    if (op.has("ltu")) return comparisonOf<Ltu>(op);
    if (op.has("leu")) return comparisonOf<Leu>(op);
    if (op.has("gtu")) return comparisonOf<Gtu>(op);
    if (op.has("geu")) return comparisonOf<Geu>(op);
    if (op.has("num")) return comparisonOf<Num>(op);
    if (op.has("nan")) return comparisonOf<Nan>(op);
    return nullptr;
}

}  // namespace emulator
