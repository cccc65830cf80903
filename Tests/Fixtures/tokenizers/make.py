"""Makes the fixtures of TokenizersTests and scripts/arithmetic-tokenizer with HF tokenizers.

    pip install tokenizers==0.23.3 sentencepiece==0.2.3 && python make.py

Tokenizers in the styles of published ones, trained here: byte-level BPE, and one or two of every other kind; small ones that show a single feature each;
and what HF makes of hard and of random strings, as goldens. Everything in the JSON files is ASCII.
"""

import array
import base64
import json
import os
import random
import tempfile
import zlib

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = os.path.dirname(os.path.abspath(__file__))

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

LANGUAGES = [
    "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and "
    "should act towards one another in a spirit of brotherhood. ",
    "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt. ",
    "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison. ",
    "Todos los seres humanos nacen libres e iguales en dignidad y derechos, dotados como están de razón. ",
    "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью. ",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. ",
    "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. ",
    "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميرًا. ",
    "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। ",
    "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ",
    "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. ",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. ",
]

HARD = [
    "", " ", "  ", "a", "\n", "\r\n", "\t", "\0", "Hello, world!", " hello  world ", "I'm sure they'd say WE'LL, don't you?",
    "it's 'S 'RE 'ſ", "12345678901234567890", "1+1=2; 3.14159e-10", "٣٤ १२ ０１２ ½ Ⅷ ²", "a1b22c333d4444",
    "line one\r\nline two\r\n\r\nline four\n\n\nend\r", "\t\ttabs\t and \u00a0 no-break\u3000ideographic \u2028 separators\x85",
    " " * 70 + "x" + " " * 33, "x" + "\n" * 40 + " \n \n\t\n", "def f(x):\n    if x > 0:\n        return x ** 2\n    return None\n",
    '{"key": [1, 2.5, null], "nested": {"a": "b\\n"}}', "for (int i = 0; i < n; ++i) { a[i] += b[i] * c; } // ok",
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "a<|endoftext|>b <|endoftext|> c<|endoftext|><|endoftext|>",
    "<|im_start", "|im_end|>", "<<|im_end|>>", "👋🏽 👩‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 😀😀😀", "é e\u0301 n\u0303 A\u030a \u1e9b\u0323 \u1100\u1161\u11a8 \u212b \u2126",
    "q\u0323\u0307 q\u0307\u0323 \u0301\u1abf \U00011935\U00011930 \u0344",
    # Composition at its edges: jamo within and just outside the ranges, a mark that decomposes into several, plane 14.
    "\uc18c\u11bc \ud734\u11bf \uac00\u11a7 \u1112\u1175\u11c2 \u1113\u1161 \u110c\u1176 \uac01\u11a8",
    "\u05a1\u0954\u0f75\u0f72 \u0343\u0340 \u0958\u0301 \U000e00f5\u0301 \u0301\u07fd \U0001d15e\U0001d165",
    "Zalgo: H\u0321\u0353e\u0360\u0317l\u0489l\u0338o\u0334",
    "\u202eright to left\u202c \u200bzero\u200dwidth\ufeff", "\U00031350\U000323af new letters \U00010d40\U00010d41 \ua7cb",
    "https://example.org/a/b?c=d&e=%20#frag", "snake_case camelCase kebab-case SCREAMING_CASE", "….—–“”‘’«»¿¡§¶†‡•",
    "a" * 300, "ab" * 200, "日本語" * 40, "!" * 65 + "?" * 30, "=" * 80 + "\n" + "-" * 80, "\U0010ffff\ufffe\ue000\ufffd",
    *LANGUAGES,
]


def random_texts(count, seed):
    """Strings of words, white space and characters from all over Unicode."""
    r = random.Random(seed)
    blocks = [(0x20, 0x7E)] * 6 + [
        (0xA0, 0x24F), (0x300, 0x36F), (0x400, 0x4FF), (0x600, 0x6FF), (0x900, 0x97F), (0x1100, 0x11FF), (0x2000, 0x206F),
        (0x2460, 0x24FF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFF00, 0xFFEF), (0x1F300, 0x1FAFF),
        (0x10000, 0x1FFFF), (0x20000, 0x323AF), (0xE0000, 0xE01EF), (0, 0x10FFFF)]
    texts = []
    for _ in range(count):
        out = ""
        for _ in range(r.choice([1, 2, 3, 5, 8, 13])):
            kind = r.random()
            if kind < 0.4:
                out += r.choice(HARD)[:20]
            elif kind < 0.55:
                out += r.choice(" \t\n\r") * r.choice([1, 1, 2, 7])
            else:
                low, high = r.choice(blocks)
                out += "".join(chr(c) for c in (r.randint(low, high) for _ in range(r.choice([1, 2, 4, 9])))
                               if not 0xD800 <= c < 0xE000)
        texts.append(out)
    return texts


def trained(pre_tokenizer, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    corpus = LANGUAGES * 20 + HARD * 3 + [f"{i} + {i * 7} = {i * 8}\n" for i in range(2000)]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=1800, special_tokens=CHATML, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return tokenizer


def byte_level(use_regex=True):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def split(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), byte_level(False)])


def gpt2():
    tokenizer = trained(byte_level())
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def smollm():
    digits = pre_tokenizers.Digits(individual_digits=True)
    return trained(pre_tokenizers.Sequence([digits, byte_level()]))


def qwen2():
    tokenizer = trained(split(QWEN2), normalizers.NFC())
    # Neither is in the model's vocabulary; the second is an ordinary token.
    tokenizer.add_special_tokens([AddedToken("<|box|>", normalized=False, special=True)])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False, special=False)])
    return tokenizer


def llama3():
    tokenizer = trained(split(LLAMA3))
    content = json.loads(tokenizer.to_str())
    # ignore_merges shows only where the merges do not lead to a token: leave some out.
    content["model"]["ignore_merges"] = True
    content["model"]["merges"] = [merge for i, merge in enumerate(content["model"]["merges"]) if i < 300 or i % 7]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|im_start|> $A", pair="<|im_start|> $A <|im_start|>:1 $B:1",
                                      special_tokens=[("<|im_start|>", tokenizer.token_to_id("<|im_start|>"))])])
    return tokenizer


def corpus():
    return LANGUAGES * 20 + HARD * 3


def trained_pieces(**options):
    """A small SentencePiece model (its pieces, and its table of replacements) of the corpus."""
    with tempfile.TemporaryDirectory() as folder:
        text, rules = os.path.join(folder, "text"), os.path.join(folder, "rules")
        with open(text, "w") as file:
            file.write("\n".join(line.replace("\n", " ").replace("\0", " ") for line in corpus()))
        with open(rules, "w") as file:
            for old, new in [("\uff41", "a"), ("e\u0301", "\u00e9"), ("\t", " "), ("\r", " "), ("\u2126", "\u03a9"), ("\ufb01", "fi"),
                             ("\u200b", ""), ("\u3000", " "), ("\u1100\u1161", "\uac00"), ("\u1e9b\u0323", "\u1e69")]:
                file.write(" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new) + "\n")
        model = os.path.join(folder, "m")
        sentencepiece.SentencePieceTrainer.train(
            input=text, model_prefix=model, vocab_size=1100, hard_vocab_limit=False, minloglevel=2, num_threads=1,
            normalization_rule_tsv=rules, **options)
        proto = sentencepiece_model_pb2.ModelProto()
        with open(model + ".model", "rb") as file:
            proto.ParseFromString(file.read())
        return proto


def unigram():
    """As XLM-RoBERTa's."""
    model = trained_pieces(model_type="unigram", character_coverage=0.99)
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in model.pieces], model.trainer_spec.unk_id, False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Precompiled(model.normalizer_spec.precompiled_charsmap), normalizers.Strip(left=False, right=True),
        normalizers.Replace(Regex(" {2,}"), "\u2581")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<s>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True, normalized=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    return tokenizer


FALLBACK = [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]


def unigram_bytes():
    model = trained_pieces(model_type="unigram", character_coverage=0.98, byte_fallback=True)
    tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in model.pieces], model.trainer_spec.unk_id, True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=False)
    tokenizer.decoder = decoders.Sequence(FALLBACK)
    tokenizer.add_special_tokens(["<s>", "</s>", "<unk>"])
    return tokenizer


def spm_bpe(first=False):
    """As Llama 2's; `first`: as its later form, which puts the space before the whole text only."""
    model = trained_pieces(model_type="bpe", character_coverage=0.98, byte_fallback=True, split_digits=True,
                           remove_extra_whitespaces=False, allow_whitespace_only_pieces=True)
    vocabulary = {p.piece: i for i, p in enumerate(model.pieces)}
    merges = []
    for piece in sorted((p for p in model.pieces if p.type == 1), key=lambda p: -p.score):
        pairs = [(piece.piece[:i], piece.piece[i:]) for i in range(1, len(piece.piece))]
        merges += sorted((p for p in pairs if p[0] in vocabulary and p[1] in vocabulary),
                         key=lambda p: (vocabulary[p[0]], vocabulary[p[1]]))
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if first:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = decoders.Sequence([*FALLBACK, decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in ["<unk>", "<s>", "</s>"]])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    return tokenizer


def word_piece():
    """As BERT's."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.train_from_iterator(corpus(), trainers.WordPieceTrainer(
        vocab_size=1200, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def suffix_bpe():
    """As CLIP's and GPT's: the end of a word is marked."""
    tokenizer = Tokenizer(models.BPE(unk_token="<u>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("contiguous")])
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=1200, special_tokens=["<u>"], end_of_word_suffix="</w>", show_progress=False))
    return tokenizer


def prefix_bpe():
    tokenizer = Tokenizer(models.BPE(unk_token="<u>", continuing_subword_prefix="##", fuse_unk=True))
    tokenizer.normalizer = normalizers.NFD()
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.decoder = decoders.WordPiece("##", False)
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=1200, special_tokens=["<u>"], continuing_subword_prefix="##", show_progress=False))
    return tokenizer


def write(path, value, **options):
    with open(path, "w", encoding="ascii") as file:
        json.dump(value, file, **(options or {"separators": (",", ":")}))
        file.write("\n")


def answers(tokenizer, texts, id_lists=()):
    encoded = [{
        "text": text, "ids": (ids := tokenizer.encode(text).ids), "plain": tokenizer.encode(text, add_special_tokens=False).ids,
        "decoded": tokenizer.decode(ids), "all": tokenizer.decode(ids, skip_special_tokens=False),
    } for text in texts]
    decoded = [{
        "ids": ids, "decoded": tokenizer.decode(ids), "all": tokenizer.decode(ids, skip_special_tokens=False),
    } for ids in id_lists]
    return {"encoded": encoded, "decoded": decoded}


def styles():
    r = random.Random(7)
    makers = {
        "gpt2": gpt2, "smollm": smollm, "qwen2": qwen2, "llama3": llama3, "unigram": unigram, "unigram-bytes": unigram_bytes,
        "spm-bpe": spm_bpe, "spm-bpe-first": lambda: spm_bpe(True), "word-piece": word_piece, "suffix-bpe": suffix_bpe,
        "prefix-bpe": prefix_bpe}
    for name, make in makers.items():
        tokenizer = make()
        folder = os.path.join(here, name)
        os.makedirs(folder, exist_ok=True)
        write(os.path.join(folder, "tokenizer.json"), json.loads(tokenizer.to_str()))
        end = next(token for token in ["<|im_end|>", "</s>", "[SEP]", "<u>"] if tokenizer.token_to_id(token) is not None)
        write(os.path.join(folder, "tokenizer_config.json"),
              {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": end, "chat_template": "{{ messages }}"}, indent=2)
        size = tokenizer.get_vocab_size()
        id_lists = [[r.randrange(size + 3) for _ in range(r.choice([1, 2, 3, 8]))] for _ in range(60)]
        write(os.path.join(folder, "goldens.json"), answers(tokenizer, HARD + random_texts(80, 1), id_lists))


def features():
    """Tokenizers of a few tokens, each for one feature; written with what HF makes of some texts."""
    cases = []

    def add(name, tokenizer, texts):
        cases.append({"name": name, "tokenizer": json.loads(tokenizer.to_str()), **answers(tokenizer, texts)})

    def pieces(pre_tokenizer, texts, normalizer=None):
        """A tokenizer in which every piece of the texts is a token, so that ids show where text was cut."""
        vocabulary = {}
        for text in texts:
            if normalizer:
                text = normalizer.normalize_str(text)
            for piece, _ in pre_tokenizer.pre_tokenize_str(text):
                for token in [piece, *piece]:
                    vocabulary.setdefault(token, len(vocabulary))
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
        tokenizer.pre_tokenizer = pre_tokenizer
        return tokenizer

    text = "a--b-c 12  345-\u00e9\u00e9 --"
    for behavior in ["isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]:
        for invert in [False, True]:
            for pattern, is_regex in [("-+", True), ("-", False), ("[0-9]*", True), (" ", False)]:
                pre = pre_tokenizers.Split(Regex(pattern) if is_regex else pattern, behavior, invert)
                add(f"Split '{pattern}' {behavior} {invert}", pieces(pre, [text, "-", "--x"]), [text, "-", "--x"])
    for individual in [False, True]:
        texts = ["abc 123\u00bd\u0664x7", "99", "no digits"]
        add(f"Digits {individual}", pieces(pre_tokenizers.Digits(individual), texts), texts)
    # The classes are Unicode 16's: the second of each pair came after Unicode 14.
    for letters in [r"\p{L}+", r"\p{N}+", r"[\p{Lu}\p{Lt}]+", r"[\p{Ll}\p{Lm}\p{Lo}]+", r"\p{M}+", r"[\p{P}\p{S}]+"]:
        texts = ["a\U00031350b", "1\U00010d40", "A\ua7cb", "b\u1c8a", "a\u0301\u0897", "!\U0001f6dc\u1b4e", "a\u088f"]
        add(letters, pieces(pre_tokenizers.Split(Regex(letters), "isolated"), texts), texts)
    texts = ["x", " x", "x y", ""]
    add("prefix space", pieces(pre_tokenizers.ByteLevel(add_prefix_space=True), texts), texts)
    both = pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "removed"), pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)])
    add("prefix space in a sequence", pieces(both, ["a b  c"]), ["a b  c"])
    for i, content in enumerate(["<t>", "\u00e9", "a b"]):
        for flags in [{}, {"lstrip": True}, {"rstrip": True}, {"lstrip": True, "rstrip": True}, {"single_word": True},
                      {"normalized": True}, {"normalized": True, "lstrip": True, "rstrip": True}]:
            tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate("ab<t> e\u00e9_1\u0301\n\t\u3000")}, merges=[]))
            tokenizer.normalizer = normalizers.NFC()
            flags = {"normalized": False, **flags}
            tokenizer.add_special_tokens([AddedToken(content, special=True, **flags)])
            tokenizer.add_tokens([AddedToken("bb", special=False), AddedToken("<t><t>", special=False, normalized=False)])
            add(f"added {i} {flags}", tokenizer, [
                "a<t>b", "a <t> b", "  <t>\t\n\u3000<t>  ", "<t>", "a_<t>1", "<t><t><t>", "abbb", "\u00e9 e\u0301 e\u0301b", "a b",
                "aa bb", "a  a b  b", "\u3000a b"])
    for unknown in [None, "<u>"]:
        for fuse in [False, True]:
            tokenizer = Tokenizer(models.BPE(vocab={"a": 0, "b": 1, "ab": 2, "<u>": 3}, merges=[("a", "b")], unk_token=unknown, fuse_unk=fuse))
            add(f"unknown {unknown} {fuse}", tokenizer, ["abxab", "xx", "axxb", "\u00e9a\u4e00\u4e00b", ""])
    # A merge that leads to the same token by another way, which a stale candidate must not spoil.
    tokenizer = Tokenizer(models.BPE(
        vocab={c: i for i, c in enumerate(["a", "b", "c", "d", "ab", "bc", "abc", "cd", "aa", "aaa", "aaaa"])},
        merges=[("b", "c"), ("a", "b"), ("ab", "c"), ("a", "bc"), ("c", "d"), ("a", "a"), ("aa", "a"), ("aa", "aa")]))
    add("merges", tokenizer, ["abc", "abcd", "aabcbc", "ababcabc", "aaaaaaaaa", "a" * 33 + "bcd" * 5])

    def characters(texts, **parts):
        """A tokenizer in which every character of the texts, and of what its normalizer makes of them, is a token."""
        vocabulary = {"<u>": 0, "\u2581": 1, "#": 2}
        for text in texts:
            for c in text + (parts["normalizer"].normalize_str(text) if parts.get("normalizer") else ""):
                vocabulary.setdefault(c, len(vocabulary))
        if "ByteLevel" in str(parts):
            for c in sorted(pre_tokenizers.ByteLevel.alphabet()):
                vocabulary.setdefault(c, len(vocabulary))
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<u>"))
        for name, part in parts.items():
            setattr(tokenizer, name, part)
        tokenizer.add_special_tokens([AddedToken("<s>", normalized=False), AddedToken("<N>", normalized=True)])
        return tokenizer

    # Where the whole text starts is a matter of the characters as given: what a normalizer takes away at the start, or
    # makes several of, shows behind Metaspace "first".
    texts = ["ab cd", "  ab", "\u00e9b", "\u200b\u200bab", "\x01\x02ab", "\u1e69a b", "e\u0301a", "\u0301\u0323a", "\ufb01a", "\u0344a", "\uac01a", "\u2126a",
             "\u0130a", "\u4e00a", "\u2026ab", "<s>ab", "<N> ab", " <N>ab", "aaa aab", "\t\u3000ab", "\uff41bc", "", "\u1100\u1161\u11a8b"]
    rules = next(n for n in json.loads(unigram().to_str())["normalizer"]["normalizers"] if n["type"] == "Precompiled")
    changes = {
        "NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD(),
        "Nmt": normalizers.Nmt(), "Strip": normalizers.Strip(), "Lowercase": normalizers.Lowercase(),
        "StripAccents": normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
        "BertNormalizer": normalizers.BertNormalizer(), "ByteLevel": normalizers.ByteLevel(),
        "Precompiled": normalizers.Precompiled(base64.b64decode(rules["precompiled_charsmap"])),
        "NFD, Precompiled": normalizers.Sequence([
            normalizers.NFD(), normalizers.Precompiled(base64.b64decode(rules["precompiled_charsmap"]))]),
        "Prepend": normalizers.Sequence([normalizers.Prepend("xy"), normalizers.NFKC()]),
        "Replace": normalizers.Sequence([normalizers.Replace(Regex("a+"), "xy"), normalizers.Replace(" ", "")])}
    whole = pre_tokenizers.Metaspace(prepend_scheme="first")
    each = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex("."), "isolated"), whole])
    spelled = pre_tokenizers.Sequence([
        pre_tokenizers.ByteLevel(add_prefix_space=True), pre_tokenizers.Split(Regex("."), "isolated"),
        pre_tokenizers.Metaspace(replacement="#", prepend_scheme="first")])
    for name, normalizer in changes.items():
        for how, pre in [("whole", whole), ("by characters", each)]:
            add(f"first behind {name}, {how}", characters(texts, normalizer=normalizer, pre_tokenizer=pre), texts)
    add("first behind ByteLevel pre-tokenizer", characters(texts, pre_tokenizer=spelled), texts)

    texts = ["The Quick", "\u00e9\u00c9\u0301 \u4e2d\u6587x", "a\tb\u00a0c\u200bd\x00e\ufffdf", "\u0130\u1e9e", "\u0e33 \u1734", "  "]
    for clean in [False, True]:
        for spaces in [False, True]:
            for accents in [None, False, True]:
                for lower in [False, True]:
                    normalizer = normalizers.BertNormalizer(clean, spaces, accents, lower)
                    add(f"BertNormalizer {clean} {spaces} {accents} {lower}", characters(texts, normalizer=normalizer), texts)
    for behavior in ["isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"]:
        texts = ["a, b...c!?", "!a", "\u00bfa?\u3002\u3001", "a"]
        add(f"Punctuation {behavior}", pieces(pre_tokenizers.Punctuation(behavior), texts), texts)
    texts = ["a|b||c", "|", "", "abc|", "\u00e9|\u00e9"]
    add("CharDelimiterSplit", pieces(pre_tokenizers.CharDelimiterSplit("|"), texts), texts)
    texts = ["na\u00efve \u4e00", "<N>x<N>", "a\n\tb", "\U0001f600", ""]
    tokenizer = characters(texts, normalizer=normalizers.ByteLevel(), decoder=decoders.ByteLevel())
    tokenizer.add_tokens([AddedToken("\u00e9 \u00e9", normalized=True)])
    add("ByteLevel normalizer", tokenizer, [*texts, "\u00e9 \u00e9\u00e9"])

    words = Tokenizer(models.WordLevel({"a": 0, "bc": 1, "<u>": 2, "\u00e9": 3}, unk_token="<u>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    add("WordLevel", words, ["a bc", "bca", "", "\u00e9 x a", " a  a "])
    for name, processor in [
            ("RobertaProcessing", processors.RobertaProcessing(("bc", 1), ("a", 0), trim_offsets=True)),
            ("RobertaProcessing plain", processors.RobertaProcessing(("bc", 1), ("a", 0), False, False)),
            ("BertProcessing", processors.BertProcessing(("bc", 1), ("a", 0))),
            ("several ids", processors.TemplateProcessing(single="X $0 Y X", pair=None, special_tokens=[
                ("X", 0), {"id": "Y", "ids": [1, 2], "tokens": ["bc", "<u>"]}])),
            ("processors", processors.Sequence([
                processors.BertProcessing(("bc", 1), ("a", 0)), processors.TemplateProcessing(single="<u> $A", special_tokens=[("<u>", 2)])]))]:
        words.post_processor = processor
        add(name, words, ["a bc", "", "x"])

    texts = ["aab  b\n c", "xx", "", "caac"]
    for pattern, content in [("a+", "b"), (r"\s+", " "), ("(?=c)", "x"), ("^", "b"), (r"[^a-c]", ""), ("a|$", "xa"), ("b*", "-")]:
        add(f"Replace '{pattern}'", characters([*texts, content, "-"], normalizer=normalizers.Replace(Regex(pattern), content)), texts)
        add(f"Replace '{pattern}' decoder", characters(texts, decoder=decoders.Sequence([
            decoders.Fuse(), decoders.Replace(Regex(pattern), content)])), texts)
        add(f"Replace '{pattern}' in tokens", characters(texts, decoder=decoders.Replace(Regex(pattern), content)), texts)
    add("Replace ''", characters(texts, normalizer=normalizers.Replace("", "b")), texts)
    add("Replace '.' as text", characters(["a.b", "b"], normalizer=normalizers.Replace(".", "b")), ["a.b", "..a"])

    texts = ["-ab-", "--a--", "ab"]
    for start, stop in [(0, 1), (1, 1), (0, 2), (2, 0)]:
        tokenizer = pieces(pre_tokenizers.WhitespaceSplit(), [" ".join(texts)])
        tokenizer.decoder = decoders.Strip("-", start, stop)
        add(f"Strip {start} {stop}", tokenizer, [" ".join(texts), *texts])
        tokenizer.decoder = decoders.Sequence([decoders.Fuse(), decoders.Strip("-", start, stop)])
        add(f"Strip {start} {stop} of the whole", tokenizer, [" ".join(texts), *texts])

    # Metaspace as files from before tokenizers 0.15 have it.
    texts = ["a b", " a  b", "", "\u2581a", "<s>a <s> b"]
    for extra in [{"add_prefix_space": True}, {"str_rep": "\u2581"}, {"str_rep": "\u2581", "add_prefix_space": True},
                  {"add_prefix_space": False, "prepend_scheme": "never"}, {"add_prefix_space": True, "prepend_scheme": "first"},
                  {"add_prefix_space": True, "prepend_scheme": "never", "split": False}]:
        content = json.loads(characters(texts).to_str())
        content["pre_tokenizer"] = content["decoder"] = {"type": "Metaspace", "replacement": "\u2581", **extra}
        tokenizer = Tokenizer.from_str(json.dumps(content))
        cases.append({"name": f"Metaspace {extra}", "tokenizer": content, **answers(tokenizer, texts)})
    write(os.path.join(here, "features.json"), cases)


def arithmetic():
    """The quickstart's tokenizer: one token a character."""
    folder = os.path.join(here, "..", "..", "..", "scripts", "arithmetic-tokenizer")
    os.makedirs(folder, exist_ok=True)
    specials = ["<pad>", "<eos>", "<unk>"]
    characters = "\u0120\u010a0123456789+-*/=()<>.,?:"
    characters += "".join(chr(ord("A") + i) for i in range(26)) + "".join(chr(ord("a") + i) for i in range(26))
    vocabulary = {token: i for i, token in enumerate([*specials, *characters])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = byte_level(False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    write(os.path.join(folder, "tokenizer.json"), json.loads(tokenizer.to_str()), indent=2)
    write(os.path.join(folder, "tokenizer_config.json"), {
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False}, indent=2)
    write(os.path.join(here, "arithmetic.json"), answers(
        tokenizer, ["12 + 7 =", " 19", "Q: what is 3*(4-1)?\nA: <eos>", "x<y>z / 2", "~\u00e9", ""]))


def patterns():
    """What HF makes of hard strings by the pre-tokenizers that GGUF files only name, with GPT-2's vocabulary of ours."""
    cased = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
    suffix = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    lead, spaces = r"[^\r\n\p{L}\p{N}]?", r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    words = [lead + cased[0] + "*" + cased[1] + "+", lead + cased[0] + "+" + cased[1] + "*"]
    tekken = f"{words[0]}|{words[1]}" + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + spaces
    gpt4o = f"{words[0]}{suffix}|{words[1]}{suffix}" + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + spaces
    deepseek = [
        r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*""" + spaces]
    coder = [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"]
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level()])
    qwen35 = QWEN2.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r"[^\s\p{L}\p{N}]", r"[^\s\p{L}\p{M}\p{N}]")
    falcon = pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), byte_level(), pre_tokenizers.Digits(False), pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])
    kinds = {
        "gpt-4o": (split(gpt4o), None), "tekken": (split(tekken), None), "mpt": (byte_level(), normalizers.NFC()),
        "llama-bpe": (split(LLAMA3), None), "qwen2": (split(QWEN2), normalizers.NFC()), "qwen35": (split(qwen35), normalizers.NFC()), "falcon": (falcon, None),
        "deepseek-v3": (pre_tokenizers.Sequence([*[pre_tokenizers.Split(Regex(p), "isolated") for p in deepseek], byte_level(False)]), None),
        "deepseek-coder": (pre_tokenizers.Sequence([*[pre_tokenizers.Split(Regex(p), "isolated") for p in coder], byte_level(False)]), None),
        "smollm": (digits, None), "command-r": (digits, normalizers.NFC())}
    # llama.cpp's further names of the same stages.
    same = {"olmo": "mpt", "dbrx": "llama-bpe", "llama3": "llama-bpe", "pixtral": "llama-bpe", "deepseek-r1-qwen": "qwen2", "llama4": "gpt-4o",
            "refact": "smollm", "starcoder": "smollm"}
    answers = {}
    for name, (pre_tokenizer, normalizer) in kinds.items():
        tokenizer = Tokenizer.from_file(os.path.join(here, "gpt2", "tokenizer.json"))
        tokenizer.pre_tokenizer = pre_tokenizer
        if normalizer:
            tokenizer.normalizer = normalizer
        answers[name] = [tokenizer.encode(text).ids for text in HARD]
    write(os.path.join(here, "patterns.json"), {"patterns": {"gpt-4o": gpt4o, "tekken": tekken}, "texts": HARD, "ids": answers, "same": same})


def megabytes():
    """1 MB of one character, of each kind of character, by every style: how many ids, and checksums."""
    cases = []
    for name in sorted(f for f in os.listdir(here) if os.path.exists(os.path.join(here, f, "tokenizer.json"))):
        tokenizer = Tokenizer.from_file(os.path.join(here, name, "tokenizer.json"))
        for character in ["a", " ", "7", "\u5b57", "\u0301"]:
            ids = tokenizer.encode(character * ((1 << 20) // len(character.encode()))).ids
            cases.append({
                "tokenizer": name, "character": character, "count": len(ids), "ids": zlib.crc32(array.array("i", ids).tobytes()),
                "decoded": zlib.crc32(tokenizer.decode(ids, skip_special_tokens=False).encode())})
    write(os.path.join(here, "megabytes.json"), cases)


if __name__ == "__main__":
    styles()
    features()
    megabytes()
    patterns()
    arithmetic()
