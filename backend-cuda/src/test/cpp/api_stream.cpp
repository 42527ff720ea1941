// Exported: streams, events, captures and graphs.
#include <algorithm>
#include <chrono>

#include "driver.h"

using namespace emulator;

namespace {

double now() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Event& eventOf(Event* event) {
    if (driver().events.count(event) == 0) throw Failure{INVALID_HANDLE, "no event has this handle"};
    return *event;
}

// Whether the event's last record is part of a capture that goes on.
bool captured(const Event& event) { return event.capture != nullptr && event.capture->graph != nullptr; }

void needNoCapture(const std::shared_ptr<Stream>& stream) {
    if (stream->capture == nullptr) return;
    stream->capture->broken = true;
    throw Failure{CAPTURE_UNSUPPORTED, "the stream captures; the capture is now invalid"};
}

void leaveCapture(const std::shared_ptr<Capture>& capture) {
    for (Stream* s : capture->streams) {
        s->capture = nullptr;
        s->frontier.clear();
    }
}

// Whether everything that joined a capture leads to the origin's last nodes.
bool joined(const Capture& capture) {
    const std::vector<Node>& nodes = capture.graph->nodes;
    std::vector<bool> reached(nodes.size(), false);
    std::vector<size_t> open = capture.origin->frontier;
    while (!open.empty()) {
        const size_t k = open.back();
        open.pop_back();
        if (reached[k]) continue;
        reached[k] = true;
        open.insert(open.end(), nodes[k].after.begin(), nodes[k].after.end());
    }
    return std::all_of(reached.begin(), reached.end(), [](bool r) { return r; });
}

int createStream(const char* name, Stream** stream, unsigned flags, int priority) {
    return call(name, CONTEXT, [&](Context& context) -> int {
        if (flags > 1) return INVALID_VALUE;
        auto s = std::make_shared<Stream>();
        s->context = &context;
        s->blocking = (flags & 1) == 0;
        s->priority = priority;
        *stream = s.get();
        driver().streams[s.get()] = s;
        return SUCCESS;
    });
}

}  // namespace

EMULATOR_API int cuStreamCreate(Stream** stream, unsigned flags) { return createStream("cuStreamCreate", stream, flags, 0); }

EMULATOR_API int cuStreamCreateWithPriority(Stream** stream, unsigned flags, int priority) {
    return createStream("cuStreamCreateWithPriority", stream, flags, priority);
}

EMULATOR_API int cuStreamDestroy_v2(Stream* handle) {
    return call("cuStreamDestroy_v2", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        if (stream->legacy) return INVALID_HANDLE;
        driver().runUntil([&] { return stream->queue.empty(); });
        driver().streams.erase(handle);
        return SUCCESS;
    });
}

EMULATOR_API int cuStreamSynchronize(Stream* handle) {
    return call("cuStreamSynchronize", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        needNoCapture(stream);
        driver().synchronisations++;
        driver().runUntil([&] { return stream->queue.empty(); });
        return context.stickyCode;
    });
}

EMULATOR_API int cuStreamQuery(Stream* handle) {
    return call("cuStreamQuery", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        needNoCapture(stream);
        driver().runSome();
        return context.stickyCode != SUCCESS ? context.stickyCode : stream->queue.empty() ? SUCCESS : NOT_READY;
    });
}

EMULATOR_API int cuStreamGetPriority(Stream* handle, int* priority) {
    return call("cuStreamGetPriority", CONTEXT, [&](Context& context) -> int {
        *priority = driver().stream(handle, context)->priority;
        return SUCCESS;
    });
}

EMULATOR_API int cuStreamGetFlags(Stream* handle, unsigned* flags) {
    return call("cuStreamGetFlags", CONTEXT, [&](Context& context) -> int {
        *flags = driver().stream(handle, context)->blocking ? 0 : 1;
        return SUCCESS;
    });
}

EMULATOR_API int cuStreamWaitEvent(Stream* handle, Event* handleOfEvent, unsigned) {
    return call("cuStreamWaitEvent", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        Event& event = eventOf(handleOfEvent);
        if (captured(event)) {
            if (stream->legacy) return CAPTURE_IMPLICIT;
            if (stream->capture != nullptr && stream->capture != event.capture) {
                stream->capture->broken = true;
                return CAPTURE_ISOLATION;
            }
            if (stream->capture == nullptr) {  // the stream joins
                stream->capture = event.capture;
                stream->frontier.clear();
                event.capture->streams.insert(stream.get());
            }
            for (size_t node : event.frontier)
                if (std::find(stream->frontier.begin(), stream->frontier.end(), node) == stream->frontier.end()) stream->frontier.push_back(node);
            return SUCCESS;
        }
        if (stream->capture != nullptr) {
            if (!event.recorded) return SUCCESS;
            stream->capture->broken = true;
            return CAPTURE_ISOLATION;
        }
        if (event.recorded) driver().enqueue(stream, "wait for an event", [] {}, {event.position});
        return SUCCESS;
    });
}

EMULATOR_API int cuEventCreate(Event** event, unsigned flags) {
    return call("cuEventCreate", CONTEXT, [&](Context& context) -> int {
        *event = new Event();
        (*event)->context = &context;
        (*event)->timed = (flags & 2) == 0;
        driver().events.insert(*event);
        return SUCCESS;
    });
}

EMULATOR_API int cuEventDestroy_v2(Event* event) {
    return call("cuEventDestroy_v2", CONTEXT, [&](Context&) -> int {
        if (driver().events.erase(event) == 0) return INVALID_HANDLE;
        delete event;
        return SUCCESS;
    });
}

EMULATOR_API int cuEventRecord(Event* handle, Stream* handleOfStream) {
    return call("cuEventRecord", CONTEXT, [&](Context& context) -> int {
        Event& event = eventOf(handle);
        auto stream = driver().stream(handleOfStream, context);
        if (stream->capture != nullptr) {
            event.capture = stream->capture;
            event.frontier = stream->frontier;
            return SUCCESS;
        }
        event.capture = nullptr;
        event.recorded = true;
        auto time = std::make_shared<double>(0);
        event.milliseconds = time;
        event.position = Position{stream, stream->enqueued + 1};
        driver().enqueue(stream, "record an event", [time] { *time = now(); });
        return SUCCESS;
    });
}

EMULATOR_API int cuEventQuery(Event* handle) {
    return call("cuEventQuery", CONTEXT, [&](Context& context) -> int {
        Event& event = eventOf(handle);
        if (captured(event)) return CAPTURE_UNSUPPORTED;
        driver().runSome();
        if (context.stickyCode != SUCCESS) return context.stickyCode;
        return driver().reached(event.position) ? SUCCESS : NOT_READY;
    });
}

EMULATOR_API int cuEventSynchronize(Event* handle) {
    return call("cuEventSynchronize", CONTEXT, [&](Context& context) -> int {
        Event& event = eventOf(handle);
        if (captured(event)) return CAPTURE_UNSUPPORTED;
        driver().synchronisations++;
        driver().runUntil([&] { return driver().reached(event.position); });
        return context.stickyCode;
    });
}

EMULATOR_API int cuEventElapsedTime(float* milliseconds, Event* from, Event* to) {
    return call("cuEventElapsedTime", CONTEXT, [&](Context&) -> int {
        Event& first = eventOf(from);
        Event& second = eventOf(to);
        if (!first.recorded || !second.recorded || !first.timed || !second.timed) return INVALID_HANDLE;
        if (!driver().reached(first.position) || !driver().reached(second.position)) return NOT_READY;
        *milliseconds = float(*second.milliseconds - *first.milliseconds);
        return SUCCESS;
    });
}

EMULATOR_API int cuStreamBeginCapture_v2(Stream* handle, int mode) {
    return call("cuStreamBeginCapture_v2", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        if (stream->legacy) return CAPTURE_UNSUPPORTED;
        if (stream->capture != nullptr) return ILLEGAL_STATE;
        if (mode < 0 || mode > 2) return INVALID_VALUE;
        stream->capture = std::make_shared<Capture>();
        stream->capture->origin = stream.get();
        stream->capture->mode = mode;
        stream->capture->thread = std::this_thread::get_id();
        stream->capture->streams.insert(stream.get());
        stream->frontier.clear();
        return SUCCESS;
    });
}

EMULATOR_API int cuStreamEndCapture(Stream* handle, Graph** graph) {
    return call("cuStreamEndCapture", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        auto capture = stream->capture;
        *graph = nullptr;
        if (capture == nullptr) return ILLEGAL_STATE;
        if (capture->origin != stream.get()) return CAPTURE_UNMATCHED;
        const bool whole = joined(*capture);
        const bool broken = capture->broken;
        leaveCapture(capture);
        std::unique_ptr<Graph> result = std::move(capture->graph);
        if (broken) return CAPTURE_INVALIDATED;
        if (!whole) return CAPTURE_UNJOINED;
        *graph = result.release();
        driver().graphs.insert(*graph);
        return SUCCESS;
    });
}

EMULATOR_API int cuStreamIsCapturing(Stream* handle, int* status) {
    return call("cuStreamIsCapturing", CONTEXT, [&](Context& context) -> int {
        auto stream = driver().stream(handle, context);
        *status = stream->capture == nullptr ? 0 : stream->capture->broken ? 2 : 1;
        return SUCCESS;
    });
}

EMULATOR_API int cuThreadExchangeStreamCaptureMode(int* mode) {
    return call("cuThreadExchangeStreamCaptureMode", INITIALISED, [&](Context&) -> int {
        *mode = 0;
        return SUCCESS;
    });
}

EMULATOR_API int cuGraphDestroy(Graph* graph) {
    return call("cuGraphDestroy", CONTEXT, [&](Context&) -> int {
        if (driver().graphs.erase(graph) == 0) return INVALID_VALUE;
        delete graph;
        return SUCCESS;
    });
}

EMULATOR_API int cuGraphGetNodes(Graph* graph, void** nodes, size_t* count) {
    return call("cuGraphGetNodes", CONTEXT, [&](Context&) -> int {
        if (driver().graphs.count(graph) == 0 || nodes != nullptr) return INVALID_VALUE;  // their number only
        *count = graph->nodes.size();
        return SUCCESS;
    });
}

EMULATOR_API int cuGraphInstantiateWithFlags(Graph** executable, Graph* graph, unsigned long long) {
    return call("cuGraphInstantiateWithFlags", CONTEXT, [&](Context&) -> int {
        if (driver().graphs.count(graph) == 0) return INVALID_VALUE;
        *executable = new Graph(*graph);
        driver().executables.insert(*executable);
        return SUCCESS;
    });
}

EMULATOR_API int cuGraphExecDestroy(Graph* executable) {
    return call("cuGraphExecDestroy", CONTEXT, [&](Context& context) -> int {
        if (driver().executables.count(executable) == 0) return INVALID_VALUE;
        driver().drain(context);
        driver().executables.erase(executable);
        delete executable;
        return SUCCESS;
    });
}

EMULATOR_API int cuGraphUpload(Graph* executable, Stream*) {
    return call("cuGraphUpload", CONTEXT, [&](Context&) -> int { return driver().executables.count(executable) == 0 ? INVALID_VALUE : SUCCESS; });
}

EMULATOR_API int cuGraphLaunch(Graph* executable, Stream* handle) {
    return call("cuGraphLaunch", CONTEXT, [&](Context& context) -> int {
        if (driver().executables.count(executable) == 0) return INVALID_VALUE;
        auto stream = driver().stream(handle, context);
        driver().graphLaunches++;
        driver().enqueue(stream, "graph", [executable] { driver().runGraph(*executable); });
        return SUCCESS;
    });
}
