"""Parameters under the names that published checkpoints have."""

import torch


def published(tensors):
    """`{name: tensor}` of a transformers module, with its fused experts cut into the published ones.

    transformers 5 keeps `experts.gate_up_proj` [E, 2I, H] and `experts.down_proj` [E, H, I] in memory and writes
    `experts.<e>.gate_proj.weight` [I, H], `.up_proj.weight` [I, H] and `.down_proj.weight` [H, I].
    """
    out = {}
    for name, tensor in tensors.items():
        if name.endswith(".experts.gate_up_proj"):
            base = name.removesuffix(".gate_up_proj")
            for e, expert in enumerate(tensor):
                gate, up = expert.chunk(2, dim=0)
                out[f"{base}.{e}.gate_proj.weight"] = gate.contiguous()
                out[f"{base}.{e}.up_proj.weight"] = up.contiguous()
        elif name.endswith(".experts.down_proj"):
            base = name.removesuffix(".down_proj")
            for e, expert in enumerate(tensor):
                out[f"{base}.{e}.down_proj.weight"] = expert.contiguous()
        else:
            out[name] = tensor
    return out


def parameters(model):
    return published({name: p.detach().clone() for name, p in model.named_parameters()})


def gradients(model):
    return published(
        {
            name: torch.zeros_like(p) if p.grad is None else p.grad.detach().clone()
            for name, p in model.named_parameters()
        }
    )


def largest_difference(a, b):
    """The largest |a − b| over two `{name: tensor}` with the same names."""
    if a.keys() != b.keys():
        raise SystemExit(f"names differ: {sorted(a.keys() ^ b.keys())}")
    return max((a[k].double() - b[k].double()).abs().max().item() for k in a)


def largest_relative_difference(a, b):
    """The largest over the tensors of max |a − b| / max |b|; where b is all zeros, a must be too."""
    largest = 0.0
    for name in b:
        difference, scale = largest_difference({name: a[name]}, {name: b[name]}), b[name].abs().max().item()
        largest = max(largest, difference / scale if difference else 0.0)
    return largest
