"""Writes torch-KIND.safetensors and torch-KIND-steps.safetensors, from which TorchOptimizerTest goes on.

Run with PyTorch 2.13 on the CPU. Without arguments: writes them beside this file, of float64. With a folder: writes those of
float32 there.

Two groups, of three parameters; the one without a gradient in the first step has its own count. The first file is the
state after three steps as export_torch_optimizer.py writes it. The second has the values then (param.NAME), the gradients
of three more steps (grad.STEP.NAME; of rows alone, with their numbers, rows.STEP.NAME, for SparseAdam) and the values
after them (after.NAME). LBFGS has one group and no gradients.
"""
import pathlib
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = next(p for p in HERE.parents if (p / "scripts" / "export_torch_optimizer.py").exists())
sys.path.insert(0, str(ROOT / "scripts"))
from export_torch_optimizer import TYPES, export, write_tensors  # noqa: E402

SHAPES = {"emb.weight": (5, 3), "head.weight": (3, 2), "head.bias": (3,)}
MATRICES_ALONE = {"Muon", "SparseAdam"}
WITH_NAMES = {"SGD", "ASGD", "Muon", "RMSprop"}
KINDS = {
    "ASGD": dict(lr=0.05, t0=2),
    "Adadelta": dict(lr=0.5, rho=0.8),
    "Adafactor": dict(lr=0.05),
    "Adagrad": dict(lr=0.05, lr_decay=0.1, initial_accumulator_value=0.1),
    "Adam": dict(lr=0.05, betas=(0.8, 0.95), amsgrad=True),
    "AdamW": dict(lr=0.05, amsgrad=True, weight_decay=0.1),
    "Adamax": dict(lr=0.05),
    "Muon": dict(lr=0.05),
    "NAdam": dict(lr=0.05),
    "RAdam": dict(lr=0.05, betas=(0.8, 0.7)),
    "RMSprop": dict(lr=0.05, centered=True, momentum=0.5),
    "Rprop": dict(lr=0.05),
    "SGD": dict(lr=0.05, momentum=0.9, weight_decay=0.1),
    "SparseAdam": dict(lr=0.05),
}


def gradient(p, step, number):
    i = torch.arange(p.numel(), dtype=p.dtype).reshape(p.shape)
    return 0.5 * p.detach() + torch.sin(10.0 * step + number + 3.0 * i)


def main(folder, dtype):
    for kind, options in KINDS.items():
        torch.manual_seed(1)
        shapes = {n: s for n, s in SHAPES.items() if len(s) == 2 or kind not in MATRICES_ALONE}
        named = {n: torch.nn.Parameter(torch.randn(s, dtype=dtype)) for n, s in shapes.items()}
        groups = [
            {"params": [p for n, p in named.items() if n != "emb.weight"], "lr": 0.02},
            {"params": [named["emb.weight"]]},
        ]
        optimizer = getattr(torch.optim, kind)(groups, **options)
        scheduler = None
        if kind == "Adam":
            scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        if kind == "AdamW":
            scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)

        def step(t, tensors):
            for number, (name, p) in enumerate(named.items()):
                p.grad = None if t == 0 and number == 0 else gradient(p, t, number)
                if kind == "SparseAdam" and p.grad is not None:
                    rows = torch.tensor([t % 2, 2])
                    p.grad = torch.sparse_coo_tensor(rows[None], p.grad[rows], p.shape)
                    if tensors is not None:
                        tensors[f"rows.{t}.{name}"] = rows
                if tensors is not None:
                    tensors[f"grad.{t}.{name}"] = p.grad.coalesce().values() if p.grad.is_sparse else p.grad
            optimizer.step()
            if kind == "AdamW":
                scheduler.step(1.0)
            elif scheduler is not None:
                scheduler.step()

        for t in range(3):
            step(t, None)
        # With names and without: numbers are matched in order.
        model = named.items() if kind in WITH_NAMES else None
        export(folder / f"torch-{kind}.safetensors", optimizer, model, scheduler)
        tensors = {f"param.{n}": p.detach().clone() for n, p in named.items()}
        for t in range(3, 6):
            step(t, tensors)
        tensors.update({f"after.{n}": p for n, p in named.items()})
        write_tensors(folder / f"torch-{kind}-steps.safetensors", tensors, "steps")


def lbfgs(folder, dtype):
    """Steps on sum(w (p - 1)^2) with w = 1, 2, … in each parameter."""
    torch.manual_seed(1)
    named = {n: torch.nn.Parameter(torch.randn(s, dtype=dtype)) for n, s in SHAPES.items()}
    optimizer = torch.optim.LBFGS(named.values(), lr=0.5, max_iter=2, history_size=3, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        weights = {n: torch.arange(1, p.numel() + 1, dtype=dtype).reshape(p.shape) for n, p in named.items()}
        loss = sum((weights[n] * (p - 1).square()).sum() for n, p in named.items())
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    export(folder / "torch-LBFGS.safetensors", optimizer, named.items())
    tensors = {f"param.{n}": p.detach().clone() for n, p in named.items()}
    for _ in range(3):
        optimizer.step(closure)
    tensors.update({f"after.{n}": p for n, p in named.items()})
    write_tensors(folder / "torch-LBFGS-steps.safetensors", tensors, "steps")


TYPES[torch.int64] = "I64"
if len(sys.argv) > 1:
    main(pathlib.Path(sys.argv[1]), torch.float32)
    lbfgs(pathlib.Path(sys.argv[1]), torch.float32)
else:
    main(HERE, torch.float64)
    lbfgs(HERE, torch.float64)
