// One PTX instruction into one of the interpreter's, or few.
#pragma once

#include "codes.h"
#include "names.h"

namespace emulator {

class Instructions : protected Names {
protected:
    using Names::Names;

    void trap(int code) {
        Instruction in;
        in.kind = Kind::Trap;
        in.extra = code == ASSERT;
        in.width = 0;
        in.target = code;
        emit(in);
    }

    void need(const std::vector<Operand>& o, size_t count, const Opcode& op) {
        if (o.size() < count) failPtx(line_, "'" + op.text + "' lacks an operand");
    }

    void finish(const Opcode& op, Instruction& in) {
        if (in.run == nullptr) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        emit(in);
    }

    void instruction(const Opcode& op, const std::vector<Operand>& o) {
        const std::string& b = op.base;
        if (b == "ld" || b == "ldu") return load(op, o);
        if (b == "st") return store(op, o);
        if (b == "atom" || b == "red") return atomic(op, o);
        if (b == "mov") return move(op, o);
        if (b == "cvt") return convert(op, o);
        if (b == "cvta") return convertAddress(op, o);
        if (b == "setp") return compare(op, o);
        if (b == "selp") return select(op, o);
        if (b == "bra") return branch(o);
        if (b == "ret" || b == "exit") return leave(b == "ret");
        if (b == "bar" || b == "barrier") return barrier(op, o);
        if (b == "shfl") return shuffle(op, o);
        if (b == "vote") return vote(op, o);
        if (b == "activemask") return activeMask(op, o);
        if (b == "trap" || b == "brkpt") return trap(LAUNCH_FAILED);
        if (b == "membar" || b == "fence") {
            if (!op.has("cta")) kernel_.ordered = true;
            return;
        }
        if (b == "prefetch" || b == "prefetchu" || b == "nanosleep" || b == "discard" || b == "applypriority") return;
        if (op.type() == Type::Pred) return predicateLogic(op, o);
        arithmetic(op, o);
    }

    void arithmetic(const Opcode& op, const std::vector<Operand>& o) {
        const std::string& b = op.base;
        const Type type = op.type();
        const int cell = cellBytes(type);
        const bool wide = op.has("wide");
        const int wideCell = wide && bytesOf(type) == 4 ? 8 : cell;
        Instruction in;
        in.run = isFloat(type) ? floatHandler(op) : integerHandler(op);
        if (in.run == nullptr) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        need(o, 2, op);
        const bool count = b == "popc" || b == "clz" || b == "bfind";
        in.r[0] = destination(o[0], wide ? wideCell : count ? 4 : cell);
        for (size_t k = 1; k < o.size() && k < 6; k++) {
            int c = cell;
            Type t = type;
            if ((b == "shl" || b == "shr") && k == 2) c = 4, t = Type::U32;
            if (b == "bfe" && k >= 2) c = 4, t = Type::U32;
            if (b == "bfi" && k >= 3) c = 4, t = Type::U32;
            if (b == "mad" && wide && k == 3) c = wideCell;
            in.r[k] = source(o[k], t, c);
        }
        emit(in);
    }

    Space spaceOf(const Opcode& op) {
        if (op.has("global") || op.has("const")) return Space::Global;
        if (op.has("shared") || op.has("shared::cta")) return Space::Shared;
        if (op.has("local")) return Space::Local;
        if (op.has("param") || op.has("param::entry") || op.has("param::func")) return Space::Parameter;
        return Space::Generic;
    }

    void address(const Operand& o, Instruction& in, uint32_t& row) {
        if (o.kind != Operand::Address) failPtx(line_, "an address is missing");
        in.offset = o.offset;
        if (in.space == Space::Global || in.space == Space::Generic) in.site = kernel_.sites++;
        else in.site = ~0u;
        if (Register* r = findRegister(o.token.text)) {
            in.narrowAddress = r->cell() == 4;
            row = r->row;
        } else if (o.token.kind == Token::Number) {
            row = constant(parseInteger(o.token), 8);
        } else {
            row = symbolRow(o.token, 8);
        }
    }

    std::vector<Operand> elements(const Operand& o) {
        if (o.kind != Operand::Vector) return {o};
        std::vector<Operand> list;
        for (const Token& part : o.parts) {
            Operand e;
            e.kind = part.kind == Token::Number ? Operand::Number : Operand::Name;
            e.token = part;
            list.push_back(e);
        }
        return list;
    }

    void load(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const std::vector<Operand> data = elements(o[0]);
        const Type type = op.type();
        if (op.has("volatile") || op.has("acquire")) kernel_.ordered = true;
        Instruction in;
        in.space = spaceOf(op);
        in.lanes = uint8_t(data.size());
        if (in.space == Space::Parameter) {
            if (auto slots = findSlots(o[1].token.text)) return slotMoves(*slots, o[1], data, type, true);
            if (const Parameter* p = findParameter(o[1].token.text)) {
                if (o[1].offset + int64_t(data.size()) * bytesOf(type) > p->bytes) failPtx(line_, "it reads past parameter '" + p->name + "'");
                in.r[0] = ~0u;
                in.offset = p->offset + o[1].offset;
                in.site = ~0u;
            }
        }
        if (in.r[0] != ~0u) {
            in.width = uint8_t(bytesOf(type) * int(data.size()));
            address(o[1], in, in.r[0]);
        }
        const int cell = cellOf(data[0], type);
        for (size_t k = 0; k < data.size(); k++) in.r[1 + k] = destination(data[k], cell);
        in.run = loadHandler(type, cell);
        finish(op, in);
    }

    void store(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const std::vector<Operand> data = elements(o[1]);
        const Type type = op.type();
        if (op.has("volatile") || op.has("release")) kernel_.ordered = true;
        Instruction in;
        in.space = spaceOf(op);
        in.store = true;
        in.lanes = uint8_t(data.size());
        if (in.space == Space::Parameter) {
            auto slots = findSlots(o[0].token.text);
            if (slots == nullptr) failPtx(line_, "unknown parameter '" + o[0].token.text + "'");
            return slotMoves(*slots, o[0], data, type, false);
        }
        in.width = uint8_t(bytesOf(type) * int(data.size()));
        address(o[0], in, in.r[0]);
        const int cell = cellOf(data[0], type);
        for (size_t k = 0; k < data.size(); k++) in.r[1 + k] = source(data[k], type, cell);
        in.run = storeHandler(type, cell);
        finish(op, in);
    }

    void slotMoves(Slots& slots, const Operand& place, const std::vector<Operand>& data, Type type, bool load) {
        for (size_t k = 0; k < data.size(); k++) {
            const int cell = cellOf(data[k], type);
            const uint32_t offset = uint32_t(place.offset) + uint32_t(k) * uint32_t(bytesOf(type));
            auto found = slots.rows.find(offset);
            if (found == slots.rows.end()) found = slots.rows.emplace(offset, std::make_pair(newRow(cell), cell)).first;
            if (found->second.second != cell) failPtx(line_, "an argument is written and read in different sizes");
            Instruction in;
            in.run = moveHandler(cell);
            in.r[0] = load ? destination(data[k], cell) : found->second.first;
            in.r[1] = load ? found->second.first : source(data[k], type, cell);
            emit(in);
        }
    }

    void atomic(const Opcode& op, const std::vector<Operand>& o) {
        const bool reduction = op.base == "red";
        const size_t first = reduction ? 0 : 1;
        need(o, first + 2, op);
        const Type type = op.type();
        const int cell = cellBytes(type);
        Instruction in;
        in.space = spaceOf(op);
        in.store = in.atomic = true;
        in.width = uint8_t(bytesOf(type));
        in.r[0] = reduction || o[0].token.text == "_" ? ~0u : destination(o[0], cell);
        address(o[first], in, in.r[1]);
        in.r[2] = source(o[first + 1], type, cell);
        in.r[3] = o.size() > first + 2 ? source(o[first + 2], type, cell) : in.r[2];
        in.run = atomicHandler(op);
        if (in.space != Space::Shared) kernel_.ordered = true;
        finish(op, in);
    }

    void move(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const int cell = cellBytes(op.type());
        Instruction in;
        if (o[0].kind == Operand::Vector || o[1].kind == Operand::Vector) return movePacked(op, o, cell);
        if (op.type() == Type::Pred) {
            in.run = predicateHandler(op);
            in.r[1] = predicateOf(o[1]);
            in.r[0] = predicateOf(o[0]);
        } else {
            in.run = moveHandler(cell);
            in.r[1] = source(o[1], op.type(), cell);
            in.r[0] = destination(o[0], cell);
        }
        finish(op, in);
    }

    void movePacked(const Opcode& op, const std::vector<Operand>& o, int cell) {
        const bool unpack = o[0].kind == Operand::Vector;
        const std::vector<Operand> parts = elements(o[unpack ? 0 : 1]);
        if (bytesOf(op.type()) / int(parts.size()) > 4) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        Instruction in;
        in.run = unpack ? unpackHandler(int(parts.size()), cell) : packHandler(int(parts.size()), cell);
        in.r[0] = unpack ? source(o[1], op.type(), cell) : destination(o[0], cell);
        for (size_t k = 0; k < parts.size(); k++) {
            if (unpack) in.r[1 + k] = parts[k].token.text == "_" ? ~0u : destination(parts[k], 4);
            else in.r[1 + k] = source(parts[k], Type::U32, 4);
        }
        finish(op, in);
    }

    void convert(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        if (op.types.size() != 2) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        const int d = cellOf(o[0], op.types[0]), s = cellOf(o[1], op.types[1]);
        Instruction in;
        in.run = convertHandler(op, d, s);
        in.extra = uint8_t((d == 8 ? 1 : 0) | (s == 8 ? 2 : 0));
        in.r[1] = source(o[1], op.types[1], s);
        in.r[0] = destination(o[0], d);
        finish(op, in);
    }

    void convertAddress(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        const Space space = spaceOf(op);
        const uint64_t window = space == Space::Shared ? SHARED_WINDOW : space == Space::Local ? LOCAL_WINDOW : space == Space::Parameter ? PARAMETER_WINDOW : 0;
        Instruction in;
        in.run = window == 0 ? moveHandler(8) : integerHandler(Opcode(op.has("to") ? "sub.u64" : "add.u64"));
        in.r[1] = source(o[1], Type::U64, 8);
        in.r[2] = constant(window, 8);
        in.r[0] = destination(o[0], 8);
        finish(op, in);
    }

    void compare(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 3, op);
        const int cell = cellBytes(op.type());
        Instruction in;
        in.run = comparisonHandler(op);
        in.extra = op.has("and") ? 1 : op.has("or") ? 2 : op.has("xor") ? 3 : 0;
        in.r[2] = source(o[1], op.type(), cell);
        in.r[3] = source(o[2], op.type(), cell);
        if (in.extra != 0) {
            need(o, 4, op);
            in.r[4] = predicateOf(o[3]);
        }
        in.r[0] = o[0].token.text == "_" ? newPredicate() : predicateOf(o[0]);
        in.r[1] = o[0].second ? needRegister(o[0].secondToken).row : ~0u;
        finish(op, in);
    }

    void select(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 4, op);
        const int cell = cellBytes(op.type());
        Instruction in;
        in.run = selectHandler(cell);
        in.r[1] = source(o[1], op.type(), cell);
        in.r[2] = source(o[2], op.type(), cell);
        in.r[3] = predicateOf(o[3]);
        in.r[0] = destination(o[0], cell);
        finish(op, in);
    }

    void predicateLogic(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 2, op);
        Instruction in;
        in.run = predicateHandler(op);
        for (size_t k = 1; k < o.size(); k++) in.r[k] = predicateOf(o[k]);
        in.r[0] = predicateOf(o[0]);
        finish(op, in);
    }

    void branch(const std::vector<Operand>& o) {
        Instruction in;
        in.kind = Kind::Branch;
        frame_->jumps.push_back({kernel_.code.size(), o.at(0).token});
        emit(in);
    }

    void leave(bool isReturn) {
        Instruction in;
        in.kind = frame_->inlined && isReturn ? Kind::Branch : Kind::Exit;
        if (in.kind == Kind::Branch) frame_->returns.push_back(kernel_.code.size());
        emit(in);
    }

    void barrier(const Opcode& op, const std::vector<Operand>& o) {
        Instruction in;
        if (op.has("warp")) {
            in.kind = Kind::WarpSync;
            in.r[5] = source(o.at(0), Type::U32, 4);
            emit(in);
            return;
        }
        in.kind = Kind::Barrier;
        if (op.has("arrive")) failPtx(line_, "'" + op.text + "' is not supported by the emulator");
        if (op.has("red")) {
            in.width = op.has("and") ? 1 : op.has("or") ? 2 : 3;
            if (o.size() != 3) failPtx(line_, "barriers of a part of the block are not supported by the emulator");
            in.r[1] = predicateOf(o[2]);
            in.r[0] = in.width == 3 ? destination(o[0], 4) : predicateOf(o[0]);
        } else if (o.size() != 1) {
            failPtx(line_, "barriers of a part of the block are not supported by the emulator");
        }
        emit(in);
    }

    void shuffle(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 5, op);
        Instruction in;
        in.kind = Kind::WarpSync;
        in.run = shuffleHandler(op);
        for (size_t k = 1; k < 4; k++) in.r[k] = source(o[k], Type::B32, 4);
        in.r[5] = source(o[4], Type::U32, 4);
        in.r[0] = destination(o[0], 4);
        in.r[4] = o[0].second ? needRegister(o[0].secondToken).row : ~0u;
        finish(op, in);
    }

    void vote(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 3, op);
        Instruction in;
        in.kind = Kind::WarpSync;
        in.run = voteHandler(op);
        in.r[1] = predicateOf(o[1]);
        in.r[5] = source(o[2], Type::U32, 4);
        in.r[0] = op.has("ballot") ? destination(o[0], 4) : predicateOf(o[0]);
        finish(op, in);
    }

    void activeMask(const Opcode& op, const std::vector<Operand>& o) {
        need(o, 1, op);
        Instruction in;
        in.run = specialMaskHandler();
        in.r[0] = destination(o[0], 4);
        finish(op, in);
    }
};

}  // namespace emulator
