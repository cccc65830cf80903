"""Writes config.v4.json beside each config.json of Tests/Fixtures/models: the same model as transformers 4 writes it
(rope_theta at the top level, num_experts, torch_dtype). Needs transformers 4 in an environment of its own:

    pip install transformers==4.55.4 && python Tests/Oracles/make_v4_configs.py
"""

import json
from pathlib import Path

from transformers import LlamaConfig, Qwen3MoeConfig

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "models"
CLASSES = {"llama": LlamaConfig, "qwen3_moe": Qwen3MoeConfig}

for name in ("llama", "llama_tied", "qwen3_moe"):
    folder = FOLDER / name
    values = json.loads((folder / "config.json").read_text())
    values["rope_theta"] = values.pop("rope_parameters")["rope_theta"]
    values["torch_dtype"] = values.pop("dtype")
    if "num_local_experts" in values:
        values["num_experts"] = values.pop("num_local_experts")
    del values["transformers_version"]
    CLASSES[values["model_type"]](**values).to_json_file(folder / "config.v4.json")
