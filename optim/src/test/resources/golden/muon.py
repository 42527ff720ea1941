"""Writes muon.json beside itself: trajectories of PyTorch's Muon over matrices of several sizes, float32 and float64, with
gradients that are recorded too. Needs torch 2.13.
"""
import json
import pathlib
import torch

SHAPES = [(3, 5), (5, 3), (1, 6), (4, 1), (8, 8), (11, 6)]
OPTIONS = [
    {},
    {"lr": 0.1, "momentum": 0.8, "nesterov": False, "weight_decay": 0},
    {"lr": 0.05, "adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.01},
    {"lr": 0.02, "ns_steps": 3, "ns_coefficients": [2.0, -1.5, 0.5], "eps": 0.5},
]
STEPS = 4
torch.manual_seed(0)


def numbers(t):
    return [x.hex() for x in t.detach().double().reshape(-1).tolist()]


STARTS = [torch.randn(s) for s in SHAPES]
GRADIENTS = [[torch.randn(s) for s in SHAPES] for _ in range(STEPS)]


def trajectory(options, dtype):
    parameters = [s.to(dtype).clone().requires_grad_() for s in STARTS]
    optimizer = torch.optim.Muon(parameters, **options)
    steps = []
    for gradients in GRADIENTS:
        for p, g in zip(parameters, gradients):
            p.grad = g.to(dtype)
        optimizer.step()
        steps.append([numbers(p) for p in parameters])
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "options": options,
        "values": steps[-2:],
        "state": [{k: numbers(v) for k, v in optimizer.state[p].items()} for p in parameters],
    }


golden = {
    "torch": torch.__version__,
    "shapes": SHAPES,
    "starts": [numbers(s) for s in STARTS],
    "gradients": [[numbers(g) for g in step] for step in GRADIENTS],
    "cases": [trajectory(o, d) for o in OPTIONS for d in (torch.float32, torch.float64)],
}
text = json.dumps(golden, separators=(",", ":")).replace("],", "],\n")
pathlib.Path(__file__).with_name("muon.json").write_text(text + "\n")
