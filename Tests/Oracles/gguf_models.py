"""Tiny configurations of every architecture that GGUF files hold, for make_gguf_converted.py and verify_gguf.py."""

import math

SIZES = dict(
    vocab_size=40, hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    tie_word_embeddings=False,
)
EXPERTS = dict(num_experts=3, num_experts_per_tok=2)
LATENT = dict(
    num_key_value_heads=4, num_hidden_layers=2, kv_lora_rank=16, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=8,
    n_routed_experts=4, n_shared_experts=1, num_experts_per_tok=2, moe_intermediate_size=16, first_k_dense_replace=1,
    n_group=1, topk_group=1,
)
LLAMA3 = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 32.0, "beta_slow": 1.0}


def whole_bounds(size, original, high):
    """YaRN without rounding whose blend goes from the first channel to a whole one all the same: llama.cpp always rounds."""
    base = (original / (2 * math.pi)) ** (size / (2 * (high - 1e-5)))
    return YARN | {"rope_theta": float(f"{base:.6g}"), "original_max_position_embeddings": original, "truncate": False}


LONG = {"rope_type": "longrope", "long_factor": [1.0, 1.5, 2.0, 2.5], "short_factor": [1.0, 1.0, 1.25, 1.5]}

# name: (model_type, what differs from SIZES)
MODELS = {
    "llama": ("llama", dict(rope_scaling=LLAMA3, attention_bias=True, rope_theta=10000.0)),
    "mixtral": ("mixtral", dict(num_local_experts=3, num_experts_per_tok=2, sliding_window=None)),
    "qwen2": ("qwen2", dict(rope_scaling=YARN, tie_word_embeddings=True)),
    "qwen2moe": (
        "qwen2_moe",
        EXPERTS | dict(moe_intermediate_size=32, shared_expert_intermediate_size=64, norm_topk_prob=False),
    ),
    "qwen3": ("qwen3", dict(head_dim=16)),
    "qwen3moe": ("qwen3_moe", EXPERTS | dict(head_dim=16, moe_intermediate_size=32, norm_topk_prob=True)),
    "olmo2": ("olmo2", dict(rope_scaling={"rope_type": "linear", "factor": 2.0})),
    "olmoe": ("olmoe", EXPERTS | dict(norm_topk_prob=False, num_key_value_heads=4)),
    "deepseek_v2": ("deepseek_v2", LATENT | dict(q_lora_rank=None, topk_method="greedy", routed_scaling_factor=1.5)),
    "deepseek_v3": (
        "deepseek_v3",
        LATENT | dict(
            q_lora_rank=24, n_group=2, topk_group=1, norm_topk_prob=True, routed_scaling_factor=2.5,
            rope_scaling=YARN | {"mscale": 0.707, "mscale_all_dim": 0.707}),
    ),
    "gemma": ("gemma", dict(head_dim=16, tie_word_embeddings=True, hidden_activation="gelu_pytorch_tanh")),
    "gemma2": (
        "gemma2",
        dict(num_hidden_layers=2, head_dim=16, query_pre_attn_scalar=16, sliding_window=16, tie_word_embeddings=True),
    ),
    "gemma3": (
        "gemma3_text",
        dict(num_hidden_layers=2, head_dim=16, query_pre_attn_scalar=16, sliding_window=16, tie_word_embeddings=True),
    ),
    "gpt_oss": (
        "gpt_oss",
        dict(
            num_hidden_layers=2, head_dim=16, num_local_experts=3, num_experts_per_tok=2, sliding_window=16,
            rope_parameters=whole_bounds(16, 16, 3)),
    ),
    "granitemoe": (
        "granitemoe",
        dict(
            num_local_experts=3, num_experts_per_tok=2, attention_bias=True, embedding_multiplier=1.5,
            attention_multiplier=0.25, residual_multiplier=0.75, logits_scaling=2.5),
    ),
    "phi3": ("phi3", dict(rope_scaling=LONG, original_max_position_embeddings=32, sliding_window=None)),
}
