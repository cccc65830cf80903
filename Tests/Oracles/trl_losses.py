"""TRL's own loss code (trl 1.16), fed with log-probabilities in place of a model.

Every function takes what its namesake in objectives.py takes, and gives the loss.
"""

from types import SimpleNamespace
from unittest.mock import MagicMock

import torch
from trl import DPOTrainer, GRPOTrainer, KTOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

ACCELERATOR = SimpleNamespace(
    gather=lambda x: x,
    gather_for_metrics=lambda x: x,
    reduce=lambda x, **k: x,
    device="cpu",
    num_processes=1,
    sync_gradients=True,
)


def padded(rows):
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def grpo(samples, level, form, normalization, low, high, longest, kl_coefficient, kl_estimate):
    """Where TRL has the combination, else None."""
    if form == "cispo":
        kind = {"token": "cispo"}.get(normalization)
        if low != 1:
            kind = None
    else:
        kind = {"sequence": "grpo", "token": "dapo", "constant": "dr_grpo"}[normalization]
    if kind is None or (kl_coefficient and kl_estimate != "k3"):
        return None
    logp, mask = padded([s["logp"] for s in samples]), padded([s["mask"] for s in samples])
    stub = MagicMock()
    stub._get_per_token_logps_and_entropies = lambda *a, **k: (logp, torch.zeros_like(logp), None)
    stub.accelerator, stub.loss_type, stub.importance_sampling_level = ACCELERATOR, kind, level
    stub.epsilon_low, stub.epsilon_high = low, (1 + high if form == "cispo" else high)
    stub.beta, stub.max_completion_length, stub.top_entropy_quantile = kl_coefficient, longest, 1.0
    stub.off_policy_mask_threshold, stub.args.delta, stub.args.use_bias_correction_kl = None, None, False
    stub.args.steps_per_generation, stub.current_gradient_accumulation_steps = 1, 1
    stub.use_vllm = stub._entropy_bonus_enabled = stub.aux_loss_enabled = False
    inputs = {
        "prompt_ids": torch.zeros(len(samples), 1, dtype=torch.long),
        "prompt_mask": torch.ones(len(samples), 1, dtype=torch.long),
        "completion_ids": torch.zeros(logp.shape, dtype=torch.long),
        "completion_mask": mask,
        "advantages": torch.tensor([s["advantage"] for s in samples], dtype=torch.float64),
        "old_per_token_logps": padded([s["behaviour"] for s in samples]),
        "ref_per_token_logps": padded([s["frozen"] for s in samples]),
        "num_items_in_batch": mask.sum(),
    }
    return GRPOTrainer._compute_loss(stub, MagicMock(), inputs)


def model_of(logps, masks):
    """A "model" whose answer is these log-probabilities, after one prompt token."""
    log_probs = padded([logp * mask for logp, mask in zip(logps, masks)])
    zeros = torch.zeros_like(log_probs)
    outputs = SimpleNamespace(log_probs=log_probs, entropy=zeros, mean_logits=zeros, is_top1=zeros.bool())
    return lambda **k: outputs


def inputs_of(masks):
    completion_mask = padded([torch.cat([torch.zeros(1), mask]) for mask in masks])
    return {
        "input_ids": torch.zeros(completion_mask.shape, dtype=torch.long),
        "attention_mask": torch.ones(completion_mask.shape, dtype=torch.long),
        "completion_mask": completion_mask,
    }


def stub_of(loss_type, beta):
    stub = MagicMock()
    stub.accelerator, stub.aux_loss_enabled, stub.precompute_ref_logps = ACCELERATOR, False, False
    stub.loss_type, stub.loss_types, stub.loss_weights, stub.beta = loss_type, [loss_type], [1.0], beta
    stub.ld_alpha, stub.f_divergence_type, stub.use_weighting, stub._tp_size = None, "reverse_kl", False, 1
    stub._total_train_tokens, stub.use_liger_kernel = 0, False
    stub.model = MagicMock()
    stub.model.training = True
    return stub


def dpo(pairs, kind, beta, label_smoothing, gamma):
    both = [p["chosen"] for p in pairs] + [p["rejected"] for p in pairs]
    masks = [s["mask"] for s in both]
    if kind in ("sigmoid", "hinge", "ipo") and not label_smoothing:
        stub = stub_of(kind, beta)
        stub.ref_model = model_of([s["frozen"] for s in both], masks)
        return DPOTrainer._compute_loss(stub, model_of([s["logp"] for s in both], masks), inputs_of(masks), False)
    mean = lambda s: (s["logp"] * s["mask"]).sum() / s["mask"].sum()
    if kind == "simpo":
        stub = stub_of(kind, beta)
        stub.simpo_gamma, stub.alpha, stub.label_smoothing = gamma, 0.0, 0.0
        chosen, rejected = (torch.stack([mean(p[k]) for p in pairs]) for k in ("chosen", "rejected"))
        return CPOTrainer.cpo_loss(stub, chosen, rejected)[0].mean()
    if kind == "sigmoid":  # cDPO's label smoothing is left in CPO, of which DPO is the form with log-ratios.
        stub = stub_of(kind, beta)
        stub.alpha, stub.label_smoothing = 0.0, label_smoothing
        ratio = lambda s: ((s["logp"] - s["frozen"]) * s["mask"]).sum()
        chosen, rejected = (torch.stack([ratio(p[k]) for p in pairs]) for k in ("chosen", "rejected"))
        return CPOTrainer.cpo_loss(stub, chosen, rejected)[0].mean()
    if kind == "orpo":  # TRL's ORPO computes in float32, and adds the likelihood elsewhere.
        stub = stub_of(kind, beta)
        chosen, rejected = (torch.stack([mean(p[k]) for p in pairs]) for k in ("chosen", "rejected"))
        return chosen.neg().mean() - ORPOTrainer.odds_ratio_loss(stub, chosen, rejected)[0].mean()
    return None


def kto(responses, mismatched, beta, desirable_weight, undesirable_weight):
    masks = [r["mask"] for r in responses]
    stub = stub_of("kto", beta)
    stub.calculate_KL, stub.desirable_weight, stub.undesirable_weight = True, desirable_weight, undesirable_weight
    policy, reference = model_of([r["logp"] for r in responses], masks), MagicMock()
    reference.side_effect = model_of([r["frozen"] for r in responses], masks)
    stub.ref_model = reference
    stub._compute_kl_logps = lambda model, batch: mismatched["frozen" if model is reference else "logp"]
    inputs = inputs_of(masks) | {"label": torch.tensor([r["role"] == "chosen" for r in responses])}
    return KTOTrainer._compute_loss(stub, policy, inputs, False)
