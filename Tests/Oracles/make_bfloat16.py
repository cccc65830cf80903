"""Writes Tests/Fixtures/bfloat16: what transformers computes of some checkpoints of Fixtures/architectures in float64 where
every product rounds its operands to bfloat16, as the engine does: weights (but a router's) and activations in the forward
pass, the gradients that arrive at a product in the backward pass. Everything between the products stays as it is.
The last product of an expert and the weight of what it says go back together: the product meets the gradient without the
weight, and the weighted activations.

    python Tests/Oracles/make_bfloat16.py
"""

import json
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import make_architectures
from fixtures import write_json

NAMES = ["gemma3_text", "llama-bias", "mixtral", "qwen2_moe", "qwen3_moe-window"]
FOLDER = make_architectures.FOLDER.parent / "bfloat16"
linear, embedding = F.linear, F.embedding
# Relative errors as float32 makes them, put before every rounding; and in how many runs.
NOISE, RUNS = 1e-7, 8
noise = None


def rounded(x):
    if noise is not None:
        x = x * (1 + NOISE * torch.randn(x.shape, dtype=x.dtype, generator=noise))
    return x.float().bfloat16().to(x.dtype)


class RoundedProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, w):
        x, w = rounded(x), rounded(w)
        ctx.save_for_backward(x, w)
        return linear(x, w)

    @staticmethod
    def backward(ctx, dy):
        x, w = ctx.saved_tensors
        dy = rounded(dy)
        return dy @ w, dy.flatten(0, -2).T @ x.flatten(0, -2)


class WeightedProduct(torch.autograd.Function):
    """weight · (h · wᵀ)."""

    @staticmethod
    def forward(ctx, h, w, weight):
        w = rounded(w)
        ctx.save_for_backward(h, w, weight)
        return weight * linear(rounded(h), w)

    @staticmethod
    def backward(ctx, dy):
        h, w, weight = ctx.saved_tensors
        dy = rounded(dy)
        dh = dy @ w
        return weight * dh, dy.T @ rounded(weight * h), (dh * h).sum(-1, keepdim=True)


def experts(self, x, chosen, weights):
    """MixtralExperts.forward and its like."""
    y = torch.zeros_like(x)
    for expert in range(self.num_experts):
        token, place = torch.where(chosen == expert)
        gate, up = F.linear(x[token], self.gate_up_proj[expert]).chunk(2, dim=-1)
        h = self.act_fn(gate) * up
        y = y.index_add(0, token, WeightedProduct.apply(h, self.down_proj[expert], weights[token, place, None]))
    return y


class RoundedWeight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        return rounded(w)

    @staticmethod
    def backward(ctx, dw):
        return dw


@contextmanager
def rounding(model):
    """Products are rounded but those of routers."""
    inside = []

    def product(x, w, bias=None):
        if inside:
            return linear(x, w, bias)
        y = RoundedProduct.apply(x, w)
        return y if bias is None else y + bias

    def rows(ids, w, *arguments, **options):
        return embedding(ids, RoundedWeight.apply(w), *arguments, **options)

    routers = [m for n, m in model.named_modules() if "Router" in type(m).__name__ or n.endswith("mlp.gate")]
    for module in model.modules():
        if type(module).__name__.endswith("Experts"):
            module.forward = experts.__get__(module)
    hooks = []
    for router in routers:
        hooks.append(router.register_forward_pre_hook(lambda *_: inside.append(True)))
        hooks.append(router.register_forward_hook(lambda *_: inside.pop() and None))
    F.linear, F.embedding = product, rows
    try:
        yield
    finally:
        F.linear, F.embedding = linear, embedding
        for hook in hooks:
            hook.remove()


def compute(name, *arguments, dtype=torch.float64):
    """As make_architectures.compute, with rounded products."""
    load = make_architectures.load
    scopes = []

    def load_rounding(folder, dtype):
        model = load(folder, dtype)
        scopes.append(rounding(model))
        scopes[-1].__enter__()
        return model

    make_architectures.load = load_rounding
    try:
        return make_architectures.compute(make_architectures.FOLDER / name, dtype, *arguments)
    finally:
        make_architectures.load = load
        for scope in scopes:
            scope.__exit__(None, None, None)


def difference(a, b):
    """Of the vectors' lengths."""
    return ((a - b).norm() / b.norm()).item()


def flips(name, values, *arguments):
    """How far gradients are thrown by numbers that lie so close to the middle of two bfloat16 that float32's own rounding
    decides: the largest over tensors, in float32 and in some runs with noise of its size."""
    global noise
    runs = [compute(name, *arguments, dtype=torch.float32)]
    for run in range(RUNS):
        noise = torch.Generator().manual_seed(run)
        runs.append(compute(name, *arguments))
    noise = None
    gradients = [key for key in values if key.startswith("grad.")]
    return max(difference(v[key].double(), values[key].double()) for _, v in runs for key in gradients)


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    changes = {}
    for name in NAMES:
        golden = json.loads((make_architectures.FOLDER / name / "golden.json").read_text())
        sequences = [(s["prompt"], s["completion"]) for s in golden["sequences"]]
        arguments = (sequences, [s["coefficients"] for s in golden["sequences"]])
        _, exact = make_architectures.compute(make_architectures.FOLDER / name, torch.float64, *arguments)
        _, values = compute(name, *arguments)
        change = {"logits": [], "grad": []}
        for key in exact:
            change[key.split(".")[0]].append(difference(values[key].double(), exact[key].double()))
        changes[name] = {key: sorted(c)[len(c) // 2] for key, c in change.items()}
        if "moe" in name or "mixtral" in name:
            changes[name]["flips"] = flips(name, values, *arguments)
        save_file({k: v.float().contiguous() for k, v in values.items()}, FOLDER / f"{name}.safetensors")
        print(name, changes[name])
    # How much the rounding changes: the median over tensors of |Δ| / |exact|, as lengths of vectors; of a
    # sparse model, where one flip reaches many tensors, what flips change too.
    write_json(FOLDER / "rounding.json", changes)


if __name__ == "__main__":
    main()
