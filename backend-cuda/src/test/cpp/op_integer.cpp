// Integer, bit and predicate operations, moves and selections.
#include "lanes.h"
#include "opcode.h"

namespace emulator {

namespace {

template <class T>
struct Wide;
template <> struct Wide<uint16_t> { using type = uint32_t; };
template <> struct Wide<int16_t> { using type = int32_t; };
template <> struct Wide<uint32_t> { using type = uint64_t; };
template <> struct Wide<int32_t> { using type = int64_t; };
template <> struct Wide<uint64_t> { using type = unsigned __int128; };
template <> struct Wide<int64_t> { using type = __int128; };

template <class T>
constexpr int BITS = int(sizeof(T)) * 8;

struct Add { template <class T> static T of(T a, T b) { return T(a + b); } };
struct Subtract { template <class T> static T of(T a, T b) { return T(a - b); } };
struct MultiplyLow { template <class T> static T of(T a, T b) { return T(std::make_unsigned_t<T>(a) * std::make_unsigned_t<T>(b)); } };
template <> int16_t MultiplyLow::of(int16_t a, int16_t b) { return int16_t(int32_t(a) * b); }
template <> uint16_t MultiplyLow::of(uint16_t a, uint16_t b) { return uint16_t(uint32_t(a) * b); }
struct MultiplyHigh {
    template <class T> static T of(T a, T b) { return T((typename Wide<T>::type(a) * typename Wide<T>::type(b)) >> BITS<T>); }
};
struct MultiplyWide {
    template <class T> static typename Wide<T>::type of(T a, T b) { return typename Wide<T>::type(a) * typename Wide<T>::type(b); }
};
struct MadLow { template <class T> static T of(T a, T b, T c) { return T(MultiplyLow::of(a, b) + c); } };
struct MadHigh { template <class T> static T of(T a, T b, T c) { return T(MultiplyHigh::of(a, b) + c); } };
struct MadWide {
    template <class T> static typename Wide<T>::type of(T a, T b, typename Wide<T>::type c) { return MultiplyWide::of(a, b) + c; }
};
// Division by zero and the one overflow: PTX leaves the value open, hardware answers all ones and the dividend.
struct Divide {
    template <class T> static T of(T a, T b) {
        if (b == 0) return T(-1);
        if (std::is_signed_v<T> && b == T(-1)) return T(0 - std::make_unsigned_t<T>(a));
        return T(a / b);
    }
};
struct Remainder {
    template <class T> static T of(T a, T b) {
        if (b == 0) return a;
        if (std::is_signed_v<T> && b == T(-1)) return 0;
        return T(a % b);
    }
};
struct Minimum { template <class T> static T of(T a, T b) { return a < b ? a : b; } };
struct Maximum { template <class T> static T of(T a, T b) { return a > b ? a : b; } };
struct Absolute { template <class T> static T of(T a) { return a < 0 ? T(0 - std::make_unsigned_t<T>(a)) : a; } };
struct Negate { template <class T> static T of(T a) { return T(0 - std::make_unsigned_t<T>(a)); } };
struct SumAbsolute { template <class T> static T of(T a, T b, T c) { return T(c + (a < b ? b - a : a - b)); } };
struct And { template <class T> static T of(T a, T b) { return a & b; } };
struct Or { template <class T> static T of(T a, T b) { return a | b; } };
struct Xor { template <class T> static T of(T a, T b) { return a ^ b; } };
struct Not { template <class T> static T of(T a) { return T(~a); } };
struct LogicalNot { template <class T> static T of(T a) { return T(a == 0); } };
struct ShiftLeft { template <class T> static T of(T a, uint32_t n) { return n >= uint32_t(BITS<T>) ? T(0) : T(a << n); } };
struct ShiftRight {
    template <class T> static T of(T a, uint32_t n) {
        const uint32_t most = BITS<T> - 1;
        if (std::is_signed_v<T>) return T(a >> (n > most ? most : n));
        return n > most ? T(0) : T(a >> n);
    }
};
struct Population { template <class T> static uint32_t of(T a) { return uint32_t(__builtin_popcountll(a)); } };
struct LeadingZeros { template <class T> static uint32_t of(T a) { return a == 0 ? BITS<T> : uint32_t(__builtin_clzll(a) - (64 - BITS<T>)); } };
struct Reverse {
    template <class T> static T of(T a) {
        T r = 0;
        for (int i = 0; i < BITS<T>; i++) r = T(r | ((a >> i & 1) << (BITS<T> - 1 - i)));
        return r;
    }
};
// The place of the highest bit that differs from the sign; with shiftamt its distance from the top.
template <bool SHIFT>
struct FindBit {
    template <class T> static uint32_t of(T a) {
        using U = std::make_unsigned_t<T>;
        const U bits = std::is_signed_v<T> && a < 0 ? U(~a) : U(a);
        if (bits == 0) return 0xFFFFFFFFu;
        const uint32_t place = uint32_t(63 - __builtin_clzll(bits));
        return SHIFT ? BITS<T> - 1 - place : place;
    }
};
struct ExtractField {
    template <class T> static T of(T a, uint32_t at, uint32_t length) {
        const uint32_t from = at & 0xFF, count = length & 0xFF, top = BITS<T> - 1;
        const uint32_t signAt = from + count - 1 < top ? from + count - 1 : top;
        const bool sign = std::is_signed_v<T> && count != 0 && (a >> signAt & 1);
        std::make_unsigned_t<T> r = 0;
        for (uint32_t i = 0; i < uint32_t(BITS<T>); i++) {
            const bool bit = i < count && from + i <= top ? bool(a >> (from + i) & 1) : sign;
            r |= std::make_unsigned_t<T>(bit) << i;
        }
        return T(r);
    }
};
struct InsertField {
    template <class T> static T of(T a, T b, uint32_t at, uint32_t length) {
        const uint32_t from = at & 0xFF, count = length & 0xFF;
        T r = b;
        for (uint32_t i = 0; i < count && from + i < uint32_t(BITS<T>); i++)
            r = T((r & ~(T(1) << (from + i))) | ((a >> i & 1) << (from + i)));
        return r;
    }
};
struct Permute {
    static uint32_t of(uint32_t a, uint32_t b, uint32_t selector) {
        const uint64_t bytes = uint64_t(b) << 32 | a;
        uint32_t r = 0;
        for (int i = 0; i < 4; i++) {
            const uint32_t s = selector >> (4 * i) & 0xF;
            uint32_t byte = uint32_t(bytes >> (8 * (s & 7))) & 0xFF;
            if (s & 8) byte = byte & 0x80 ? 0xFF : 0;
            r |= byte << (8 * i);
        }
        return r;
    }
};
template <bool LEFT, bool WRAP>
struct FunnelShift {
    static uint32_t of(uint32_t low, uint32_t high, uint32_t amount) {
        const uint32_t n = WRAP ? amount & 31 : amount > 32 ? 32 : amount;
        const uint64_t both = uint64_t(high) << 32 | low;
        return LEFT ? uint32_t(both << n >> 32) : n == 32 ? high : uint32_t(both >> n);
    }
};
struct Logic3 {
    static uint32_t of(uint32_t a, uint32_t b, uint32_t c, uint32_t table) {
        uint32_t r = 0;
        for (int k = 0; k < 8; k++)
            if (table >> k & 1) r |= (k & 4 ? a : ~a) & (k & 2 ? b : ~b) & (k & 1 ? c : ~c);
        return r;
    }
};

template <class D, class A, class B, class C, class E, class Op>
void quaternary(Warp& w, const Instruction& in, Mask mask) {
    const auto* a = w.row<Cell<A>>(in.r[1]);
    const auto* b = w.row<Cell<B>>(in.r[2]);
    const auto* c = w.row<Cell<C>>(in.r[3]);
    const auto* e = w.row<Cell<E>>(in.r[4]);
    writeRow(w.row<Cell<D>>(in.r[0]), mask, [=](int i) {
        return toCell<D>(Op::of(fromCell<A>(a[i]), fromCell<B>(b[i]), fromCell<C>(c[i]), fromCell<E>(e[i])));
    });
}

// add.cc, addc, sub.cc, subc, mad.lo.cc, madc.hi, ...: in.extra holds which of them.
enum Carry : uint8_t { SETS = 1, TAKES = 2, SUBTRACTS = 4, LOW = 8, HIGH = 16 };

template <class T, int MODE>
void withCarry(Warp& w, const Instruction& in, Mask mask) {
    constexpr bool PRODUCT = (MODE & (LOW | HIGH)) != 0;
    const auto* a = w.row<T>(in.r[1]);
    const auto* b = w.row<T>(in.r[2]);
    const auto* c = w.row<T>(in.r[PRODUCT ? 3 : 2]);
    auto* d = w.row<T>(in.r[0]);
    Mask carry = 0;
    for (int i = 0; i < LANES; i++) {
        if ((mask >> i & 1) == 0) continue;
        using U2 = typename Wide<T>::type;
        const U2 product = PRODUCT ? U2(a[i]) * b[i] : 0;
        const U2 left = (MODE & LOW) ? U2(T(product)) : (MODE & HIGH) ? product >> BITS<T> : U2(a[i]);
        const U2 in1 = (MODE & TAKES) ? w.carry >> i & 1 : 0;
        const U2 sum = (MODE & SUBTRACTS) ? left - c[i] - in1 : left + c[i] + in1;
        carry |= Mask(sum >> BITS<T> & 1) << i;
        d[i] = T(sum);
    }
    if (MODE & SETS) w.carry = (w.carry & ~mask) | carry;
}

template <int MODE>
Handler carryOf(Type type) { return bytesOf(type) == 8 ? withCarry<uint64_t, MODE> : withCarry<uint32_t, MODE>; }

Handler carryHandler(const Opcode& op) {
    const bool sets = op.has("cc");
    const Type t = op.type();
    if (op.base == "add") return carryOf<SETS>(t);
    if (op.base == "addc") return sets ? carryOf<SETS | TAKES>(t) : carryOf<TAKES>(t);
    if (op.base == "sub") return carryOf<SETS | SUBTRACTS>(t);
    if (op.base == "subc") return sets ? carryOf<SETS | TAKES | SUBTRACTS>(t) : carryOf<TAKES | SUBTRACTS>(t);
    if (op.base == "mad") return op.has("hi") ? carryOf<SETS | HIGH>(t) : carryOf<SETS | LOW>(t);
    if (op.has("hi")) return sets ? carryOf<SETS | TAKES | HIGH>(t) : carryOf<TAKES | HIGH>(t);
    return sets ? carryOf<SETS | TAKES | LOW>(t) : carryOf<TAKES | LOW>(t);
}

template <class Op, class T> Handler two() { return binary<T, T, T, Op>; }
template <class Op, class T> Handler three() { return ternary<T, T, T, T, Op>; }

template <class Op>
Handler twoOf(Type type) {
    switch (type) {
        case Type::U16: case Type::B16: return two<Op, uint16_t>();
        case Type::S16: return two<Op, int16_t>();
        case Type::U32: case Type::B32: return two<Op, uint32_t>();
        case Type::S32: return two<Op, int32_t>();
        case Type::U64: case Type::B64: return two<Op, uint64_t>();
        case Type::S64: return two<Op, int64_t>();
        default: return nullptr;
    }
}

template <class Op>
Handler threeOf(Type type) {
    switch (type) {
        case Type::U16: case Type::B16: return three<Op, uint16_t>();
        case Type::S16: return three<Op, int16_t>();
        case Type::U32: case Type::B32: return three<Op, uint32_t>();
        case Type::S32: return three<Op, int32_t>();
        case Type::U64: case Type::B64: return three<Op, uint64_t>();
        case Type::S64: return three<Op, int64_t>();
        default: return nullptr;
    }
}

template <class Op>
Handler oneOf(Type type) {
    switch (type) {
        case Type::B16: case Type::U16: return unary<uint16_t, uint16_t, Op>;
        case Type::S16: return unary<int16_t, int16_t, Op>;
        case Type::B32: case Type::U32: return unary<uint32_t, uint32_t, Op>;
        case Type::S32: return unary<int32_t, int32_t, Op>;
        case Type::B64: case Type::U64: return unary<uint64_t, uint64_t, Op>;
        case Type::S64: return unary<int64_t, int64_t, Op>;
        default: return nullptr;
    }
}

template <class Op>
Handler shiftOf(Type type) {
    switch (type) {
        case Type::B16: case Type::U16: return binary<uint16_t, uint16_t, uint32_t, Op>;
        case Type::S16: return binary<int16_t, int16_t, uint32_t, Op>;
        case Type::B32: case Type::U32: return binary<uint32_t, uint32_t, uint32_t, Op>;
        case Type::S32: return binary<int32_t, int32_t, uint32_t, Op>;
        case Type::B64: case Type::U64: return binary<uint64_t, uint64_t, uint32_t, Op>;
        case Type::S64: return binary<int64_t, int64_t, uint32_t, Op>;
        default: return nullptr;
    }
}

template <class Op>
Handler countOf(Type type) {  // 32-bit results
    switch (type) {
        case Type::B32: case Type::U32: return unary<uint32_t, uint32_t, Op>;
        case Type::S32: return unary<uint32_t, int32_t, Op>;
        case Type::B64: case Type::U64: return unary<uint32_t, uint64_t, Op>;
        case Type::S64: return unary<uint32_t, int64_t, Op>;
        default: return nullptr;
    }
}

Handler wideProduct(Type type) {
    switch (type) {
        case Type::U16: return binary<uint32_t, uint16_t, uint16_t, MultiplyWide>;
        case Type::S16: return binary<int32_t, int16_t, int16_t, MultiplyWide>;
        case Type::U32: return binary<uint64_t, uint32_t, uint32_t, MultiplyWide>;
        case Type::S32: return binary<int64_t, int32_t, int32_t, MultiplyWide>;
        default: return nullptr;
    }
}

Handler wideMad(Type type) {
    switch (type) {
        case Type::U16: return ternary<uint32_t, uint16_t, uint16_t, uint32_t, MadWide>;
        case Type::S16: return ternary<int32_t, int16_t, int16_t, int32_t, MadWide>;
        case Type::U32: return ternary<uint64_t, uint32_t, uint32_t, uint64_t, MadWide>;
        case Type::S32: return ternary<int64_t, int32_t, int32_t, int64_t, MadWide>;
        default: return nullptr;
    }
}

Handler fieldHandler(const Opcode& op) {
    const bool insert = op.base == "bfi";
    switch (op.type()) {
        case Type::B32: return quaternary<uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, InsertField>;
        case Type::B64: return quaternary<uint64_t, uint64_t, uint64_t, uint32_t, uint32_t, InsertField>;
        case Type::U32: return insert ? nullptr : ternary<uint32_t, uint32_t, uint32_t, uint32_t, ExtractField>;
        case Type::S32: return insert ? nullptr : ternary<int32_t, int32_t, uint32_t, uint32_t, ExtractField>;
        case Type::U64: return insert ? nullptr : ternary<uint64_t, uint64_t, uint32_t, uint32_t, ExtractField>;
        case Type::S64: return insert ? nullptr : ternary<int64_t, int64_t, uint32_t, uint32_t, ExtractField>;
        default: return nullptr;
    }
}

Handler funnelHandler(const Opcode& op) {
    const bool wrap = op.has("wrap");
    if (op.has("l")) return wrap ? ternary<uint32_t, uint32_t, uint32_t, uint32_t, FunnelShift<true, true>>
                                 : ternary<uint32_t, uint32_t, uint32_t, uint32_t, FunnelShift<true, false>>;
    return wrap ? ternary<uint32_t, uint32_t, uint32_t, uint32_t, FunnelShift<false, true>>
                : ternary<uint32_t, uint32_t, uint32_t, uint32_t, FunnelShift<false, false>>;
}

}  // namespace

Handler integerHandler(const Opcode& op) {
    const Type t = op.type();
    const std::string& b = op.base;
    if (isFloat(t) || t == Type::Pred) return nullptr;
    if (op.has("sat")) return nullptr;
    if (op.has("cc") || b == "addc" || b == "subc" || b == "madc") return carryHandler(op);
    if (b == "add") return twoOf<Add>(t);
    if (b == "sub") return twoOf<Subtract>(t);
    if (b == "mul") return op.has("wide") ? wideProduct(t) : op.has("hi") ? twoOf<MultiplyHigh>(t) : twoOf<MultiplyLow>(t);
    if (b == "mad") return op.has("wide") ? wideMad(t) : op.has("hi") ? threeOf<MadHigh>(t) : threeOf<MadLow>(t);
    if (b == "div") return twoOf<Divide>(t);
    if (b == "rem") return twoOf<Remainder>(t);
    if (b == "min") return twoOf<Minimum>(t);
    if (b == "max") return twoOf<Maximum>(t);
    if (b == "abs") return oneOf<Absolute>(t);
    if (b == "neg") return oneOf<Negate>(t);
    if (b == "sad") return threeOf<SumAbsolute>(t);
    if (b == "and") return twoOf<And>(t);
    if (b == "or") return twoOf<Or>(t);
    if (b == "xor") return twoOf<Xor>(t);
    if (b == "not") return oneOf<Not>(t);
    if (b == "cnot") return oneOf<LogicalNot>(t);
    if (b == "shl") return shiftOf<ShiftLeft>(t);
    if (b == "shr") return shiftOf<ShiftRight>(t);
    if (b == "popc") return countOf<Population>(t);
    if (b == "clz") return countOf<LeadingZeros>(t);
    if (b == "bfind") return op.has("shiftamt") ? countOf<FindBit<true>>(t) : countOf<FindBit<false>>(t);
    if (b == "brev") return t == Type::B64 ? unary<uint64_t, uint64_t, Reverse> : unary<uint32_t, uint32_t, Reverse>;
    if (b == "bfe" || b == "bfi") return fieldHandler(op);
    if (b == "prmt") return ternary<uint32_t, uint32_t, uint32_t, uint32_t, Permute>;
    if (b == "shf") return funnelHandler(op);
    if (b == "lop3") return quaternary<uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, Logic3>;
    return nullptr;
}

namespace {

template <class C>
void move(Warp& w, const Instruction& in, Mask mask) {
    const C* a = w.row<C>(in.r[1]);
    writeRow(w.row<C>(in.r[0]), mask, [=](int i) { return a[i]; });
}

template <class C>
void select(Warp& w, const Instruction& in, Mask mask) {
    const C* a = w.row<C>(in.r[1]);
    const C* b = w.row<C>(in.r[2]);
    const Mask p = w.predicates[in.r[3]];
    writeRow(w.row<C>(in.r[0]), mask, [=](int i) { return (p >> i & 1) ? a[i] : b[i]; });
}

template <int PARTS, class C>
void pack(Warp& w, const Instruction& in, Mask mask) {
    constexpr int WIDTH = int(sizeof(C)) * 8 / PARTS;
    constexpr C PART = WIDTH == 64 ? C(-1) : (C(1) << WIDTH) - 1;
    writeRow(w.row<C>(in.r[0]), mask, [&](int i) {
        C value = 0;
        for (int k = 0; k < PARTS; k++) value |= (C(w.row<uint32_t>(in.r[1 + k])[i]) & PART) << (k * WIDTH);
        return value;
    });
}

template <int PARTS, class C>
void unpack(Warp& w, const Instruction& in, Mask mask) {
    constexpr int WIDTH = int(sizeof(C)) * 8 / PARTS;
    constexpr C PART = (C(1) << WIDTH) - 1;
    const C* source = w.row<C>(in.r[0]);
    for (int k = 0; k < PARTS; k++) {
        if (in.r[1 + k] == ~0u) continue;
        writeRow(w.row<uint32_t>(in.r[1 + k]), mask, [=](int i) { return uint32_t(source[i] >> (k * WIDTH) & PART); });
    }
}

enum { P_AND, P_OR, P_XOR, P_NOT, P_MOVE };

template <int OP>
void predicate(Warp& w, const Instruction& in, Mask mask) {
    const Mask a = w.predicates[in.r[1]];
    const Mask b = OP == P_NOT || OP == P_MOVE ? 0 : w.predicates[in.r[2]];
    writePredicate(w.predicates[in.r[0]], mask, OP == P_AND ? a & b : OP == P_OR ? a | b : OP == P_XOR ? a ^ b : OP == P_NOT ? ~a : a);
}

void activeMask(Warp& w, const Instruction& in, Mask mask) {
    writeRow(w.row<uint32_t>(in.r[0]), mask, [=](int) { return mask; });
}

}  // namespace

Handler moveHandler(int cell) { return cell == 8 ? move<uint64_t> : move<uint32_t>; }

Handler selectHandler(int cell) { return cell == 8 ? select<uint64_t> : select<uint32_t>; }

Handler packHandler(int parts, int resultCell) {
    if (resultCell == 8) return parts == 2 ? pack<2, uint64_t> : parts == 4 ? pack<4, uint64_t> : nullptr;
    return parts == 2 ? pack<2, uint32_t> : parts == 4 ? pack<4, uint32_t> : nullptr;
}

Handler unpackHandler(int parts, int sourceCell) {
    if (sourceCell == 8) return parts == 2 ? unpack<2, uint64_t> : parts == 4 ? unpack<4, uint64_t> : nullptr;
    return parts == 2 ? unpack<2, uint32_t> : parts == 4 ? unpack<4, uint32_t> : nullptr;
}

Handler predicateHandler(const Opcode& op) {
    if (op.base == "and") return predicate<P_AND>;
    if (op.base == "or") return predicate<P_OR>;
    if (op.base == "xor") return predicate<P_XOR>;
    if (op.base == "not") return predicate<P_NOT>;
    if (op.base == "mov") return predicate<P_MOVE>;
    return nullptr;
}

Handler specialMaskHandler() { return activeMask; }

}  // namespace emulator
