// A module's head: version, target, variables and the places of functions.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "codes.h"
#include "translator.h"

namespace emulator {

void failPtx(uint32_t line, const std::string& what) { throw Failure{INVALID_PTX, "PTX line " + std::to_string(line) + ": " + what}; }

uint64_t parseInteger(const Token& token) {
    std::string text = token.text;
    while (!text.empty() && (text.back() == 'U' || text.back() == 'u') && text.compare(0, 2, "0x") != 0) text.pop_back();
    if (!text.empty() && text.back() == 'U') text.pop_back();
    return strtoull(text.c_str(), nullptr, 0);
}

Declaration parseDeclaration(const std::vector<Token>& tokens, size_t& i) {
    Declaration d;
    uint32_t align = 0;
    int vector = 1;
    for (; tokens[i].text[0] == '.'; i++) {
        const std::string word = tokens[i].text.substr(1);
        if (word == "align") align = uint32_t(parseInteger(tokens[++i]));
        else if (word == "v2" || word == "v4") vector = word[1] - '0';
        else if (typeNamed(word) != Type::None) d.type = typeNamed(word);
        // .ptr, .global and the like on parameters say nothing that matters here
    }
    if (tokens[i].kind != Token::Word) failPtx(tokens[i].line, "a name is missing, found '" + tokens[i].text + "'");
    d.name = tokens[i++].text;
    uint64_t count = uint64_t(vector);
    while (tokens[i].is("[")) {
        i++;
        if (tokens[i].is("]")) count = 0;
        else count *= parseInteger(tokens[i++]);
        i++;
    }
    d.bytes = uint32_t(count * bytesOf(d.type));
    d.align = align != 0 ? align : uint32_t(bytesOf(d.type) * vector);
    return d;
}

namespace {

class ModuleReader {
public:
    ModuleReader(int highestVersion, int capability, uint64_t (*allocate)(size_t, const std::string&))
        : highest_(highestVersion), capability_(capability), allocate_(allocate) {}

    ModuleSource read(const std::string& ptx) {
        source_.tokens = tokenize(ptx);
        if (!source_.tokens[0].is(".version")) failPtx(source_.tokens[0].line, "it does not begin with .version");
        while (now().kind != Token::End) item();
        return std::move(source_);
    }

private:
    const Token& now() const { return source_.tokens[i_]; }

    void item() {
        const Token token = now();
        if (token.is(".version")) version();
        else if (token.is(".target")) target();
        else if (token.is(".file") || token.is(".section")) skipLine(token.line);
        else if (token.is(".address_size") || token.is(".pragma")) skipLine(token.line);
        else if (token.is(".entry") || token.is(".func")) function(token.is(".entry"));
        else if (token.is(".global") || token.is(".const")) variable();
        else if (token.is(".shared")) sharedVariable();
        else if (token.is(".visible") || token.is(".extern") || token.is(".weak") || token.is(".common") || token.is(";") || token.is(".noreturn")) i_++;
        else failPtx(token.line, "unknown '" + token.text + "' outside functions");
    }

    void skipLine(uint32_t line) {
        while (now().line == line && now().kind != Token::End) i_++;
    }

    void version() {
        i_++;
        const int version = int(atof(now().text.c_str()) * 10 + 0.5);
        if (version > highest_)
            throw Failure{UNSUPPORTED_PTX_VERSION, "Unsupported .version " + now().text + "; current version is '" + std::to_string(highest_ / 10) + "." +
                                                       std::to_string(highest_ % 10) + "'"};
        i_++;
    }

    void target() {
        i_++;
        const std::string name = now().text;
        const int target = name.compare(0, 3, "sm_") == 0 ? atoi(name.c_str() + 3) : 0;
        if (target > capability_)
            failPtx(now().line, "SM version specified by .target is higher than default SM version assumed: " + name + " on sm_" + std::to_string(capability_));
        skipLine(now().line);
    }

    std::vector<ParameterSource> parameterList() {
        std::vector<ParameterSource> list;
        if (!now().is("(")) return list;
        i_++;
        while (!now().is(")")) {
            const Declaration d = parseDeclaration(source_.tokens, i_);
            list.push_back({d.name, d.bytes, d.align});
            if (now().is(",")) i_++;
        }
        i_++;
        return list;
    }

    void function(bool entry) {
        FunctionSource f;
        f.entry = entry;
        i_++;
        if (!entry) f.results = parameterList();
        f.name = now().text;
        i_++;
        f.parameters = parameterList();
        while (now().text[0] == '.') {  // .maxntid 256, 1, 1 and others
            const std::string directive = now().text;
            i_++;
            uint32_t product = 1;
            while (now().kind == Token::Number || now().is(",")) {
                if (now().kind == Token::Number) product *= uint32_t(parseInteger(now()));
                i_++;
            }
            if (directive == ".maxntid" || directive == ".reqntid") f.maxThreads = product;
        }
        if (now().is(";")) {
            i_++;
            source_.functions.emplace(f.name, f);
            return;
        }
        if (!now().is("{")) failPtx(now().line, "the body of '" + f.name + "' is missing");
        f.begin = ++i_;
        for (int depth = 1; depth > 0; i_++) {
            if (now().kind == Token::End) failPtx(now().line, "the body of '" + f.name + "' does not end");
            if (now().is("{")) depth++;
            if (now().is("}")) depth--;
        }
        f.end = i_ - 1;
        source_.functions[f.name] = f;
    }

    void variable() {
        i_++;
        const Declaration d = parseDeclaration(source_.tokens, i_);
        std::vector<char> content(d.bytes, 0);
        if (now().is("=")) {
            i_++;
            initialise(d, content);
        }
        const uint64_t address = allocate_(std::max<size_t>(d.bytes, 1), d.name);
        source_.variables[d.name] = Variable{address, d.bytes, content};
    }

    void initialise(const Declaration& d, std::vector<char>& content) {
        size_t at = 0;
        bool negative = false;
        for (; !now().is(";"); i_++) {
            if (now().is("-")) negative = true;
            if (now().kind == Token::Word) failPtx(now().line, "an initialiser that names '" + now().text + "' is not supported");
            if (now().kind != Token::Number) continue;
            const std::string& text = now().text;
            const bool bits = text.size() > 2 && text[0] == '0' && strchr("fFdD", text[1]) != nullptr;
            uint64_t value = bits ? strtoull(text.c_str() + 2, nullptr, 16) : parseInteger(now());
            if (negative) value = 0 - value;
            negative = false;
            const size_t width = size_t(bytesOf(d.type));
            if (at + width <= content.size()) memcpy(content.data() + at, &value, width);
            at += width;
        }
    }

    void sharedVariable() {
        i_++;
        const Declaration d = parseDeclaration(source_.tokens, i_);
        source_.shared[d.name] = SharedVariable{d.bytes, d.align};
    }

    ModuleSource source_;
    size_t i_ = 0;
    int highest_, capability_;
    uint64_t (*allocate_)(size_t, const std::string&);
};

}  // namespace

Module* loadModule(const std::string& ptx, int highestVersion, int capability, int device, uint64_t (*allocate)(size_t, const std::string&)) {
    const ModuleSource source = ModuleReader(highestVersion, capability, allocate).read(ptx);
    auto module = std::make_unique<Module>();
    module->device = device;
    std::stringstream lines(ptx);
    for (std::string line; std::getline(lines, line);) module->source.push_back(line);
    module->variables = source.variables;
    for (auto& entry : source.functions) {
        if (!entry.second.entry) continue;
        Kernel& kernel = module->kernels[entry.first];
        kernel.device = device;
        kernel.source = &module->source;
        translate(source, entry.second, kernel);
    }
    return module.release();
}

}  // namespace emulator
