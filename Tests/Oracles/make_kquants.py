"""Writes Tests/Fixtures/checkpoints/kquants.json: random blocks of GGUF's K formats and of MXFP4, and what the package gguf
makes of them, as the bits of float32; and q8_0.json: float32 numbers, as bits, and the Q8_0 blocks that it makes of them.

    python Tests/Oracles/make_kquants.py
"""

import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

HALVES = {"Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "MXFP4": []}


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
    folder = Path(__file__).resolve().parent.parent / "Fixtures" / "checkpoints"
    (folder / "kquants.json").write_text(json.dumps(cases) + "\n")
    # Usual numbers, large ones, tiny ones, zeros, and the middles between two steps of a scale of 1.
    rows = [random.standard_normal(32) * scale for scale in (1, 0.02, 1e6, 1e-9, 0)]
    rows += [np.concatenate([[127], random.integers(-126, 126, 31) + 0.5]), np.concatenate([[-127], np.arange(31) / 2 - 8])]
    values = np.array(rows, np.float32)
    blocks = quantize(values, Type.Q8_0)
    case = {"bits": values.reshape(-1).view(np.uint32).tolist(), "bytes": blocks.reshape(-1).tolist()}
    (folder / "q8_0.json").write_text(json.dumps(case) + "\n")


if __name__ == "__main__":
    main()
