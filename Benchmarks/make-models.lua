-- The benchmark models: two random from fixed seeds, Qwen3 mixtures of experts of 8.1 and 109 million parameters, and
-- SmolLM2-135M-Instruct, where scripts/get-smollm2.sh has fetched its file into the folder, without its end of sequence:
-- all measured completions are equally long.
--
--   .build/release/grao-run Benchmarks/make-models.lua [folder]
--
-- writes FOLDER/tiny, FOLDER/small and FOLDER/smollm2 (default: models), and each as a GGUF file in both types, for
-- llama.cpp: FOLDER/tiny-f32.gguf, FOLDER/tiny-bf16.gguf, …
local grao = require "grao"
local folder = arg[1] or "models"

local function write(model, name)
  model:save(folder .. "/" .. name, { dtype = "float32" })
  for _, type in ipairs { "f32", "bf16" } do
    model:save(("%s/%s-%s.gguf"):format(folder, name, type), { type = type })
  end
  print(("%s: %.1f million parameters"):format(name, model:info().parameters / 1e6))
end

local function make(name, config)
  local all = {
    model_type = "qwen3_moe", vocab_size = 4096, tie_word_embeddings = true, hidden_act = "silu", rms_norm_eps = 1e-6,
    rope_theta = 10000.0, max_position_embeddings = 4096, norm_topk_prob = true, initializer_range = 0.02,
    architectures = { "Qwen3MoeForCausalLM" }, head_dim = 64, decoder_sparse_step = 1,
  }
  for key, value in pairs(config) do all[key] = value end
  local model <close> = grao.new { config = all, seed = 1 }
  write(model, name)
end

make("tiny", { hidden_size = 256, num_hidden_layers = 4, num_attention_heads = 4, num_key_value_heads = 2,
  num_experts = 8, num_experts_per_tok = 2, moe_intermediate_size = 256, intermediate_size = 256 })
make("small", { hidden_size = 512, num_hidden_layers = 8, num_attention_heads = 8, num_key_value_heads = 4,
  num_experts = 16, num_experts_per_tok = 4, moe_intermediate_size = 512, intermediate_size = 512 })

local fetched = folder .. "/SmolLM2-135M-Instruct.gguf"
local file = io.open(fetched)
if file then
  file:close()
  local model <close> = grao.load(fetched)
  write(model, "smollm2")
  local settings <close> = assert(io.open(folder .. "/smollm2/generation_config.json", "w"))
  assert(settings:write('{ "bos_token_id": 1, "eos_token_id": [] }\n'))
end
