#include "translator.h"

#include "instructions.h"

namespace emulator {

namespace {

class Translator : private Instructions {
public:
    Translator(const ModuleSource& module, Kernel& kernel) : Instructions(module, kernel) {}

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

    int depth_ = 0;
};

}  // namespace

void translate(const ModuleSource& module, const FunctionSource& function, Kernel& kernel) { Translator(module, kernel).kernel(function); }

}  // namespace emulator
