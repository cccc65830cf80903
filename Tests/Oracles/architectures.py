"""The tiny checkpoints of make_architectures.py: name → (seed, configuration, tokens of the prompt). A name begins with
the model_type; what follows says which feature the checkpoint is about."""

from transformers import (
    DeepseekV2Config, DeepseekV3Config, Gemma2Config, Gemma3TextConfig, GemmaConfig, GptOssConfig, GraniteMoeConfig,
    LlamaConfig, MistralConfig, MixtralConfig, Olmo2Config, OlmoeConfig, Phi3Config, Qwen2Config, Qwen2MoeConfig, Qwen3Config, Qwen3MoeConfig)

SHARED = dict(
    vocab_size=96,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
    tie_word_embeddings=False,
    dtype="float32",
)
LLAMA3 = dict(
    rope_type="llama3", rope_theta=100.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
    original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=16)
DEEPSEEK = SHARED | dict(
    num_key_value_heads=4, intermediate_size=24, kv_lora_rank=20, qk_rope_head_dim=8, qk_nope_head_dim=10, v_head_dim=12,
    n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=10, first_k_dense_replace=1)
DEEPSEEK_YARN = YARN | dict(mscale=0.7, mscale_all_dim=0.9, beta_fast=32, beta_slow=1)

LONGROPE = dict(
    rope_type="longrope", rope_theta=100.0, partial_rotary_factor=0.75, short_factor=[1.0, 1.1, 1.3, 1.6, 2.0, 2.5],
    long_factor=[1.0, 1.5, 3.0, 5.0, 8.0, 9.0])

ARCHITECTURES = {
    "deepseek_v2": (31, DeepseekV2Config(
        **DEEPSEEK, q_lora_rank=None, n_shared_experts=2, topk_method="greedy", routed_scaling_factor=1.5), 9),
    "deepseek_v2-groups": (32, DeepseekV2Config(
        **DEEPSEEK, q_lora_rank=24, n_shared_experts=1, topk_method="group_limited_greedy", n_group=4, topk_group=2,
        routed_scaling_factor=2.0, attention_bias=True, mlp_bias=True, rope_parameters=DEEPSEEK_YARN), 30),
    "deepseek_v3": (33, DeepseekV3Config(
        **DEEPSEEK, q_lora_rank=24, n_shared_experts=1, n_group=4, topk_group=2, attention_bias=True,
        rope_parameters=DEEPSEEK_YARN), 30),
    "deepseek_v3-moonlight": (34, DeepseekV3Config(
        **DEEPSEEK, q_lora_rank=None, n_shared_experts=2, n_group=1, topk_group=1, routed_scaling_factor=2.446,
        rms_norm_eps=1e-2, num_nextn_predict_layers=0,
        rope_parameters=dict(rope_type="default", rope_theta=50000.0)), 12),
    "deepseek_v3-halves": (36, DeepseekV3Config(
        **DEEPSEEK, q_lora_rank=None, n_group=2, topk_group=1, rope_interleave=False,
        norm_topk_prob=False), 9),
    "deepseek_v2-sparse": (37, DeepseekV2Config(
        **DEEPSEEK | dict(first_k_dense_replace=0), q_lora_rank=None, n_shared_experts=1, topk_method="greedy"), 7),
    "deepseek_v3-sparse": (38, DeepseekV3Config(
        **DEEPSEEK | dict(first_k_dense_replace=0), q_lora_rank=None, n_shared_experts=1, n_group=2, topk_group=1), 7),
    "gemma": (42, GemmaConfig(
        **SHARED | dict(intermediate_size=24, num_key_value_heads=1, tie_word_embeddings=True), head_dim=16,
        attention_bias=True), 9),
    # Caps low enough to bend most scores and logits.
    "gemma2": (43, Gemma2Config(
        **SHARED | dict(num_hidden_layers=3, intermediate_size=24, tie_word_embeddings=True), head_dim=16,
        sliding_window=4, query_pre_attn_scalar=24, attn_logit_softcapping=2.0, final_logit_softcapping=5.0), 9),
    "gemma3_text": (18, Gemma3TextConfig(
        **SHARED | dict(num_hidden_layers=3, intermediate_size=24, tie_word_embeddings=True), head_dim=16, sliding_window=4,
        sliding_window_pattern=2, query_pre_attn_scalar=24, final_logit_softcapping=12.0, rope_parameters=dict(
            full_attention=dict(rope_type="linear", rope_theta=1e3, factor=2.0),
            sliding_attention=dict(rope_type="default", rope_theta=50.0))), 9),
    # A limit that clamps many gates.
    "gpt_oss": (44, GptOssConfig(
        **SHARED | dict(num_hidden_layers=3, intermediate_size=20), head_dim=16, num_local_experts=5,
        num_experts_per_tok=3, sliding_window=4, swiglu_limit=1.0,
        rope_parameters=YARN | dict(beta_fast=32.0, beta_slow=1.0, truncate=False)), 30),
    "granitemoe": (41, GraniteMoeConfig(
        **SHARED | dict(intermediate_size=24), num_local_experts=5, num_experts_per_tok=3, attention_bias=True,
        embedding_multiplier=1.7, attention_multiplier=0.4, residual_multiplier=0.6, logits_scaling=1.3), 9),
    "llama-bias": (3, LlamaConfig(**SHARED, attention_bias=True, mlp_bias=True), 7),
    "llama-linear": (4, LlamaConfig(**SHARED, rope_parameters=dict(rope_type="linear", rope_theta=1e4, factor=3.0)), 7),
    "llama-llama3": (5, LlamaConfig(**SHARED, rope_parameters=LLAMA3), 30),
    "llama-yarn": (6, LlamaConfig(**SHARED, rope_parameters=YARN), 30),
    "mistral": (7, MistralConfig(**SHARED, head_dim=16, sliding_window=5), 12),
    "mixtral": (8, MixtralConfig(**SHARED | dict(intermediate_size=24), num_local_experts=4, num_experts_per_tok=2), 7),
    "olmo2": (9, Olmo2Config(**SHARED), 7),
    "olmoe": (10, OlmoeConfig(**SHARED | dict(intermediate_size=24), num_experts=6, num_experts_per_tok=2), 12),
    "phi3": (19, Phi3Config(**SHARED, sliding_window=6), 9),
    "phi3-longrope": (20, Phi3Config(
        **SHARED | dict(num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=128), original_max_position_embeddings=64, rope_parameters=LONGROPE), 9),
    "qwen2": (11, Qwen2Config(
        **SHARED | dict(num_hidden_layers=3), use_sliding_window=True, sliding_window=4, max_window_layers=1), 9),
    "qwen2_moe": (17, Qwen2MoeConfig(
        **SHARED | dict(num_hidden_layers=3), num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16,
        shared_expert_intermediate_size=24, mlp_only_layers=[1]), 9),
    "qwen2_moe-sparse": (18, Qwen2MoeConfig(
        **SHARED, num_experts=3, num_experts_per_tok=2, moe_intermediate_size=16, shared_expert_intermediate_size=24), 9),
    "qwen2_moe-window": (21, Qwen2MoeConfig(
        **SHARED | dict(num_hidden_layers=3), num_experts=2, num_experts_per_tok=1, moe_intermediate_size=8,
        shared_expert_intermediate_size=8, use_sliding_window=True, sliding_window=4, max_window_layers=2), 9),
    "qwen3": (12, Qwen3Config(**SHARED | dict(head_dim=16)), 7),
    "qwen3_moe-window": (13, Qwen3MoeConfig(
        **SHARED | dict(num_hidden_layers=3), head_dim=16, num_experts=4, num_experts_per_tok=2,
        moe_intermediate_size=16, use_sliding_window=True, sliding_window=6, max_window_layers=2), 9),
}
