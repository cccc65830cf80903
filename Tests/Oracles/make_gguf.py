"""Writes Tests/Fixtures/gguf: checkpoints of Tests/Fixtures/architectures as GGUF files, by the package gguf: its own map
of tensor names, llama.cpp's order of the rows of q and k.

    python Tests/Oracles/make_gguf.py
"""

import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
# name of the fixture → name of the architecture in GGUF, and whether q and k are interleaved
MODELS = {
    "mixtral": (gguf.MODEL_ARCH.LLAMA, True),
    "qwen2": (gguf.MODEL_ARCH.QWEN2, False),
    "qwen2_moe-sparse": (gguf.MODEL_ARCH.QWEN2MOE, False),
    "qwen3": (gguf.MODEL_ARCH.QWEN3, False),
    "olmo2": (gguf.MODEL_ARCH.OLMO2, False),
    "olmoe": (gguf.MODEL_ARCH.OLMOE, False),
}


def interleave(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def stack_experts(tensors, experts):
    """One tensor for all experts of a projection."""
    stacked = {}
    for name, tensor in tensors.items():
        if ".experts.0." in name:
            stacked[name.replace(".experts.0.", ".experts.")] = np.stack(
                [tensors[name.replace(".experts.0.", f".experts.{e}.")] for e in range(experts)])
        elif ".experts." not in name:
            stacked[name] = tensor
    return stacked


def make(name, arch, interleaved):
    folder = FIXTURES / "architectures" / name
    config = json.loads((folder / "config.json").read_text())
    tensors = stack_experts(
        load_file(folder / "model.safetensors"), config.get("num_experts") or config.get("num_local_experts") or 0)
    writer = gguf.GGUFWriter(FIXTURES / "gguf" / f"{name}.gguf", gguf.MODEL_ARCH_NAMES[arch])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    if config.get("head_dim"):
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    experts = config.get("num_experts") or config.get("num_local_experts")
    if experts:
        writer.add_expert_count(experts)
        writer.add_expert_used_count(config["num_experts_per_tok"])
    if "moe_intermediate_size" in config:
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if "shared_expert_intermediate_size" in config:
        writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    for key, tensor in tensors.items():
        if interleaved and ".q_proj." in key:
            tensor = interleave(tensor, config["num_attention_heads"])
        if interleaved and ".k_proj." in key:
            tensor = interleave(tensor, config["num_key_value_heads"])
        target = names.get_name(key, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(target, np.ascontiguousarray(tensor.squeeze() if tensor.shape[0] == 1 else tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    (FIXTURES / "gguf").mkdir(exist_ok=True)
    for name, (arch, interleaved) in MODELS.items():
        make(name, arch, interleaved)


if __name__ == "__main__":
    main()
