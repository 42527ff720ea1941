// PTX text into tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace emulator {

struct Token {
    enum Kind { Word, Number, Text, Mark, End } kind;
    std::string text;
    uint32_t line;

    bool is(const char* what) const { return text == what && kind != Text; }
};

// Comments vanish. Words are mnemonics, directives, registers and symbols; marks are single characters.
std::vector<Token> tokenize(const std::string& ptx);

}  // namespace emulator
