// A kernel's PTX into flat instructions. Calls are expanded in place, so that a warp's lanes share one program counter.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lexer.h"
#include "opcode.h"
#include "program.h"

namespace emulator {

struct SharedVariable {
    uint32_t bytes = 0, align = 1;
};

struct ParameterSource {
    std::string name;
    uint32_t bytes = 0, align = 1;
};

struct FunctionSource {
    std::string name;
    bool entry = false;
    std::vector<ParameterSource> results, parameters;
    size_t begin = 0, end = 0;  // tokens of the body, braces apart; equal: only declared
    uint32_t maxThreads = 1024;
};

// What the module's head and the bodies share.
struct ModuleSource {
    std::vector<Token> tokens;
    std::map<std::string, FunctionSource> functions;
    std::map<std::string, SharedVariable> shared;
    std::map<std::string, Variable> variables;
};

[[noreturn]] void failPtx(uint32_t line, const std::string& what);

uint64_t parseInteger(const Token& token);

// ".align 8 .b8 name[16]" from position i on, which moves behind it: a variable's type, name, bytes and alignment.
struct Declaration {
    Type type = Type::None;
    std::string name;
    uint32_t bytes = 0, align = 1;
};
Declaration parseDeclaration(const std::vector<Token>& tokens, size_t& i);

void translate(const ModuleSource& module, const FunctionSource& function, Kernel& kernel);

}  // namespace emulator
