"""Goldens of real vocabularies, and of each vocabulary as much as the goldens reach.

    python real_tokenizers.py DOWNLOADS OUT && python make_real_goldens.py OUT [NAME…]

Fixtures/tokenizers/real/NAME.json holds what HF tokenizers makes of hard texts by OUT/NAME/tokenizer.json, and under "tokenizer" that file
cut down to the tokens that lie inside the pieces which those texts are cut into, and the merges among them, with their ids and order. A
merge sees two neighbours whose whole is part of a piece, Unigram and WordPiece look up parts of pieces: so the small tokenizer gives
the ids of the whole one, and this script ends with an error where HF does not. Unigram has no ids but places: "places" are the real ids
of the kept ones. TokenizersTests read these files; against the whole vocabularies they run the same goldens with

    GRAO_REAL_TOKENIZERS=OUT swift test -c release --filter RealVocabularyTests
"""

import array
import heapq
import json
import os
import random
import sys
import zlib

from tokenizers import Tokenizer

fixtures = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures", "tokenizers")
sys.path.insert(0, fixtures)
from make import HARD  # noqa: E402

NAMES = [
    "anthropic", "deepseek", "smollm2", "llama-bpe", "qwen2", "qwen35", "gpt-2", "falcon", "command-r", "deepseek-llm", "deepseek-coder",
    "starcoder", "mpt", "llama-spm", "gemma-4", "bert-bge", "mistral-v3-first", "mistral-v7", "tekken-240911", "botchan-en-unigram-1000",
    "kyoto-ja-unigram-8000-first"]
MEGABYTE = ["a", " ", "\u5b57", "\u0301"]


def own_texts(content):
    """The vocabulary's own special tokens inside text."""
    tokens = [token["content"] for token in content["added_tokens"]][:400]
    picked = random.Random(1).sample(tokens, min(4, len(tokens)))
    return [text for t in picked for text in (f"a{t}b {t} c{t}{t}\n", t[:-1] + "x" + t.upper())]


def pieces(tokenizer, texts, added):
    """All that the model may see of the texts."""
    found = set()
    for text in texts:
        parts = [text]
        for token in added:
            parts += [rest for part in parts if token in part for rest in part.split(token)]
        for part in parts:
            for stripped in (part, part.strip()):
                normal = tokenizer.normalizer.normalize_str(stripped) if tokenizer.normalizer else stripped
                found |= {piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)} if tokenizer.pre_tokenizer else {normal}
    return found


def applied(merges, word):
    """The merges that a word goes through: always that of least rank, of equal ones the leftmost."""
    ranks = {tuple(merge): rank for rank, merge in enumerate(merges)}
    symbols, after = list(word), [*range(1, len(word)), None]
    before = [None, *range(len(word) - 1)]
    queue, used = [], set()

    def look(i):
        if i is not None and after[i] is not None and (rank := ranks.get((symbols[i], symbols[after[i]]))) is not None:
            heapq.heappush(queue, (rank, i, symbols[i], symbols[after[i]]))

    for i in range(len(word)):
        look(i)
    while queue:
        _, i, left, right = heapq.heappop(queue)
        other = after[i]
        if other is None or (symbols[i], symbols[other]) != (left, right):
            continue
        used.add((left, right))
        symbols[i], symbols[other], after[i] = left + right, None, after[other]
        if after[i] is not None:
            before[after[i]] = i
        look(before[i])
        look(i)
    return used


def is_run(token):
    return len(token) > 8 and token == token[0] * len(token)


def closure(content, texts):
    """`content` of a tokenizer.json cut down to what `texts` reach, and the real ids of its places where it has no ids."""
    tokenizer = Tokenizer.from_str(json.dumps(content))
    model = content["model"]
    unigram = model["type"] == "Unigram"
    vocabulary = {piece: i for i, (piece, _) in enumerate(model["vocab"])} if unigram else model["vocab"]
    longest = max(map(len, vocabulary))
    prefix = model.get("continuing_subword_prefix") or ""
    kept = {token for token in vocabulary if len(token) == 6 and token.startswith("<0x") and token.endswith(">")} if model.get("byte_fallback") else set()
    added = [token for token in content["added_tokens"] if len(content["added_tokens"]) < 30 or any(token["content"] in text for text in texts)]
    contents = [token["content"] for token in added]
    kept |= {token for token in [*contents, model.get("unk_token")] if token in vocabulary}
    for piece in pieces(tokenizer, texts, contents):
        for start in range(len(piece)):
            for end in range(start + 1, min(len(piece), start + longest) + 1):
                kept |= {token for token in (piece[start:end], prefix + piece[start:end]) if token in vocabulary}
    small = {**content, "added_tokens": added, "model": {**model}}
    post = small["post_processor"]
    if unigram:
        # What is unknown costs by the least score.
        kept |= {min(model["vocab"], key=lambda piece: piece[1])[0], model["vocab"][model["unk_id"]][0]}
        places = sorted(vocabulary[token] for token in kept)
        small["model"] |= {"vocab": [model["vocab"][i] for i in places], "unk_id": places.index(model["unk_id"])}
        small["added_tokens"] = [{**token, "id": places.index(token["id"])} for token in added]
        assert post is None
        return small, places
    for token in added:
        kept.add(token["content"])
    ids = vocabulary | {token["content"]: token["id"] for token in added}
    small["model"]["vocab"] = {token: ids[token] for token in sorted(kept, key=lambda token: ids[token])}
    if "merges" in model:
        merges = (merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"])
        merges = [merge for merge in merges if merge[0] in kept and merge[1] in kept and merge[0] + merge[1] in kept]
        # Some have a merge for every cut of a run of white space, thousands: of those, what a megabyte and the texts use.
        runs = {token[0] for token in map("".join, merges) if is_run(token)}
        lengths = {*range(8, 200), 8192, *(4096 + (1 << 20) // len(character.encode()) % 4096 + i for character in MEGABYTE for i in (0, 1))}
        used = {pair for character in runs for length in lengths for pair in applied([m for m in merges if {*m[0], *m[1]} == {character}], character * length)}
        merges = [merge for merge in merges if not is_run("".join(merge)) or tuple(merge) in used]
        # One string is shorter than two.
        small["model"]["merges"] = [" ".join(merge) for merge in merges] if not any(" " in part for merge in merges for part in merge) else merges
    return small, None


def crc(ids):
    return zlib.crc32(array.array("i", ids).tobytes())


def goldens(tokenizer, texts, lists, around=None):
    """What HF makes of texts and of lists of ids. Texts that come out of decoding as they went in are null."""
    def ids(text):
        plain = tokenizer.encode(text, add_special_tokens=False).ids
        if tokenizer.encode(text).ids != around[0] + plain + around[1]:
            raise ValueError(f"{text!r}: more around it than around others")
        return plain

    around = around or split_around(tokenizer)
    plain = [ids(text) for text in texts]
    decoded = [tokenizer.decode(around[0] + row + around[1]) for row in plain]
    everything = [tokenizer.decode(row, skip_special_tokens=False) for row in plain]
    big = []
    for character in MEGABYTE:
        row = tokenizer.encode(character * ((1 << 20) // len(character.encode())), add_special_tokens=False).ids
        big.append({"character": character, "count": len(row), "ids": crc(row), "decoded": zlib.crc32(tokenizer.decode(row, skip_special_tokens=False).encode())})
    return {
        "before": around[0], "after": around[1], "ids": plain, "decoded": [None if d == t else d for d, t in zip(decoded, texts)],
        "all": [None if d == t else d for d, t in zip(everything, texts)], "megabytes": big,
        "lists": [{"ids": row, "decoded": tokenizer.decode(row), "all": tokenizer.decode(row, skip_special_tokens=False)} for row in lists]}


def split_around(tokenizer):
    ids, plain = tokenizer.encode("a").ids, tokenizer.encode("a", add_special_tokens=False).ids
    start = next(i for i in range(len(ids) + 1) if ids[i:i + len(plain)] == plain)
    return ids[:start], ids[start + len(plain):]


def renumbered(value, number):
    """Goldens with the real ids in place of places; checksums of ids fall away."""
    def real(row):
        return [number[i] for i in row]
    return {
        **value, "before": real(value["before"]), "after": real(value["after"]), "ids": [real(row) for row in value["ids"]],
        "lists": [{**row, "ids": real(row["ids"])} for row in value["lists"]],
        "megabytes": [{key: row[key] for key in row if key != "ids"} for row in value["megabytes"]]}


def without_charsmap(content, charsmaps):
    """SentencePiece's table of replacements, 320 KB, is the same in both: it is kept once."""
    for stage in (content["normalizer"] or {}).get("normalizers", [content["normalizer"] or {}]):
        if stage.get("type") == "Precompiled":
            charsmaps.add(stage["precompiled_charsmap"])
            stage["precompiled_charsmap"] = "nmt_nfkc"
    return content


def write(path, value):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def main(out, *names):
    folder = os.path.join(fixtures, "real")
    os.makedirs(folder, exist_ok=True)
    texts = [text[:160] for text in HARD]
    write(os.path.join(folder, "texts.json"), texts)
    charsmaps = set()
    for name in names or NAMES:
        with open(os.path.join(out, name, "tokenizer.json"), encoding="utf-8") as file:
            content = json.load(file)
        content |= {"truncation": None, "padding": None}
        own = own_texts(content)
        longest = max(len(token if isinstance(token, str) else token[0]) for token in content["model"]["vocab"])
        small, places = closure(content, [*texts, *own, *(character * (longest + 9) for character in MEGABYTE)])
        whole = Tokenizer.from_file(os.path.join(out, name, "tokenizer.json"))
        part = Tokenizer.from_str(json.dumps(small))
        r = random.Random(2)
        known = places or sorted({*small["model"]["vocab"].values()} | {token["id"] for token in small["added_tokens"]})
        lists = [[r.choice(known) for _ in range(r.choice([1, 3, 9]))] for _ in range(16)]
        real = goldens(whole, [*texts, *own], lists)
        number = places or range(1 << 24)
        inverse = {i: place for place, i in enumerate(places)} if places else None
        if places:
            mine = renumbered(goldens(part, [*texts, *own], [[inverse[i] for i in row] for row in lists]), number)
            theirs = renumbered(real, range(1 << 24))
            if mine != theirs:
                sys.exit(f"{name}: the part gives other ids than the whole")
        elif goldens(part, [*texts, *own], lists) != real:
            sys.exit(f"{name}: the part gives other ids than the whole")
        value = {"texts": own, **real, **({"places": places} if places else {}), "tokenizer": without_charsmap(small, charsmaps)}
        write(os.path.join(folder, name + ".json"), value)
        print(name, os.path.getsize(os.path.join(folder, name + ".json")), flush=True)
    if charsmaps:
        [charsmap] = charsmaps
        write(os.path.join(folder, "nmt_nfkc.json"), charsmap)


if __name__ == "__main__":
    main(*sys.argv[1:])
