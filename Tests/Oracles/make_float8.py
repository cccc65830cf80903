"""Writes Tests/Fixtures/checkpoints/float8: a directory with weights in 8 bits and their factors, in blocks as DeepSeek-V3
has them and one for a tensor, beside tensors that are only carried; and what torch makes of the weights.

    python Tests/Oracles/make_float8.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

from fixtures import write_json

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "checkpoints"
BLOCK = [2, 3]


def widen(factors, shape):
    """A factor for each element."""
    return factors.repeat_interleave(BLOCK[0], 0).repeat_interleave(BLOCK[1], 1)[: shape[0], : shape[1]]


torch.manual_seed(3)
codes = torch.arange(256, dtype=torch.uint8)
every = {"e4m3": codes.view(torch.float8_e4m3fn), "e5m2": codes.clone().view(torch.float8_e5m2)}
matrix = torch.randn(5, 7).to(torch.float8_e4m3fn)
factors = torch.rand(3, 3) + 0.5
one = torch.tensor([0.75])
tensors = {
    "a.weight": matrix, "a.weight_scale_inv": factors, "b.weight": every["e4m3"].reshape(16, 16), "b.weight_scale": one,
    "c.weight": every["e5m2"].reshape(16, 16), "c.weight_scale": torch.tensor(2.0, dtype=torch.bfloat16),
    "d.bias": torch.tensor([float("nan"), -0.0, 1e-41, 3.5]), "e.count": torch.tensor([[-1, 1 << 40]]),
    "f.table": torch.tensor([1e-320, 2.5], dtype=torch.float64), "g.mask": torch.tensor([True, False, True]),
}
folder = FOLDER / "float8"
folder.mkdir(exist_ok=True)
save_file(tensors, folder / "model.safetensors", {"format": "pt"})
write_json(folder / "config.json", {
    "model_type": "llama",
    "quantization_config": {
        "quant_method": "fp8", "activation_scheme": "dynamic", "fmt": "e4m3", "weight_block_size": BLOCK},
})
read = [matrix.float() * widen(factors, matrix.shape), every["e4m3"].float() * one, every["e5m2"].float() * 2, tensors["d.bias"]]
(FOLDER / "float8.golden").write_bytes(b"".join(x.contiguous().numpy().astype("<f4").tobytes() for x in read))
