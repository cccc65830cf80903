"""Advantages of several rewards, normalised one by one and then summed (GDPO, arXiv 2601.05242), by PyTorch in float64.

    python make_gdpo.py

writes Tests/Fixtures/objectives/gdpo.json. The formula is the one of TRL 1.16's GRPOTrainer for
multi_objective_aggregation = "normalize_then_sum", with the 1/n deviation and no epsilon in its place.
"""

import json
import pathlib

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def deviation(values, dim=None, keepdim=False):
    """The 1/n standard deviation over what is not NaN."""
    mean = values.nanmean() if dim is None else values.nanmean(dim=dim, keepdim=True)
    square = (values - mean) ** 2
    return (square.nanmean() if dim is None else square.nanmean(dim=dim, keepdim=keepdim)).sqrt()


def advantages(rewards, weights):
    """rewards [group, member, reward], NaN where one does not apply, to advantages [group, member]."""
    mean = rewards.nanmean(dim=1, keepdim=True)
    sigma = deviation(rewards, dim=1, keepdim=True)
    normal = torch.where(sigma > 0, (rewards - mean) / sigma, torch.where(rewards.isnan(), torch.nan, 0.0))
    summed = (normal * weights).nansum(dim=2)
    return (summed - summed.mean()) / deviation(summed)


cases = []
for groups, members, count in [(1, 3, 1), (3, 4, 2), (4, 9, 3), (2, 5, 4)]:
    rewards = torch.randn(groups, members, count) * torch.tensor([1.0, 100.0, 0.01, 3.0])[:count]
    weights = torch.tensor([1.0, 0.5, -0.25, 2.0])[:count]
    if count > 1:
        rewards[0, :, 1] = 7.0  # a reward without variance in its group
        rewards[-1, 0, 1] = torch.nan
        rewards[-1, 2, 1] = torch.nan
    cases.append(
        {
            "rewards": [[[None if r != r else r for r in member] for member in group] for group in rewards.tolist()],
            "weights": weights.tolist(),
            "advantages": advantages(rewards, weights).tolist(),
        }
    )

path = pathlib.Path(__file__).parent.parent / "Fixtures" / "objectives" / "gdpo.json"
path.write_text(json.dumps(cases, indent=1) + "\n")
