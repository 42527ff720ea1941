#include "opcode.h"

#include <algorithm>
#include <sstream>

namespace emulator {

Type typeNamed(const std::string& name) {
    static const std::vector<std::pair<const char*, Type>> NAMES = {
        {"pred", Type::Pred}, {"u8", Type::U8},   {"s8", Type::S8},   {"b8", Type::B8},   {"u16", Type::U16}, {"s16", Type::S16},
        {"b16", Type::B16},   {"u32", Type::U32}, {"s32", Type::S32}, {"b32", Type::B32}, {"u64", Type::U64}, {"s64", Type::S64},
        {"b64", Type::B64},   {"f32", Type::F32}, {"f64", Type::F64}, {"f16", Type::F16}};
    for (auto& entry : NAMES)
        if (name == entry.first) return entry.second;
    return Type::None;
}

Opcode::Opcode(const std::string& mnemonic) : text(mnemonic) {
    std::stringstream parts(mnemonic);
    std::string part;
    std::getline(parts, base, '.');
    while (std::getline(parts, part, '.')) {
        const Type type = typeNamed(part);
        if (type == Type::None) words.push_back(part);
        else types.push_back(type);
    }
}

bool Opcode::has(const char* word) const { return std::find(words.begin(), words.end(), word) != words.end(); }

}  // namespace emulator
