"""Times Sources/Tokenizers beside HF tokenizers on one core, in turns, and prints the ratios.

    pip install -r requirements.txt
    (cd .. && swift build -c release --product tokenizer)
    python tokenizers_peer.py ../.build/release/tokenizer DIRECTORY… --english FILE [--rounds 7]

Each DIRECTORY holds a tokenizer.json; FILE is English text, or JSON lines whose strings are. Every round loads both
tokenizers afresh in processes of their own and encodes 1 MB of the English and 1 MB of a mixed-script text with each, as a
whole and paragraph by paragraph, one time to warm up and one time that counts. HF tokenizers encodes by its fastest call,
which keeps no offsets. The ids must be the same.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

MEGABYTE = 1 << 20

# Scripts: share of the words, first and last letter, usual length of a word in letters, what stands between words.
SCRIPTS = [
    (4, "az", (2, 9), " "), (2, "àÿ", (2, 8), " "), (3, "ая", (2, 10), " "), (2, "αω", (2, 9), " "),
    (3, "بي", (2, 7), " "), (1, "את", (2, 6), " "), (3, "कह", (2, 7), " "), (1, "কহ", (2, 7), " "), (1, "கஹ", (3, 9), " "),
    (2, "กฮ", (8, 30), " "), (1, "აჰ", (3, 9), " "), (1, "աֆ", (3, 9), " "), (1, "ሀፗ", (2, 6), " "),
    (5, "一龥", (4, 20), ""), (3, "ぁん", (3, 10), ""), (1, "ァヶ", (3, 8), ""), (3, "가힣", (1, 5), " ")]
VOWEL_SIGNS = {"क": "ािीुूेैोौ्ं", "ক": "ািীুূেৈোৌ্", "க": "ாிீுூெேைொோௌ்", "ก": "ะาิีึืุูเแโ่้", "ب": "َُِّ"}
EMOJI = ["👋🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "😀", "🎉", "1️⃣"]


def mixed_text(size, seed=1):
    """Runs of words of one script after the other, with numbers, punctuation, code and emoji among them."""
    r = random.Random(seed)
    # Real text has words that come again, the most frequent ones far more often than most (Zipf).
    vocabularies = []
    for _, letters, (low, high), between in SCRIPTS:
        first, last = map(ord, letters)
        signs = VOWEL_SIGNS.get(letters[0], "")
        words = []
        for _ in range(6000):
            word = ""
            for _ in range(r.randint(low, high)):
                word += chr(r.randint(first, last))
                if signs and r.random() < 0.4:
                    word += r.choice(signs)
            words.append(word)
        vocabularies.append((words, between))
    weights = [script[0] for script in SCRIPTS]
    parts, length = [], 0
    while length < size:
        words, between = r.choices(vocabularies, weights)[0]
        sentence = ""
        for _ in range(r.randint(3, 25)):
            kind = r.random()
            if kind < 0.9:
                word = words[min(int(r.paretovariate(0.7)) - 1, len(words) - 1)] if r.random() < 0.6 else r.choice(words)
                sentence += word[0].upper() + word[1:] if kind < 0.1 else word
            elif kind < 0.95:
                sentence += str(r.randint(0, 10 ** r.randint(1, 7)))
            elif kind < 0.97:
                sentence += r.choice(EMOJI)
            else:
                sentence += r.choice(["x += f(y[0]);", "https://example.org/a?b=1", "\"…\"", "(—)", "don't", "50 %"])
            sentence += r.choice([between] * 8 + [", ", ": "])
        parts.append(sentence.rstrip() + r.choice([". ", ".\n", "!\n\n", "。", "? "]))
        length += len(parts[-1].encode())
    return cut("".join(parts), size)


def english_text(path, size):
    text = open(path, encoding="utf-8").read()
    if path.endswith(".jsonl"):
        rows = (json.loads(line) for line in text.splitlines())
        text = "\n\n".join("\n".join(value for value in row.values() if isinstance(value, str)) for row in rows)
    if len(text.encode()) < size:
        sys.exit(f"{path}: holds less than {size} bytes of text")
    return cut(text, size)


def cut(text, size):
    return text.encode()[:size].decode(errors="ignore")


def checksum(ids):
    return sum(id * place for place, id in enumerate(ids, 1)) % (1 << 32)


def peer(directory, paths):
    """What the executable prints, by HF tokenizers: lines of (name, ids, checksum, seconds)."""
    from tokenizers import Tokenizer

    start = time.perf_counter()
    tokenizer = Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
    print("load", 0, 0, 0, time.perf_counter() - start, 0, sep="\t")
    for path in paths:
        text = open(path, encoding="utf-8", newline="").read()
        for name, rows in [(path, [text]), (f"{path} paragraphs", text.split("\n\n"))]:
            start = time.perf_counter()
            ids = [id for row in tokenizer.encode_batch_fast(rows, add_special_tokens=False) for id in row.ids]
            seconds = time.perf_counter() - start
            print(name, sum(len(row.encode()) for row in rows), len(ids), checksum(ids), seconds, 0, sep="\t")


def lines(command):
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return [line.split("\t") for line in out.splitlines()]


def spread(values):
    return f"{statistics.median(values):8.2f} ({min(values):.2f}–{max(values):.2f})"


def main():
    if sys.argv[1:2] == ["--peer"]:
        return peer(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser()
    parser.add_argument("executable")
    parser.add_argument("directories", nargs="+")
    parser.add_argument("--english", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for name, text in [("English", english_text(options.english, MEGABYTE)), ("mixed", mixed_text(MEGABYTE))]:
            path = os.path.join(folder, name)
            names |= {path: name, f"{path} paragraphs": f"{name}, by paragraph"}
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
        # Every text two times: the first one warms up.
        texts = [path for path in names if os.path.exists(path) for _ in range(2)]
        for directory in options.directories:
            measure(options, directory, texts, names)


def measure(options, directory, texts, names):
    times = {}
    for _ in range(options.rounds):
        ours = lines([options.executable, directory, *texts, "--rounds", "1"])
        theirs = lines([sys.executable, os.path.abspath(__file__), "--peer", directory, *texts])
        counted = {}
        for mine, other in zip(ours, theirs, strict=True):
            if mine[0] != "load" and mine[1:4] != other[1:4]:
                sys.exit(f"{directory}: {names[mine[0]]}: the ids differ")
            counted[mine[0]] = (float(mine[4]), float(other[4]))
        for key, pair in counted.items():
            times.setdefault(key, []).append(pair)
    print(f"{directory}: median (least–most) of {options.rounds} rounds")
    for key, pairs in times.items():
        ours, theirs = zip(*pairs)
        ratio = spread([other / mine for mine, other in pairs])
        if key == "load":
            print(f"  load                   ours {spread(ours)} s      HF {spread(theirs)} s      HF / ours {ratio}")
        else:
            rates = [spread([MEGABYTE * 1e-6 / value for value in values]) for values in (ours, theirs)]
            print(f"  {names[key]:21}  ours {rates[0]} MB/s   HF {rates[1]} MB/s   HF / ours {ratio}")


if __name__ == "__main__":
    main()
