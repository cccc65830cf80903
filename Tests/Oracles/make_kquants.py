"""Writes Tests/Fixtures/checkpoints/kquants.json: random blocks of GGUF's K formats, and what the package gguf makes of
them, as the bits of float32.

    python Tests/Oracles/make_kquants.py
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

HALVES = {"Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def main():
    random = np.random.default_rng(1)
    cases = []
    for name, places in HALVES.items():
        type = Type[name]
        _, size = GGML_QUANT_SIZES[type]
        blocks = random.integers(0, 256, (3, size), dtype=np.uint8)
        for block in blocks:
            for place in places:
                block[place : place + 2] = np.frombuffer(np.float16(random.normal() / 16).tobytes(), np.uint8)
        values = dequantize(blocks.reshape(-1), type).astype(np.float32).reshape(-1)
        cases.append({
            "name": name, "number": int(type), "bytes": blocks.reshape(-1).tolist(),
            "bits": values.view(np.uint32).tolist()})
    path = Path(__file__).resolve().parent.parent / "Fixtures" / "checkpoints" / "kquants.json"
    path.write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
