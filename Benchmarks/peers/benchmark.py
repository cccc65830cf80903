"""The engine beside its peers on one machine: the table of ratios, medians with the spread of rounds.

    pip install -r requirements.txt
    python benchmark.py ../../.build/release/grao-run [--models DIRECTORY] [--rounds 5] [--works grpo,generate,…]

Each work is measured in processes of their own, engine and peer in turns. A ratio above 1 is in the engine's favour: peer's
time over the engine's, or for memory the engine's peak over the peer's. The two models are made where they are missing.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORKS = {
    "grpo": "GRPO, whole step, against TRL",
    "generate": "sampling 32 × 64 tokens, against transformers",
    "generate1": "sampling 1 × 256 tokens, against transformers",
    "prompt": "a prompt of 512 tokens, against transformers",
    "train": "training step on 32 × 80 tokens, against PyTorch",
}


def measure(command):
    lines = subprocess.run(command, capture_output=True, text=True)
    if lines.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{lines.stderr}")
    records = [json.loads(line) for line in lines.stdout.splitlines() if line.startswith('{"')]
    return [r for r in records if "seconds" in r], records[-1]["peak_kilobytes"] / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", type=Path)
    parser.add_argument("--models", type=Path, default=HERE.parent.parent / "models")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", default=",".join(WORKS))
    parser.add_argument("--sizes", default="tiny,small")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    options = parser.parse_args()
    if not all((options.models / size / "config.json").exists() for size in options.sizes.split(",")):
        subprocess.run([options.engine, HERE.parent / "make-models.lua", options.models], check=True)
    print("| work | model | engine, tokens/s | peer, tokens/s | ratio | least … most | peak GB, engine / peer |")
    print("|---|---|---|---|---|---|---|")
    for work in options.works.split(","):
        for size in options.sizes.split(","):
            for dtype in options.dtypes.split(","):
                if dtype == "bfloat16" and size == "tiny":
                    continue
                model = options.models / size
                half = max(1, options.rounds // 2)
                sides = {
                    "engine": [options.engine, HERE.parent / "engine.lua", model, work],
                    "peer": [sys.executable, HERE / "torch_peer.py", model, work],
                }
                seconds, peaks, tokens = {"engine": [], "peer": []}, {}, 0
                for rounds in (half, options.rounds - half):  # in turns
                    for side, command in sides.items():
                        records, peak = measure([*map(str, command), str(rounds), dtype])
                        seconds[side] += [r["seconds"] for r in records]
                        peaks[side] = max(peaks.get(side, 0), peak)
                        tokens = records[0]["tokens"]
                ours, theirs = (statistics.median(seconds[s]) for s in ("engine", "peer"))
                low = min(seconds["peer"]) / max(seconds["engine"])
                high = max(seconds["peer"]) / min(seconds["engine"])
                print(
                    f"| {WORKS[work]} | {size} {dtype} | {tokens / ours:,.0f} | {tokens / theirs:,.0f} "
                    f"| {theirs / ours:.1f} | {low:.1f} … {high:.1f} | {peaks['engine']:.2f} / {peaks['peer']:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
