"""Loads GGUF files that the engine wrote in a real llama.cpp (pip install xllamacpp) and compares it with transformers on
the checkpoint they were written from: for f32 equal greedy tokens, for all types log-probabilities within a tolerance.

    python Tests/Oracles/verify_gguf.py [--only name,…] COMMAND …

COMMAND is run with a model directory, the path of the GGUF file to write and its type: f32, f16, bf16 or q8_0. For
every architecture of gguf_models.py a random model with a small tokenizer, byte-level or SentencePiece's BPE, is made for it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM

import xllamacpp
from gguf_models import MODELS, SIZES

# Largest |Δ log-probability| over the whole vocabulary and all steps. llama.cpp itself rounds activations: to float16 or
# bfloat16 for matrices of these, to Q8_0 blocks for Q8_0, so that the tolerances are of its arithmetic.
TOLERANCES = {"f32": 1e-4, "f16": 5e-2, "bf16": 5e-1, "q8_0": 1.0}
# llama.cpp looks GELU up in a table of float16.
GELU_TOLERANCE = 5e-3
LARGER = dict(vocab_size=320, hidden_size=64, intermediate_size=96, num_hidden_layers=2, bos_token_id=None)
TEXT = "The quick brown fox jumps over the lazy dog; 12 foxes and 345 dogs didn't mind, they'd all been there before."
STEPS = 12
SENTENCEPIECE = ["mixtral", "gemma"]


def make_byte_level(folder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, special_tokens=["<pad>", "<s>", "</s>"], show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer


def make_sentencepiece(folder):
    """SentencePiece's kind of BPE, as transformers converts it: spaces as marks, bytes for unknown characters."""
    spaces = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.Sequence(spaces)
    learned.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=60, max_token_length=6, show_progress=False))
    learned = json.loads(learned.to_str())["model"]
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += sorted(learned["vocab"], key=learned["vocab"].get)
    tokenizer = Tokenizer(models.BPE(
        {token: id for id, token in enumerate(tokens)}, [tuple(pair) for pair in learned["merges"]], unk_token="<unk>",
        fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence(spaces)
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return tokenizer


def make_model(name, folder):
    model_type, keys = MODELS[name]
    torch.manual_seed(11)
    config = AutoConfig.for_model(model_type, **(SIZES | LARGER | widen(keys)))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").float().eval()
    for key, p in [*model.named_parameters(), *model.named_buffers()]:
        if not p.is_floating_point() or "inv_freq" in key or "embed_scale" in key:
            continue
        noise = torch.randn(p.shape)
        scale = 0.3 if "norm" in key or p.ndim < 2 else 1.5 / p.shape[-1] ** 0.5
        if "router.weight" in key:
            # Decisive, so that rounded weights choose the same experts.
            scale *= 4
        p.data = (p.data.mean().round() + scale * noise if "norm" in key else scale * noise).contiguous()
    model.save_pretrained(folder)
    return model


def widen(keys):
    """The keys with what depends on the hidden size adapted to the larger one."""
    keys = dict(keys)
    if "long_factor" in (rope := keys.get("rope_scaling") or {}):
        keys["rope_scaling"] = rope | {k: [x for x in rope[k] for _ in "ab"] for k in ("long_factor", "short_factor")}
        # transformers takes the long factors where the sequence, llama.cpp where the context is longer than this.
        keys["original_max_position_embeddings"] = 16
    keys.pop("bos_token_id", None)
    if "moe_intermediate_size" in keys:
        keys["moe_intermediate_size"] = 64
    if "kv_lora_rank" in keys:
        keys |= dict(kv_lora_rank=32, qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=32)
    if keys.get("q_lora_rank"):
        keys["q_lora_rank"] = 32
    return keys


def expected(model, ids):
    """Greedy tokens, and the log-probabilities each was chosen from."""
    rows, tokens = [], []
    with torch.no_grad():
        for _ in range(STEPS):
            row = torch.log_softmax(model(torch.tensor([ids + tokens])).logits[0, -1].double(), -1)
            rows.append(row)
            tokens.append(int(row.argmax()))
    return tokens, rows


class LlamaCpp:
    def __init__(self, path, letter):
        self.letter = letter
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_parallel, parameters.warmup, parameters.n_predict = 64, 1, False, STEPS
        parameters.cpuparams.n_threads = 1
        parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.server = xllamacpp.Server(parameters)

    def step(self, prompt):
        answer = self.server.handle_completions({
            "prompt": prompt, "n_predict": 1, "temperature": -1.0, "n_probs": LARGER["vocab_size"], "cache_prompt": False,
            # What is sampled is "T", for bytes that are no whole character come without probabilities; these are those of
            # the model.
            "logit_bias": [[self.letter, 1000]],
        })
        answer = json.loads(answer) if isinstance(answer, str) else answer
        return {entry["id"]: entry["logprob"] for entry in answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]}


def compare(path, type, tolerance, tokenizer, tokens, rows):
    llama = LlamaCpp(path, tokenizer.token_to_id("T"))
    ids = tokenizer.encode(TEXT).ids[:20]
    text = tokenizer.decode(ids)
    assert tokenizer.encode(text).ids == ids
    chosen, largest = [], 0.0
    for step in range(STEPS):
        # The first prompt is text: llama.cpp must cut it into the same tokens.
        found = llama.step(text if step == 0 else ids + tokens[:step])
        chosen.append(max(found, key=found.get))
        largest = max(largest, max(abs(found[i] - float(rows[step][i])) for i in found))
        assert len(found) > LARGER["vocab_size"] * 0.9, len(found)
    failed = largest > tolerance or (type == "f32" and chosen != tokens)
    print(f"  {type:5} largest |Δlogprob| {largest:.2e}, greedy {'equal' if chosen == tokens else 'differs'}"
          + (" FAILED" if failed else ""), flush=True)
    return not failed


if __name__ == "__main__":
    arguments = sys.argv[1:]
    names = list(MODELS)
    if arguments[0] == "--only":
        names = arguments[1].split(",")
        arguments = arguments[2:]
    good = True
    for name in names:
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            folder.mkdir()
            model = make_model(name, folder)
            tokenizer = (make_sentencepiece if name in SENTENCEPIECE else make_byte_level)(folder)
            tokens, rows = expected(model, tokenizer.encode(TEXT).ids[:20])
            for type, tolerance in TOLERANCES.items():
                if name.startswith("gemma"):
                    tolerance = max(tolerance, GELU_TOLERANCE)
                path = Path(temporary) / f"{type}.gguf"
                subprocess.run([*arguments, folder, path, type], check=True)
                good &= compare(path, type, tolerance, tokenizer, tokens, rows)
    sys.exit(0 if good else 1)
