"""Writes Tests/Fixtures/gguf_converted: for every architecture of gguf_models.py a tiny random checkpoint as transformers saves
it, and the GGUF file that llama.cpp's own converter makes of it, without a vocabulary.

    python Tests/Oracles/make_gguf_converted.py LLAMA_CPP [name …]        (LLAMA_CPP: a source tree, as llama-cpp-python's sdist has)
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from fixtures import write_json
from gguf_models import MODELS, SIZES

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "gguf_converted"


def save(name, folder):
    model_type, keys = MODELS[name]
    torch.manual_seed(7)
    config = AutoConfig.for_model(model_type, **(SIZES | keys))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float()
    for key, p in [*model.named_parameters(), *model.named_buffers()]:
        if not p.is_floating_point() or "inv_freq" in key or "embed_scale" in key:
            continue
        # Eight bits of mantissa, so that Gemma's norms plus 1 are exact.
        noise = torch.randn(p.shape).bfloat16().float()
        p.data = (p.data.mean().round() + 0.25 * noise if "norm" in key else 0.25 * noise).contiguous()
    model.save_pretrained(folder)
    # As transformers 4 wrote it.
    config = json.loads((folder / "config.json").read_text())
    rope = config.pop("rope_parameters", None)
    if rope and "full_attention" in rope:
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
    if rope:
        config["rope_theta"] = rope.pop("rope_theta", 10000.0)
        config["rope_scaling"] = rope if rope.get("rope_type", "default") != "default" else None
    # As published; transformers 5 takes it for granted.
    if model_type == "deepseek_v3":
        config |= {"scoring_func": "sigmoid", "topk_method": "noaux_tc"}
    write_json(folder / "config.json", config)
    (folder / "generation_config.json").unlink(missing_ok=True)


def convert(folder, path):
    import conversion
    import gguf

    config = json.loads((folder / "config.json").read_text())
    model_class = conversion.get_model_class(config["architectures"][0])
    model_class.set_vocab = lambda self: self._set_vocab_none()
    # Gemma cuts the embedding to the tokenizer's length.
    if "Gemma3" in model_class.__name__:
        (folder / "tokenizer.json").write_text(
            json.dumps({"model": {"vocab": {str(i): i for i in range(config["vocab_size"])}}, "added_tokens": []}))
    converter = model_class(folder, gguf.LlamaFileType.ALL_F32, path, model_name="tiny")
    converter.write()
    (folder / "tokenizer.json").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.path[:0] = [sys.argv[1], str(Path(sys.argv[1]) / "gguf-py")]
    for name in sys.argv[2:] or MODELS:
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        save(name, folder)
        convert(folder, folder / "converted.gguf")
        print(name, sum(f.stat().st_size for f in folder.iterdir()))
