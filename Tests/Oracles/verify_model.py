"""Loads a model directory in transformers, and compares its logits with ours.

    python Tests/Oracles/verify_model.py DIR [--ids 1,2,3] [--logits FILE.json] [--tolerance 1e-4]

FILE.json: an array of logits, [V] for those that follow the last id (`m:logits(ids)`) or [T][V] for every id; or an
object {"ids": [...], "logits": ...}, whose ids are used when --ids is absent. Exit 1: missing or unexpected tensors,
or a difference above the tolerance.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--ids", help="comma-separated token ids")
    arguments.add_argument("--logits", type=Path)
    arguments.add_argument("--tolerance", type=float, default=1e-4)
    options = arguments.parse_args()
    transformers.logging.disable_progress_bar()

    kind = json.loads((options.directory / "config.json").read_text())["model_type"]
    extra = {"experts_implementation": "eager"} if "moe" in kind else {}
    model, info = AutoModelForCausalLM.from_pretrained(
        options.directory, dtype=torch.float32, attn_implementation="eager", output_loading_info=True, **extra
    )
    model.eval()
    print(f"{type(model).__name__}: {sum(p.numel() for p in model.parameters())} parameters")
    wrong = {key: value for key, value in info.items() if value}
    print(f"missing, unexpected or mismatched: {wrong or 'none'}")

    tokenizer = None
    if (options.directory / "tokenizer.json").exists():
        tokenizer = AutoTokenizer.from_pretrained(options.directory)
        text = "What is 12 + 7?"
        ids = tokenizer(text)["input_ids"]
        print(f"tokenizer: {len(tokenizer)} entries; {text!r} -> {ids} -> {tokenizer.decode(ids)!r}")

    ours = json.loads(options.logits.read_text()) if options.logits else None
    ids = [int(i) for i in options.ids.split(",")] if options.ids else None
    if isinstance(ours, dict):
        ids = ids or ours["ids"]
        ours = ours["logits"]
    if ids:
        with torch.no_grad():
            theirs = model(torch.tensor([ids])).logits[0]
        value, index = theirs[-1].topk(5)
        print("top logits after the last id:", [(i, round(v, 5)) for i, v in zip(index.tolist(), value.tolist())])
        if ours is not None:
            ours = torch.tensor(ours, dtype=torch.float64)
            theirs = theirs[-1] if ours.ndim == 1 else theirs
            if ours.shape != theirs.shape:
                sys.exit(f"logits have shape {list(ours.shape)}, transformers' {list(theirs.shape)}")
            difference = (ours - theirs.double()).abs().max().item()
            print(f"largest difference: {difference:.3g}")
            if not difference <= options.tolerance:
                sys.exit(1)
    elif ours is not None:
        sys.exit("--logits needs --ids, or a file with ids")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
