"""llama and qwen3_moe written plainly in float64, from a checkpoint's tensors.

A second oracle: transformers' float32 values are compared with it, and the difference is the noise that the golden
files state.
"""

import torch
import torch.nn.functional as F


def rms_norm(x, weight, eps):
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)


def rotate(x, theta):
    """x [heads, T, D]: the halves of D turned by position · theta^(−2i/D)."""
    half = x.shape[-1] // 2
    frequency = theta ** (-torch.arange(half, dtype=x.dtype) / half)
    angle = torch.arange(x.shape[1], dtype=x.dtype)[:, None] * frequency
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], dim=-1)


def swiglu(x, w, base):
    gate, up, down = (w[f"{base}.{part}_proj.weight"] for part in ("gate", "up", "down"))
    return (F.silu(x @ gate.T) * (x @ up.T)) @ down.T


def attention(x, w, base, c):
    def heads(name, count, norm):
        y = (x @ w[f"{base}.{name}_proj.weight"].T).view(len(x), count, -1)
        if c.model_type == "qwen3_moe" and norm:
            y = rms_norm(y, w[f"{base}.{name}_norm.weight"], c.rms_norm_eps)
        return y.transpose(0, 1)

    theta = c.rope_parameters["rope_theta"]
    q = rotate(heads("q", c.num_attention_heads, True), theta)
    k = rotate(heads("k", c.num_key_value_heads, True), theta)
    v = heads("v", c.num_key_value_heads, False)
    group = c.num_attention_heads // c.num_key_value_heads
    k, v = k.repeat_interleave(group, 0), v.repeat_interleave(group, 0)
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    future = torch.ones(len(x), len(x), dtype=torch.bool).triu(1)
    y = scores.masked_fill(future, float("-inf")).softmax(-1) @ v
    return y.transpose(0, 1).reshape(len(x), -1) @ w[f"{base}.o_proj.weight"].T


def experts(x, w, base, c, gaps):
    probabilities = (x @ w[f"{base}.gate.weight"].T).softmax(-1)
    ordered = probabilities.sort(-1, descending=True)
    top, index = ordered.values[:, : c.num_experts_per_tok], ordered.indices[:, : c.num_experts_per_tok]
    gaps.append((top[:, -1] - ordered.values[:, c.num_experts_per_tok]).min().item())
    if c.norm_topk_prob:
        top = top / top.sum(-1, keepdim=True)
    y = torch.zeros_like(x)
    for e in range(c.num_experts):
        token, slot = torch.where(index == e)
        y = y.index_add(0, token, swiglu(x[token], w, f"{base}.experts.{e}") * top[token, slot, None])
    return y


def logits(w, ids, c, gaps=None):
    """[T, V] of one sequence; `gaps` collects, per routed layer, the smallest distance of the last expert chosen
    from the first one not chosen."""
    x = w["model.embed_tokens.weight"][torch.tensor(ids)]
    for i in range(c.num_hidden_layers):
        base = f"model.layers.{i}"
        x = x + attention(rms_norm(x, w[f"{base}.input_layernorm.weight"], c.rms_norm_eps), w, f"{base}.self_attn", c)
        h = rms_norm(x, w[f"{base}.post_attention_layernorm.weight"], c.rms_norm_eps)
        if f"{base}.mlp.gate.weight" in w:
            x = x + experts(h, w, f"{base}.mlp", c, [] if gaps is None else gaps)
        else:
            x = x + swiglu(h, w, f"{base}.mlp")
    x = rms_norm(x, w["model.norm.weight"], c.rms_norm_eps)
    return x @ w.get("lm_head.weight", w["model.embed_tokens.weight"]).T


class Reference(torch.nn.Module):
    """The float64 model as a module with the same face as transformers': `model(ids)` gives logits [T, V]."""

    def __init__(self, tensors, config):
        super().__init__()
        self.config = config
        self.tensors = {name: torch.nn.Parameter(t.double().clone()) for name, t in tensors.items()}
        self.gaps = []

    def named_parameters(self, *_, **__):
        return iter(self.tensors.items())

    def forward(self, ids):
        return logits(self.tensors, ids, self.config, self.gaps)
