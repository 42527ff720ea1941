#include "driver.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace emulator {

Driver& driver() {
    static Driver* instance = [] {
        auto* d = new Driver();  // never destroyed: threads of the program may outlive static objects
        const char* modes = getenv("GRADUS_EMULATOR");
        try {
            d->setModes(Modes::parse(modes == nullptr ? "" : modes));
        } catch (const std::exception& e) {
            fprintf(stderr, "GRADUS_EMULATOR: %s\n", e.what());
            abort();
        }
        return d;
    }();
    return *instance;
}

Context*& currentContext() {
    static thread_local Context* context = nullptr;
    return context;
}

void Driver::setModes(const Modes& newModes) {
    modes = newModes;
    memory.cap = modes.memory;
    random.seed(modes.defer * 7919 + modes.order);
    failNameCalls = 0;
    allocationsToFail = 0;
    for (int device = int(primaries.size()); device < modes.devices; device++) {
        primaries.push_back(std::make_unique<Context>());
        primaries.back()->device = device;
        primaries.back()->primary = true;
        contexts.insert(primaries.back().get());
    }
}

void Driver::clearCounters() {
    calls = allocations = graphLaunches = synchronisations = 0;
    callsByName.clear();
    kernels.clear();
    copies.clear();
    for (Watch& w : watches) w.loads = w.stores = Traffic();
}

void Driver::reset() {
    initialised = false;
    streams.clear();
    legacy.clear();
    events.clear();
    graphs.clear();
    executables.clear();
    functions.clear();
    handedOut.clear();
    modules.clear();
    registered.clear();
    memory.clear();
    watches.clear();
    clearCounters();
    unsupported = 0;
    lastError.clear();
    for (auto& primary : primaries) {
        primary->retained = 0;
        primary->stickyCode = SUCCESS;
        primary->stickyText.clear();
    }
}

std::shared_ptr<Stream> Driver::stream(void* handle, Context& context) {
    if (reinterpret_cast<uint64_t>(handle) <= 2) {  // null, CU_STREAM_LEGACY and CU_STREAM_PER_THREAD
        auto& s = legacy[&context];
        if (s == nullptr) {
            s = std::make_shared<Stream>();
            s->context = &context;
            s->legacy = true;
        }
        return s;
    }
    auto found = streams.find(static_cast<Stream*>(handle));
    if (found == streams.end()) throw Failure{INVALID_HANDLE, "no stream has this handle"};
    return found->second;
}

void Driver::enqueue(const std::shared_ptr<Stream>& stream, const std::string& label, std::function<void()> run, std::vector<Position> after) {
    if (stream->capture != nullptr) {
        Capture& capture = *stream->capture;
        if (capture.broken) throw Failure{CAPTURE_INVALIDATED, label + ": the stream's capture is invalid"};
        capture.graph->nodes.push_back(Node{label, std::move(run), stream->frontier});
        stream->frontier = {capture.graph->nodes.size() - 1};
        return;
    }
    // The legacy stream waits for all streams that did not ask to be left alone, and they for it.
    if (stream->legacy) {
        for (auto& entry : streams)
            if (entry.second->blocking && entry.second->context == stream->context) after.push_back({entry.second, entry.second->enqueued});
    } else if (stream->blocking) {
        auto found = legacy.find(stream->context);
        if (found != legacy.end()) after.push_back({found->second, found->second->enqueued});
    }
    stream->queue.push_back(Work{label, std::move(run), std::move(after)});
    stream->enqueued++;
    if (modes.defer == 0) runUntil([&] { return stream->queue.empty(); });
}

std::shared_ptr<Stream> Driver::readyStream() {
    std::vector<std::shared_ptr<Stream>> ready;
    auto consider = [&](const std::shared_ptr<Stream>& s) {
        if (s->queue.empty()) return;
        for (const Position& p : s->queue.front().after)
            if (!reached(p)) return;
        ready.push_back(s);
    };
    for (auto& entry : streams) consider(entry.second);
    for (auto& entry : legacy) consider(entry.second);
    if (ready.empty()) return nullptr;
    return ready[ready.size() == 1 ? 0 : random() % ready.size()];
}

void Driver::runFront(Stream& stream) {
    Work work = std::move(stream.queue.front());
    stream.queue.pop_front();
    stream.done++;
    if (stream.context->stickyCode != SUCCESS) return;  // a dead device runs nothing
    try {
        work.run();
    } catch (const Failure& f) {
        stream.context->stickyCode = f.code;
        stream.context->stickyText = work.label + ": " + f.text;
        lastError = stream.context->stickyText;
    }
}

void Driver::runUntil(const std::function<bool()>& condition) {
    while (!condition()) {
        std::shared_ptr<Stream> next = readyStream();
        if (next == nullptr) throw Failure{LAUNCH_TIMEOUT, "streams wait for each other"};
        runFront(*next);
    }
}

void Driver::drain(Context& context) {
    runUntil([&] {
        for (auto& entry : streams)
            if (entry.second->context == &context && !entry.second->queue.empty()) return false;
        auto found = legacy.find(&context);
        return found == legacy.end() || found->second->queue.empty();
    });
}

void Driver::runSome() {
    for (uint64_t k = random() % 3; k > 0; k--)
        if (std::shared_ptr<Stream> next = readyStream()) runFront(*next);
}

void Driver::runGraph(const Graph& graph) {
    const bool shuffled = modes.defer != 0 || modes.order != 0;
    std::vector<bool> done(graph.nodes.size(), false);
    for (size_t count = 0; count < graph.nodes.size(); count++) {
        std::vector<size_t> ready;
        for (size_t k = 0; k < graph.nodes.size(); k++) {
            if (done[k]) continue;
            const std::vector<size_t>& after = graph.nodes[k].after;
            if (std::all_of(after.begin(), after.end(), [&](size_t a) { return done[a]; })) ready.push_back(k);
            if (!shuffled && !ready.empty()) break;
        }
        const size_t next = ready[shuffled ? random() % ready.size() : 0];
        graph.nodes[next].run();
        done[next] = true;
    }
}

void Driver::forbidDuringCapture() {
    for (auto& entry : streams) {
        const auto& capture = entry.second->capture;
        if (capture == nullptr || capture->mode == 2) continue;                                            // relaxed
        if (capture->mode == 1 && capture->thread != std::this_thread::get_id()) continue;                 // of one thread
        capture->broken = true;
        throw Failure{CAPTURE_UNSUPPORTED, "not allowed while a stream captures; the capture is now invalid"};
    }
}

bool Driver::isPinned(uint64_t address) const {
    auto next = registered.upper_bound(address);
    if (next != registered.begin()) {
        --next;
        if (address < next->first + next->second) return true;
    }
    Allocation* a = const_cast<DeviceMemory&>(memory).find(address);
    return a != nullptr && a->pinned && !a->freed;
}

int call(const char* name, Need need, const std::function<int(Context&)>& body) {
    Driver& d = driver();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    d.calls++;
    d.callsByName[name]++;
    auto fail = [&](int code, const std::string& text) {
        d.lastError = std::string(name) + ": " + text;
        return code;
    };
    if (d.modes.failCall != 0 && (d.modes.failName.empty() || d.modes.failName == name) && ++d.failNameCalls == uint64_t(d.modes.failCall)) {
        Context* context = currentContext();
        if (sticky(d.modes.failCode) && context != nullptr) {
            context->stickyCode = d.modes.failCode;
            context->stickyText = "injected failure";
        }
        return fail(d.modes.failCode, "injected failure");
    }
    if (need >= INITIALISED && !d.initialised) return fail(NOT_INITIALIZED, "cuInit has not been called");
    static Context none;
    Context* context = currentContext();
    if (need == CONTEXT) {
        if (context == nullptr || d.contexts.count(context) == 0 || (context->primary && context->retained == 0))
            return fail(INVALID_CONTEXT, "the thread has no context");
        if (context->stickyCode != SUCCESS) return fail(context->stickyCode, context->stickyText);
    }
    try {
        const int code = body(context == nullptr ? none : *context);
        if (code != SUCCESS && code != NOT_READY) return fail(code, errorText(code));
        return code;
    } catch (const Failure& f) {
        if (sticky(f.code) && context != nullptr) {
            context->stickyCode = f.code;
            context->stickyText = f.text;
        }
        return fail(f.code, f.text);
    } catch (const std::exception& e) {
        return fail(UNKNOWN, e.what());
    }
}

namespace {

struct CodeText {
    int code;
    const char *name, *text;
};

const CodeText CODES[] = {
    {SUCCESS, "CUDA_SUCCESS", "no error"},
    {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {DEINITIALIZED, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {UNSUPPORTED_PTX_VERSION, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {ILLEGAL_STATE, "CUDA_ERROR_ILLEGAL_STATE", "the operation cannot be performed in the present state"},
    {NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {LAUNCH_OUT_OF_RESOURCES, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {LAUNCH_TIMEOUT, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {ASSERT, "CUDA_ERROR_ASSERT", "device-side assert triggered"},
    {HARDWARE_STACK_ERROR, "CUDA_ERROR_HARDWARE_STACK_ERROR", "hardware stack error"},
    {ILLEGAL_INSTRUCTION, "CUDA_ERROR_ILLEGAL_INSTRUCTION", "an illegal instruction was encountered"},
    {MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {INVALID_ADDRESS_SPACE, "CUDA_ERROR_INVALID_ADDRESS_SPACE", "operation not supported on global/shared address space"},
    {INVALID_PC, "CUDA_ERROR_INVALID_PC", "invalid program counter"},
    {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {NOT_SUPPORTED, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
    {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", "operation failed due to a previous error during capture"},
    {CAPTURE_UNMATCHED, "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED", "capture was not ended in the same stream as it began"},
    {CAPTURE_UNJOINED, "CUDA_ERROR_STREAM_CAPTURE_UNJOINED", "capturing stream has unjoined work"},
    {CAPTURE_ISOLATION, "CUDA_ERROR_STREAM_CAPTURE_ISOLATION", "dependency created on uncaptured work in another stream"},
    {CAPTURE_IMPLICIT, "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT", "operation would make the legacy stream depend on a capturing blocking stream"},
    {UNKNOWN, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const CodeText* textOf(int code) {
    for (const CodeText& c : CODES)
        if (c.code == code) return &c;
    return nullptr;
}

}  // namespace

const char* errorName(int code) {
    const CodeText* c = textOf(code);
    return c == nullptr ? nullptr : c->name;
}

const char* errorText(int code) {
    const CodeText* c = textOf(code);
    return c == nullptr ? nullptr : c->text;
}

int unsupported(const char* name) {
    Driver& d = driver();
    std::lock_guard<std::recursive_mutex> guard(d.lock);
    d.unsupported++;
    d.lastError = std::string(name) + ": not supported by the emulator";
    fprintf(stderr, "emulated CUDA driver: %s is not supported\n", name);
    return NOT_SUPPORTED;
}

}  // namespace emulator
