#include "translator.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "codes.h"
#include "warp.h"

namespace emulator {

namespace {

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

class Translator {
public:
    Translator(const ModuleSource& module, Kernel& kernel) : module_(module), kernel_(kernel) {}

    void kernel(const FunctionSource& f) {
        kernel_.name = f.name;
        kernel_.maxThreads = f.maxThreads;
        uint32_t offset = 0;
        for (const ParameterSource& p : f.parameters) {
            offset = (offset + p.align - 1) / p.align * p.align;
            kernel_.parameters.push_back({p.name, p.bytes, p.align, offset});
            offset += p.bytes;
        }
        kernel_.parameterBytes = offset;
        Frame frame;
        frame.scopes.emplace_back();
        body(f, frame);
        Instruction end;
        end.kind = Kind::Exit;
        kernel_.code.push_back(end);
        placeShared();
        kernel_.fileBytes = (rows_ + 255) / 256 * 256 + 64;  // 64: warps begin at different lines of the cache
    }

private:
    // ---- rows -------------------------------------------------------------------------------------------------------

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

    // ---- symbols ----------------------------------------------------------------------------------------------------

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

    // ---- statements -------------------------------------------------------------------------------------------------

    void emit(Instruction& in) {
        in.line = line_;
        in.guard = guard_;
        in.flip = flip_;
        kernel_.code.push_back(in);
    }

    const Token& at(size_t i) const { return module_.tokens[i]; }

    void body(const FunctionSource& f, Frame& frame) {
        if (++depth_ > 16) failPtx(at(f.begin).line, "calls are nested too deeply, or recursive");
        Frame* outer = frame_;
        frame_ = &frame;
        for (size_t i = f.begin; i < f.end;) {
            const Token& token = at(i);
            if (token.is("{")) {
                frame.scopes.emplace_back();
                i++;
            } else if (token.is("}")) {
                frame.scopes.pop_back();
                i++;
            } else if (token.is(";")) {
                i++;
            } else if (token.is(".loc") || token.is(".file")) {
                while (at(i).line == token.line) i++;
            } else if (token.kind == Token::Word && at(i + 1).is(":")) {
                frame.labels[token.text] = int32_t(kernel_.code.size());
                i += 2;
            } else {
                size_t end = i;
                while (!at(end).is(";")) end++;
                line_ = token.line;
                statement(i, end);
                i = end + 1;
            }
        }
        for (auto& jump : frame.jumps) {
            auto found = frame.labels.find(jump.second.text);
            if (found == frame.labels.end()) failPtx(jump.second.line, "unknown label '" + jump.second.text + "'");
            kernel_.code[jump.first].target = found->second;
        }
        for (size_t k : frame.returns) kernel_.code[k].target = int32_t(kernel_.code.size());
        frame_ = outer;
        depth_--;
    }

    void statement(size_t i, size_t end) {
        guard_ = PREDICATE_TRUE;
        flip_ = false;
        if (at(i).is("@")) {
            i++;
            if (at(i).is("!")) {
                flip_ = true;
                i++;
            }
            guard_ = guardOf(at(i));
            i++;
        }
        const Token& word = at(i);
        if (word.text[0] == '.') return directive(i, end);
        const Opcode op(word.text);
        if (op.base == "call") return call(i + 1, end);
        std::vector<Operand> operands;
        for (size_t k = i + 1; k < end;) {
            operands.push_back(operand(k));
            if (k < end && !at(k).is(",")) failPtx(line_, "unexpected '" + at(k).text + "'");
            k++;
        }
        instruction(op, operands);
    }

    void directive(size_t i, size_t end) {
        const std::string& word = at(i).text;
        Scope& scope = frame_->scopes.back();
        if (word == ".reg") {
            const Type type = typeNamed(at(i + 1).text.substr(1));
            for (i += 2; i < end; i++) {
                if (at(i).kind != Token::Word) continue;
                if (at(i + 1).is("<")) {
                    scope.families[at(i).text] = {type, uint32_t(parseInteger(at(i + 2)))};
                    i += 3;
                } else {
                    declare(scope, at(i).text, type);
                }
            }
        } else if (word == ".shared") {
            const Declaration d = parseDeclaration(module_.tokens, ++i);
            useShared(d.name, SharedVariable{d.bytes, d.align});
        } else if (word == ".local") {
            const Declaration d = parseDeclaration(module_.tokens, ++i);
            kernel_.localBytes = (kernel_.localBytes + d.align - 1) / d.align * d.align;
            scope.locals[d.name] = kernel_.localBytes;
            kernel_.localBytes = (kernel_.localBytes + d.bytes + 15) / 16 * 16;
        } else if (word == ".param") {
            const Declaration d = parseDeclaration(module_.tokens, ++i);
            scope.slots[d.name] = std::make_shared<Slots>();
        } else if (word != ".pragma" && word != ".branchtargets" && word != ".callprototype") {
            failPtx(line_, "unknown directive '" + word + "'");
        }
    }

    Operand operand(size_t& k) {
        Operand o;
        if (at(k).is("{")) {
            o.kind = Operand::Vector;
            for (k++; !at(k).is("}"); k++)
                if (!at(k).is(",")) o.parts.push_back(at(k));
            k++;
            return o;
        }
        if (at(k).is("[")) {
            o.kind = Operand::Address;
            o.token = at(++k);
            for (k++; !at(k).is("]"); k++) {
                if (at(k).is("-")) o.negative = true;
                if (at(k).kind != Token::Number) continue;
                const int64_t value = int64_t(parseInteger(at(k)));
                o.offset += o.negative ? -value : value;
            }
            k++;
            return o;
        }
        if (at(k).is("-") || at(k).is("!")) {
            o.negative = true;
            k++;
        }
        o.kind = at(k).kind == Token::Number ? Operand::Number : Operand::Name;
        o.token = at(k++);
        if (at(k).is("|")) {
            o.second = true;
            o.secondToken = at(++k);
            k++;
        }
        return o;
    }

    void call(size_t i, size_t end) {
        std::vector<std::string> lists[2];
        std::string name;
        for (int list = 0; i < end; i++) {
            if (at(i).is("(")) {
                for (i++; !at(i).is(")"); i++)
                    if (!at(i).is(",")) lists[list].push_back(at(i).text);
            } else if (at(i).kind == Token::Word && name.empty()) {
                name = at(i).text;
                list = 1;
            }
        }
        auto found = module_.functions.find(name);
        if (name == "__assertfail") return trap(ASSERT);
        if (name == "vprintf") return;
        if (found == module_.functions.end() || found->second.begin == found->second.end) failPtx(line_, "'" + name + "' has no body");
        const FunctionSource& f = found->second;
        Frame frame;
        frame.inlined = true;
        frame.scopes.emplace_back();
        bind(frame.scopes[0], f.results, lists[0]);
        bind(frame.scopes[0], f.parameters, lists[1]);
        const size_t skip = kernel_.code.size();
        if (guard_ != PREDICATE_TRUE) {  // the lanes that do not call jump over the body
            Instruction in;
            in.kind = Kind::Branch;
            emit(in);
            kernel_.code.back().flip = !flip_;
        }
        const bool guarded = guard_ != PREDICATE_TRUE;
        body(f, frame);
        if (guarded) kernel_.code[skip].target = int32_t(kernel_.code.size());
    }

    void bind(Scope& scope, const std::vector<ParameterSource>& formal, const std::vector<std::string>& actual) {
        if (formal.size() != actual.size()) failPtx(line_, "a call's arguments do not fit its function");
        for (size_t k = 0; k < formal.size(); k++) {
            scope.slots[formal[k].name] = findSlots(actual[k]);
            if (scope.slots[formal[k].name] == nullptr) failPtx(line_, "unknown argument '" + actual[k] + "'");
        }
    }

    void trap(int code) {
        Instruction in;
        in.kind = Kind::Trap;
        in.extra = code == ASSERT;
        in.width = 0;
        in.target = code;
        emit(in);
    }

    // ---- instructions -----------------------------------------------------------------------------------------------

    void need(const std::vector<Operand>& o, size_t count, const Opcode& op) {
        if (o.size() < count) failPtx(line_, "'" + op.text + "' lacks an operand");
    }

    void finish(const Opcode& op, Instruction& in) {
        if (in.run == nullptr) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        emit(in);
    }

    void instruction(const Opcode& op, const std::vector<Operand>& o) {
        const std::string& b = op.base;
        if (b == "ld" || b == "ldu") return load(op, o);
        if (b == "st") return store(op, o);
        if (b == "atom" || b == "red") return atomic(op, o);
        if (b == "mov") return move(op, o);
        if (b == "cvt") return convert(op, o);
        if (b == "cvta") return convertAddress(op, o);
        if (b == "setp") return compare(op, o);
        if (b == "selp") return select(op, o);
        if (b == "bra") return branch(o);
        if (b == "ret" || b == "exit") return leave(b == "ret");
        if (b == "bar" || b == "barrier") return barrier(op, o);
        if (b == "shfl") return shuffle(op, o);
        if (b == "vote") return vote(op, o);
        if (b == "activemask") return activeMask(op, o);
        if (b == "trap" || b == "brkpt") return trap(LAUNCH_FAILED);
        if (b == "membar" || b == "fence") {
            if (!op.has("cta")) kernel_.ordered = true;
            return;
        }
        if (b == "prefetch" || b == "prefetchu" || b == "nanosleep" || b == "discard" || b == "applypriority") return;
        if (op.type() == Type::Pred) return predicateLogic(op, o);
        arithmetic(op, o);
    }

    void arithmetic(const Opcode& op, const std::vector<Operand>& o) {
        const std::string& b = op.base;
        const Type type = op.type();
        const int cell = cellBytes(type);
        const bool wide = op.has("wide");
        const int wideCell = wide && bytesOf(type) == 4 ? 8 : cell;
        Instruction in;
        in.run = isFloat(type) ? floatHandler(op) : integerHandler(op);
        if (in.run == nullptr) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        need(o, 2, op);
        const bool count = b == "popc" || b == "clz" || b == "bfind";
        in.r[0] = destination(o[0], wide ? wideCell : count ? 4 : cell);
        for (size_t k = 1; k < o.size() && k < 6; k++) {
            int c = cell;
            Type t = type;
            if ((b == "shl" || b == "shr") && k == 2) c = 4, t = Type::U32;
            if (b == "bfe" && k >= 2) c = 4, t = Type::U32;
            if (b == "bfi" && k >= 3) c = 4, t = Type::U32;
            if (b == "mad" && wide && k == 3) c = wideCell;
            in.r[k] = source(o[k], t, c);
        }
        emit(in);
    }

    Space spaceOf(const Opcode& op) {
        if (op.has("global") || op.has("const")) return Space::Global;
        if (op.has("shared") || op.has("shared::cta")) return Space::Shared;
        if (op.has("local")) return Space::Local;
        if (op.has("param") || op.has("param::entry") || op.has("param::func")) return Space::Parameter;
        return Space::Generic;
    }

    void address(const Operand& o, Instruction& in, uint32_t& row) {
        if (o.kind != Operand::Address) failPtx(line_, "an address is missing");
        in.offset = o.offset;
        if (in.space == Space::Global || in.space == Space::Generic) in.site = kernel_.sites++;
        else in.site = ~0u;
        if (Register* r = findRegister(o.token.text)) {
            in.narrowAddress = r->cell() == 4;
            row = r->row;
        } else if (o.token.kind == Token::Number) {
            row = constant(parseInteger(o.token), 8);
        } else {
            row = symbolRow(o.token, 8);
        }
    }

    std::vector<Operand> elements(const Operand& o) {
        if (o.kind != Operand::Vector) return {o};
        std::vector<Operand> list;
        for (const Token& part : o.parts) {
            Operand e;
            e.kind = part.kind == Token::Number ? Operand::Number : Operand::Name;
            e.token = part;
            list.push_back(e);
        }
        return list;
    }

    void load(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const std::vector<Operand> data = elements(o[0]);
        const Type type = op.type();
        if (op.has("volatile") || op.has("acquire")) kernel_.ordered = true;
        Instruction in;
        in.space = spaceOf(op);
        in.lanes = uint8_t(data.size());
        if (in.space == Space::Parameter) {
            if (auto slots = findSlots(o[1].token.text)) return slotMoves(*slots, o[1], data, type, true);
            if (const Parameter* p = findParameter(o[1].token.text)) {
                if (o[1].offset + int64_t(data.size()) * bytesOf(type) > p->bytes) failPtx(line_, "it reads past parameter '" + p->name + "'");
                in.r[0] = ~0u;
                in.offset = p->offset + o[1].offset;
                in.site = ~0u;
            }
        }
        if (in.r[0] != ~0u) {
            in.width = uint8_t(bytesOf(type) * int(data.size()));
            address(o[1], in, in.r[0]);
        }
        const int cell = cellOf(data[0], type);
        for (size_t k = 0; k < data.size(); k++) in.r[1 + k] = destination(data[k], cell);
        in.run = loadHandler(type, cell);
        finish(op, in);
    }

    void store(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const std::vector<Operand> data = elements(o[1]);
        const Type type = op.type();
        if (op.has("volatile") || op.has("release")) kernel_.ordered = true;
        Instruction in;
        in.space = spaceOf(op);
        in.store = true;
        in.lanes = uint8_t(data.size());
        if (in.space == Space::Parameter) {
            auto slots = findSlots(o[0].token.text);
            if (slots == nullptr) failPtx(line_, "unknown parameter '" + o[0].token.text + "'");
            return slotMoves(*slots, o[0], data, type, false);
        }
        in.width = uint8_t(bytesOf(type) * int(data.size()));
        address(o[0], in, in.r[0]);
        const int cell = cellOf(data[0], type);
        for (size_t k = 0; k < data.size(); k++) in.r[1 + k] = source(data[k], type, cell);
        in.run = storeHandler(type, cell);
        finish(op, in);
    }

    void slotMoves(Slots& slots, const Operand& place, const std::vector<Operand>& data, Type type, bool load) {
        for (size_t k = 0; k < data.size(); k++) {
            const int cell = cellOf(data[k], type);
            const uint32_t offset = uint32_t(place.offset) + uint32_t(k) * uint32_t(bytesOf(type));
            auto found = slots.rows.find(offset);
            if (found == slots.rows.end()) found = slots.rows.emplace(offset, std::make_pair(newRow(cell), cell)).first;
            if (found->second.second != cell) failPtx(line_, "an argument is written and read in different sizes");
            Instruction in;
            in.run = moveHandler(cell);
            in.r[0] = load ? destination(data[k], cell) : found->second.first;
            in.r[1] = load ? found->second.first : source(data[k], type, cell);
            emit(in);
        }
    }

    void atomic(const Opcode& op, const std::vector<Operand>& o) {
        const bool reduction = op.base == "red";
        const size_t first = reduction ? 0 : 1;
        need(o, first + 2, op);
        const Type type = op.type();
        const int cell = cellBytes(type);
        Instruction in;
        in.space = spaceOf(op);
        in.store = in.atomic = true;
        in.width = uint8_t(bytesOf(type));
        in.r[0] = reduction || o[0].token.text == "_" ? ~0u : destination(o[0], cell);
        address(o[first], in, in.r[1]);
        in.r[2] = source(o[first + 1], type, cell);
        in.r[3] = o.size() > first + 2 ? source(o[first + 2], type, cell) : in.r[2];
        in.run = atomicHandler(op);
        if (in.space != Space::Shared) kernel_.ordered = true;
        finish(op, in);
    }

    void move(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const int cell = cellBytes(op.type());
        Instruction in;
        if (o[0].kind == Operand::Vector || o[1].kind == Operand::Vector) return movePacked(op, o, cell);
        if (op.type() == Type::Pred) {
            in.run = predicateHandler(op);
            in.r[1] = predicateOf(o[1]);
            in.r[0] = predicateOf(o[0]);
        } else {
            in.run = moveHandler(cell);
            in.r[1] = source(o[1], op.type(), cell);
            in.r[0] = destination(o[0], cell);
        }
        finish(op, in);
    }

    void movePacked(const Opcode& op, const std::vector<Operand>& o, int cell) {
        const bool unpack = o[0].kind == Operand::Vector;
        const std::vector<Operand> parts = elements(o[unpack ? 0 : 1]);
        if (bytesOf(op.type()) / int(parts.size()) > 4) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        Instruction in;
        in.run = unpack ? unpackHandler(int(parts.size()), cell) : packHandler(int(parts.size()), cell);
        in.r[0] = unpack ? source(o[1], op.type(), cell) : destination(o[0], cell);
        for (size_t k = 0; k < parts.size(); k++) {
            if (unpack) in.r[1 + k] = parts[k].token.text == "_" ? ~0u : destination(parts[k], 4);
            else in.r[1 + k] = source(parts[k], Type::U32, 4);
        }
        finish(op, in);
    }

    void convert(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        if (op.types.size() != 2) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        const int d = cellOf(o[0], op.types[0]), s = cellOf(o[1], op.types[1]);
        Instruction in;
        in.run = convertHandler(op, d, s);
        in.extra = uint8_t((d == 8 ? 1 : 0) | (s == 8 ? 2 : 0));
        in.r[1] = source(o[1], op.types[1], s);
        in.r[0] = destination(o[0], d);
        finish(op, in);
    }

    void convertAddress(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const Space space = spaceOf(op);
        const uint64_t window = space == Space::Shared ? SHARED_WINDOW : space == Space::Local ? LOCAL_WINDOW : space == Space::Parameter ? PARAMETER_WINDOW : 0;
        Instruction in;
        in.run = window == 0 ? moveHandler(8) : integerHandler(Opcode(op.has("to") ? "sub.u64" : "add.u64"));
        in.r[1] = source(o[1], Type::U64, 8);
        in.r[2] = constant(window, 8);
        in.r[0] = destination(o[0], 8);
        finish(op, in);
    }

    void compare(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 3, op);
        const int cell = cellBytes(op.type());
        Instruction in;
        in.run = comparisonHandler(op);
        in.extra = op.has("and") ? 1 : op.has("or") ? 2 : op.has("xor") ? 3 : 0;
        in.r[2] = source(o[1], op.type(), cell);
        in.r[3] = source(o[2], op.type(), cell);
        if (in.extra != 0) {
            need(o, 4, op);
            in.r[4] = predicateOf(o[3]);
        }
        in.r[0] = o[0].token.text == "_" ? newPredicate() : predicateOf(o[0]);
        in.r[1] = o[0].second ? needRegister(o[0].secondToken).row : ~0u;
        finish(op, in);
    }

    void select(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 4, op);
        const int cell = cellBytes(op.type());
        Instruction in;
        in.run = selectHandler(cell);
        in.r[1] = source(o[1], op.type(), cell);
        in.r[2] = source(o[2], op.type(), cell);
        in.r[3] = predicateOf(o[3]);
        in.r[0] = destination(o[0], cell);
        finish(op, in);
    }

    void predicateLogic(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        Instruction in;
        in.run = predicateHandler(op);
        for (size_t k = 1; k < o.size(); k++) in.r[k] = predicateOf(o[k]);
        in.r[0] = predicateOf(o[0]);
        finish(op, in);
    }

    void branch(const std::vector<Operand>& o) {
        Instruction in;
        in.kind = Kind::Branch;
        frame_->jumps.push_back({kernel_.code.size(), o.at(0).token});
        emit(in);
    }

    void leave(bool isReturn) {
        Instruction in;
        in.kind = frame_->inlined && isReturn ? Kind::Branch : Kind::Exit;
        if (in.kind == Kind::Branch) frame_->returns.push_back(kernel_.code.size());
        emit(in);
    }

    void barrier(const Opcode& op, const std::vector<Operand>& o) {
        Instruction in;
        if (op.has("warp")) {
            in.kind = Kind::WarpSync;
            in.r[5] = source(o.at(0), Type::U32, 4);
            emit(in);
            return;
        }
        in.kind = Kind::Barrier;
        if (op.has("arrive")) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        if (op.has("red")) {
            in.width = op.has("and") ? 1 : op.has("or") ? 2 : 3;
            if (o.size() != 3) failPtx(line_, "barriers of a part of the block are not supported by the emulator");
            in.r[1] = predicateOf(o[2]);
            in.r[0] = in.width == 3 ? destination(o[0], 4) : predicateOf(o[0]);
        } else if (o.size() != 1) {
            failPtx(line_, "barriers of a part of the block are not supported by the emulator");
        }
        emit(in);
    }

    void shuffle(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 5, op);
        Instruction in;
        in.kind = Kind::WarpSync;
        in.run = shuffleHandler(op);
        for (size_t k = 1; k < 4; k++) in.r[k] = source(o[k], Type::B32, 4);
        in.r[5] = source(o[4], Type::U32, 4);
        in.r[0] = destination(o[0], 4);
        in.r[4] = o[0].second ? needRegister(o[0].secondToken).row : ~0u;
        finish(op, in);
    }

    void vote(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 3, op);
        Instruction in;
        in.kind = Kind::WarpSync;
        in.run = voteHandler(op);
        in.r[1] = predicateOf(o[1]);
        in.r[5] = source(o[2], Type::U32, 4);
        in.r[0] = op.has("ballot") ? destination(o[0], 4) : predicateOf(o[0]);
        finish(op, in);
    }

    void activeMask(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 1, op);
        Instruction in;
        in.run = specialMaskHandler();
        in.r[0] = destination(o[0], 4);
        finish(op, in);
    }

    const ModuleSource& module_;
    Kernel& kernel_;
    Frame* frame_ = nullptr;
    uint32_t rows_ = 0;
    uint32_t line_ = 0;
    uint16_t guard_ = PREDICATE_TRUE;
    bool flip_ = false;
    int depth_ = 0;
    std::map<std::pair<uint64_t, int>, uint32_t> constants_;
    std::map<std::string, uint64_t> sharedOffsets_;
    std::map<int, size_t> dynamicRows_;  // cell bytes -> index of the constant
    uint32_t dynamicAlign_ = 1;
};

}  // namespace

void translate(const ModuleSource& module, const FunctionSource& function, Kernel& kernel) { Translator(module, kernel).kernel(function); }

}  // namespace emulator
