"""Writes Tests/Fixtures/objectives/objectives.json: the objectives and their derivatives by torch autograd in float64.

    python Tests/Oracles/make_objectives.py

grpo, dpo and kto are checked on the way against TRL's own loss code.
"""

from pathlib import Path

import torch

import objectives
import trl_losses
from fixtures import write_json

PATH = Path(__file__).resolve().parent.parent / "Fixtures" / "objectives" / "objectives.json"
PAPER = {"exploration": 1.0, "imitation": 0.5, "regularizer": 0.6}
generator = torch.Generator().manual_seed(11)


def random_logp(length):
    """Float32 values, so that engines of either precision read the same ones."""
    return (-3 * torch.rand(length, generator=generator)).double()


def random_mask(length):
    """Zeros and ones with at least one of each."""
    mask = torch.randint(0, 2, (length,), generator=generator).double()
    mask[0], mask[1] = (0, 1) if torch.rand(1, generator=generator) < 0.5 else (1, 0)
    return mask


def random_reward():
    return torch.randn(1, generator=generator).item()


def sequence(length, masked=False):
    return {"logp": random_logp(length), "mask": random_mask(length) if masked else torch.ones(length).double()}


def plain(value):
    """Tensors as arrays, and no −0."""
    if isinstance(value, torch.Tensor):
        return (value.detach() + 0.0).tolist()
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def sft_case(name, lengths, normalization, masked=False):
    sequences = [sequence(n, masked) for n in lengths]
    logps = [s["logp"].requires_grad_() for s in sequences]
    loss = objectives.sft(logps, [s["mask"] for s in sequences], normalization)
    grads = list(torch.autograd.grad(loss, logps))
    return plain(
        {"name": name, "normalization": normalization, "sequences": sequences, "loss": loss.item(), "dlogp": grads}
    )


def grao_case(name, groups, group="with_reference", scale="std", epsilon=0.0, weights=PAPER, masked=False):
    """`groups`: per group the rewards of its samples and of its reference."""
    records, arguments, logps = [], [], []
    for rewards, reference_reward in groups:
        lengths = torch.randint(2, 7, (len(rewards) + 1,), generator=generator).tolist()
        sequences = [sequence(n, masked) for n in lengths]
        for s in sequences:
            s["logp"].requires_grad_()
        logps += [s["logp"] for s in sequences]
        records.append(
            {
                "samples": [s | {"reward": r} for s, r in zip(sequences, rewards)],
                "reference": sequences[-1] | {"reward": reference_reward},
            }
        )
        arguments.append(
            {
                "samples": [s["logp"] for s in sequences[:-1]],
                "sample_masks": [s["mask"] for s in sequences[:-1]],
                "rewards": rewards,
                "reference": sequences[-1]["logp"],
                "reference_mask": sequences[-1]["mask"],
                "reference_reward": reference_reward,
            }
        )
    loss, parts, advantages = objectives.grao(arguments, weights, group=group, scale=scale, epsilon=epsilon)
    grads = iter(torch.autograd.grad(loss, logps))
    dlogp = [{"samples": [next(grads) for _ in rewards], "reference": next(grads)} for rewards, _ in groups]
    return plain(
        {
            "name": name,
            "group": group,
            "scale": scale,
            "epsilon": epsilon,
            "weights": weights,
            "groups": records,
            "loss": loss.item(),
            **{part: value.item() for part, value in parts.items()},
            "advantages": advantages,
            "dlogp": dlogp,
        }
    )


def policies(length, masked, role=None, advantage=None):
    """A sequence that three policies have scored: ratios e^-0.5 … e^0.5."""
    s = sequence(length, masked)
    s["behaviour"], s["frozen"] = ((s["logp"] + torch.rand(length, generator=generator) - 0.5) for _ in range(2))
    return s | ({"role": role} if role else {}) | ({"advantage": advantage} if advantage is not None else {})


def checked(name, method, sequences, argument, **options):
    """The loss and its derivatives, after TRL has said the same."""
    for s in sequences:
        s["logp"].requires_grad_()
    logps = [s["logp"] for s in sequences]
    loss = getattr(objectives, method)(*argument, **options)
    grads = torch.autograd.grad(loss, logps)
    theirs = getattr(trl_losses, method)(*argument, **options)
    if theirs is not None:
        tolerance = 1e-6 if options.get("kind") == "orpo" else 1e-13
        torch.testing.assert_close(loss, theirs, rtol=tolerance, atol=tolerance)
        for a, b in zip(grads, torch.autograd.grad(theirs, logps)):
            torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)
    return {"name": name, "trl": theirs is not None} | options | {"loss": loss.item(), "dlogp": list(grads)}


def grpo_case(name, size, masked, **options):
    lengths = torch.randint(2, 7, (size,), generator=generator).tolist()
    samples = [policies(n, masked, advantage=random_reward()) for n in lengths]
    return plain(checked(name, "grpo", samples, (samples,), **options) | {"samples": samples})


def dpo_case(name, size, masked, **options):
    lengths = torch.randint(2, 7, (size, 2), generator=generator).tolist()
    pairs = [{"chosen": policies(w, masked), "rejected": policies(l, masked)} for w, l in lengths]
    sequences = [p[k] for p in pairs for k in ("chosen", "rejected")]
    return plain(checked(name, "dpo", sequences, (pairs,), **options) | {"pairs": pairs})


def kto_case(name, roles, masked, shift, **options):
    responses = [policies(int(torch.randint(2, 7, (1,), generator=generator)), masked, role=r) for r in roles]
    mismatched = {"logp": torch.zeros(len(roles)).double() + shift, "frozen": torch.zeros(len(roles)).double()}
    case = checked(name, "kto", responses, (responses, mismatched), **options)
    return plain(case | {"responses": responses, "reference_point": max(shift, 0.0)})


def random_group(size):
    return [random_reward() for _ in range(size)], random_reward()


def main():
    sft = []
    for normalization in ("sequence", "token"):
        sft += [
            sft_case(f"one sequence, {normalization}", [4], normalization),
            sft_case(f"one token, {normalization}", [1], normalization),
            sft_case(f"lengths 2 to 9, {normalization}", [2, 9, 5], normalization),
            sft_case(f"masks, {normalization}", [6, 3, 4, 8], normalization, masked=True),
        ]

    grao = []
    for group in ("with_reference", "samples"):
        case = lambda name, *a, **k: grao_case(f"{name}, {group}", *a, group=group, **k)
        grao += [case(f"{n} samples", [random_group(n)]) for n in (1, 2, 5, 8)]
        grao += [
            case("several groups", [random_group(n) for n in (2, 5, 1, 8)]),
            case("scale none", [random_group(5), random_group(2)], scale="none"),
            case("epsilon", [random_group(5), random_group(2)], epsilon=0.25),
            case("epsilon with scale none", [random_group(3)], scale="none", epsilon=0.25),
            case("masks", [random_group(4), random_group(3)], masked=True),
            case("binary rewards", [([1.0, 0.0, 0.0, 1.0], 1.0), ([0.0, 0.0, 0.0], 1.0)]),
            case("equal rewards", [([0.1] * 3, 0.1)]),
            case("equal rewards beside a group that differs", [([0.1] * 6, 0.1), random_group(3)]),
            case("equal rewards, scale none", [([0.1] * 3, 0.1)], scale="none"),
            case("equal rewards, epsilon", [([0.1] * 7, 0.1)], epsilon=1e-4),
            case("samples equal, reference above", [([0.0] * 4, 1.0)]),
            case("samples equal, reference above, scale none", [([0.0] * 4, 1.0)], scale="none"),
            case("rewards that barely differ", [([1.0, 1.0 + 2**-20], 1.0)]),
            case("large rewards", [([1e6, 1e6 + 1, 1e6 + 3], 1e6 + 2)]),
        ]
        for part in PAPER:
            grao.append(case(f"only {part}", [random_group(4)], weights={p: PAPER[p] * (p == part) for p in PAPER}))
            grao.append(case(f"no {part}", [random_group(4)], weights={p: PAPER[p] * (p != part) for p in PAPER}))
        grao += [
            case("all weights zero", [random_group(3)], weights=dict.fromkeys(PAPER, 0.0)),
            case("other weights", [random_group(3)], weights=dict(exploration=2.0, imitation=1.5, regularizer=0.1)),
        ]

    grpo = []
    for level in ("token", "sequence"):
        for form, low, high in (("clipped", 0.2, 0.2), ("clipped", 0.1, 0.28), ("cispo", 1.0, 0.2), ("cispo", 0.2, 0.2)):
            for normalization in ("sequence", "token", "constant"):
                for coefficient, estimate in ((0.0, "k3"), (0.3, "k1"), (0.3, "k2"), (0.3, "k3")):
                    masked = len(grpo) % 2 == 1
                    grpo.append(
                        grpo_case(
                            f"{level} {form} {low} {high} {normalization} {coefficient} {estimate}",
                            3 + len(grpo) % 3,
                            masked,
                            level=level,
                            form=form,
                            normalization=normalization,
                            low=low,
                            high=high,
                            longest=9,
                            kl_coefficient=coefficient,
                            kl_estimate=estimate,
                        )
                    )

    dpo = []
    for kind in ("sigmoid", "hinge", "ipo", "simpo", "orpo"):
        for beta in (0.1, 2.0):
            for masked in (False, True):
                for smoothing in (0.0, 0.2) if kind == "sigmoid" else (0.0,):
                    name = f"{kind} {beta} {smoothing}{' masked' * masked}"
                    dpo.append(dpo_case(name, 4, masked, kind=kind, beta=beta, label_smoothing=smoothing, gamma=0.5))

    kto = [
        kto_case(
            f"{' '.join(roles)} {shift}",
            roles,
            masked,
            shift,
            beta=0.5,
            desirable_weight=1.0,
            undesirable_weight=weight,
        )
        for roles in (["chosen", "rejected"], ["chosen", "chosen", "rejected"], ["rejected", "rejected"])
        for masked, shift, weight in ((False, 0.4, 1.0), (True, -0.3, 1.5))
    ]

    PATH.parent.mkdir(parents=True, exist_ok=True)
    write_json(PATH, {"sft": sft, "grao": grao, "grpo": grpo, "dpo": dpo, "kto": kto})
    print(len(sft), "sft and", len(grao), "grao cases")
    for name, cases in (("grpo", grpo), ("dpo", dpo), ("kto", kto)):
        print(len(cases), name, "cases,", sum(c["trl"] for c in cases), "of them TRL's too")


if __name__ == "__main__":
    main()
