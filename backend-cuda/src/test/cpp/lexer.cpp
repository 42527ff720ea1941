#include "lexer.h"

#include <cctype>
#include <cstring>

namespace emulator {

namespace {

bool wordStart(char c) { return isalpha(static_cast<unsigned char>(c)) || strchr("_$%.", c) != nullptr; }

bool wordPart(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '.'; }

}  // namespace

std::vector<Token> tokenize(const std::string& ptx) {
    std::vector<Token> tokens;
    uint32_t line = 1;
    size_t i = 0;
    const size_t n = ptx.size();
    while (i < n) {
        const char c = ptx[i];
        if (c == '\n') line++;
        if (c == '\0') break;
        if (isspace(static_cast<unsigned char>(c))) {
            i++;
        } else if (ptx.compare(i, 2, "//") == 0) {
            while (i < n && ptx[i] != '\n') i++;
        } else if (ptx.compare(i, 2, "/*") == 0) {
            while (i < n && ptx.compare(i, 2, "*/") != 0) line += ptx[i++] == '\n';
            i += 2;
        } else if (c == '"') {
            size_t end = i + 1;
            while (end < n && ptx[end] != '"') end += ptx[end] == '\\' ? 2 : 1;
            tokens.push_back({Token::Text, ptx.substr(i + 1, end - i - 1), line});
            i = end + 1;
        } else if (wordStart(c)) {
            size_t end = i + 1;
            while (end < n && (wordPart(ptx[end]) || ptx.compare(end, 2, "::") == 0)) end += ptx[end] == ':' ? 2 : 1;
            tokens.push_back({Token::Word, ptx.substr(i, end - i), line});
            i = end;
        } else if (isdigit(static_cast<unsigned char>(c))) {
            size_t end = i + 1;
            while (end < n && (isalnum(static_cast<unsigned char>(ptx[end])) || ptx[end] == '.')) end++;
            tokens.push_back({Token::Number, ptx.substr(i, end - i), line});
            i = end;
        } else {
            tokens.push_back({Token::Mark, std::string(1, c), line});
            i++;
        }
    }
    tokens.push_back({Token::End, "", line});
    return tokens;
}

}  // namespace emulator
