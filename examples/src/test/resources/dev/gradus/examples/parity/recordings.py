"""Records optimizers of PyTorch by scripts/record_torch.py.

Without arguments: writes the recordings beside this file. With a folder: writes one for each kind of optimizer and type
there, to be compared by `gradus parity`. Needs torch 2.13.
"""
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = next(p for p in HERE.parents if (p / "scripts" / "record_torch.py").exists())
sys.path.insert(0, str(ROOT / "scripts"))
from record_torch import Recorder  # noqa: E402

# The options of the first group, and what the second has different.
KINDS = {
    "ASGD": ({"lr": 0.05, "lambd": 0.01, "t0": 3, "weight_decay": 0.1}, {"lr": 0.2, "alpha": 0.5}),
    "Adadelta": ({"lr": 0.5}, {"lr": 1.0, "rho": 0.8, "weight_decay": 0.1, "maximize": True}),
    "Adafactor": ({"lr": 0.05}, {"lr": 0.2, "beta2_decay": -0.5, "weight_decay": 0.1}),
    "Adagrad": ({"lr": 0.05, "initial_accumulator_value": 0.1}, {"lr": 0.2, "lr_decay": 0.1, "weight_decay": 0.1}),
    "Adam": ({"lr": 0.01, "weight_decay": 0.05, "amsgrad": True}, {"lr": 0.1, "betas": (0.8, 0.95)}),
    "AdamW": ({"lr": 0.01}, {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    "Adamax": ({"lr": 0.01}, {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    "Muon": ({"lr": 0.01}, {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"}),
    "NAdam": ({"lr": 0.01}, {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    "RAdam": ({"lr": 0.01, "weight_decay": 0.1}, {"lr": 0.1, "betas": (0.8, 0.95)}),
    "RMSprop": ({"lr": 0.01, "centered": True}, {"lr": 0.1, "momentum": 0.5, "centered": False, "weight_decay": 0.1}),
    "Rprop": ({"lr": 0.01}, {"lr": 0.1, "etas": (0.4, 1.3), "step_sizes": (1e-3, 0.3), "maximize": True}),
    "SGD": ({"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}, {"lr": 0.2, "nesterov": True}),
    "SparseAdam": ({"lr": 0.01}, {"lr": 0.1, "betas": (0.8, 0.95)}),
}


class Model(torch.nn.Module):
    """Tables alone where gradients are to be rows, matrices alone where biases are not taken."""

    def __init__(self, dtype, sparse, bias):
        super().__init__()
        self.emb = torch.nn.Embedding(5, 3, sparse=sparse, dtype=dtype)
        if sparse:
            self.linear2 = torch.nn.Embedding(4, 2, sparse=True, dtype=dtype)
            self.head = torch.nn.Embedding(3, 1, sparse=True, dtype=dtype)
        else:
            self.linear2 = torch.nn.Linear(3, 2, bias=bias, dtype=dtype)
            self.head = torch.nn.Linear(2, 1, bias=bias, dtype=dtype)
        self.sparse = sparse

    def forward(self, ids):
        x = torch.tanh(self.emb(ids))
        if self.sparse:
            return x.sum(1, keepdim=True) * self.linear2(ids % 4).sum(1, keepdim=True) + self.head(ids % 3)
        return self.head(torch.tanh(self.linear2(x)))


def record(kind, dtype, file, steps=12):
    """Two groups; no gradient of the second's in steps 4 and 5, a cut by hand at 7, a third group from 9 on."""
    torch.manual_seed(0)
    model = Model(dtype, sparse=kind == "SparseAdam", bias=kind != "Muon")
    first, second = KINDS[kind]
    optimizer = getattr(torch.optim, kind)(
        [{"params": model.emb.parameters()}, {"params": model.linear2.parameters(), **second}], **first
    )
    with Recorder(optimizer, model, file):
        for step in range(1, steps + 1):
            if step == 7:
                for group in optimizer.param_groups:
                    group["lr"] *= 0.1
            if step == 9:
                optimizer.add_param_group({"params": model.head.parameters(), "lr": 0.03})
            optimizer.zero_grad()
            ids = torch.randint(0, 5, (4,))
            (model(ids).squeeze(1) - torch.randn(4, dtype=dtype)).square().mean().backward()
            if step in (4, 5):
                for p in model.linear2.parameters():
                    p.grad = None
            optimizer.step()


if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for dtype in (torch.float32, torch.float64):
            name = str(dtype).removeprefix("torch.")
            record(kind, dtype, folder / f"{kind}-{name}.safetensors")
else:
    record("AdamW", torch.float32, HERE / "adamw-float32.json", steps=9)
    record("SGD", torch.float64, HERE / "sgd-float64.safetensors", steps=9)
    record("SparseAdam", torch.float32, HERE / "sparse-adam-float32.json", steps=9)
