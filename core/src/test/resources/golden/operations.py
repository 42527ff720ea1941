"""Fills in operations.json: for each case the result of its expression and the gradients, by PyTorch.

A new case needs "name", "torch" (an expression of x, the list of operands) and "inputs"; then run, beside the file:
    python3 operations.py
"""
import json
import math
import torch

torch.set_default_dtype(torch.float64)


def weights(n):
    turns = [(i + 1) * 0.6180339887498949 for i in range(n)]
    return torch.tensor([0.5 + t - math.floor(t) for t in turns])


def fill_in(case):
    x = []
    for operand in case["inputs"]:
        t = torch.tensor(operand["values"], dtype=getattr(torch, operand["dtype"]))
        x.append(t.reshape(operand["shape"]).requires_grad_(t.is_floating_point()))
    out = eval(case["torch"], {"torch": torch, "F": torch.nn.functional, "x": x})
    case["out"] = {
        "dtype": str(out.dtype).removeprefix("torch."),
        "shape": list(out.shape),
        "values": out.detach().reshape(-1).tolist(),
    }
    if out.requires_grad:
        total = (out * weights(out.numel()).reshape(out.shape)).sum()
        grads = torch.autograd.grad(total, [t for t in x if t.requires_grad])
        case["grads"] = [g.reshape(-1).tolist() for g in grads]


with open("operations.json") as file:
    golden = json.load(file)
for case in golden["cases"]:
    fill_in(case)
text = json.dumps(golden, separators=(",", ":")).replace('{"name"', '\n{"name"')
with open("operations.json", "w") as file:
    file.write(text + "\n")
