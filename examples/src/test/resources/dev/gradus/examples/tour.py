"""Writes tour-N.txt: what `gradus tour --seed N` prints, computed by PyTorch 2.13 on the CPU.

python tour.py 0 1 42
"""

import sys

import torch
from torch import nn


class SeedModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(5, 5)
        self.linear = nn.Linear(5, 3)
        self.linear2 = nn.Linear(3, 1)
        self.activate = nn.Sigmoid()

    def forward(self, x):
        return self.activate(self.linear2(self.linear(self.emb(x))))


def group(number, name, lr, parameters):
    return [
        f"Parameter Group {number}",
        "    amsgrad: False",
        "    betas: (0.9, 0.999)",
        "    decoupled_weight_decay: False",
        "    eps: 1e-08",
        f"    lr: {lr}",
        "    maximize: False",
        f"    name: {name}",
        "    weight_decay: 0",
        f"    param_names: {parameters}",
    ]


def tour(seed):
    torch.manual_seed(seed)
    model = SeedModel()
    names = [n for n, _ in model.named_parameters()]
    head = [n for n in names if n.startswith("linear2")]
    rest = [n for n in names if n not in head]
    out = ["The model", str(model), ""]
    out += ["A parameter, linear2.weight, and its data"]
    out += [str(model.linear2.weight), str(model.linear2.weight.data), ""]
    out += ["All parameters, with type and data"]
    for p in model.parameters():
        out += [f"{type(p).__name__} of {str(p.dtype).split('.')[1]}", str(p.data)]
    out += ["", "All names, with sizes"]
    out += [f"{n} {list(p.shape)}" for n, p in model.named_parameters()]
    out += ["", "An Adam with all parameters in one group", "Adam ("]
    out += group(0, "all", 0.001, names) + [")", ""]
    out += ["An Adam with linear2 in a group of its own", "Adam ("]
    out += group(0, "head", 0.1, head) + [""] + group(1, "rest", 0.01, rest) + [")", ""]

    named = dict(model.named_parameters())
    adam = torch.optim.Adam(
        [{"params": [named[n] for n in head], "lr": 0.1}, {"params": [named[n] for n in rest]}],
        lr=0.01,
    )
    x = torch.arange(5)
    y = torch.tensor([[0.0], [1], [0], [1], [1]])
    out += ["Training; at epoch 10 both rates are cut to a tenth"]
    for epoch in range(20):
        if epoch == 10:
            for g in adam.param_groups:
                g["lr"] *= 0.1
        adam.zero_grad()
        loss = nn.functional.binary_cross_entropy(model(x), y)
        loss.backward()
        adam.step()
        lr = [g["lr"] for g in adam.param_groups]
        out += [f"epoch {epoch:2d}  loss {loss.item():.4f}  lr head {lr[0]:.4f}  rest {lr[1]:.4f}"]
    out += ["", "The embedding after training", str(model.emb.weight)]
    return "\n".join(out) + "\n"


for number in sys.argv[1:]:
    with open(f"tour-{number}.txt", "w", encoding="utf-8", newline="\n") as file:
        file.write(tour(int(number)))
