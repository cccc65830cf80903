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


def surrogate(s, advantage, level, form, low, high):
    """The clipped surrogate of each token of a sequence, to be maximised."""
    log_ratio = s["logp"] - s["behaviour"]
    if level == "sequence":
        log_ratio = mean(log_ratio, s["mask"]).expand_as(log_ratio)
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - low, 1 + high)
    if form == "cispo":
        return clipped.detach() * advantage * s["logp"]
    return torch.minimum(ratio * advantage, clipped * advantage)


def kl(s, estimate):
    d = s["logp"] - s["frozen"]
    return {"k1": d, "k2": d * d / 2, "k3": torch.exp(-d) - 1 + d}[estimate]


def grpo(samples, level, form, normalization, low, high, longest, kl_coefficient, kl_estimate):
    """A sample: {"logp", "behaviour", "frozen", "mask", "advantage"}."""
    total = 0.0
    for s in samples:
        divisor = {
            "sequence": len(samples) * s["mask"].sum(),
            "token": sum(other["mask"].sum() for other in samples),
            "constant": len(samples) * longest,
        }[normalization]
        value = surrogate(s, s["advantage"], level, form, low, high)
        if kl_coefficient:
            value = value - kl_coefficient * kl(s, kl_estimate)
        total = total - (value * s["mask"]).sum() / divisor
    return total


def dpo(pairs, kind, beta, label_smoothing, gamma):
    """A pair: {"chosen", "rejected"}, each {"logp", "frozen", "mask"}."""
    log_sigmoid = torch.nn.functional.logsigmoid
    total = 0.0
    for pair in pairs:
        w, l = pair["chosen"], pair["rejected"]
        ratio = lambda s: ((s["logp"] - s["frozen"]) * s["mask"]).sum()
        j = lambda s: mean(s["logp"], s["mask"])
        if kind == "sigmoid":
            m = beta * (ratio(w) - ratio(l))
            value = -(1 - label_smoothing) * log_sigmoid(m) - label_smoothing * log_sigmoid(-m)
        elif kind == "hinge":
            value = torch.relu(1 - beta * (ratio(w) - ratio(l)))
        elif kind == "ipo":
            value = (ratio(w) / w["mask"].sum() - ratio(l) / l["mask"].sum() - 1 / (2 * beta)) ** 2
        elif kind == "simpo":
            value = -log_sigmoid(beta * (j(w) - j(l)) - gamma)
        elif kind == "orpo":
            log_odds = lambda s: j(s) - torch.log(-torch.expm1(j(s)))
            value = -j(w) - beta * log_sigmoid(log_odds(w) - log_odds(l))
        total = total + value / len(pairs)
    return total


def kto(responses, mismatched, beta, desirable_weight, undesirable_weight):
    """A response: {"role", "logp", "frozen", "mask"}; mismatched: {"logp", "frozen"}, sums over responses given to other
    prompts."""
    point = (mismatched["logp"] - mismatched["frozen"]).mean().clamp(min=0)
    total = 0.0
    for r in responses:
        ratio = ((r["logp"] - r["frozen"]) * r["mask"]).sum()
        if r["role"] == "chosen":
            value = desirable_weight * (1 - torch.sigmoid(beta * (ratio - point)))
        else:
            value = undesirable_weight * (1 - torch.sigmoid(beta * (point - ratio)))
        total = total + value / len(responses)
    return total
