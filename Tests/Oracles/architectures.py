"""The tiny checkpoints of make_architectures.py: name → (seed, configuration, tokens of the prompt). A name begins with
the model_type; what follows says which feature the checkpoint is about."""

from transformers import LlamaConfig, Qwen3Config

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

ARCHITECTURES = {
    "llama-bias": (3, LlamaConfig(**SHARED, attention_bias=True, mlp_bias=True), 7),
    "qwen3": (4, Qwen3Config(**SHARED | dict(head_dim=16)), 7),
}
