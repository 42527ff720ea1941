"""Exports the state of an optimizer of PyTorch, for TorchOptimizer.load. Needs torch and nothing else.

    from export_torch_optimizer import export

    export("adam.safetensors", optimizer, model, scheduler)

The model, a module or pairs of name and parameter, gives the parameters their names; without it they have the names that
the optimizer knows (it was made of named parameters), or numbers, which are matched in order. With a scheduler the base
rates and its step are exported (of ReduceLROnPlateau the rates in force and what it remembers), else the rates in force. A
state_dict that lies in a file:

    python export_torch_optimizer.py Adam state.pt adam.safetensors
"""
import ctypes
import json
import math
import struct
import sys

import torch

KEY = "gradus.torch_optimizer"
FORMAT = 1
TYPES = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16"}
# How PyTorch computes a step, not what it computes.
WAYS = {"foreach", "fused", "capturable", "differentiable"}
# Numbers that are kept for each parameter; everything else is a buffer.
SCALARS = {"mu_product", "eta", "mu"}


def export(file, optimizer, model=None, scheduler=None):
    """Writes the state of an optimizer to a safetensors file."""
    names = {}
    if model is not None:
        named = model.named_parameters() if isinstance(model, torch.nn.Module) else model
        names = {id(p): name for name, p in named}
    by_number = {}
    number = 0
    for group in optimizer.param_groups:
        for p in group["params"]:
            if names:
                if id(p) not in names:
                    raise ValueError(f"export: parameter {number} {list(p.shape)} is not one of the model; name it")
                by_number[number] = names[id(p)]
            number += 1
    state_dict = optimizer.state_dict()
    if isinstance(optimizer, torch.optim.LBFGS):
        state_dict = {**state_dict, "state": parts(optimizer)}
    write(file, type(optimizer).__name__, state_dict, by_number, progress(scheduler))


def parts(lbfgs):
    """The state of LBFGS, which is one of all parameters, cut into those of each."""
    params = lbfgs.param_groups[0]["params"]
    state = lbfgs.state[params[0]]
    if state.get("d") is None:
        return {}
    vectors = {"prev_flat_grad": state["prev_flat_grad"], "prev_stp": state["d"] * state["t"]}
    for i, (y, s) in enumerate(zip(state["old_dirs"], state["old_stps"])):
        vectors.update({f"old_dirs.{i}": y, f"old_stps.{i}": s})
    cut = {name: v.split([p.numel() for p in params]) for name, v in vectors.items()}
    return {n: {name: v[n].view_as(p) for name, v in cut.items()} for n, p in enumerate(params)}


def progress(scheduler):
    """How far a scheduler went."""
    if scheduler is None:
        return {}
    if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau):
        # Its rates in force are those that the next reduction is of.
        went = {"step": 0, "bad": scheduler.num_bad_epochs, "cooldown": scheduler.cooldown_counter}
        return {**went, "best": float(scheduler.best)} if math.isfinite(scheduler.best) else went
    return {"step": scheduler.last_epoch}


def write(file, kind, state_dict, names, schedule):
    """Writes a state_dict; names: those of parameters by number, schedule: how far a scheduler went."""
    if sys.byteorder != "little":
        raise ValueError("export: this machine is big-endian; the format is not")
    cls = getattr(torch.optim, kind, None)
    if cls is None:
        raise ValueError(f"export: torch.optim has no {kind}")
    if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= state_dict.keys():
        found = sorted(map(str, state_dict)) if isinstance(state_dict, dict) else type(state_dict).__name__
        raise ValueError(f"export: this is no state_dict of an optimizer, but {found}; save optimizer.state_dict()")
    if any("func_evals" in state for state in state_dict["state"].values()):
        raise ValueError(
            "export: LBFGS keeps one state of all parameters, whose shapes no state_dict has; export(file, optimizer)"
        )
    known = cls([torch.zeros(1, 1, requires_grad=True)]).defaults.keys() - WAYS
    groups = [
        {
            "numbers": group["params"],
            "names": group.get("param_names") or [names[n] for n in group["params"] if n in names],
            "options": {
                key: plain(kind, key, base(group, key, schedule)) for key in sorted(known) if key in group
            },
        }
        for group in state_dict["param_groups"]
    ]
    tensors = {}
    parameters = {}
    for number, state in sorted(state_dict["state"].items()):
        kept = {key: value for key, value in state.items() if value is not None}
        if kept:
            parameters[str(number)] = parameter(number, kept, tensors)
    description = {
        "source": f"torch {torch.__version__}",
        "format": FORMAT,
        "kind": kind,
        "schedule": schedule,
        "groups": groups,
        "parameters": parameters,
    }
    write_tensors(file, tensors, json.dumps(description))


def base(group, key, schedule):
    """A schedule makes the rate of initial_lr."""
    return group["initial_lr"] if key == "lr" and schedule.keys() == {"step"} and "initial_lr" in group else group[key]


def parameter(number, state, tensors):
    scalars = {key: float(value) for key, value in state.items() if key in SCALARS}
    buffers = [key for key in state if key not in SCALARS and key != "step"]
    for key in buffers:
        if not isinstance(state[key], torch.Tensor) or state[key].dtype not in TYPES:
            raise ValueError(f"export: state '{key}' of parameter {number} is no tensor of floating-point numbers")
        tensors[f"{number}.{key}"] = state[key]
    # SGD, Muon and LBFGS keep no count: that they have a buffer says that there was a step.
    return {"steps": int(state.get("step", 1)), "buffers": buffers, "scalars": scalars}


def plain(kind, key, value):
    if isinstance(value, torch.Tensor):
        value = value.item()
    if value is None:
        return "None"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [plain(kind, key, v) for v in value]
    raise ValueError(f"export: option '{key}' of {kind} is {value!r}; numbers, truth values and texts are exported")


def write_tensors(file, tensors, description):
    header = {"__metadata__": {KEY: description}}
    end = 0
    for name, t in tensors.items():
        begin, end = end, end + t.numel() * t.element_size()
        header[name] = {"dtype": TYPES[t.dtype], "shape": list(t.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)))
        out.write(text)
        for t in tensors.values():
            t = t.detach().cpu().contiguous()
            size = t.numel() * t.element_size()
            out.write(ctypes.string_at(t.data_ptr(), size) if size else b"")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        write(sys.argv[3], sys.argv[1], torch.load(sys.argv[2], weights_only=True, map_location="cpu"), {}, {})
    except ValueError as error:
        sys.exit(str(error))
