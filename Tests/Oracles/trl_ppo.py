"""TRL's own PPO: `PPOTrainer` of trl 0.11.4, the last version whose steps are functions that can be called.

    pip download --no-deps trl==0.11.4 && python -m zipfile -e trl-0.11.4-*.whl trl-0.11.4

Its modules cannot be imported beside today's transformers, so the functions are taken out of their files.
"""

import ast
import warnings
from collections.abc import Mapping, MutableMapping
from types import SimpleNamespace

import torch


def functions(path, names, namespace):
    """Defines some functions (or methods) of a file in `namespace`, from their own source."""
    tree = ast.parse(path.read_text())
    found = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name in names]
    for function in found:
        function.decorator_list, function.returns = [], None
        for argument in function.args.args:
            argument.annotation = None
    exec(compile(ast.Module(found, []), str(path), "exec"), namespace)


class TRL:
    def __init__(self, folder):
        self.names = {"torch": torch, "F": torch.nn.functional, "Dict": dict, "Mapping": Mapping, "MutableMapping": MutableMapping, "warnings": warnings}
        core = ["masked_mean", "masked_var", "masked_whiten", "clip_by_value", "entropy_from_logits", "flatten_dict"]
        functions(folder / "trl" / "core.py", core, self.names)
        methods = ["compute_rewards", "compute_advantages", "loss", "_kl_penalty"]
        functions(folder / "trl" / "trainer" / "ppo_trainer.py", methods, self.names)

    def ppo(self, samples, gamma, lam, coefficient, clip, value_clip, value_coefficient):
        """Advantages and returns of each sample, cut to its length, and the loss."""
        pad = lambda key: torch.nn.utils.rnn.pad_sequence([s[key] for s in samples], batch_first=True)
        stub = SimpleNamespace(
            config=SimpleNamespace(
                gamma=gamma, lam=lam, whiten_rewards=False, cliprange=clip, cliprange_value=value_clip,
                vf_coef=value_coefficient, kl_penalty="kl", ratio_threshold=1e9),
            kl_ctl=SimpleNamespace(value=coefficient))
        stub._kl_penalty = lambda *a: self.names["_kl_penalty"](stub, *a)
        scores = torch.tensor([s["reward"] for s in samples], dtype=torch.float64)
        mask = pad("mask")
        rewards, _, _ = self.names["compute_rewards"](stub, scores, pad("behaviour"), pad("frozen"), mask)
        old, advantages, returns = self.names["compute_advantages"](stub, pad("old_values"), rewards, mask)
        policy, value, _ = self.names["loss"](
            stub, pad("behaviour"), old, torch.zeros(*mask.shape, 2).double(), pad("values"), pad("logp"), mask,
            advantages, returns)
        cut = lambda rows: [row[: len(s["logp"])] for row, s in zip(rows, samples)]
        return cut(advantages), cut(returns), policy + value
