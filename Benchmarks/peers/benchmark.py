"""The engine beside its peers on one machine: the table of ratios, medians with the spread of rounds.

    pip install -r requirements.txt
    python benchmark.py ../../.build/release/grao-run [--models DIRECTORY] [--rounds 5] [--works grpo,llama-generate,…]

Each work is measured in processes of their own, engine and peer in turns. A ratio above 1 is in the engine's favour: peer's
time over the engine's. After the rows come the ratios and the peaks of memory alone, a column a model. The models are made where they are missing, and
SmolLM2-135M is a third where scripts/get-smollm2.sh has fetched it; llama.cpp is built where it is missing (llama/build.sh).

llama.cpp does less than the engine in these rows: it draws no tokens (llama_peer.cpp). Of its two kinds of attention the
faster counts.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
LLAMA = REPOSITORY / ".build-llama" / "llama_peer"
WORKS = {
    "grpo": "GRPO, whole step, against TRL",
    "grao": "GRAO, whole step, against GRPO of TRL",
    "generate": "sampling 32 × 64 tokens, against transformers",
    "generate1": "sampling 1 × 256 tokens, against transformers",
    "prompt": "a prompt of 512 tokens, against transformers",
    "train": "training step on 32 × 80 tokens, against PyTorch",
    "llama-generate": "sampling 32 × 64 against llama.cpp",
    "llama-generate1": "sampling 1 × 256 against llama.cpp",
    "llama-prompt": "prompt of 512 against llama.cpp",
}
GGUF_TYPES = {"float32": "f32", "bfloat16": "bf16"}


class Side:
    """What one side of a row has measured."""

    def __init__(self, *command):
        self.command = [str(part) for part in command]
        self.seconds, self.peak, self.tokens = [], 0, 0

    def measure(self, rounds):
        if rounds == 0:
            return
        command = [part if part != "ROUNDS" else str(rounds) for part in self.command]
        lines = subprocess.run(command, capture_output=True, text=True)
        if lines.returncode:
            sys.exit(f"{' '.join(command)}\n{lines.stderr}")
        records = [json.loads(line) for line in lines.stdout.splitlines() if line.startswith('{"')]
        self.seconds += [r["seconds"] for r in records if "seconds" in r]
        self.tokens = records[0]["tokens"]
        self.peak = max(self.peak, records[-1]["peak_kilobytes"] * 1024 / 1e9)

    @property
    def median(self):
        return statistics.median(self.seconds)


def sides(options, work, size, dtype):
    """The engine, and the peers of which the faster counts."""
    model = options.models / size
    engine = Side(options.engine, HERE.parent / "engine.lua", model, work.removeprefix("llama-"), "ROUNDS", dtype)
    if not work.startswith("llama-"):
        theirs = "grpo" if work == "grao" else work  # TRL has no GRAO
        return engine, [Side(sys.executable, HERE / "torch_peer.py", model, theirs, "ROUNDS", dtype)]
    gguf = options.models / f"{size}-{GGUF_TYPES[dtype]}.gguf"
    threads = len(os.sched_getaffinity(0))
    llama = [LLAMA, gguf, work.removeprefix("llama-"), "ROUNDS", threads]
    return engine, [Side(*llama, attention) for attention in ("plain", "flash")]


def prepare(options):
    """Makes what is missing: models, their GGUF files, llama.cpp."""
    sizes = options.sizes.split(",")
    works = options.works.split(",")
    missing = [s for s in sizes if not (options.models / s / "config.json").exists()]
    if any(work.startswith("llama-") for work in works):
        missing += [s for s in sizes for t in GGUF_TYPES.values() if not (options.models / f"{s}-{t}.gguf").exists()]
        if not LLAMA.exists():
            subprocess.run(["sh", HERE / "llama" / "build.sh", sys.executable], check=True, stdout=sys.stderr)
    if missing:
        subprocess.run([options.engine, HERE.parent / "make-models.lua", options.models], check=True, stdout=sys.stderr)


def summary(title, cells):
    """A table of one number a cell, of {(work, model): text}."""
    models = list(dict.fromkeys(model for _, model in cells))
    print(f"\n| {title} | {' | '.join(models)} |\n|---|{'---|' * len(models)}")
    for work in dict.fromkeys(work for work, _ in cells):
        print(f"| {WORKS[work]} | {' | '.join(cells.get((work, model), '') for model in models)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", type=Path)
    parser.add_argument("--models", type=Path, default=REPOSITORY / "models")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--works", default=",".join(WORKS))
    parser.add_argument("--sizes", help="default: tiny,small, and smollm2 where its file is")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    options = parser.parse_args()
    if options.sizes is None:
        present = (options.models / "SmolLM2-135M-Instruct.gguf").exists()
        options.sizes = "tiny,small,smollm2" if present else "tiny,small"
    prepare(options)
    ratios, peaks = {}, {}
    print("| work | model | engine, tokens/s | peer, tokens/s | ratio | least … most | peak GB, engine / peer |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for work in options.works.split(","):
        for size in options.sizes.split(","):
            for dtype in options.dtypes.split(","):
                if dtype == "bfloat16" and size == "tiny":
                    continue
                engine, peers = sides(options, work, size, dtype)
                half = max(1, options.rounds // 2)
                for rounds in (half, options.rounds - half):  # in turns
                    for side in [engine, *peers]:
                        side.measure(rounds)
                peer = min(peers, key=lambda side: side.median)
                low = min(peer.seconds) / max(engine.seconds)
                high = max(peer.seconds) / min(engine.seconds)
                ratios[work, f"{size}, {dtype}"] = f"{peer.median / engine.median:.2f}"
                peaks[work, f"{size}, {dtype}"] = f"{engine.peak:.2f} / {peer.peak:.2f}"
                print(
                    f"| {WORKS[work]} | {size} {dtype} | {engine.tokens / engine.median:,.0f} "
                    f"| {peer.tokens / peer.median:,.0f} | {peer.median / engine.median:.2f} | {low:.2f} … {high:.2f} "
                    f"| {engine.peak:.2f} / {peer.peak:.2f} |",
                    flush=True,
                )
    summary("peer's time over the engine's", ratios)
    summary("peak memory in GB, engine / peer", peaks)


if __name__ == "__main__":
    main()
