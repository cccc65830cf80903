"""Makes the fixtures of CheckpointsTests beside this file, with the libraries that people's files come from:

    pip install numpy==2.4.6 safetensors==0.8.0 gguf==0.19.0
    python make.py

A .golden file holds the float32 elements of all tensors that are to be read, tensors in the order of their names.
"""

import json
import pathlib

import gguf
import numpy as np
import safetensors

here = pathlib.Path(__file__).parent
random = np.random.default_rng(20)
Type = gguf.GGMLQuantizationType


def write_golden(name, tensors):
    data = b"".join(np.ascontiguousarray(tensors[key], "<f4").tobytes() for key in sorted(tensors))
    (here / f"{name}.golden").write_bytes(data)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


def widen_bfloat16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def save(path, tensors):
    """tensors: name → (dtype, array of the stored bits)."""
    flat = {
        name: safetensors.TensorSpec(
            dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes)
        for name, (dtype, array) in tensors.items()
    }
    path.write_bytes(safetensors.serialize(flat, {"format": "pt"}))


# A directory with one file: each dtype, infinities, quiet NaNs, denormals, signed zeros, odd shapes.
single = here / "single"
single.mkdir(exist_ok=True)
write_json(single / "config.json", {"model_type": "llama", "hidden_size": 4, "rope_theta": 10000.0})
write_json(single / "generation_config.json", {"eos_token_id": [2, 7]})
half = np.array([0, 0x8000, 1, 0x83FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x7E00, 0xFE01, 0x3C00, 0x3555], np.uint16)
brain = np.array([0, 0x8000, 1, 0x807F, 0x0080, 0x7F7F, 0x7F80, 0xFF80, 0x7FC0, 0xFFC1, 0x3F80, 0x3EAB], np.uint16)
whole = np.array([0, 0x80000000, 1, 0x007FFFFF, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x3EAAAAAB], np.uint32).view("f4")
save(
    single / "model.safetensors",
    {
        "a.half": ("float16", half.reshape(3, 4)),
        "b.brain": ("bfloat16", brain.reshape(2, 2, 3)),
        "c.whole": ("float32", whole),
        "d.scalar": ("float32", np.array(0.1, "f4")),
        "e.empty": ("float16", np.zeros((0, 3), "f2")),
        "f.mask": ("bool", np.array([True, False])),
    },
)
write_golden(
    "single",
    {"a": half.view("f2").astype("f4"), "b": widen_bfloat16(brain), "c": whole, "d": np.array(0.1, "f4")},
)

# A directory with two shards.
sharded = here / "sharded"
sharded.mkdir(exist_ok=True)
write_json(sharded / "config.json", {"model_type": "llama"})
names = ["layer.0", "layer.1", "layer.2"]
weights = {name: random.standard_normal((3, 5)).astype("f4") for name in names}
places = {name: f"model-0000{1 + index // 2}-of-00002.safetensors" for index, name in enumerate(names)}
for shard in sorted(set(places.values())):
    save(sharded / shard, {name: ("float32", weights[name]) for name in names if places[name] == shard})
write_json(sharded / "model.safetensors.index.json", {"metadata": {"total_size": 180}, "weight_map": places})
write_golden("sharded", weights)


def interleave(weights, heads):
    """What llama.cpp does to the rows of q and k: the halves of a head's rows take turns."""
    rows, columns = weights.shape
    return weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def uninterleave(weights, heads):
    rows, columns = weights.shape
    return weights.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def pack(array, type):
    """Random blocks where the type has blocks, so that every bit pattern of an element occurs; the scales are finite."""
    if type in (Type.F32, Type.F16, Type.BF16):
        return gguf.quants.quantize(array, type)
    elements, size = gguf.GGML_QUANT_SIZES[type]
    blocks = random.integers(0, 256, (array.size // elements, size), dtype=np.uint8)
    halves = 2 if type in (Type.Q4_1, Type.Q5_1) else 1
    blocks[:, 1 : 2 * halves : 2] &= 0xBF
    return blocks.reshape(array.shape[0], -1) if array.ndim == 2 else blocks.reshape(*array.shape[:2], -1)


def add(writer, name, array, type):
    packed = pack(array, type)
    writer.add_tensor(name, packed, raw_dtype=type)
    return gguf.quants.dequantize(packed, type).reshape(array.shape)


# A llama file with a tensor of every type that is read, and a metadata key of every type.
hidden, heads, kv_heads, inner, vocabulary, layers = 32, 4, 2, 64, 40, 2
writer = gguf.GGUFWriter(here / "llama.gguf", "llama")
writer.add_block_count(layers)
writer.add_context_length(128)
writer.add_embedding_length(hidden)
writer.add_feed_forward_length(inner)
writer.add_head_count(heads)
writer.add_head_count_kv(kv_heads)
writer.add_rope_freq_base(100000.0)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(hidden // heads)
writer.add_tokenizer_model("gpt2")
writer.add_token_list([f"tök{i}" for i in range(vocabulary)])
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)
writer.add_pad_token_id(0)
writer.add_eot_token_id(3)
Kind = gguf.GGUFValueType
for kind, value in [
    (Kind.UINT8, 200), (Kind.INT8, -100), (Kind.UINT16, 60000), (Kind.INT16, -30000), (Kind.UINT32, 4000000000),
    (Kind.INT32, -2000000000), (Kind.UINT64, 2**64 - 2**11), (Kind.INT64, -(2**62)), (Kind.FLOAT32, 0.1),
    (Kind.FLOAT64, 0.1), (Kind.BOOL, True), (Kind.STRING, "naïve"),
]:
    writer.add_key_value(f"test.{kind.name.lower()}", value, kind)
writer.add_array("test.arrays", [[1, 2], [3]])
golden = {}
types = [
    {"q": Type.Q4_0, "k": Type.Q4_1, "v": Type.Q5_0, "output": Type.Q5_1, "gate": Type.Q8_0, "up": Type.F16,
     "down": Type.BF16},
    {"q": Type.F32, "k": Type.Q8_0, "v": Type.F32, "output": Type.Q4_0, "gate": Type.Q4_1, "up": Type.Q5_0,
     "down": Type.Q5_1},
]
golden["model.embed_tokens.weight"] = add(
    writer, "token_embd.weight", random.standard_normal((vocabulary, hidden)).astype("f4"), Type.Q8_0)
golden["model.norm.weight"] = add(writer, "output_norm.weight", random.standard_normal(hidden).astype("f4"), Type.F32)
for layer in range(layers):
    block, prefix, type = f"blk.{layer}.", f"model.layers.{layer}.", types[layer]
    for short, name in [("attn_norm", "input_layernorm"), ("ffn_norm", "post_attention_layernorm")]:
        golden[f"{prefix}{name}.weight"] = add(
            writer, f"{block}{short}.weight", random.standard_normal(hidden).astype("f4"), Type.F32)
    for short, count in [("q", heads), ("k", kv_heads)]:
        plain = random.standard_normal((hidden // heads * count, hidden)).astype("f4")
        stored = add(writer, f"{block}attn_{short}.weight", interleave(plain, count), type[short])
        golden[f"{prefix}self_attn.{short}_proj.weight"] = uninterleave(stored, count)
        if type[short] == Type.F32:
            assert (uninterleave(stored, count) == plain).all()
    for short, name, shape in [
        ("attn_v", "self_attn.v_proj", (hidden // heads * kv_heads, hidden)),
        ("attn_output", "self_attn.o_proj", (hidden, hidden)),
        ("ffn_gate", "mlp.gate_proj", (inner, hidden)),
        ("ffn_up", "mlp.up_proj", (inner, hidden)),
        ("ffn_down", "mlp.down_proj", (hidden, inner)),
    ]:
        key = short.removeprefix("attn_").removeprefix("ffn_")
        golden[f"{prefix}{name}.weight"] = add(
            writer, f"{block}{short}.weight", random.standard_normal(shape).astype("f4"), type[key])
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
write_golden("llama", golden)

# A qwen3moe file, its output not tied, with a tensor of a type that is not read: Q8_K.
experts, narrow = 3, 32
writer = gguf.GGUFWriter(here / "qwen3moe.gguf", "qwen3moe")
writer.add_block_count(1)
writer.add_context_length(64)
writer.add_embedding_length(hidden)
writer.add_feed_forward_length(inner)
writer.add_expert_feed_forward_length(narrow)
writer.add_expert_count(experts)
writer.add_expert_used_count(2)
writer.add_head_count(2)
writer.add_head_count_kv(1)
writer.add_key_length(256)
writer.add_value_length(256)
writer.add_rope_freq_base(1000000.0)
writer.add_layer_norm_rms_eps(1e-6)
golden = {}
for short, name, shape, kind in [
    ("token_embd", "model.embed_tokens", (8, hidden), Type.F16),
    ("output_norm", "model.norm", (hidden,), Type.F32),
    ("output", "lm_head", (8, hidden), Type.F16),
    ("blk.0.attn_q_norm", "model.layers.0.self_attn.q_norm", (256,), Type.F32),
    ("blk.0.attn_k", "model.layers.0.self_attn.k_proj", (8, hidden), Type.F16),
    ("blk.0.ffn_gate_inp", "model.layers.0.mlp.gate", (experts, hidden), Type.F32),
]:
    golden[f"{name}.weight"] = add(writer, f"{short}.weight", random.standard_normal(shape).astype("f4"), kind)
for short, name, shape in [
    ("gate", "gate_proj", (experts, narrow, hidden)), ("up", "up_proj", (experts, narrow, hidden)),
    ("down", "down_proj", (experts, hidden, narrow)),
]:
    kind = Type.Q4_0 if short == "up" else Type.Q8_0
    stacked = add(writer, f"blk.0.ffn_{short}_exps.weight", random.standard_normal(shape).astype("f4"), kind)
    for expert in range(experts):
        golden[f"model.layers.0.mlp.experts.{expert}.{name}.weight"] = stacked[expert]
writer.add_tensor("blk.0.attn_output.weight", np.zeros((8, 292), np.uint8), raw_dtype=Type.Q8_K)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
write_golden("qwen3moe", golden)
