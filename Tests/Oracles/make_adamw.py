"""Writes Tests/Fixtures/adamw.json: steps of torch.optim.AdamW with torch's clip_grad_norm_.

    python Tests/Oracles/make_adamw.py
"""

from pathlib import Path

import torch

from fixtures import write_json

PATH = Path(__file__).resolve().parent.parent / "Fixtures" / "adamw.json"
STEPS = 6
DEFAULTS = {"betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.01, "max_grad_norm": None}
SHAPES = {"matrix": (3, 4), "vector": (5,)}

# name, options, learning rate of each step, scale of the gradients
CASES = [
    ("defaults", {}, [1e-3] * STEPS, 1.0),
    ("no decay", {"weight_decay": 0.0}, [1e-2] * STEPS, 1.0),
    ("strong decay", {"weight_decay": 0.5}, [1e-1] * STEPS, 1.0),
    ("clipped", {"max_grad_norm": 1.0}, [1e-2] * STEPS, 3.0),
    ("below the clip", {"max_grad_norm": 100.0}, [1e-2] * STEPS, 1.0),
    ("clipped on some steps", {"max_grad_norm": 4.0}, [1e-2] * STEPS, 1.0),
    ("tiny gradients", {"max_grad_norm": 1.0}, [1e-2] * STEPS, 1e-7),
    ("other betas and eps", {"betas": [0.8, 0.95], "eps": 1e-5}, [1e-2] * STEPS, 1.0),
    ("learning rate of a schedule", {"max_grad_norm": 1.0}, [0.0, 1e-3, 1e-2, 5e-3, 1e-4, 0.0], 1.0),
    ("gradients of zero", {"weight_decay": 0.1}, [1e-2] * STEPS, 0.0),
]


def run(options, rates, initial, gradients, dtype):
    """Per step the norm before clipping, and the weights after it. Vectors are not decayed."""
    weights = {name: torch.nn.Parameter(w.to(dtype, copy=True)) for name, w in initial.items()}
    optimizer = torch.optim.AdamW(
        [
            {"params": [w], "weight_decay": options["weight_decay"] if w.ndim >= 2 else 0.0}
            for w in weights.values()
        ],
        betas=tuple(options["betas"]),
        eps=options["eps"],
        foreach=False,
    )
    steps = []
    for rate, gradient in zip(rates, gradients):
        for name, w in weights.items():
            w.grad = gradient[name].to(dtype, copy=True)
        limit = options["max_grad_norm"]
        norm = torch.nn.utils.clip_grad_norm_(weights.values(), float("inf") if limit is None else limit)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        steps.append(
            {"grad_norm": norm.item(), "after": {name: w.detach().flatten().tolist() for name, w in weights.items()}}
        )
    return steps


def main():
    generator = torch.Generator().manual_seed(5)
    cases = []
    for name, changes, rates, scale in CASES:
        options = DEFAULTS | changes
        initial = {n: torch.randn(shape, generator=generator) for n, shape in SHAPES.items()}
        gradients = [
            {n: scale * torch.randn(shape, generator=generator) for n, shape in SHAPES.items()} for _ in rates
        ]
        single, double = (run(options, rates, initial, gradients, dtype) for dtype in (torch.float32, torch.float64))
        cases.append(
            {
                "name": name,
                "options": options,
                "initial": {n: w.flatten().tolist() for n, w in initial.items()},
                "steps": [
                    {
                        "learning_rate": rate,
                        "gradients": {n: g.flatten().tolist() for n, g in gradient.items()},
                        "float32": s,
                        "float64": d,
                    }
                    for rate, gradient, s, d in zip(rates, gradients, single, double)
                ],
            }
        )
    write_json(PATH, {"shapes": SHAPES, "cases": cases})
    worst = max(
        abs(a - b)
        for case in cases
        for step in case["steps"]
        for n in SHAPES
        for a, b in zip(step["float32"]["after"][n], step["float64"]["after"][n])
    )
    print(len(cases), "cases; float32 from float64:", worst)


if __name__ == "__main__":
    main()
