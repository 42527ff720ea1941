// A PTX mnemonic in parts, and the tables that turn it into a handler.
#pragma once

#include <string>
#include <vector>

#include "program.h"

namespace emulator {

enum class Type : uint8_t { None, Pred, U8, S8, B8, U16, S16, B16, U32, S32, B32, U64, S64, B64, F32, F64, F16 };

inline int bytesOf(Type type) {
    switch (type) {
        case Type::U8: case Type::S8: case Type::B8: return 1;
        case Type::U16: case Type::S16: case Type::B16: case Type::F16: return 2;
        case Type::U64: case Type::S64: case Type::B64: case Type::F64: return 8;
        default: return 4;
    }
}

// Registers of up to four bytes share one kind of row, those of eight bytes the other.
inline int cellBytes(Type type) { return bytesOf(type) == 8 ? 8 : 4; }

inline bool isFloat(Type type) { return type == Type::F32 || type == Type::F64 || type == Type::F16; }

inline bool isSigned(Type type) { return type == Type::S8 || type == Type::S16 || type == Type::S32 || type == Type::S64; }

Type typeNamed(const std::string& name);  // None if it is no type

struct Opcode {
    std::string text;                 // the whole mnemonic
    std::string base;                 // before the first dot
    std::vector<std::string> words;   // what follows, types apart
    std::vector<Type> types;

    explicit Opcode(const std::string& mnemonic);
    bool has(const char* word) const;
    Type type() const { return types.empty() ? Type::None : types.back(); }
};

// Each answers the handler of a mnemonic that it knows, or null.
Handler integerHandler(const Opcode& op);     // r: result, operands
Handler floatHandler(const Opcode& op);       // r: result, operands
Handler comparisonHandler(const Opcode& op);  // setp; r: predicate, second predicate, a, b, combined predicate
Handler convertHandler(const Opcode& op, int resultCell, int sourceCell);  // r: result, source
Handler moveHandler(int cell);                // r: result, source
Handler selectHandler(int cell);              // r: result, a, b, predicate
Handler packHandler(int parts, int resultCell);    // r: result, parts, low first
Handler unpackHandler(int parts, int sourceCell);  // r: source, parts; a part ~0u is dropped
Handler predicateHandler(const Opcode& op);   // and, or, xor, not, mov of .pred
Handler loadHandler(Type type, int cell);     // r: address, data
Handler storeHandler(Type type, int cell);    // r: address, data
Handler atomicHandler(const Opcode& op);      // r: result or ~0u, address, operands
Handler shuffleHandler(const Opcode& op);     // r: result, source, distance, clamp, predicate or ~0u
Handler voteHandler(const Opcode& op);        // r: result, predicate
Handler specialMaskHandler();                 // activemask

}  // namespace emulator
