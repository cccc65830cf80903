"""Writes Tests/Fixtures/checkpoints/mxfp4: a tiny gpt_oss model whose experts are stored in MXFP4 as published ones are, every
code and many scales among them, and golden.safetensors: what transformers decodes them to, and the logits it computes.

    python Tests/Oracles/make_mxfp4.py
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GptOssConfig, Mxfp4Config
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

from architectures import SHARED, YARN
from fixtures import write_json
from make_architectures import initialise

FOLDER = Path(__file__).resolve().parent.parent / "Fixtures" / "checkpoints" / "mxfp4"
IDS = [5, 9, 3, 17, 22, 8, 41, 30]

transformers.logging.set_verbosity_error()
shutil.rmtree(FOLDER, ignore_errors=True)
generator = torch.Generator().manual_seed(46)
config = GptOssConfig(
    **SHARED | dict(num_hidden_layers=1, intermediate_size=64), head_dim=16, num_local_experts=3, num_experts_per_tok=2,
    sliding_window=4, rope_parameters=YARN | dict(truncate=False))
model = AutoModelForCausalLM.from_config(config)
initialise(model, generator)
model.bfloat16().save_pretrained(FOLDER)
tensors, golden = load_file(FOLDER / "model.safetensors"), {}
for name in [name for name in tensors if name.endswith(("gate_up_proj", "down_proj"))]:
    experts, inputs, outputs = tensors.pop(name).shape
    shape = (experts, outputs, inputs // 32)
    blocks = torch.randint(0, 256, (*shape, 16), generator=generator, dtype=torch.uint8)
    scales = torch.randint(120, 127, shape, generator=generator, dtype=torch.uint8)
    # Denormal numbers, in an expert's last rows.
    scales[-1, -1] = torch.arange(shape[2], dtype=torch.uint8)
    tensors |= {name + "_blocks": blocks, name + "_scales": scales}
    golden[name] = convert_moe_packed_tensors(blocks, scales).float()
save_file(tensors, FOLDER / "model.safetensors", {"format": "pt"})
config = json.loads((FOLDER / "config.json").read_text())
config["quantization_config"] = {
    "quant_method": "mxfp4",
    "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"],
}
write_json(FOLDER / "config.json", config)
(FOLDER / "generation_config.json").unlink(missing_ok=True)

model = AutoModelForCausalLM.from_pretrained(
    FOLDER, quantization_config=Mxfp4Config(dequantize=True), dtype=torch.float32, attn_implementation="eager",
    experts_implementation="eager").eval()
for name, decoded in golden.items():
    assert torch.equal(dict(model.named_parameters())[name].float(), decoded), name
with torch.no_grad():
    golden["logits"] = model.double()(torch.tensor([IDS])).logits[0].float()
save_file({name: tensor.contiguous() for name, tensor in golden.items()}, FOLDER / "golden.safetensors")
