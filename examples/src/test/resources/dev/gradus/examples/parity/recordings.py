"""Records optimizers of PyTorch by scripts/record_torch.py.

Without arguments: writes the recordings beside this file, short ones of each kind into kinds/. With a folder: writes a
long one for each kind and type there, to be compared by `gradus parity`. Needs torch 2.13.
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
    "ASGD": ({"lr": 0.05, "lambd": 0.01, "t0": 3, "weight_decay": 0.1}, {"lr": 0.2, "alpha": 0.5, "weight_decay": 0}),
    "Adadelta": ({"lr": 0.5}, {"lr": 1.0, "rho": 0.8, "weight_decay": 0.1, "maximize": True}),
    "Adafactor": ({"lr": 0.05}, {"lr": 0.2, "beta2_decay": -0.5, "weight_decay": 0.1}),
    "Adagrad": ({"lr": 0.05, "initial_accumulator_value": 0.1}, {"lr": 0.2, "lr_decay": 0.1, "weight_decay": 0.1}),
    "Adam": ({"lr": 0.01, "weight_decay": 0.05, "amsgrad": True}, {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0}),
    "AdamW": ({"lr": 0.01}, {"lr": 0.1, "weight_decay": 0.2, "maximize": True}),
    "Adamax": ({"lr": 0.01}, {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.1}),
    "Lion": ({"lr": 0.003}, {"lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.5}),
    "Muon": ({"lr": 0.01}, {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.5}),
    "NAdam": ({"lr": 0.01}, {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    "RAdam": ({"lr": 0.01, "weight_decay": 0.1}, {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0}),
    "RMSprop": ({"lr": 0.01, "centered": True}, {"lr": 0.1, "momentum": 0.5, "centered": False, "weight_decay": 0.1}),
    "Rprop": ({"lr": 0.01}, {"lr": 0.1, "etas": (0.4, 1.3), "step_sizes": (1e-3, 0.3), "maximize": True}),
    "SGD": ({"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}, {"lr": 0.2, "nesterov": True, "weight_decay": 0.1}),
    "SparseAdam": ({"lr": 0.01}, {"lr": 0.1, "betas": (0.8, 0.95)}),
}


class Lion(torch.optim.Optimizer):
    """What torch.optim lacks: arXiv:2302.06675, Algorithm 2."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for p in (p for p in group["params"] if p.grad is not None):
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p -= lr * (group["weight_decay"] * p + (beta1 * m + (1 - beta1) * p.grad).sign())
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


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


def record(kind, dtype, file, steps, absent, cut, add, schedule):
    """Two groups; no gradient of the second's in the steps absent, a rate cut by hand before the step cut, a third group
    from the step add on, all rates falling by a schedule or not."""
    torch.manual_seed(0)
    model = Model(dtype, sparse=kind == "SparseAdam", bias=kind != "Muon")
    first, second = KINDS[kind]
    optimizer = (Lion if kind == "Lion" else getattr(torch.optim, kind))(
        [{"params": model.emb.parameters()}, {"params": model.linear2.parameters(), **second}], **first
    )
    falling = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9) if schedule else None
    with Recorder(optimizer, model, file):
        for step in range(1, steps + 1):
            if step == cut:
                for group in optimizer.param_groups:
                    group["lr"] *= 0.1
            if step == add:
                optimizer.add_param_group({"params": model.head.parameters(), "lr": 0.03})
            optimizer.zero_grad()
            ids = torch.randint(0, 5, (4,))
            (model(ids).squeeze(1) - torch.randn(4, dtype=dtype)).square().mean().backward()
            if step in absent:
                for p in model.linear2.parameters():
                    p.grad = None
            optimizer.step()
            if schedule:
                falling.step()


if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        for dtype in (torch.float32, torch.float64):
            name = str(dtype).removeprefix("torch.")
            file = folder / f"{kind}-{name}.safetensors"
            record(kind, dtype, file, steps=40, absent=(4, 5), cut=17, add=None, schedule=True)
else:
    longer = {"steps": 9, "absent": (4, 5), "cut": 7, "add": 9, "schedule": False}
    record("AdamW", torch.float32, HERE / "adamw-float32.json", **longer)
    record("SGD", torch.float64, HERE / "sgd-float64.safetensors", **longer)
    record("SparseAdam", torch.float32, HERE / "sparse-adam-float32.json", **longer)
    for kind in KINDS:
        file = HERE / "kinds" / f"{kind}.json"
        record(kind, torch.float64, file, steps=7, absent=(3,), cut=5, add=None, schedule=True)
