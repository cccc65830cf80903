"""tokenizer.json as it was published, from what a GGUF file holds of it: vocabulary and merges are the file's, the stages
those of the family (written here from the published files, by `tokenizer.ggml.pre`), and the answers that come with llama.cpp's
vocabularies, which are AutoTokenizer's, say whether they are right."""

import json

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + SPACES
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + SPACES
DEEPSEEK_LETTERS = (
    "A-Za-z\u00B5\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u01BA\u01BC-\u01BF\u01C4-\u0293\u0295-\u02AF\u0370-\u0373\u0376\u0377"
    "\u037B-\u037D\u037F\u0386\u0388-\u038A\u038C\u038E-\u03A1\u03A3-\u03F5\u03F7-\u0481\u048A-\u052F\u0531-\u0556\u10A0-"
    "\u10C5\u13A0-\u13F5\u13F8-\u13FD\u1C90-\u1CBA\u1CBD-\u1CBF\u1D00-\u1D2B\u1D6B-\u1D77\u1D79-\u1D9A\u1E00-\u1F15\u1F18-"
    "\u1F1D\u1F20-\u1F45\u1F48-\u1F4D\u1F50-\u1F57\u1F59\u1F5B\u1F5D\u1F5F-\u1F7D\u1F80-\u1FB4\u1FB6-\u1FBC\u1FBE\u1FC2-"
    "\u1FC4\u1FC6-\u1FCC\u1FD0-\u1FD3\u1FD6-\u1FDB\u1FE0-\u1FEC\u1FF2-\u1FF4\u1FF6-\u1FFC\u2102\u2107\u210A-\u2113\u2115"
    "\u2119-\u211D\u2124\u2126\u2128\u212A-\u212D\u212F-\u2134\u2139\u213C-\u213F\u2145-\u2149\u214E\u2183\u2184\u2C00-\u2C7B"
    "\u2C7E-\u2CE4\u2CEB-\u2CEE\u2CF2\u2CF3\uA640-\uA66D\uA680-\uA69B\uA722-\uA76F\uA771-\uA787\uA78B-\uA78E\uAB70-\uABBF"
    "\uFB00-\uFB06\uFB13-\uFB17\uFF21-\uFF3A\uFF41-\uFF5A\U00010400-\U0001044F\U000104B0-\U000104D3\U000104D8-\U000104FB"
    "\U00010C80-\U00010CB2\U00010CC0-\U00010CF2\U000118A0-\U000118DF\U0001E900-\U0001E943")
IDEOGRAPHS = "[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+"
NFC = {"type": "NFC"}
DIGITS = {"type": "Digits", "individual_digits": True}


def byte_level(use_regex=True):
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def sequence(*stages):
    return {"type": "Sequence", "pretokenizers": list(stages)}


def splits(*patterns):
    return sequence(*({"type": "Split", "pattern": {"Regex": p}, "behavior": "Isolated", "invert": False} for p in patterns), byte_level(False))


# Normalizer and pre-tokenizer.
BYTE_LEVEL = {
    "gpt-2": (None, byte_level()), "mpt": (NFC, byte_level()), "smollm": (None, sequence(DIGITS, byte_level())),
    "starcoder": (None, sequence(DIGITS, byte_level())), "refact": (None, sequence(DIGITS, byte_level())),
    "command-r": (NFC, sequence(DIGITS, byte_level())), "llama-bpe": (None, splits(LLAMA3)), "qwen2": (NFC, splits(QWEN2)),
    "qwen35": (NFC, splits(QWEN35)),
    "deepseek-coder": (None, splits(r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", IDEOGRAPHS, r"\p{N}")),
    "deepseek-llm": (None, splits(
        r"[\r\n]", rf"\s?[{DEEPSEEK_LETTERS}]+", "\\s?[!-/:-~\uFF01-\uFF0F\uFF1A-\uFF5E\u2018-\u201F\u3000-\u3002]+", r"\s+$", IDEOGRAPHS, r"\p{N}+")),
    "falcon": (None, sequence(
        {"type": "Punctuation", "behavior": "Contiguous"}, byte_level(), {"type": "Digits", "individual_digits": False},
        {"type": "Split", "pattern": {"Regex": "[0-9][0-9][0-9]"}, "behavior": "Isolated", "invert": False})),
}


def around(tokens, before, after):
    pieces = [*before, None, *after]
    single = [{"Sequence": {"id": "A", "type_id": 0}} if i is None else {"SpecialToken": {"id": tokens[i], "type_id": 0}} for i in pieces]
    return {"type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {
        tokens[i]: {"id": tokens[i], "ids": [i], "tokens": [tokens[i]]} for i in (*before, *after)}}


def bpe(vocabulary, merges, **options):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary, "merges": merges, **options}


def replace(old, new):
    return {"type": "Replace", "pattern": {"String": old}, "content": new}


def published(metadata):
    """The content of tokenizer.json, from a GGUF file's metadata by key."""
    data = {key.removeprefix("tokenizer.ggml."): value for key, value in metadata.items()}
    tokens, types, model, pre = data["tokens"], data["token_type"], data["model"], data.get("pre", "default")
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = [merge.split(" ") for merge in data.get("merges", [])]
    added = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": kind != 4}
             for i, (token, kind) in enumerate(zip(tokens, types)) if kind in ((3, 4) if model == "gpt2" else (2, 3, 4))]
    before = [data["bos_token_id"]] if data.get("add_bos_token", pre == "llama-bpe") else []
    post = around(tokens, before, []) if before else None
    out = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    fallback = [replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}]
    if model == "gpt2":
        normalizer, pre_tokenizer = BYTE_LEVEL[pre]
        return {**out, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post, "decoder": byte_level(),
                "model": bpe(vocabulary, merges, ignore_merges=pre == "llama-bpe")}
    if model == "gemma4":
        split = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
        return {**out, "normalizer": replace(" ", "▁"), "pre_tokenizer": split, "post_processor": post,
                "decoder": {"type": "Sequence", "decoders": fallback},
                "model": bpe(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)}
    if model == "bert":
        words = {token if kind == 3 else token[1:] if token[0] == "▁" else "##" + token: i for i, (token, kind) in enumerate(zip(tokens, types))}
        return {**out, "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "post_processor": around(tokens, [data["cls_token_id"]], [data["seperator_token_id"]]),
                "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
                "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": words}}
    if model == "llama":
        pairs = []
        for i, (token, score, kind) in enumerate(zip(tokens, data["scores"], types)):
            if kind == 1:
                pairs += [(-score, vocabulary[token[:k]], vocabulary[token[k:]]) for k in range(1, len(token)) if token[:k] in vocabulary and token[k:] in vocabulary]
        merges = [[tokens[left], tokens[right]] for _, left, right in sorted(pairs)]
        normalizers = [{"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")]
        strip = {"type": "Strip", "content": " ", "start": 1, "stop": 0}
        return {**out, "normalizer": {"type": "Sequence", "normalizers": normalizers}, "pre_tokenizer": None, "post_processor": post,
                "decoder": {"type": "Sequence", "decoders": [*fallback, strip]},
                "model": bpe(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)}
    raise ValueError(f"{model} is not known")


def pairs(path):
    """llama.cpp's texts and ids for a vocabulary."""
    with open(path + ".inp", encoding="utf-8", newline="") as file:
        texts = file.read().split("\n__ggml_vocab_test__\n")
    with open(path + ".out") as file:
        return list(zip(texts, ([int(i) for i in line.split()] for line in file)))


def check(path, tokenizer):
    """How many of llama.cpp's pairs `tokenizer` answers otherwise, and of how many."""
    answers = pairs(path)
    wrong = [text for text, ids in answers if tokenizer.encode(text, add_special_tokens=False).ids != ids]
    return wrong, len(answers)
