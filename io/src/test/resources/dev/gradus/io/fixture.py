"""Writes fixture.safetensors beside itself, with torch 2.13 and the safetensors package.

Each tensor NAME comes with NAME.bits (int64): the bits of its elements, widened to float32 where the
type is a smaller one, so that a reader can be compared with it bit for bit.
"""
import pathlib
import torch
from safetensors.torch import save_file

torch.manual_seed(0)
special = torch.tensor([0.0, -0.0, float("inf"), float("-inf"), 1e-45, -1.17e-38, 3.4e38, 1.0])
tensors = {
    "w": torch.cat([torch.randn(7), special]).reshape(3, 5),
    "nan": torch.tensor([0x7FC00000, 0x7FC12345, -0x3FEDCB], dtype=torch.int32).view(torch.float32),
    "d": torch.cat([torch.randn(7, dtype=torch.float64), special.double(), torch.tensor([5e-324], dtype=torch.float64)]),
    "half": torch.cat([torch.randn(5), special, torch.tensor([6e-8, -6e-5, 65504.0])]).half(),
    "brain": torch.cat([torch.randn(5), special]).bfloat16(),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 4),
}
bits = {}
for name, t in tensors.items():
    wide = t if t.dtype == torch.float64 else t.float()
    raw = wide.reshape(-1).view(torch.int64 if wide.dtype == torch.float64 else torch.int32)
    bits[name + ".bits"] = raw.to(torch.int64).clone()
tensors.update(bits)
tensors["mask"] = torch.tensor([[True, False, False], [True, True, False]])
tensors["ids"] = torch.tensor([-(2**63), 2**63 - 1, 0, -1])
tensors["bytes"] = torch.arange(8, dtype=torch.uint8)
save_file(tensors, pathlib.Path(__file__).with_name("fixture.safetensors"), {"format": "pt", "note": "Grüße"})
