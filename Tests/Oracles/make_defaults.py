"""Writes Tests/Fixtures/configs/defaults.json: for every architecture what transformers makes of a config.json that has the
sizes of the model and nothing else.

    python Tests/Oracles/make_defaults.py
"""

import math
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from fixtures import write_json

FILE = Path(__file__).resolve().parent.parent / "Fixtures" / "configs" / "defaults.json"
TYPES = [
    "deepseek_v2", "deepseek_v3", "gemma", "gemma2", "gemma3_text", "gpt_oss", "granitemoe", "llama", "mistral", "mixtral",
    "olmo2", "olmoe", "phi3", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe",
]
SIZES = dict(vocab_size=32, hidden_size=128, intermediate_size=40, num_hidden_layers=7, num_attention_heads=32)
# Without these transformers computes nothing.
GIVEN = {
    "deepseek_v2": dict(num_experts_per_tok=6), "deepseek_v3": dict(num_key_value_heads=SIZES["num_attention_heads"]),
}


def window(config, layer):
    """Keys that a query of the layer sees; 0: all."""
    types = getattr(config, "layer_types", None)
    if types is not None:
        return config.sliding_window if types[layer] == "sliding_attention" else 0
    uses = getattr(config, "use_sliding_window", True)
    return (getattr(config, "sliding_window", None) or 0) if uses else 0


def describe(model_type):
    # What AutoConfig sees of a file with these keys.
    given = {"model_type": model_type} | SIZES | GIVEN.get(model_type, {})
    config = AutoConfig.for_model(**given)
    # phi3's default names a token beyond the vocabulary.
    config.pad_token_id = None
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    rotary = type(model.model.rotary_emb)(config)
    frequencies = {
        kind: getattr(rotary, f"{kind}_inv_freq" if kind else "inv_freq").tolist()
        for kind in (["full_attention", "sliding_attention"] if model_type == "gemma3_text" else [""])
    }
    attention = model.model.layers[0].self_attn
    tensors = dict(model.named_parameters()) | {
        name: b for name, b in model.named_buffers() if name.endswith("e_score_correction_bias")}
    experts = next(
        (getattr(config, key) for key in ("n_routed_experts", "num_local_experts", "num_experts") if hasattr(config, key)), 0)
    return {
        "config": given,
        "parameters": sum(p.numel() for p in tensors.values()),
        "tied": config.tie_word_embeddings,
        "context": config.max_position_embeddings,
        "inverse_frequencies": frequencies,
        "attention_scale": attention.scaling,
        "epsilon": model.model.norm.variance_epsilon if hasattr(model.model.norm, "variance_epsilon") else model.model.norm.eps,
        "windows": [window(config, layer) for layer in range(config.num_hidden_layers)],
        "experts": experts,
        "experts_per_token": getattr(config, "num_experts_per_tok", 0),
        "bias": getattr(attention, "k_proj", None) is not None and attention.k_proj.bias is not None,
    }


if __name__ == "__main__":
    write_json(FILE, [describe(model_type) for model_type in TYPES])
