"""Writes Tests/Fixtures/classifiers: tiny …ForSequenceClassification checkpoints saved by transformers, and what it computes
of them in float64; and Tests/Fixtures/ppo: a step of ppo on the language models of Fixtures/models with a value head.

    python Tests/Oracles/make_classifiers.py
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM, AutoModelForSequenceClassification, Gemma3TextConfig, LlamaConfig, MixtralConfig, Qwen3MoeConfig)

from architectures import SHARED
from fixtures import write_json
from make_architectures import initialise
from make_values import ppo

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
SMALL = SHARED | dict(num_labels=1, pad_token_id=None)
CLASSIFIERS = {
    "llama": (41, LlamaConfig(**SMALL)),
    "llama_tied": (42, LlamaConfig(**SMALL | dict(tie_word_embeddings=True))),
    "mixtral": (43, MixtralConfig(**SMALL | dict(intermediate_size=24), num_local_experts=4, num_experts_per_tok=2)),
    "qwen3_moe": (44, Qwen3MoeConfig(
        **SMALL, head_dim=16, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, norm_topk_prob=True)),
    "gemma3_text": (45, Gemma3TextConfig(
        **SMALL | dict(intermediate_size=24, tie_word_embeddings=True), head_dim=16, sliding_window=4,
        sliding_window_pattern=2, query_pre_attn_scalar=24)),
}
PPO = dict(gamma=0.95, lam=0.9, coefficient=0.3, whiten=True, low=0.2, high=0.2, value_clip=0.2, value_coefficient=0.5,
           normalization="token")
TEMPERATURE = 0.7


def load(kind, folder, dtype):
    options = {"dtype": dtype, "attn_implementation": "eager", "experts_implementation": "eager"}
    model, info = kind.from_pretrained(folder, output_loading_info=True, **options)
    if any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise SystemExit(f"{folder}: {info}")
    return model.eval()


def published_gradients(model, folder):
    """Gradients in the checkpoint's names and layout: saved as if they were the weights."""
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.grad if p.grad is not None else torch.zeros_like(p))
    model.save_pretrained(folder / "gradients")
    gradients = load_file(folder / "gradients" / "model.safetensors")
    shutil.rmtree(folder / "gradients")
    return {"grad." + name: g for name, g in gradients.items()}


def noise(exact, single):
    """The largest over tensors of max |difference| / max |value|."""
    return max((single[k].double() - v).abs().max().item() / max(v.abs().max().item(), 1e-30) for k, v in exact.items())


def classify(folder, dtype, sequences, coefficients):
    model = load(AutoModelForSequenceClassification, folder, dtype)
    scores = torch.stack([model(torch.tensor([p + c])).logits[0, 0] for p, c in sequences])
    (scores * torch.tensor(coefficients, dtype=dtype)).sum().backward()
    return scores.tolist(), published_gradients(model, folder)


def make_classifier(name, seed, config):
    folder = FIXTURES / "classifiers" / name
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForSequenceClassification.from_config(config)
    initialise(model, generator)
    model.save_pretrained(folder)
    ids = lambda n: torch.randint(3, config.vocab_size, (n,), generator=generator).tolist()
    shared = ids(6)
    sequences = [(shared, ids(5)), (shared, ids(1)), (ids(3), ids(7))]
    coefficients = torch.randn(3, generator=generator).tolist()
    scores, exact = classify(folder, torch.float64, sequences, coefficients)
    single_scores, single = classify(folder, torch.float32, sequences, coefficients)
    record = {
        "transformers": transformers.__version__,
        "sequences": [{"prompt": p, "completion": c} for p, c in sequences],
        "coefficients": coefficients, "scores": scores,
        "noise": {"scores": max(abs(a - b) for a, b in zip(scores, single_scores)), "grad": noise(exact, single)},
    }
    save_file({k: v.float().contiguous() for k, v in exact.items()}, folder / "golden.safetensors")
    write_json(folder / "golden.json", record)
    print(name, json.dumps(record["noise"]))


def step(folder, dtype, head, samples):
    """The loss of a step of ppo from the checkpoint, and the gradients of the policy and of the value head."""
    model = load(AutoModelForCausalLM, folder, dtype)
    head = head.to(dtype).requires_grad_()
    rows = []
    for s in samples:
        out = model(torch.tensor([s["prompt"] + s["ids"]]), output_hidden_states=True)
        first = len(s["prompt"]) - 1
        logp = torch.log_softmax(out.logits[0, first:-1] / TEMPERATURE, dim=-1)[torch.arange(len(s["ids"])), s["ids"]]
        values = (out.hidden_states[-1][0, first:-1] @ head.T)[:, 0]
        behaviour = logp.detach() + torch.tensor(s["shift"], dtype=dtype)
        rows.append({
            "logp": logp, "values": values, "behaviour": behaviour, "frozen": logp.detach(),
            "old_values": values.detach(), "mask": torch.ones_like(logp), "reward": s["reward"]})
    advantages, returns, loss = ppo(rows, **PPO)
    loss.backward()
    out = {k: [r[k].detach().tolist() for r in rows] for k in ("logp", "behaviour", "values")}
    return loss.item(), out, published_gradients(model, folder) | {"grad.score.weight": head.grad}


def make_step(name):
    folder, target = FIXTURES / "models" / name, FIXTURES / "ppo"
    target.mkdir(exist_ok=True)
    golden = json.loads((folder / "golden.json").read_text())
    generator = torch.Generator().manual_seed(7)
    config = json.loads((folder / "config.json").read_text())
    head = torch.randn(1, config["hidden_size"], generator=generator) * 0.3
    samples = []
    for s, reward in zip(golden["sequences"], (1.0, -0.4, 0.3)):
        shift = (0.8 * torch.rand(len(s["completion"]), generator=generator) - 0.4).tolist()
        samples.append({"prompt": s["prompt"], "ids": s["completion"], "reward": reward, "shift": shift})
    loss, values, exact = step(folder, torch.float64, head, samples)
    _, _, single = step(folder, torch.float32, head, samples)
    record = {
        "options": PPO | {"temperature": TEMPERATURE}, "samples": samples, "loss": loss, **values,
        "noise": {"grad": noise(exact, single)}}
    write_json(target / f"{name}.json", record)
    save_file({k: v.float().contiguous() for k, v in exact.items()} | {"score.weight": head}, target / f"{name}.safetensors")
    print(name, "ppo", json.dumps(record["noise"]))


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    for name, (seed, config) in CLASSIFIERS.items():
        make_classifier(name, seed, config)
    for name in ("llama", "qwen3_moe"):
        make_step(name)


if __name__ == "__main__":
    main()
