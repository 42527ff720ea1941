"""Writes lbfgs.json beside itself: trajectories of PyTorch's LBFGS in float64 on Rosenbrock's function of 6 variables, in
two parameters of 2 and 2 x 2, sum over i of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2. A line search that divides differences
of almost equal values magnifies roundings; a trajectory ends before those from starts one unit in the last place away are
more than 1e-13 off. Needs torch 2.13.
"""
import json
import math
import pathlib
import torch

START = [-1.2, 1.0, -0.5, 0.8, 1.3, -0.7]
CASES = [
    {"lr": 1e-3},
    {"lr": 1e-3, "max_iter": 1, "history_size": 2},
    {"lr": 5e-3, "max_iter": 7, "max_eval": 5, "history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 0.1, "max_iter": 5, "history_size": 3},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 4},
    {"line_search_fn": "strong_wolfe", "lr": 20, "max_iter": 4},
    {"line_search_fn": "strong_wolfe", "lr": 1e-3, "max_iter": 2, "max_eval": 9},
    {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-2, "tolerance_grad": 1.0},
]
STEPS = 12
SPREAD = 1e-13


def rosenbrock(a, b):
    x = torch.cat([a, b.reshape(-1)])
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def trajectory(options, start):
    start = torch.tensor(start, dtype=torch.float64)
    a = start[:2].clone().requires_grad_()
    b = start[2:].reshape(2, 2).clone().requires_grad_()
    optimizer = torch.optim.LBFGS([a, b], **options)
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = rosenbrock(a, b)
        loss.backward()
        return loss

    steps = []
    for _ in range(STEPS):
        loss = optimizer.step(closure)
        values = torch.cat([a.detach(), b.detach().reshape(-1)]).tolist()
        steps.append({"loss": loss.item(), "values": values, "evaluations": evaluations})
    return steps


def stable(options):
    steps = trajectory(options, START)
    n = STEPS
    for i, x in enumerate(START):
        nudged = list(START)
        nudged[i] = math.nextafter(x, 9)
        for t, other in enumerate(trajectory(options, nudged)):
            if max(abs(p - q) for p, q in zip(steps[t]["values"], other["values"])) > SPREAD:
                n = min(n, t)
    return {"options": options, "steps": steps[:n]}


golden = {"torch": torch.__version__, "start": START, "cases": [stable(o) for o in CASES]}
text = json.dumps(golden, indent=1)
pathlib.Path(__file__).with_name("lbfgs.json").write_text(text + "\n")
