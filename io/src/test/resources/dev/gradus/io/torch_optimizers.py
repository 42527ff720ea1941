"""Writes torch-KIND.safetensors and torch-KIND-steps.safetensors, from which TorchOptimizerTest goes on.

Run beside them with PyTorch 2.13 on the CPU:  PYTHONPATH=../../../../../../../scripts python torch_optimizers.py

Two groups, of three parameters in float64; the one without a gradient in the first step has its own count. The first
file is the state after three steps as export_torch_optimizer.py writes it. The second has the values then (param.NAME),
the gradients of two more steps (grad.STEP.NAME) and the values after them (after.NAME).
"""
import torch

from export_torch_optimizer import export, write_tensors

SHAPES = {"emb.weight": (5, 3), "head.weight": (3, 2), "head.bias": (3,)}
KINDS = {
    "Adam": dict(lr=0.05, betas=(0.8, 0.95), amsgrad=True),
    "SGD": dict(lr=0.05, momentum=0.9, weight_decay=0.1),
    "NAdam": dict(lr=0.05),
    "ASGD": dict(lr=0.05, t0=2),
    "Rprop": dict(lr=0.05),
    "Adafactor": dict(lr=0.05),
}


def gradient(p, step, number):
    i = torch.arange(p.numel(), dtype=torch.float64).reshape(p.shape)
    return 0.5 * p.detach() + torch.sin(10.0 * step + number + 3.0 * i)


def main():
    for kind, options in KINDS.items():
        torch.manual_seed(1)
        named = {n: torch.nn.Parameter(torch.randn(s, dtype=torch.float64)) for n, s in SHAPES.items()}
        groups = [
            {"params": [named["head.weight"], named["head.bias"]], "lr": 0.02},
            {"params": [named["emb.weight"]]},
        ]
        optimizer = getattr(torch.optim, kind)(groups, **options)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9) if kind == "Adam" else None

        def step(t, tensors):
            for number, (name, p) in enumerate(named.items()):
                p.grad = None if t == 0 and number == 0 else gradient(p, t, number)
                if tensors is not None:
                    tensors[f"grad.{t}.{name}"] = p.grad
            optimizer.step()
            if scheduler is not None:
                scheduler.step()

        for t in range(3):
            step(t, None)
        # With names and without: numbers are matched in order.
        model = named.items() if kind in ("SGD", "ASGD") else None
        export(f"torch-{kind}.safetensors", optimizer, model, scheduler)
        tensors = {f"param.{n}": p.detach().clone() for n, p in named.items()}
        for t in range(3, 5):
            step(t, tensors)
        tensors.update({f"after.{n}": p for n, p in named.items()})
        write_tensors(f"torch-{kind}-steps.safetensors", tensors, "steps")


main()
