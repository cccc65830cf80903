"""Two threads against one, on the benchmark model "small" (or others): time of one over time of N, medians of rounds.

    python3 threads.py ../.build/release/grao-run ../models/small [MODEL…] [--works generate,train,grpo] [--threads 2]
"""

import argparse
import json
import statistics
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def seconds(engine, threads, model, work, dtype, rounds):
    command = [engine, "--threads", str(threads), HERE / "engine.lua", model, work, str(rounds), dtype]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [record["seconds"] for record in map(json.loads, lines) if "seconds" in record]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--works", default="generate,train,grpo")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    print(f"| work | model | 1 thread, s | {options.threads} threads, s | ratio |\n|---|---|---|---|---|")
    for model in options.models:
        for work in options.works.split(","):
            for dtype in options.dtypes.split(","):
                times = {1: [], options.threads: []}
                for _ in range(2):  # in turns
                    for threads, list in times.items():
                        list += seconds(options.engine, threads, model, work, dtype, options.rounds)
                one, many = (statistics.median(list) for list in times.values())
                print(f"| {work} | {model.name} {dtype} | {one:.3f} | {many:.3f} | {one / many:.2f} |", flush=True)


if __name__ == "__main__":
    main()
