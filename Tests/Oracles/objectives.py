"""The objectives as functions of per-token log-probabilities: the reading of the paper that the engine follows.

Every log-probability argument is a list of 1-d tensors, one per sequence; masks likewise, 1 for tokens that count.
"""

import torch


def mean(logp, mask):
    """J(x): the mean over the tokens that count."""
    return (logp * mask).sum() / mask.sum()


def sft(logps, masks, normalization):
    if normalization == "sequence":
        return -sum(mean(l, m) for l, m in zip(logps, masks)) / len(logps)
    return -sum((l * m).sum() for l, m in zip(logps, masks)) / sum(m.sum() for m in masks)


def advantages(rewards, reference_reward, group="with_reference", scale="std", epsilon=0.0):
    """Â of the samples, and of the reference."""
    members = list(rewards) + ([reference_reward] if group == "with_reference" else [])
    if all(r == members[0] for r in members):
        return [0.0] * len(rewards), 0.0
    members = torch.tensor(members, dtype=torch.float64)
    mu = members.mean().item()
    divisor = (members.std(correction=0).item() + epsilon) if scale == "std" else 1.0
    return [(r - mu) / divisor for r in rewards], (reference_reward - mu) / divisor


def grao(groups, weights, **advantage):
    """loss, {part: value} and the advantages of each group.

    A group: {"samples": [logp], "sample_masks": [mask], "rewards": [R], "reference": logp, "reference_mask": mask,
    "reference_reward": R}. The parts carry the objective's sign and their weights, averaged over the groups:
    loss = −(exploration + imitation + regularizer).
    """
    parts = {"exploration": 0.0, "imitation": 0.0, "regularizer": 0.0}
    all_advantages = []
    for g in groups:
        a, a_reference = advantages(g["rewards"], g["reference_reward"], **advantage)
        all_advantages.append({"samples": a, "reference": a_reference})
        j = [mean(l, m) for l, m in zip(g["samples"], g["sample_masks"])]
        j_reference = mean(g["reference"], g["reference_mask"])
        share = 1 / (len(j) * len(groups))
        for a_i, j_i in zip(a, j):
            parts["exploration"] += weights["exploration"] * share * a_i * j_i
            parts["imitation"] += weights["imitation"] * share * a_reference * j_reference
            parts["regularizer"] += weights["regularizer"] * share * a_i * (j_i - j_reference)
    return -sum(parts.values()), parts, all_advantages
