"""Writes Tests/Fixtures/architectures: for every architecture (architectures.py) a tiny random checkpoint saved by
transformers, and what transformers computes of it in float64 (Tests/Fixtures/README.md describes the files).

    python Tests/Oracles/make_architectures.py [name …]        (default: all)
"""

import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from architectures import ARCHITECTURES
from fixtures import write_json

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "architectures"


def initialise(model, generator):
    """Every parameter and persistent buffer away from 0 and 1; logits spread, routing decisive."""
    for name, p in [*model.named_parameters(), *model.named_buffers()]:
        if not p.is_floating_point() or name.endswith("inv_freq") or "embed_scale" in name:
            continue
        noise = torch.randn(p.shape, generator=generator)
        if "norm" in name:
            p.data = p.data.mean().round() + 0.3 * noise
        elif p.ndim < 2 or name.endswith("bias"):
            p.data = 0.3 * noise
        elif "embed_tokens" in name:
            p.data = noise * (0.3 if model.config.tie_word_embeddings else 1.0)
        else:
            gain = 2.0 if "gate.weight" in name or "router" in name or "lm_head" in name else 1.2
            p.data = gain * noise / p.shape[-1] ** 0.5


def load(folder, dtype):
    options = {"dtype": dtype, "attn_implementation": "eager", "experts_implementation": "eager"}
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    if any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise SystemExit(f"{folder}: {info}")
    return model.eval()


def logprobs(model, prompt, completion):
    logits = model(torch.tensor([prompt + completion])).logits[0]
    rows = torch.log_softmax(logits[len(prompt) - 1 : -1].double(), dim=-1)
    return logits, rows[torch.arange(len(completion)), completion]


def compute(folder, dtype, sequences, coefficients):
    """Logits of each sequence, and the gradient of Σ c · logp in the checkpoint's tensors."""
    model = load(folder, dtype)
    loss, values = 0, {}
    for i, ((p, c), k) in enumerate(zip(sequences, coefficients)):
        logits, logp = logprobs(model, p, c)
        values[f"logits.{i}"] = logits.detach()
        loss = loss + (torch.tensor(k, dtype=torch.float64) * logp).sum()
    loss.backward()
    # The checkpoint's names and layout: the gradients are saved as if they were the weights.
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.grad if p.grad is not None else torch.zeros_like(p))
    model.save_pretrained(folder / "gradients")
    for name, g in load_file(folder / "gradients" / "model.safetensors").items():
        values["grad." + name] = g
    shutil.rmtree(folder / "gradients")
    return loss.item(), values


def make(name, seed, config, length):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    initialise(model, generator)
    model.save_pretrained(folder)
    ids = lambda n: torch.randint(3, config.vocab_size, (n,), generator=generator).tolist()
    shared = ids(length)
    sequences = [(shared, ids(5)), (shared, ids(3)), (ids(4), ids(length))]
    coefficients = [torch.randn(len(c), generator=generator).tolist() for _, c in sequences]

    loss, golden = compute(folder, torch.float64, sequences, coefficients)
    _, single = compute(folder, torch.float32, sequences, coefficients)
    noise = {"logits": 0.0, "grad": 0.0}
    trained = {n for n, _ in model.named_parameters()}
    for key, exact in golden.items():
        difference = (single[key].double() - exact.double()).abs().max().item()
        if key.startswith("logits"):
            noise["logits"] = max(noise["logits"], difference)
        else:
            largest = exact.abs().max().item()
            if largest == 0:
                print(f"{name}: no gradient: {key}")
            noise["grad"] = max(noise["grad"], difference / max(largest, 1e-30))
    if noise["logits"] > 1e-4:
        raise SystemExit(f"{name}: float32 and float64 part ways ({noise}): routing is not decisive, take another seed")
    golden = {k: v.float().contiguous() for k, v in golden.items() if not k.endswith("e_score_correction_bias")}
    save_file(golden, folder / "golden.safetensors")
    (folder / "generation_config.json").unlink(missing_ok=True)
    write_json(folder / "golden.json", {
        "transformers": transformers.__version__,
        "sequences": [{"prompt": p, "completion": c, "coefficients": k} for (p, c), k in zip(sequences, coefficients)],
        "loss": loss,
        "noise": noise,
    })
    print(name, json.dumps(noise))


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    for name in sys.argv[1:] or ARCHITECTURES:
        seed, config, length = ARCHITECTURES[name]
        make(name, seed, config, length)


if __name__ == "__main__":
    main()
