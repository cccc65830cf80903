"""Writes Tests/Fixtures/objectives/values.json: ppo and the reward model's loss, with their derivatives by torch autograd in
float64.

    python Tests/Oracles/make_values.py FOLDER        (an unpacked wheel of trl 0.11.4: see trl_ppo.py)

ppo without tokens masked in the middle is checked on the way against TRL's own PPO, the reward model's loss against TRL's
RewardTrainer.
"""

import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import torch
from trl import RewardTrainer

from fixtures import write_json
from trl_losses import ACCELERATOR
from trl_ppo import TRL

PATH = Path(__file__).resolve().parent.parent / "Fixtures" / "objectives" / "values.json"
generator = torch.Generator().manual_seed(5)


def uniform(length, low, high):
    return low + (high - low) * torch.rand(length, generator=generator).double()


def sample(length, masked):
    logp = uniform(length, -3, 0)
    mask = torch.ones(length).double()
    if masked:
        mask = torch.randint(0, 2, (length,), generator=generator).double()
        mask[0], mask[-2] = 1, 0
    old = uniform(length, -1, 1)
    return {
        "logp": logp.requires_grad_(),
        "behaviour": logp.detach() + uniform(length, -0.5, 0.5),
        "frozen": logp.detach() + uniform(length, -0.5, 0.5),
        "values": (old + uniform(length, -0.6, 0.6)).requires_grad_(),
        "old_values": old,
        "mask": mask,
        "reward": torch.randn(1, generator=generator).item(),
    }


def estimate(s, gamma, lam, coefficient):
    """Advantages and returns by their definition: Â_t = Σ_k (γλ)^k δ_{t+k} over the trained tokens."""
    places = [t for t in range(len(s["mask"])) if s["mask"][t]]
    rewards = -coefficient * (s["behaviour"] - s["frozen"])[places]
    rewards[-1] += s["reward"]
    values = torch.cat([s["old_values"][places], torch.zeros(1).double()])
    delta = rewards + gamma * values[1:] - values[:-1]
    n = len(places)
    advantages, returns = torch.zeros_like(s["mask"]), torch.zeros_like(s["mask"])
    for t in range(n):
        advantages[places[t]] = sum((gamma * lam) ** (k - t) * delta[k] for k in range(t, n))
        returns[places[t]] = advantages[places[t]] + values[t]
    return advantages, returns


def ppo(samples, gamma, lam, coefficient, whiten, low, high, value_clip, value_coefficient, normalization):
    estimates = [estimate(s, gamma, lam, coefficient) for s in samples]
    advantages, returns = [a for a, _ in estimates], [r for _, r in estimates]
    if whiten:
        every = torch.cat([a[s["mask"] > 0] for a, s in zip(advantages, samples)])
        advantages = [(a - every.mean()) * (every.var() + 1e-8).rsqrt() * s["mask"] for a, s in zip(advantages, samples)]
    loss = 0
    for s, a, r in zip(samples, advantages, returns):
        divisor = len(samples) * s["mask"].sum() if normalization == "sequence" else sum(x["mask"].sum() for x in samples)
        ratio = (s["logp"] - s["behaviour"]).exp()
        policy = -torch.minimum(ratio * a, ratio.clamp(1 - low, 1 + high) * a)
        v = s["values"]
        value = (v - r) ** 2
        if value_clip:
            value = torch.maximum(value, (v.clamp(s["old_values"] - value_clip, s["old_values"] + value_clip) - r) ** 2)
        loss = loss + ((policy + value_coefficient * value / 2) * s["mask"]).sum() / divisor
    return advantages, returns, loss


def ppo_case(trl, size, masked, **options):
    samples = [sample(int(torch.randint(3, 9, (1,), generator=generator)), masked) for _ in range(size)]
    advantages, returns, loss = ppo(samples, **options)
    inputs = [s["logp"] for s in samples] + [s["values"] for s in samples]
    gradient = torch.autograd.grad(loss, inputs)
    o = options
    is_theirs = (not masked and o["whiten"] and o["low"] == o["high"] and o["value_clip"]
                 and (o["normalization"] == "token" or len({len(s["logp"]) for s in samples}) == 1))
    if is_theirs:
        theirs = trl.ppo(samples, o["gamma"], o["lam"], o["coefficient"], o["low"], o["value_clip"], o["value_coefficient"])
        close = lambda a, b: torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
        for a, b in zip(advantages + returns, theirs[0] + theirs[1]):
            close(a, b)
        close(loss, theirs[2])
        for a, b in zip(gradient, torch.autograd.grad(theirs[2], inputs)):
            close(a, b)
    case = options | {"trl": bool(is_theirs), "samples": samples, "advantages": advantages, "returns": returns}
    return plain(case | {"loss": loss.item(), "dlogp": list(gradient[:size]), "dvalues": list(gradient[size:])})


def reward_case(size, margins, centering):
    scores = torch.randn(2, size, generator=generator).double().requires_grad_()
    margin = uniform(size, 0, 2) if margins else torch.zeros(size).double()
    w, l = scores
    loss = (-torch.nn.functional.logsigmoid(w - l - margin) + centering * (w + l) ** 2).mean()
    (gradient,) = torch.autograd.grad(loss, scores)
    stub = MagicMock()
    stub.accelerator, stub.args.center_rewards_coefficient = ACCELERATOR, centering
    stub.model.training, stub._total_train_tokens, stub._tp_size = True, 0, 1
    inputs = {"attention_mask": torch.ones(1)} | ({"margin": margin} if margins else {})
    model = lambda **k: SimpleNamespace(logits=scores.flatten()[:, None])
    theirs = RewardTrainer.compute_loss(stub, model, inputs)
    torch.testing.assert_close(loss, theirs, rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(gradient, torch.autograd.grad(theirs, scores)[0], rtol=1e-13, atol=1e-13)
    return plain({
        "centering": centering, "margins": margin, "chosen": w, "rejected": l, "loss": loss.item(),
        "dchosen": gradient[0], "drejected": gradient[1]})


def plain(value):
    """Tensors as arrays, and no −0."""
    if isinstance(value, torch.Tensor):
        return (value.detach() + 0.0).tolist()
    if isinstance(value, float):
        return value + 0.0
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def main():
    trl = TRL(Path(sys.argv[1]))
    cases = []
    for gamma, lam in ((1.0, 0.95), (0.9, 0.5), (1.0, 1.0), (0.97, 0.0)):
        for coefficient in (0.0, 0.2):
            for masked in (False, True):
                for normalization in ("token", "sequence"):
                    n = len(cases)
                    cases.append(ppo_case(
                        trl, 2 + n % 3, masked, gamma=gamma, lam=lam, coefficient=coefficient, whiten=n % 5 != 4, low=0.2,
                        high=0.28 if n % 7 == 6 else 0.2, value_clip=0.0 if n % 9 == 8 else 0.2,
                        value_coefficient=0.1 if n % 2 else 0.5, normalization=normalization))
    reward = [reward_case(size, margins, centering)
              for size in (1, 4) for margins in (False, True) for centering in (0.0, 0.05)]
    write_json(PATH, {"ppo": cases, "reward": reward})
    print(len(cases), "ppo cases,", sum(c["trl"] for c in cases), "of them TRL's too;", len(reward), "of reward models")


if __name__ == "__main__":
    main()
