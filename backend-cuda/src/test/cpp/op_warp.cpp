// Exchanges between the lanes of a warp. The interpreter has made sure that the lanes named by the mask are here.
#include "codes.h"
#include "lanes.h"
#include "opcode.h"

namespace emulator {

namespace {

enum Shuffle { UP, DOWN, BUTTERFLY, INDEX };

template <int MODE>
void shuffle(Warp& w, const Instruction& in, Mask mask) {
    const uint32_t* a = w.row<uint32_t>(in.r[1]);
    const uint32_t* b = w.row<uint32_t>(in.r[2]);
    const uint32_t* c = w.row<uint32_t>(in.r[3]);
    uint32_t result[LANES];
    Mask inside = 0;
    for (Mask m = mask; m != 0; m &= m - 1) {
        const int lane = lowestLane(m);
        const int segment = int(c[lane] >> 8 & 31), clamp = int(c[lane] & 31), distance = int(b[lane] & 31);
        const int first = lane & segment, last = first | (clamp & ~segment & 31);
        int from = MODE == UP ? lane - distance : MODE == DOWN ? lane + distance : MODE == BUTTERFLY ? lane ^ distance : first | (distance & ~segment & 31);
        const bool in_range = MODE == UP ? from >= last : from <= last;
        if (!in_range) from = lane;
        if ((mask >> from & 1) == 0)
            w.worker->fail(LAUNCH_FAILED, w, in, lane, "shuffle reads lane " + std::to_string(from) + ", which does not take part");
        inside |= Mask(in_range) << lane;
        result[lane] = a[from];
    }
    writeRow(w.row<uint32_t>(in.r[0]), mask, [&](int i) { return result[i]; });
    if (in.r[4] != ~0u) writePredicate(w.predicates[in.r[4]], mask, inside);
}

void ballot(Warp& w, const Instruction& in, Mask mask) {
    const uint32_t votes = w.predicates[in.r[1]] & mask;
    writeRow(w.row<uint32_t>(in.r[0]), mask, [=](int) { return votes; });
}

enum Vote { ALL_OF, ANY_OF, UNIFORM };

template <int MODE>
void vote(Warp& w, const Instruction& in, Mask mask) {
    const uint32_t votes = w.predicates[in.r[1]] & mask;
    const bool result = MODE == ALL_OF ? votes == mask : MODE == ANY_OF ? votes != 0 : votes == 0 || votes == mask;
    writePredicate(w.predicates[in.r[0]], mask, result ? ALL : 0);
}

}  // namespace

Handler shuffleHandler(const Opcode& op) {
    if (op.has("up")) return shuffle<UP>;
    if (op.has("down")) return shuffle<DOWN>;
    if (op.has("bfly")) return shuffle<BUTTERFLY>;
    if (op.has("idx")) return shuffle<INDEX>;
    return nullptr;
}

Handler voteHandler(const Opcode& op) {
    if (op.has("ballot")) return ballot;
    if (op.has("all")) return vote<ALL_OF>;
    if (op.has("any")) return vote<ANY_OF>;
    if (op.has("uni")) return vote<UNIFORM>;
    return nullptr;
}

}  // namespace emulator
