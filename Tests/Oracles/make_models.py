"""Writes Tests/Fixtures/models: tiny random checkpoints saved by transformers, and what transformers and torch make
of them (Tests/Fixtures/README.md describes the files).

    python Tests/Oracles/make_models.py        (then make_v4_configs.py: the folder is written anew)
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, GenerationConfig, LlamaConfig, Qwen3MoeConfig

import objectives
from checkpoints import gradients, largest_difference, largest_relative_difference, parameters
from fixtures import write_json
from reference import Reference

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "models"
TEMPERATURE = 0.7
# With torch's eps of 1e-8 an element of tiny gradient would move by its rounding noise, and nothing could be compared
# closely; adamw.json has that eps.
OPTIMIZER = {"learning_rate": 1e-2, "betas": [0.9, 0.999], "eps": 1e-4, "weight_decay": 0.1, "max_grad_norm": 1.0}
REWARDS = {"samples": [1.0, 0.2], "reference": 0.7}
WEIGHTS = {"exploration": 1.0, "imitation": 0.5, "regularizer": 0.6}
NEW_TOKENS = 16

SHARED = dict(
    vocab_size=96,
    num_hidden_layers=3,
    num_key_value_heads=2,
    max_position_embeddings=64,
    bos_token_id=1,
    eos_token_id=2,
    dtype="float32",
)
LLAMA = SHARED | dict(hidden_size=48, intermediate_size=80, num_attention_heads=6, rms_norm_eps=1e-5)
MODELS = {
    "llama": (1, LlamaConfig(**LLAMA, rope_parameters={"rope_type": "default", "rope_theta": 10000.0})),
    "llama_tied": (
        2,
        LlamaConfig(
            **LLAMA | dict(num_hidden_layers=2),
            head_dim=16,
            tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        ),
    ),
    "qwen3_moe": (
        57,
        Qwen3MoeConfig(
            **SHARED,
            hidden_size=32,
            intermediate_size=40,
            num_attention_heads=4,
            head_dim=16,
            num_experts=6,
            num_experts_per_tok=2,
            moe_intermediate_size=24,
            norm_topk_prob=True,
            mlp_only_layers=[1],
            rms_norm_eps=1e-6,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
        ),
    ),
}
COPIES = ("llama", "qwen3_moe")


def initialise(model, generator):
    """Large random weights: spread logits, decisive routing, norm weights away from 1."""
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if name.endswith("norm.weight"):
            p.data = 1 + 0.3 * noise
        elif "embed_tokens" in name:
            p.data = noise * (0.3 if model.config.tie_word_embeddings else 1.0)
        else:
            gain = 2.0 if name.endswith("mlp.gate.weight") else 2.0 if "lm_head" in name else 1.2
            p.data = gain * noise / p.shape[-1] ** 0.5


def draw_sequences(generator, vocabulary):
    """Two sequences that share a prompt of 7 ids, a third of its own, and a reference completion of the first prompt.
    The ids 0, 1 and 2 (padding, begin, end) are left out."""
    ids = lambda n: torch.randint(3, vocabulary, (n,), generator=generator).tolist()
    shared = ids(7)
    sequences = [(shared, ids(5)), (shared, ids(3)), (ids(4), ids(6))]
    return sequences, ids(4)


def load(folder, **options):
    options = {"dtype": torch.float32, "attn_implementation": "eager"} | options
    if "qwen3_moe" in folder.name:
        options["experts_implementation"] = "eager"
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **options)
    if any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise SystemExit(f"{folder}: {info}")
    return model.eval()


def forward(model, ids):
    """Logits [T, V] of one sequence, from transformers or the reference."""
    return model(ids) if isinstance(model, Reference) else model(torch.tensor([ids])).logits[0]


def completion_logits(model, prompt, completion):
    return forward(model, prompt + completion)[len(prompt) - 1 : -1]


def logprobs(model, prompt, completion, temperature=1.0):
    rows = torch.log_softmax(completion_logits(model, prompt, completion) / temperature, dim=-1)
    return rows[torch.arange(len(completion)), completion]


def entropy(model, prompt, completion):
    rows = torch.log_softmax(completion_logits(model, prompt, completion), dim=-1)
    return -(rows.exp() * rows).sum(-1)


def differentiate(model, loss):
    for _, p in model.named_parameters():
        p.grad = None
    loss.backward()
    return loss.item(), gradients(model)


def weighted(model, sequences, coefficients):
    """L = Σ_t c_t · logp_t over the completion tokens of all sequences, and its gradient."""
    terms = [(torch.tensor(c, dtype=torch.float64) * logprobs(model, *s).double()).sum()
             for s, c in zip(sequences, coefficients)]
    return differentiate(model, sum(terms))


def sft_steps(model, sequences):
    """Two AdamW steps on the SFT loss: the record of each step. The weights change in place."""
    o = OPTIMIZER
    all_parameters = [p for _, p in model.named_parameters()]
    matrices = [p for p in all_parameters if p.ndim >= 2]
    vectors = [p for p in all_parameters if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": o["weight_decay"]}, {"params": vectors, "weight_decay": 0.0}],
        lr=o["learning_rate"], betas=tuple(o["betas"]), eps=o["eps"])
    steps = []
    for _ in range(2):
        logps = [logprobs(model, *s) for s in sequences]
        loss, _ = differentiate(model, objectives.sft(logps, [torch.ones_like(l) for l in logps], "sequence"))
        norm = torch.nn.utils.clip_grad_norm_(all_parameters, o["max_grad_norm"])
        optimizer.step()
        steps.append({"loss": loss, "grad_norm": norm.item()})
    return steps


def grao(model, sequences, reference, group):
    prompt = sequences[0][0]
    logps = [logprobs(model, *s).double() for s in sequences[:2]]
    logp_reference = logprobs(model, prompt, reference).double()
    record = {
        "samples": logps,
        "sample_masks": [torch.ones_like(l) for l in logps],
        "rewards": REWARDS["samples"],
        "reference": logp_reference,
        "reference_mask": torch.ones_like(logp_reference),
        "reference_reward": REWARDS["reference"],
    }
    loss, parts, advantages = objectives.grao([record], WEIGHTS, group=group)
    loss, grads = differentiate(model, loss)
    values = {"loss": loss} | {name: part.item() for name, part in parts.items()} | {"advantages": advantages[0]}
    return values, grads


def greedy(model, prompt):
    """transformers' own greedy continuation; refuses near ties and an end of sequence."""
    ids = torch.tensor([prompt])
    config = GenerationConfig(do_sample=False, max_new_tokens=NEW_TOKENS, eos_token_id=None, pad_token_id=0)
    out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[0].tolist()
    top = forward(model, out)[len(prompt) - 1 : -1].topk(2).values
    if 2 in out[len(prompt) :] or (top[:, 0] - top[:, 1]).min() < 1e-3:
        raise SystemExit(f"greedy continuation of {prompt}: a near tie, or the end of sequence: {out}")
    return out


def check_routing(gaps, where):
    if gaps and min(gaps) < 1e-3:
        raise SystemExit(f"{where}: routing is not decisive, gap {min(gaps)}")


def make_golden(folder, sequences, reference, coefficients):
    model = load(folder)
    twin = Reference(parameters(model), model.config)
    tensors, noise = {}, {}

    names = [f"logits.{i}" for i in range(len(sequences))]
    for target, m in (("float32", model), ("float64", twin)):
        with torch.no_grad():
            tensors[target] = {n: forward(m, p + c).clone() for n, (p, c) in zip(names, sequences)}
    noise["logits"] = largest_difference(tensors["float32"], tensors["float64"])
    golden = tensors["float32"]

    loss, grads = weighted(model, sequences, coefficients)
    _, exact = weighted(twin, sequences, coefficients)
    noise["grad"] = largest_relative_difference(grads, exact)
    golden |= {f"grad.{name}": g for name, g in grads.items()}

    with torch.no_grad():
        record = {
            "temperature": TEMPERATURE,
            "sequences": [
                {
                    "prompt": p,
                    "completion": c,
                    "logprobs": logprobs(model, p, c).tolist(),
                    "logprobs_at_temperature": logprobs(model, p, c, TEMPERATURE).tolist(),
                    "entropy": entropy(model, p, c).tolist(),
                    "coefficients": k,
                }
                for (p, c), k in zip(sequences, coefficients)
            ],
            "weighted": {"loss": loss},
        }
        noise["logprobs"] = max(
            (logprobs(model, *s).double() - logprobs(twin, *s)).abs().max().item() for s in sequences)
        continuations = [greedy(model, sequences[i][0]) for i in (0, 2)]
        record["greedy"] = [
            {"prompt": sequences[i][0], "completion": out[len(sequences[i][0]) :]}
            for i, out in zip((0, 2), continuations)
        ]
        for out in continuations:
            forward(twin, out)

    record["grao"] = {
        "prompt": sequences[0][0],
        "completions": [c for _, c in sequences[:2]],
        "reference": reference,
        "rewards": REWARDS["samples"],
        "reference_reward": REWARDS["reference"],
        "weights": WEIGHTS,
        "groups": {},
    }
    for group in ("with_reference", "samples"):
        record["grao"]["groups"][group], grads = grao(model, sequences, reference, group)
        _, exact = grao(twin, sequences, reference, group)
        if group == "with_reference":
            noise["grao_grad"] = largest_relative_difference(grads, exact)
            save_file({f"grad.{name}": g for name, g in grads.items()}, folder / "golden.grao.safetensors")

    check_every_parameter_used(model, sequences)
    steps = sft_steps(model, sequences)
    sft_steps(twin, sequences)
    after = parameters(model)
    noise["after"] = largest_difference(after, dict((n, p.detach()) for n, p in twin.named_parameters()))
    golden |= {f"after.{name}": p for name, p in after.items()}
    record["sft"] = {"optimizer": OPTIMIZER, "steps": steps}

    check_routing(twin.gaps, folder.name)
    record["smallest_routing_gap"] = min(twin.gaps, default=None)
    record["noise"] = noise
    save_file(golden, folder / "golden.safetensors")
    write_json(folder / "golden.json", record)
    print(folder.name, json.dumps(noise), record["smallest_routing_gap"], steps)


def check_every_parameter_used(model, sequences):
    """Every expert is chosen somewhere in the SFT sequences."""
    _, grads = differentiate(model, sum(logprobs(model, *s).sum() for s in sequences))
    unused = [name for name, g in grads.items() if g.abs().max() < 1e-3]
    if unused:
        raise SystemExit(f"no gradient: {unused}")


def make_copies(folder, sequences):
    """Float16, bfloat16 and sharded copies. Low precision gets logits of its own: float32 arithmetic on the rounded
    weights; the shards hold the float32 weights, so their values are the model's."""
    for dtype in ("float16", "bfloat16"):
        target = folder.with_name(f"{folder.name}_{dtype}")
        load(folder, dtype=getattr(torch, dtype)).save_pretrained(target)
        model = load(target)
        twin = Reference(parameters(model), model.config)
        with torch.no_grad():
            golden = {f"logits.{i}": forward(model, p + c) for i, (p, c) in enumerate(sequences)}
            exact = {f"logits.{i}": forward(twin, p + c) for i, (p, c) in enumerate(sequences)}
        check_routing(twin.gaps, target.name)
        print(target.name, "logits noise", largest_difference(golden, exact))
        save_file(golden, target / "golden.safetensors")
    load(folder).save_pretrained(folder.with_name(f"{folder.name}_sharded"), max_shard_size="100KB")


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, (seed, config) in MODELS.items():
        folder = FOLDER / name
        generator = torch.Generator().manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config)
        initialise(model, generator)
        model.save_pretrained(folder)
        sequences, reference = draw_sequences(generator, config.vocab_size)
        coefficients = [torch.randn(len(c), generator=generator).tolist() for _, c in sequences]
        make_golden(folder, sequences, reference, coefficients)
        if name in COPIES:
            make_copies(folder, sequences)


if __name__ == "__main__":
    main()
