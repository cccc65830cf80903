"""Compares Sources/Tokenizers with HF tokenizers on many strings.

    pip install tokenizers==0.23.3 && python fuzz_tokenizers.py OUT DIRECTORY… [--count 100000] [--seed 1] [--run]

For every directory with a tokenizer.json, OUT/<its name> gets the tokenizer and answers.jsonl: strings with HF's ids (with
and without special tokens) and the texts that it decodes them to. Where real_tokenizers.py put a GGUF file's metadata beside it, the
tokenizer of that must give the same. With --run, TokenizersTests checks them at once:

    GRAO_TOKENIZER_FUZZ=OUT swift test -c release -Xswiftc -enable-testing --filter DifferentialTests
"""

import argparse
import json
import os
import random
import shutil
import subprocess

from tokenizers import Tokenizer

WORDS = (
    "the quick Brown fox isn't HERE we'll they've 'S 'RE naïve Straße İstanbul ΣΊΣΥΦΟΣ быстрая лиса 自然言語処理 你好世界 "
    "안녕하세요 สวัสดี नमस्ते مرحبا שלום ｆｕｌｌ ﬁnance ½ Ⅷ ㍿ ½cup e\u0301 n\u0303 q\u0323\u0307 \u1112\u1175\u11c2 "
    "def return x+=1; {\"a\":[1,2]} <html> https://a.b/c?d=%20 snake_case camelCase 3.14159 12345678 ٣٤ १२").split(" ")
EMOJI = ["👋🏽", "👩‍👩‍👧‍👦", "🇩🇪🇫🇷", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "😀", "1️⃣", "\u200d", "\ufe0f", "🏽"]
EDGES = [
    "\ufffd", "\ufeff", "\ufffe", "\uffff", "\ud7ff", "\ue000", "\U0010ffff", "\U00010000", "\0", "\x01", "\x1f", "\x7f", "\x80",
    "\x85", "\x9f", "\xa0", "\xad", "\u200b", "\u200c", "\u2028", "\u2029", "\u202e", "\u2581", "\u0120", "\u010a", "\u3000",
    "\u180e", "<0x0A>", "<0xE4>", "<0x", "##", "</w>", "\r\n", "\n\r", "\t"]
BLOCKS = [(0x20, 0x7E)] * 4 + [
    (0x80, 0x24F), (0x250, 0x36F), (0x370, 0x3FF), (0x400, 0x52F), (0x530, 0x5FF), (0x600, 0x6FF), (0x900, 0xDFF), (0xE00, 0xFFF),
    (0x1000, 0x13FF), (0x1680, 0x1AFF), (0x1B00, 0x1EFF), (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x2BFF), (0x2C00, 0x2FFF),
    (0x3000, 0x30FF), (0x3100, 0x33FF), (0x3400, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xE000, 0xFAFF), (0xFB00, 0xFFFF),
    (0x10000, 0x10FFF), (0x11000, 0x12FFF), (0x13000, 0x1CFFF), (0x1D000, 0x1EFFF), (0x1F000, 0x1FFFF), (0x20000, 0x323AF),
    (0xE0000, 0xE01EF), (0, 0x10FFFF)]


def characters(r):
    low, high = r.choice(BLOCKS)
    values = (r.randint(low, high) for _ in range(r.choice([1, 1, 2, 4, 9])))
    return "".join(chr(value) for value in values if not 0xD800 <= value < 0xE000)


def string(r, specials):
    out = ""
    for _ in range(r.choice([1, 2, 3, 5, 8, 13])):
        kind = r.random()
        if kind < 0.30:
            out += r.choice(WORDS) + r.choice(["", " ", " ", "\n"])
        elif kind < 0.55:
            out += characters(r)
        elif kind < 0.65:
            out += r.choice(" \t\n\r") * r.choice([1, 1, 2, 3, 8])
        elif kind < 0.72:
            out += r.choice(EMOJI)
        elif kind < 0.84:
            out += r.choice(EDGES)
        elif kind < 0.94 and specials:
            special = r.choice(specials)
            out += r.choice([special, " " + special + " ", special[:-1], special * 2, special.upper()])
        else:
            out += r.choice(["a", "=", " ", "é", "字", "\n", "😀", "ab", "0", "\u0301", "ä "]) * r.choice([5, 17, 40, 130])
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("directories", nargs="+")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", action="store_true")
    options = parser.parse_args()
    for directory in options.directories:
        name = os.path.basename(os.path.normpath(directory))
        folder = os.path.join(options.out, name)
        os.makedirs(folder, exist_ok=True)
        for file in ("tokenizer.json", "gguf.json", "pairs.jsonl"):
            if os.path.exists(os.path.join(directory, file)):
                shutil.copy(os.path.join(directory, file), folder)
        tokenizer = Tokenizer.from_file(os.path.join(directory, "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        specials = [token.content for token in tokenizer.get_added_tokens_decoder().values()][:200]
        r = random.Random(f"{options.seed} {name}")
        with open(os.path.join(folder, "answers.jsonl"), "w") as file:
            for _ in range(options.count):
                text = string(r, specials)
                ids = tokenizer.encode(text).ids
                json.dump({
                    "text": text, "ids": ids, "plain": tokenizer.encode(text, add_special_tokens=False).ids,
                    "decoded": tokenizer.decode(ids), "all": tokenizer.decode(ids, skip_special_tokens=False)}, file)
                file.write("\n")
    if options.run:
        environment = {**os.environ, "GRAO_TOKENIZER_FUZZ": os.path.abspath(options.out)}
        command = ["swift", "test", "-c", "release", "-Xswiftc", "-enable-testing", "--filter", "DifferentialTests"]
        subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
