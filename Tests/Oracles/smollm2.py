"""What transformers makes of the SmolLM2-135M-Instruct GGUF, for comparison by hand.

    python Tests/Oracles/smollm2.py models/…/SmolLM2-135M-Instruct.Q4_1.gguf golden.json [--save DIR]

golden.json: `prompts`, each with `prompt`, `ids`, `top` (ten [id, logit] after the last id), `greedy_ids` (24 at most, up
to and with the end of turn), `greedy_logprobs`, `greedy_text`; and `tokenizer`, each with `text`, `ids`, `decoded`.
--save writes the dequantised model as a Hugging Face directory.

transformers builds the tokenizer of a GGUF without the split of digits that `tokenizer.ggml.pre` = "smollm" (and the
published tokenizer.json) puts first; it is put back here. It shows where more than one space or line end stands
before a digit.
"""

import argparse
import json
from pathlib import Path

import torch
import transformers
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

SYSTEM = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
QUESTIONS = [
    ("What is 12+7?", False),
    ("What is the capital of France?", False),
    ("Write one short sentence about the sea.", True),
    ("What is 45 + 38? Answer with the number only.", True),
    ("Say hello in Spanish, in German and in Italian: ¡hola! 👋", False),
]
TEXTS = [
    "",
    " ",
    "a",
    "Hello, world!",
    "x = 1234 +  56\n\n  ok",
    "1\n\n2  3\t\t4",
    "I'm sure they'll say it's DON'T",
    "  leading and trailing  ",
    "naïve café, ¡hola! 👋🏽 日本語 Ελληνικά",
    "²³½ ٣٤ Ⅷ 12,345.67",
    "<|im_start|>user\n  hi<|im_end|>\n",
    "def f(x):\n    return x**2  # square\n",
]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("gguf", type=Path)
    arguments.add_argument("golden", type=Path)
    arguments.add_argument("--save", type=Path)
    options = arguments.parse_args()
    transformers.logging.disable_progress_bar()

    folder, file = options.gguf.parent, options.gguf.name
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    model = AutoModelForCausalLM.from_pretrained(
        folder,
        gguf_file=file,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
        attn_implementation="eager",
    ).eval()
    if options.save:
        model.save_pretrained(options.save)
        tokenizer.save_pretrained(options.save)

    prompts = []
    for question, system in QUESTIONS:
        text = (SYSTEM if system else "") + f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        ids = tokenizer(text)["input_ids"]
        one = torch.tensor([ids])
        with torch.no_grad():
            values, index = model(one).logits[0, -1].topk(10)
            out = model.generate(
                one, attention_mask=torch.ones_like(one), do_sample=False, max_new_tokens=24, eos_token_id=2,
                pad_token_id=2,
            )
            rows = torch.log_softmax(model(out).logits[0], -1)[len(ids) - 1 : -1]
        greedy = out[0, len(ids) :]
        prompts.append(
            {
                "prompt": text,
                "ids": ids,
                "top": [[i, v] for i, v in zip(index.tolist(), values.tolist())],
                "greedy_ids": greedy.tolist(),
                "greedy_logprobs": rows[torch.arange(len(greedy)), greedy].tolist(),
                "greedy_text": tokenizer.decode(greedy, skip_special_tokens=True),
            }
        )
        print(repr(question), "->", repr(prompts[-1]["greedy_text"]))
    texts = []
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        texts.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids)})
    golden = {"prompts": prompts, "tokenizer": texts}
    options.golden.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
