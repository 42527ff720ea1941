"""Writes adafactor.json beside itself: trajectories of PyTorch's Adafactor over parameters of several ranks, float32 and
float64, with gradients that are recorded too. Needs torch 2.13.
"""
import json
import pathlib
import torch

SHAPES = [(3, 5), (2, 3, 4), (7,), (), (1, 6), (9, 1)]
OPTIONS = [
    {},
    {"lr": 0.3, "weight_decay": 0.1},
    {"lr": 0.1, "d": 1.5, "beta2_decay": -0.5, "maximize": True},
    {"lr": 2.0, "eps": [0.5, 0.75], "d": 3.0},
]
STEPS = 5
torch.manual_seed(0)


def numbers(t):
    return [x.hex() for x in t.detach().double().reshape(-1).tolist()]


STARTS = [torch.randn(s) for s in SHAPES]
GRADIENTS = [[torch.randn(s) for s in SHAPES] for _ in range(STEPS)]


def trajectory(options, dtype):
    parameters = [s.to(dtype).clone().requires_grad_() for s in STARTS]
    optimizer = torch.optim.Adafactor(parameters, **options)
    steps = []
    for gradients in GRADIENTS:
        for p, g in zip(parameters, gradients):
            p.grad = g.to(dtype)
        optimizer.step()
        steps.append([numbers(p) for p in parameters])
    state = [{k: numbers(v) for k, v in optimizer.state[p].items() if k != "step"} for p in parameters]
    return {"dtype": str(dtype).removeprefix("torch."), "options": options, "values": steps[-2:], "state": state}


golden = {
    "torch": torch.__version__,
    "shapes": SHAPES,
    "starts": [numbers(s) for s in STARTS],
    "gradients": [[numbers(g) for g in step] for step in GRADIENTS],
    "cases": [trajectory(o, d) for o in OPTIONS for d in (torch.float32, torch.float64)],
}
text = json.dumps(golden, separators=(",", ":")).replace("],", "],\n")
pathlib.Path(__file__).with_name("adafactor.json").write_text(text + "\n")
