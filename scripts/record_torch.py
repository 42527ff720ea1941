"""Records what an optimizer of PyTorch does, for `gradus parity FILE`. Needs torch and nothing else.

    from record_torch import Recorder

    with Recorder(optimizer, model, "run.safetensors"):
        for batch in batches:
            ...                      # the training loop as it is
            optimizer.step()

Of each step it records the gradients, the options of every group and the values after it; of each parameter the values
that it started from. A file that ends in .json is for small runs; everything else is written as safetensors, to the
disk step by step. docs/parity.md describes both. A recording is written when the block ends without an error.
"""
import ctypes
import json
import os
import shutil
import struct
import sys
import tempfile

import torch

FORMAT = "gradus.recording.1"
TYPES = {torch.float32: ("float32", "F32"), torch.float64: ("float64", "F64"), torch.int64: ("int64", "I64")}
# How PyTorch computes a step, not what it computes.
WAYS = {"foreach", "fused", "capturable", "differentiable"}
# Not in torch.optim, and written down by many: whatever class has this name.
FROM_ELSEWHERE = {"Lion"}
OUT_OF_REACH = {"LBFGS": "it asks for the loss at points of its own choice, which no recording holds"}


class Recorder:
    """Records the steps of an optimizer while its `with` block runs."""

    def __init__(self, optimizer, model, file):
        """model: a module, or pairs of name and parameter; it names the optimizer's parameters."""
        self.optimizer = optimizer
        self.file = os.fspath(file)
        self.kind = type(optimizer).__name__
        if not type(optimizer).__module__.startswith("torch.optim") and self.kind not in FROM_ELSEWHERE:
            raise ValueError(f"Recorder: {self.kind} is not one of torch.optim; its rule is not known")
        if self.kind in OUT_OF_REACH:
            raise ValueError(f"Recorder: {self.kind} cannot be recorded: {OUT_OF_REACH[self.kind]}")
        if any(begun(state) for state in optimizer.state.values()):
            raise ValueError(
                f"Recorder: the {self.kind} has made steps already, and a replay begins without what it kept of them;"
                " record from its first step on"
            )
        named = model.named_parameters() if isinstance(model, torch.nn.Module) else model
        self.names = {id(p): name for name, p in named}
        self.parameters = {}
        self.steps = []
        self.last = {}  # the values after the last step, by name
        self.groups = None
        self.store = Inline() if self.file.endswith(".json") else Tensors(self.file)

    def __enter__(self):
        self.hooks = [
            self.optimizer.register_step_pre_hook(self._before),
            self.optimizer.register_step_post_hook(self._after),
        ]
        return self

    def __exit__(self, failure, *_):
        for hook in self.hooks:
            hook.remove()
        try:
            if failure is None:
                recording = {
                    "format": FORMAT,
                    "source": f"torch {torch.__version__}",
                    "optimizer": self.kind,
                    "parameters": self.parameters,
                    "steps": self.steps,
                }
                self.store.write(self.file, recording)
        finally:
            self.store.close()

    # ---- the hooks

    def _before(self, optimizer, args, kwargs):
        number = len(self.steps) + 1
        seen = set()
        for name, p in self._members():
            if name in seen:
                raise ValueError(f"Recorder: parameter '{name}' is in the optimizer twice; it would be updated twice")
            seen.add(name)
            if name not in self.parameters:
                if p.dtype not in (torch.float32, torch.float64):
                    raise ValueError(f"Recorder: parameter '{name}' is {p.dtype}; float32 and float64 are recorded")
                self.parameters[name] = {
                    "dtype": TYPES[p.dtype][0],
                    "shape": list(p.shape),
                    "initial": self.store.put(f"initial/{name}", p),
                }
            elif not same(p, self.last[name]):
                raise ValueError(
                    f"Recorder: parameter '{name}' was changed between steps {number - 1} and {number} by something"
                    " other than the optimizer; a replay of the optimizer cannot follow"
                )
        # Options and groups are those that the step begins with.
        self.before = self._groups()

    def _after(self, optimizer, args, kwargs):
        # Gradients are read after the step: a closure computes them inside it, and no step changes them.
        number = len(self.steps) + 1
        step = {"step": number}
        if self.before != self.groups:
            step["groups"] = self.groups = self.before
        step["gradients"] = {name: self._gradient(number, name, p) for name, p in self._members()}
        step["values"] = {name: self.store.put(f"value/{number}/{name}", p) for name, p in self._members()}
        self.last = {name: p.detach().cpu().clone() for name, p in self._members()}
        self.steps.append(step)

    # ---- what is written

    def _members(self):
        for g, group in enumerate(self.optimizer.param_groups):
            for i, p in enumerate(group["params"]):
                yield self._name(g, i, p), p

    def _name(self, g, i, p):
        return self.names.setdefault(id(p), f"{g}.{i}")

    def _groups(self):
        groups = []
        for g, group in enumerate(self.optimizer.param_groups):
            if group["params"]:
                groups.append(
                    {
                        "name": str(group.get("name", g)),
                        "parameters": [self._name(g, i, p) for i, p in enumerate(group["params"])],
                        # What else stands in a group, of schedules or of the user, the step does not read.
                        "options": {
                            key: plain(self.kind, key, group[key])
                            for key in self.optimizer.defaults
                            if key not in WAYS and key in group
                        },
                    }
                )
        return groups

    def _gradient(self, number, name, p):
        if p.grad is None:
            return None
        if not p.grad.is_sparse:
            return self.store.put(f"gradient/{number}/{name}", p.grad)
        grad = p.grad.coalesce()
        return {
            "rows": self.store.put(f"rows/{number}/{name}", grad.indices()[0]),
            "values": self.store.put(f"gradient/{number}/{name}", grad.values()),
        }


def begun(state):
    """Whether a parameter's state is of a step; some optimizers make it, with step 0, before the first."""
    if "step" in state:
        return float(state["step"]) > 0
    return any(value is not None for value in state.values())


def same(p, last):
    now = p.detach().cpu()
    return now.shape == last.shape and bool(((now == last) | (now.isnan() & last.isnan())).all())


def plain(kind, key, value):
    if isinstance(value, torch.Tensor):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [plain(kind, key, v) for v in value]
    raise ValueError(f"Recorder: option '{key}' of {kind} is {value!r}; numbers, truth values and texts are recorded")


class Inline:
    """Values stand in the JSON itself."""

    def put(self, name, tensor):
        values = tensor.detach().cpu().reshape(-1).tolist()
        # Nine digits are a float32.
        return [float(f"{x:.9g}") for x in values] if tensor.dtype == torch.float32 else values

    def write(self, file, recording):
        with open(file, "w", encoding="utf-8") as out:
            json.dump(recording, out)
            out.write("\n")

    def close(self):
        pass


class Tensors:
    """Values are tensors of a safetensors file; the JSON, a text in its metadata, names them."""

    def __init__(self, file):
        if sys.byteorder != "little":
            raise ValueError("Recorder: this machine is big-endian; name a file that ends in .json")
        self.header = {}
        self.end = 0
        self.data = tempfile.TemporaryFile(dir=os.path.dirname(os.path.abspath(file)))

    def put(self, name, tensor):
        t = tensor.detach().cpu().contiguous()
        size = t.numel() * t.element_size()
        self.data.write(ctypes.string_at(t.data_ptr(), size) if size else b"")
        self.header[name] = {
            "dtype": TYPES[t.dtype][1],
            "shape": list(t.shape),
            "data_offsets": [self.end, self.end + size],
        }
        self.end += size
        return name

    def write(self, file, recording):
        header = {"__metadata__": {"gradus.recording": json.dumps(recording)}, **self.header}
        text = json.dumps(header).encode("utf-8")
        text += b" " * (-len(text) % 8)
        self.data.seek(0)
        with open(file, "wb") as out:
            out.write(struct.pack("<Q", len(text)))
            out.write(text)
            shutil.copyfileobj(self.data, out)

    def close(self):
        self.data.close()
