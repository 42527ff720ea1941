"""Writes optimizer_defaults.json beside itself: for each optimizer of PyTorch the options of a group that names none.
What says how a step is computed is left out. Needs torch 2.13.
"""
import json
import pathlib
import torch

WAYS = {"foreach", "fused", "capturable", "differentiable"}
KINDS = [
    "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam",
    "RMSprop", "Rprop", "SGD", "SparseAdam",
]  # fmt: skip


def defaults(kind):
    optimizer = getattr(torch.optim, kind)([torch.nn.Parameter(torch.ones(2, 2))])
    return {k: "None" if v is None else v for k, v in sorted(optimizer.defaults.items()) if k not in WAYS}


golden = {"torch": torch.__version__, "kinds": {kind: defaults(kind) for kind in KINDS}}
golden["kinds"]["Adafactor"]["eps"] = ["None", golden["kinds"]["Adafactor"]["eps"][1]]
pathlib.Path(__file__).with_name("optimizer_defaults.json").write_text(json.dumps(golden, indent=1) + "\n")
