"""Writes sparse_adam.json beside itself: trajectories of PyTorch's SparseAdam over an embedding of 7 vectors of size 3
whose id 2 is padding. Each step looks up ids, weights what it gets, sums and goes back. Needs torch 2.13.
"""
import json
import pathlib
import torch

IDS = [[0, 5, 5, 2], [6], [2, 2], [5, 1, 0, 1, 5, 5], [3, 3, 3], [0, 1, 3, 5, 6]]
OPTIONS = [
    {},
    {"lr": 0.1, "betas": [0.8, 0.95]},
    {"lr": 0.01, "betas": [0.4, 0.9], "eps": 0.1},
    {"lr": 0.05, "maximize": True},
]
torch.manual_seed(0)
start = torch.randn(7, 3)
weights = [torch.randn(len(ids), 3) for ids in IDS]


def numbers(t):
    return [x.hex() for x in t.detach().double().reshape(-1).tolist()]


def trajectory(options, dtype):
    table = torch.nn.Embedding(7, 3, padding_idx=2, sparse=True, dtype=dtype)
    table.weight.data.copy_(start)
    adam = torch.optim.SparseAdam([table.weight], **options)
    steps = []
    for ids, w in zip(IDS, weights):
        adam.zero_grad()
        (table(torch.tensor(ids)) * w.to(dtype)).sum().backward()
        adam.step()
        steps.append(numbers(table.weight))
    state = adam.state[table.weight]
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "options": options,
        "table": steps,
        "step": state["step"],
        "exp_avg": numbers(state["exp_avg"]),
        "exp_avg_sq": numbers(state["exp_avg_sq"]),
    }


golden = {
    "torch": torch.__version__,
    "start": numbers(start),
    "ids": IDS,
    "weights": [numbers(w) for w in weights],
    "cases": [trajectory(o, d) for o in OPTIONS for d in (torch.float32, torch.float64)],
}
text = json.dumps(golden, indent=1)
pathlib.Path(__file__).with_name("sparse_adam.json").write_text(text + "\n")
