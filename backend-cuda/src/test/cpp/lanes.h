// Loops over the 32 lanes of a warp, in a form that the compiler turns into vector instructions.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "warp.h"

namespace emulator {

// How a row stores a value of type T.
template <class T>
using Cell = std::conditional_t<(sizeof(T) <= 4), uint32_t, uint64_t>;

template <class T>
inline T fromCell(Cell<T> cell) {
    if constexpr (sizeof(T) == sizeof(Cell<T>)) {
        T value;
        memcpy(&value, &cell, sizeof value);
        return value;
    } else {
        return T(cell);
    }
}

template <class T>
inline Cell<T> toCell(T value) {
    if constexpr (sizeof(T) == sizeof(Cell<T>)) {
        Cell<T> cell;
        memcpy(&cell, &value, sizeof cell);
        return cell;
    } else {
        return Cell<T>(std::make_unsigned_t<T>(value));
    }
}

// row[lane] = value(lane) for the lanes of the mask. The rows an instruction reads may be the one it writes: the same lane
// only, so the iterations do not depend on each other.
template <class C, class F>
inline void writeRow(C* row, Mask mask, F value) {
    if (mask == ALL) {
#pragma GCC ivdep
        for (int i = 0; i < LANES; i++) row[i] = value(i);
    } else {
        alignas(64) C all[LANES];
#pragma GCC ivdep
        for (int i = 0; i < LANES; i++) all[i] = value(i);
#pragma GCC ivdep
        for (int i = 0; i < LANES; i++) row[i] = (mask >> i & 1) ? all[i] : row[i];
    }
}

template <class F>
inline Mask collect(F condition) {
    Mask mask = 0;
    for (int i = 0; i < LANES; i++) mask |= Mask(bool(condition(i))) << i;
    return mask;
}

inline void writePredicate(uint32_t& predicate, Mask mask, Mask value) { predicate = (predicate & ~mask) | (value & mask); }

template <class D, class A, class Op>
void unary(Warp& w, const Instruction& in, Mask mask) {
    const auto* a = w.row<Cell<A>>(in.r[1]);
    writeRow(w.row<Cell<D>>(in.r[0]), mask, [=](int i) { return toCell<D>(Op::of(fromCell<A>(a[i]))); });
}

template <class D, class A, class B, class Op>
void binary(Warp& w, const Instruction& in, Mask mask) {
    const auto* a = w.row<Cell<A>>(in.r[1]);
    const auto* b = w.row<Cell<B>>(in.r[2]);
    writeRow(w.row<Cell<D>>(in.r[0]), mask, [=](int i) { return toCell<D>(Op::of(fromCell<A>(a[i]), fromCell<B>(b[i]))); });
}

template <class D, class A, class B, class C, class Op>
void ternary(Warp& w, const Instruction& in, Mask mask) {
    const auto* a = w.row<Cell<A>>(in.r[1]);
    const auto* b = w.row<Cell<B>>(in.r[2]);
    const auto* c = w.row<Cell<C>>(in.r[3]);
    writeRow(w.row<Cell<D>>(in.r[0]), mask,
             [=](int i) { return toCell<D>(Op::of(fromCell<A>(a[i]), fromCell<B>(b[i]), fromCell<C>(c[i]))); });
}

}  // namespace emulator
