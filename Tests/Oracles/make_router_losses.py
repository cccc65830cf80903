"""Writes Tests/Fixtures/router_losses: of each mixture of experts in Tests/Fixtures/architectures, what its routers'
losses are over the checkpoint's sequences, and their gradients, in float64 (Tests/Fixtures/README.md has the format).

    python Tests/Oracles/make_router_losses.py [name …]        (default: all)
"""

import importlib
import json
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.models.switch_transformers.modeling_switch_transformers import router_z_loss_func

from fixtures import write_json
from make_architectures import FOLDER as CHECKPOINTS, load

FOLDER = CHECKPOINTS.parent / "router_losses"
NAMES = [
    "deepseek_v2-groups", "deepseek_v2-sparse", "deepseek_v3", "deepseek_v3-sparse", "gpt_oss", "granitemoe", "mixtral",
    "olmoe", "qwen2_moe", "qwen3_moe-window"]


class Routers:
    """What each router says of the sequences that a model runs over: logits [T, E] and the experts chosen [T, K]."""

    def __init__(self, model):
        self.layers = {}
        for name, module in model.named_modules():
            if type(module).__name__.lower().endswith("topkrouter"):
                self.layers[name] = []
                module.register_forward_hook(lambda _, __, out, name=name: self.layers[name].append((out[0], out[2])))

    def run(self, model, sequences):
        for ids in sequences:
            model(torch.tensor([ids]))
        return [[(l.view(-1, l.shape[-1]), i.view(-1, i.shape[-1])) for l, i in calls] for calls in self.layers.values()]


def z_loss(layers):
    """Mean over tokens and layers, as transformers takes it of SwitchTransformers' routers."""
    return router_z_loss_func(torch.cat([logits for calls in layers for logits, _ in calls])[None])


def transformers_loss(model, layers):
    """The model's own load_balancing_loss_func, every token of the sequences in its place."""
    module = importlib.import_module(type(model).__module__)
    logits = tuple(torch.cat([logits for logits, _ in calls]) for calls in layers)
    config = model.config
    return module.load_balancing_loss_func(logits, logits[0].shape[-1], config.num_experts_per_tok)


def shares(chosen, experts):
    """[E]: how often each expert was chosen."""
    return torch.bincount(chosen.reshape(-1), minlength=experts).double()


def balance(probabilities, chosen):
    """Σ_e f_e P_e of T tokens: f_e = E / (K T) · choices of e, P_e = mean probability (arXiv 2401.06066, eq. 12 to 14)."""
    tokens, experts = probabilities.shape
    f = shares(chosen, experts) * experts / (chosen.shape[1] * tokens)
    return (f * probabilities.mean(0)).sum()


def deepseek_v2_loss(layers, by_sequence):
    """As modeling_deepseek.py that is published with DeepSeek-V2 takes it: the experts as routed, a mean over sequences
    (`seq_aux`) or over all tokens at once, and every layer's loss added to the others'."""
    total = 0
    for calls in layers:
        if by_sequence:
            terms = [balance(logits.softmax(-1), chosen) for logits, chosen in calls]
            total = total + sum(terms) / len(terms)
        else:
            logits, chosen = (torch.cat(parts) for parts in zip(*calls))
            total = total + balance(logits.softmax(-1), chosen)
    return total


def deepseek_v3_loss(layers, per_token):
    """The complementary sequence-wise loss, arXiv 2412.19437, eq. 17 to 20: the choice by the scores alone, and
    probabilities that are scores divided by their sum."""
    total = 0
    for calls in layers:
        terms = []
        for logits, _ in calls:
            scores = logits.sigmoid()
            chosen = scores.topk(per_token, dim=-1).indices
            terms.append(balance(scores / scores.sum(-1, keepdim=True), chosen))
        total = total + sum(terms) / len(terms)
    return total


def losses(model, layers):
    """Each loss by name."""
    kind = model.config.model_type
    found = {"z": z_loss(layers)}
    if kind == "deepseek_v2":
        found["aux"] = deepseek_v2_loss(layers, by_sequence=True)
        found["aux.tokens"] = deepseek_v2_loss(layers, by_sequence=False)
    elif kind == "deepseek_v3":
        found["aux"] = deepseek_v3_loss(layers, model.config.num_experts_per_tok)
    else:
        found["aux"] = transformers_loss(model, layers)
    return found


def published(model, gradients):
    """Gradients under the checkpoint's names: saved as if they were the weights."""
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        for p, gradient in zip(model.parameters(), gradients):
            p.copy_(torch.zeros_like(p) if gradient is None else gradient)
        model.save_pretrained(folder)
        return load_file(Path(folder) / "model.safetensors")


def is_compared(name):
    """The routers themselves, and the first layer's queries and the embedding, which every router's loss reaches."""
    router = name.endswith(("gate.weight", "router.weight", "router.bias", "router.layer.weight"))
    return router or "embed_tokens" in name or ("layers.0.self_attn.q" in name and name.endswith("weight"))


def make(name):
    golden = json.loads((CHECKPOINTS / name / "golden.json").read_text())
    model = load(CHECKPOINTS / name, torch.float64)
    # The last token is predicted, never read.
    sequences = [(s["prompt"] + s["completion"])[:-1] for s in golden["sequences"]]
    layers = Routers(model).run(model, sequences)
    found = losses(model, layers)
    parameters = list(model.parameters())
    gradients = {
        key: torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True) for key, loss in found.items()}
    tensors = {
        f"{key}.{name}": gradient.float().contiguous()
        for key, of_loss in gradients.items()
        for name, gradient in published(model, of_loss).items() if is_compared(name)}
    FOLDER.mkdir(exist_ok=True)
    save_file(tensors, FOLDER / f"{name}.safetensors")
    experts = layers[0][0][0].shape[-1]
    write_json(FOLDER / f"{name}.json", {
        "transformers": transformers.__version__,
        "losses": {key: loss.item() for key, loss in found.items()},
        "load": [shares(torch.cat([chosen for _, chosen in calls]), experts).long().tolist() for calls in layers],
    })
    print(name, {key: round(loss.item(), 6) for key, loss in found.items()}, sorted(tensors)[:8])


def main():
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    for name in sys.argv[1:] or NAMES:
        make(name)


if __name__ == "__main__":
    main()
