"""Small things that a user waits for: starting grao-run, calling a reward, loading data.

    python3 latency.py ../.build/release/grao-run [--starts 40]

Prints a table of what was measured and what it should stay under. The start is wall time from the call of the program to
its end, with a script that is empty; the median of many.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def starts(engine, count):
    with tempfile.NamedTemporaryFile(suffix=".lua") as script:
        times = []
        for _ in range(count + 3):
            begun = time.perf_counter()
            subprocess.run([engine, script.name], check=True)
            times.append(time.perf_counter() - begun)
    return statistics.median(times[3:]) * 1e3  # the first bring the files into memory


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", type=Path)
    parser.add_argument("--starts", type=int, default=40)
    options = parser.parse_args()
    rows = [{"what": "an empty script", "value": starts(options.engine, options.starts), "unit": "ms", "target": 50}]
    script = subprocess.run([options.engine, HERE / "latency.lua"], check=True, stdout=subprocess.PIPE, text=True)
    rows += [json.loads(line) for line in script.stdout.splitlines()]
    print("| what | measured | under |\n|---|---|---|")
    for row in rows:
        print(f"| {row['what']} | {row['value']:.3g} {row['unit']} | {row['target']} {row['unit']} |")


if __name__ == "__main__":
    main()
