// The driver's state: contexts, streams and their queues, events, captures, counters, and the frame of every call.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "codes.h"
#include "device_memory.h"
#include "modes.h"
#include "program.h"
#include "warp.h"

#define EMULATOR_API extern "C" __attribute__((visibility("default")))

namespace emulator {

struct Context {
    int device = 0;
    int retained = 0;
    bool primary = false;
    int stickyCode = SUCCESS;
    std::string stickyText;
};

struct Stream;

// A place in a stream: everything before it has to be done.
struct Position {
    std::shared_ptr<Stream> stream;
    uint64_t count;
};

struct Work {
    std::string label;
    std::function<void()> run;
    std::vector<Position> after;
};

struct Node {
    std::string label;
    std::function<void()> run;
    std::vector<size_t> after;
};

struct Graph {
    std::vector<Node> nodes;
};

struct Capture {
    std::unique_ptr<Graph> graph = std::make_unique<Graph>();
    Stream* origin = nullptr;
    int mode = 0;
    std::thread::id thread;
    bool broken = false;
    std::set<Stream*> streams;
};

struct Stream {
    Context* context = nullptr;
    bool blocking = true;  // ordered with the legacy stream
    bool legacy = false;
    bool destroyed = false;
    int priority = 0;
    std::deque<Work> queue;
    uint64_t enqueued = 0, done = 0;
    std::shared_ptr<Capture> capture;
    std::vector<size_t> frontier;  // the capture's nodes that the next one follows
};

struct Event {
    Context* context = nullptr;
    bool recorded = false;
    bool timed = true;
    Position position{nullptr, 0};
    std::shared_ptr<double> milliseconds;  // set when the record runs
    std::shared_ptr<Capture> capture;
    std::vector<size_t> frontier;
};

struct Function {
    Kernel* kernel;
    Module* module;
    Context* context;
};

struct Copies {
    uint64_t count = 0, bytes = 0;
};

struct Driver {
    std::recursive_mutex lock;
    Modes modes;
    bool initialised = false;
    DeviceMemory memory;
    std::vector<std::unique_ptr<Context>> primaries;
    std::set<Context*> contexts;
    std::map<uint64_t, size_t> registered;                    // host memory pinned by cuMemHostRegister
    std::map<Stream*, std::shared_ptr<Stream>> streams;
    std::map<Context*, std::shared_ptr<Stream>> legacy;
    std::set<Event*> events;
    std::set<Graph*> graphs, executables;
    std::set<Module*> modules;
    std::map<std::pair<Context*, Kernel*>, std::unique_ptr<Function>> functions;
    std::set<const Function*> handedOut;                      // the same, by handle
    std::mt19937_64 random;
    std::string lastError;
    uint64_t calls = 0, failNameCalls = 0, allocations = 0, allocationsToFail = 0, graphLaunches = 0, unsupported = 0, synchronisations = 0;
    std::map<std::string, uint64_t> callsByName;
    std::map<std::string, KernelCount> kernels;
    std::map<std::string, Copies> copies;                     // "h2d", "d2h", "d2d", "memset"
    std::vector<Watch> watches;

    void setModes(const Modes& newModes);
    // As a new process: everything that was handed out is gone.
    void reset();
    void clearCounters();

    std::shared_ptr<Stream> stream(void* handle, Context& context);
    // Puts work into a stream, or into its capture. Without `defer` it runs before this returns.
    void enqueue(const std::shared_ptr<Stream>& stream, const std::string& label, std::function<void()> run, std::vector<Position> after = {});
    bool reached(const Position& position) const { return position.stream == nullptr || position.stream->done >= position.count; }
    // Runs queued work, in a random order that the streams allow, until the condition holds.
    void runUntil(const std::function<bool()>& condition);
    void drain(Context& context);
    // Deferred streams: what a poll of the host gives time for.
    void runSome();
    void runGraph(const Graph& graph);
    void forbidDuringCapture();
    bool isPinned(uint64_t address) const;

private:
    std::shared_ptr<Stream> readyStream();
    void runFront(Stream& stream);
};

Driver& driver();

// The context of the calling thread; null if none.
Context*& currentContext();

enum Need : int { NOTHING = 0, INITIALISED = 1, CONTEXT = 2 };

// The frame of every exported function: lock, count, injected failures, dead contexts, errors as codes.
int call(const char* name, Need need, const std::function<int(Context&)>& body);

const char* errorName(int code);
const char* errorText(int code);

// Answers for functions of the driver that the emulator lacks.
int unsupported(const char* name);

}  // namespace emulator
