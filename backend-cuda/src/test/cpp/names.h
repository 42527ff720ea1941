// The names in a kernel's PTX: what row, predicate, address or argument each stands for where it is used.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "translator.h"
#include "warp.h"

namespace emulator {

// The memory of a call's argument or result: a row for each offset.
struct Slots {
    std::map<uint32_t, std::pair<uint32_t, int>> rows;  // offset -> row, cell bytes
};

struct Register {
    Type type = Type::None;
    uint32_t row = 0;  // or the number of a predicate
    int cell() const { return cellBytes(type); }
};

struct Scope {
    std::map<std::string, std::pair<Type, uint32_t>> families;  // "%r" -> type, count
    std::map<std::string, Register> registers;
    std::map<std::string, std::shared_ptr<Slots>> slots;
    std::map<std::string, uint32_t> locals;  // offsets in the thread's frame
};

struct Operand {
    enum Kind { Name, Number, Address, Vector } kind = Name;
    Token token;                  // Name: register or symbol; Number: its text; Address: its base
    bool negative = false;        // a number's sign, or a predicate's "!"
    bool second = false;          // "%p1|%p2"
    Token secondToken;
    int64_t offset = 0;           // Address
    std::vector<Token> parts;     // Vector
};

// One expansion of a function's body.
struct Frame {
    std::vector<Scope> scopes;
    std::map<std::string, int32_t> labels;
    std::vector<std::pair<size_t, Token>> jumps;  // instruction, label
    std::vector<size_t> returns;                  // jumps to the end of an expanded call
    bool inlined = false;
};

class Names {
protected:
    Names(const ModuleSource& module, Kernel& kernel) : module_(module), kernel_(kernel) {}

    void emit(Instruction& in) {
        in.line = line_;
        in.guard = guard_;
        in.flip = flip_;
        kernel_.code.push_back(in);
    }

    uint32_t newRow(int cell) {
        const uint32_t bytes = uint32_t(cell) * LANES;
        const uint32_t row = (rows_ + 63) / 64 * 64;
        rows_ = row + bytes;
        return row;
    }

    uint32_t newPredicate() {
        if (kernel_.predicates > 0xFFFF) failPtx(line_, "too many predicates");
        return kernel_.predicates++;
    }

    uint32_t constant(uint64_t bits, int cell) {
        if (cell == 4) bits &= 0xFFFFFFFFu;
        auto found = constants_.find({bits, cell});
        if (found != constants_.end()) return found->second;
        const uint32_t row = newRow(cell);
        kernel_.constants.push_back({row, uint32_t(cell), bits});
        constants_[{bits, cell}] = row;
        return row;
    }

    bool specialNamed(const std::string& name, Special* special) const {
        static const std::map<std::string, Special> NAMES = {
            {"%tid.x", Special::TidX},       {"%tid.y", Special::TidY},       {"%tid.z", Special::TidZ},       {"%ntid.x", Special::NtidX},
            {"%ntid.y", Special::NtidY},     {"%ntid.z", Special::NtidZ},     {"%ctaid.x", Special::CtaidX},   {"%ctaid.y", Special::CtaidY},
            {"%ctaid.z", Special::CtaidZ},   {"%nctaid.x", Special::NctaidX}, {"%nctaid.y", Special::NctaidY}, {"%nctaid.z", Special::NctaidZ},
            {"%laneid", Special::Laneid},    {"%warpid", Special::Warpid}};
        auto found = NAMES.find(name);
        if (found == NAMES.end()) return false;
        *special = found->second;
        return true;
    }

    uint32_t specialRow(Special special) {
        for (const SpecialRow& s : kernel_.specials)
            if (s.value == special) return s.row;
        const uint32_t row = newRow(4);
        kernel_.specials.push_back({row, special});
        return row;
    }

    Register* findRegister(const std::string& name) {
        for (size_t k = frame_->scopes.size(); k-- > 0;) {
            Scope& scope = frame_->scopes[k];
            auto found = scope.registers.find(name);
            if (found != scope.registers.end()) return &found->second;
            size_t digits = name.size();
            while (digits > 0 && isdigit(static_cast<unsigned char>(name[digits - 1]))) digits--;
            auto family = scope.families.find(name.substr(0, digits));
            if (digits == name.size() || family == scope.families.end()) continue;
            if (uint32_t(atoi(name.c_str() + digits)) >= family->second.second) continue;
            return &declare(scope, name, family->second.first);
        }
        return nullptr;
    }

    Register& declare(Scope& scope, const std::string& name, Type type) {
        Register& r = scope.registers[name];
        r.type = type;
        r.row = type == Type::Pred ? newPredicate() : newRow(cellBytes(type));
        return r;
    }

    Register& needRegister(const Token& token) {
        Register* r = findRegister(token.text);
        if (r == nullptr) failPtx(token.line, "unknown register '" + token.text + "'");
        return *r;
    }

    uint32_t predicateOf(const Operand& o) {
        if (o.kind == Operand::Number) return parseInteger(o.token) != 0 ? PREDICATE_TRUE : PREDICATE_FALSE;
        const Register& r = needRegister(o.token);
        if (r.type != Type::Pred) failPtx(line_, "'" + o.token.text + "' is no predicate");
        if (!o.negative) return r.row;
        Instruction in;
        in.run = predicateHandler(Opcode("not.pred"));
        in.r[0] = newPredicate();
        in.r[1] = r.row;
        emit(in);
        return in.r[0];
    }

    uint16_t guardOf(const Token& token) {
        const Register& r = needRegister(token);
        if (r.type != Type::Pred) failPtx(token.line, "'" + token.text + "' is no predicate");
        return uint16_t(r.row);
    }

    static uint64_t numberBits(const Operand& o, Type type) {
        const std::string& text = o.token.text;
        if (text.size() > 2 && text[0] == '0' && strchr("fFdD", text[1]) != nullptr && text.size() >= 10) {
            uint64_t bits = strtoull(text.c_str() + 2, nullptr, 16);
            const bool isDouble = text[1] == 'd' || text[1] == 'D';
            if (o.negative) bits ^= isDouble ? uint64_t(1) << 63 : uint64_t(1) << 31;
            return bits;
        }
        if (isFloat(type)) {
            double value = strtod(text.c_str(), nullptr);
            if (o.negative) value = -value;
            const float single = float(value);
            uint64_t bits = 0;
            if (type == Type::F64) memcpy(&bits, &value, 8);
            else memcpy(&bits, &single, 4);
            return bits;
        }
        const uint64_t value = parseInteger(o.token);
        return o.negative ? 0 - value : value;
    }

    // The row that holds an operand, in cells of the given size.
    uint32_t source(const Operand& o, Type type, int cell) {
        if (o.kind == Operand::Number) return constant(numberBits(o, type), cell);
        if (o.kind != Operand::Name) failPtx(line_, "an operand is neither a register nor a number");
        Special special;
        if (specialNamed(o.token.text, &special)) {
            if (cell != 4) failPtx(line_, "'" + o.token.text + "' has 32 bits");
            return specialRow(special);
        }
        if (o.token.text == "WARP_SZ") return constant(LANES, cell);
        if (Register* r = findRegister(o.token.text)) {
            if (r->type == Type::Pred || r->cell() != cell) failPtx(line_, "'" + o.token.text + "' does not have the instruction's size");
            return r->row;
        }
        return symbolRow(o.token, cell);
    }

    uint32_t destination(const Operand& o, int cell) {
        if (o.kind == Operand::Name && o.token.text == "_") return newRow(cell);
        const Register& r = needRegister(o.token);
        if (r.type == Type::Pred || r.cell() != cell) failPtx(line_, "'" + o.token.text + "' does not have the instruction's size");
        return r.row;
    }

    int cellOf(const Operand& o, Type type) {
        if (o.kind == Operand::Name)
            if (Register* r = findRegister(o.token.text)) return r->cell();
        return cellBytes(type);
    }

    std::shared_ptr<Slots> findSlots(const std::string& name) {
        for (size_t k = frame_->scopes.size(); k-- > 0;) {
            auto found = frame_->scopes[k].slots.find(name);
            if (found != frame_->scopes[k].slots.end()) return found->second;
        }
        return nullptr;
    }

    const Parameter* findParameter(const std::string& name) const {
        for (const Parameter& p : kernel_.parameters)
            if (p.name == name) return &p;
        return nullptr;
    }

    uint64_t symbolAddress(const Token& token) {
        for (size_t k = frame_->scopes.size(); k-- > 0;) {
            auto local = frame_->scopes[k].locals.find(token.text);
            if (local != frame_->scopes[k].locals.end()) return local->second;
        }
        auto shared = sharedOffsets_.find(token.text);
        if (shared != sharedOffsets_.end()) return shared->second;
        auto outer = module_.shared.find(token.text);
        if (outer != module_.shared.end()) return useShared(token.text, outer->second);
        auto variable = module_.variables.find(token.text);
        if (variable != module_.variables.end()) return variable->second.address;
        if (const Parameter* p = findParameter(token.text)) return p->offset;
        failPtx(token.line, "unknown name '" + token.text + "'");
    }

    // The array of open size lies behind all others: its rows are filled in at the end.
    uint32_t symbolRow(const Token& token, int cell) {
        auto outer = module_.shared.find(token.text);
        if (outer == module_.shared.end() || outer->second.bytes != 0) return constant(symbolAddress(token), cell);
        dynamicAlign_ = std::max(dynamicAlign_, outer->second.align);
        auto found = dynamicRows_.find(cell);
        if (found != dynamicRows_.end()) return kernel_.constants[found->second].row;
        dynamicRows_[cell] = kernel_.constants.size();
        kernel_.constants.push_back({newRow(cell), uint32_t(cell), 0});
        return kernel_.constants.back().row;
    }

    uint64_t useShared(const std::string& name, const SharedVariable& v) {
        kernel_.staticShared = (kernel_.staticShared + v.align - 1) / v.align * v.align;
        sharedOffsets_[name] = kernel_.staticShared;
        kernel_.staticShared += v.bytes;
        return sharedOffsets_[name];
    }

    void placeShared() {
        if (dynamicRows_.empty()) return;
        kernel_.staticShared = (kernel_.staticShared + dynamicAlign_ - 1) / dynamicAlign_ * dynamicAlign_;
        for (auto& entry : dynamicRows_) kernel_.constants[entry.second].bits = kernel_.staticShared;
    }

    const ModuleSource& module_;
    Kernel& kernel_;
    Frame* frame_ = nullptr;
    uint32_t rows_ = 0;
    uint32_t line_ = 0;
    uint16_t guard_ = PREDICATE_TRUE;
    bool flip_ = false;
    std::map<std::pair<uint64_t, int>, uint32_t> constants_;
    std::map<std::string, uint64_t> sharedOffsets_;
    std::map<int, size_t> dynamicRows_;  // cell bytes -> index of the constant
    uint32_t dynamicAlign_ = 1;
};

}  // namespace emulator
