"""One measurement of PyTorch, transformers or TRL on a Hugging Face directory; benchmark.py runs it beside the engine's.

    python torch_peer.py MODEL WORK ROUNDS [float32|bfloat16]

WORK is one of engine.lua's: grpo (TRL's trainer, a whole step), generate, generate1, prompt, train. Prints a line of JSON a
round, and peak memory at the end.
"""

import json
import sys
import tempfile
import time

import torch
from transformers import AutoModelForCausalLM

path, work, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
dtype = getattr(torch, sys.argv[4] if len(sys.argv) > 4 else "float32")
torch.manual_seed(1)


def load():
    model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
    model.generation_config.eos_token_id = None
    return model


def ids(*shape):
    return torch.randint(2, 4096, shape)


def report(seconds, tokens):
    print(json.dumps({"seconds": seconds, "tokens": tokens}), flush=True)


def timed(body, tokens):
    body()
    for _ in range(rounds):
        begun = time.perf_counter()
        times = 0
        while time.perf_counter() - begun < 1.5:
            body()
            times += 1
        report((time.perf_counter() - begun) / times, tokens)


def generation(sequences, tokens):
    model = load().eval()
    prompts = ids(sequences, 10)
    mask = torch.ones_like(prompts)

    @torch.no_grad()
    def body():
        model.generate(
            prompts, attention_mask=mask, do_sample=True, max_new_tokens=tokens, min_new_tokens=tokens, pad_token_id=0
        )

    timed(body, sequences * tokens)


def prompt():
    model = load().eval()
    tokens = ids(1, 512)

    @torch.no_grad()
    def body():
        model(tokens, logits_to_keep=1)

    timed(body, 512)


def train():
    model = load().train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6)
    tokens = ids(32, 80)

    def body():
        loss = model(tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    timed(body, 32 * 80)


def grpo():
    import datasets
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    words = {f"w{i}": i for i in range(4096)}
    bare = Tokenizer(models.WordLevel(words, unk_token="w1"))
    bare.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, pad_token="w0", eos_token="w1", unk_token="w1")
    rows = [{"prompt": " ".join(f"w{i}" for i in ids(10).tolist())} for _ in range(4 * (rounds + 3))]

    class Clock(TrainerCallback):
        begun = None

        def on_step_begin(self, args, state, control, **kwargs):
            self.begun = time.perf_counter()

        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step > 2:  # the first two warm up
                report(time.perf_counter() - self.begun, 32 * 64)

    arguments = GRPOConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=32,
        num_generations=8,
        max_completion_length=64,
        generation_kwargs={"min_new_tokens": 64},
        max_steps=rounds + 2,
        temperature=1.0,
        bf16=dtype == torch.bfloat16,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        gradient_checkpointing=False,
    )
    trainer = GRPOTrainer(
        model=load(),
        reward_funcs=lambda completions, **_: [float(len(c) % 7) for c in completions],
        args=arguments,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[Clock()],
    )
    trainer.train()


{"grpo": grpo, "generate": lambda: generation(32, 64), "generate1": lambda: generation(1, 256), "prompt": prompt,
 "train": train}[work]()
with open("/proc/self/status") as status:
    line = next(line for line in status if line.startswith("VmHWM"))
    print(json.dumps({"peak_kilobytes": int(line.split()[1])}), flush=True)
