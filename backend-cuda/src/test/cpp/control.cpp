// What tests see of the emulator: the native half of dev.gradus.backend.cuda.emulator.EmulatorControl.
#include <jni.h>

#include <string>

#include "driver.h"

using namespace emulator;

#define CONTROL(type, name) extern "C" JNIEXPORT type JNICALL Java_dev_gradus_backend_cuda_emulator_EmulatorControl_##name

namespace {

using Guard = std::lock_guard<std::recursive_mutex>;

std::string text(JNIEnv* env, jstring string) {
    const char* chars = env->GetStringUTFChars(string, nullptr);
    std::string result(chars);
    env->ReleaseStringUTFChars(string, chars);
    return result;
}

jlongArray longs(JNIEnv* env, const std::vector<jlong>& values) {
    jlongArray array = env->NewLongArray(jsize(values.size()));
    env->SetLongArrayRegion(array, 0, jsize(values.size()), values.data());
    return array;
}

void append(std::vector<jlong>& values, const Traffic& t) {
    for (uint64_t v : {t.requests, t.bytes, t.sectors, t.ideal}) values.push_back(jlong(v));
}

jobjectArray strings(JNIEnv* env, const std::vector<std::string>& values) {
    jobjectArray array = env->NewObjectArray(jsize(values.size()), env->FindClass("java/lang/String"), nullptr);
    for (size_t k = 0; k < values.size(); k++) env->SetObjectArrayElement(array, jsize(k), env->NewStringUTF(values[k].c_str()));
    return array;
}

jlong counter(Driver& d, const std::string& name) {
    if (name == "calls") return jlong(d.calls);
    if (name == "allocations") return jlong(d.allocations);
    if (name == "live-allocations") return jlong(d.memory.live(false));
    if (name == "live-bytes") return jlong(d.memory.liveBytes(false));
    if (name == "live-pinned") return jlong(d.memory.live(true));
    if (name == "live-streams") return jlong(d.streams.size());
    if (name == "live-events") return jlong(d.events.size());
    if (name == "live-graphs") return jlong(d.graphs.size() + d.executables.size());
    if (name == "live-modules") return jlong(d.modules.size());
    if (name == "graph-launches") return jlong(d.graphLaunches);
    if (name == "synchronisations") return jlong(d.synchronisations);
    if (name == "unsupported") return jlong(d.unsupported);
    const size_t bytes = name.find("-bytes");
    const auto found = d.copies.find(name.substr(0, bytes));
    if (name.compare(0, 3, "h2d") == 0 || name.compare(0, 3, "d2h") == 0 || name.compare(0, 3, "d2d") == 0 || name.compare(0, 6, "memset") == 0)
        return found == d.copies.end() ? 0 : jlong(bytes == std::string::npos ? found->second.count : found->second.bytes);
    return -1;
}

}  // namespace

CONTROL(void, configure)(JNIEnv* env, jclass, jstring modes) {
    Guard guard(driver().lock);
    try {
        driver().setModes(Modes::parse(text(env, modes)));
    } catch (const std::exception& e) {
        env->ThrowNew(env->FindClass("java/lang/IllegalArgumentException"), e.what());
    }
}

CONTROL(void, reset)(JNIEnv*, jclass) {
    Guard guard(driver().lock);
    driver().reset();
}

CONTROL(void, clearCounters)(JNIEnv*, jclass) {
    Guard guard(driver().lock);
    driver().clearCounters();
}

CONTROL(jstring, lastError)(JNIEnv* env, jclass) {
    Guard guard(driver().lock);
    return env->NewStringUTF(driver().lastError.c_str());
}

CONTROL(jlong, count)(JNIEnv* env, jclass, jstring name) {
    Guard guard(driver().lock);
    return counter(driver(), text(env, name));
}

CONTROL(jlong, countCalls)(JNIEnv* env, jclass, jstring name) {
    Guard guard(driver().lock);
    const auto found = driver().callsByName.find(text(env, name));
    return found == driver().callsByName.end() ? 0 : jlong(found->second);
}

CONTROL(jobjectArray, calledNames)(JNIEnv* env, jclass) {
    Guard guard(driver().lock);
    std::vector<std::string> names;
    for (auto& entry : driver().callsByName) names.push_back(entry.first);
    return strings(env, names);
}

CONTROL(jobjectArray, kernelNames)(JNIEnv* env, jclass) {
    Guard guard(driver().lock);
    std::vector<std::string> names;
    for (auto& entry : driver().kernels) names.push_back(entry.first);
    return strings(env, names);
}

CONTROL(jlongArray, kernelCounts)(JNIEnv* env, jclass, jstring name) {
    Guard guard(driver().lock);
    const auto found = driver().kernels.find(text(env, name));
    const KernelCount count = found == driver().kernels.end() ? KernelCount() : found->second;
    std::vector<jlong> values = {jlong(count.launches), jlong(count.blocks)};
    append(values, count.loads);
    append(values, count.stores);
    append(values, count.atomics);
    return longs(env, values);
}

CONTROL(jint, watchRange)(JNIEnv*, jclass, jlong address, jlong bytes) {
    Guard guard(driver().lock);
    driver().watches.push_back(Watch{uint64_t(address), uint64_t(address + bytes), Traffic(), Traffic()});
    return jint(driver().watches.size() - 1);
}

CONTROL(void, clearWatches)(JNIEnv*, jclass) {
    Guard guard(driver().lock);
    driver().watches.clear();
}

CONTROL(jlongArray, watchCounts)(JNIEnv* env, jclass, jint index) {
    Guard guard(driver().lock);
    std::vector<jlong> values;
    const Watch& w = driver().watches.at(size_t(index));
    append(values, w.loads);
    append(values, w.stores);
    return longs(env, values);
}
