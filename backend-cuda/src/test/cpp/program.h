// A kernel as the interpreter executes it: PTX decoded once into flat instructions over rows of 32 lanes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace emulator {

using Mask = uint32_t;  // one bit per lane of a warp
constexpr Mask ALL = 0xFFFFFFFFu;
constexpr int LANES = 32;

struct Warp;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&, Mask);

// What the interpreter's loop has to know about an instruction; everything else is in its handler.
enum class Kind : uint8_t { Compute, Branch, Exit, Barrier, WarpSync, Trap };

enum class Space : uint8_t { Generic, Global, Shared, Local, Parameter };

struct Instruction {
    Handler run = nullptr;
    Kind kind = Kind::Compute;
    Space space = Space::Generic;
    bool flip = false;        // the guard is negated
    bool store = false;
    bool atomic = false;
    uint8_t width = 0;        // memory: bytes a lane moves; shuffles, barriers: the variant
    uint8_t lanes = 1;        // memory: elements of a vector
    uint8_t extra = 0;        // an operation's second selector: a comparison's boolean, an atomic's kind
    uint16_t guard = 0;       // predicate that admits lanes; predicate 0 is always true
    bool narrowAddress = false;
    int32_t target = 0;       // branch: index of the instruction
    uint32_t r[8] = {};       // offsets of rows in a warp's file, or numbers of predicates; r[0] is the result
    int64_t offset = 0;       // memory: added to the address
    uint32_t site = 0;        // memory: its number among the kernel's accesses
    uint32_t line = 0;
};

// Numbers of the predicates that every warp has.
constexpr uint16_t PREDICATE_TRUE = 0, PREDICATE_FALSE = 1;

enum class Special : uint8_t { TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ, Laneid, Warpid };

struct Parameter {
    std::string name;
    uint32_t bytes = 0, align = 1, offset = 0;
};

struct ConstantRow {
    uint32_t row, bytes;
    uint64_t bits;
};

struct SpecialRow {
    uint32_t row;
    Special value;
};

struct Kernel {
    std::string name;
    std::vector<Parameter> parameters;
    uint32_t parameterBytes = 0;
    std::vector<Instruction> code;
    std::vector<ConstantRow> constants;
    std::vector<SpecialRow> specials;
    uint32_t fileBytes = 0;      // a warp's rows
    uint32_t predicates = 2;
    uint32_t sites = 0;
    uint32_t staticShared = 0;
    uint32_t localBytes = 0;     // per thread
    uint32_t maxThreads = 1024;
    bool ordered = false;        // its result may depend on the order of blocks: atomics, fences
    int device = 0;
    uint32_t dynamicSharedLimit = 48 * 1024;  // raised by cuFuncSetAttribute
    const std::vector<std::string>* source = nullptr;  // the module's lines, for messages

    std::string where(const Instruction& in) const;
};

struct Variable {
    uint64_t address = 0;
    uint32_t bytes = 0;
    std::vector<char> initial;
};

struct Module {
    std::vector<std::string> source;
    std::map<std::string, Kernel> kernels;
    std::map<std::string, Variable> variables;
    int device = 0;
};

// A status of the driver with the words for it.
struct Failure {
    int code;
    std::string text;
};

// Decodes PTX; allocate(bytes) makes room for a module variable on the device. Throws Failure.
Module* loadModule(const std::string& ptx, int highestVersion, int capability, int device,
                   uint64_t (*allocate)(size_t bytes, const std::string& name));

}  // namespace emulator
