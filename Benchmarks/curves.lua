-- How time grows with the work: group size, completion length, experts, prompt length, batch. Each curve is measured on
-- a model like the benchmark's "tiny" (make-models.lua).
--
--   grao-run Benchmarks/curves.lua [CURVE,…] > curves.jsonl      all of them: about 3 minutes on 2 cores
--
-- Prints a line of JSON a point: what was done (series, x), its seconds, its tokens, and the operations and bytes that
-- it takes at least (work.lua). draw.lua makes pictures and a table of them.
local grao = require "grao"
local here = arg[0]:match("^(.*)/") or "."
local measure, work = dofile(here .. "/measure.lua"), dofile(here .. "/work.lua")
local vocabulary = 4096
local ids = measure.tokens(vocabulary)

local function new(experts)
  local model = grao.new { seed = 1, config = {
    model_type = "qwen3_moe", vocab_size = vocabulary, tie_word_embeddings = true, rms_norm_eps = 1e-6,
    max_position_embeddings = 4096, norm_topk_prob = true, head_dim = 64, hidden_size = 256, num_hidden_layers = 4,
    num_attention_heads = 4, num_key_value_heads = 2, num_experts = experts, num_experts_per_tok = 2,
    moe_intermediate_size = 256, intermediate_size = 256,
  } }
  local shape = {
    layers = 4, channels = 256, vocabulary = vocabulary, queries = 256, keys_values = 256, experts = experts, chosen = 2,
    width = 256, weight_bytes = 4,
  }
  return model, shape
end

local function point(curve, series, x, tokens, seconds, cost)
  print(grao.json.encode {
    curve = curve, series = series, x = x, tokens = tokens, seconds = seconds, operations = cost.operations,
    bytes = cost.bytes,
  })
  io.stdout:flush()
end

-- Some prompts, and `samples` completions of each.
local function sampling(model, prompts, length, samples, fresh)
  local list = {}
  for i = 1, prompts do list[i] = ids(length) end
  local function body() model:generate { prompts = list, samples = samples, max_new_tokens = fresh, seed = 1 } end
  body()
  return measure.timed(body, 0.5)
end

-- What sampling does: prompts, then a token of every sequence at a time, at most 128 at once.
local function sampling_work(shape, prompts, length, samples, fresh)
  local parts, left = { work.times(prompts, work.prompt(shape, length)) }, prompts * samples
  while left > 0 do
    local lanes = math.min(left, 128)
    -- There is a copy of each prompt's keys, as if a part of one prompt were shared by all.
    local shared = length * (lanes - math.min(prompts, lanes)) / math.max(lanes - 1, 1)
    parts[#parts + 1] = work.times(fresh - 1, work.decode(shape, lanes, length + fresh / 2, shared))
    left = left - lanes
  end
  return work.sum(table.unpack(parts))
end

-- An update in one pass, on some groups of samples of one prompt each; of single samples it is one of sft.
local function update(model, groups, length, samples, fresh)
  local options = { model = model, method = "sft", micro_batch_tokens = 1 << 20, optimizer = { learning_rate = 1e-7 } }
  if samples > 1 then
    options.method, options.group_size, options.max_new_tokens = "grpo", samples, fresh
    options.rewards = { function(sample) return sample.ids[1] % 7 end }
  end
  local trainer, rows = grao.trainer(options), {}
  for i = 1, groups do rows[i] = { prompt = ids(length), reference = samples == 1 and ids(fresh) or nil } end
  local drawn = samples > 1 and trainer:rollout(rows) or rows
  local function body() trainer:step(drawn) end
  body()
  return measure.timed(body, 0.5)
end

local function update_work(shape, groups, length, samples, fresh)
  local tokens, own = groups * (length + samples * (fresh - 1)), samples * (fresh - 1)
  -- A prompt's token sees half of the prompt, a completion's the prompt and half of its own.
  local keys = (length * length / 2 + own * (length + fresh / 2)) / (length + own)
  return work.update(shape, tokens, keys, groups * samples * fresh)
end

local curves = {}

function curves.group_size()
  local model <close>, shape = new(8)
  for _, size in ipairs { 2, 4, 8, 16, 32, 64 } do
    local tokens = size * 64
    point("group_size", "sampling", size, tokens, sampling(model, 1, 64, size, 64),
      sampling_work(shape, 1, 64, size, 64))
    point("group_size", "update", size, tokens, update(model, 1, 64, size, 64), update_work(shape, 1, 64, size, 64))
  end
end

function curves.completion_length()
  local model <close>, shape = new(8)
  for _, fresh in ipairs { 64, 128, 256, 512, 1024, 2048 } do
    point("completion_length", "sampling", fresh, 8 * fresh, sampling(model, 1, 16, 8, fresh),
      sampling_work(shape, 1, 16, 8, fresh))
    point("completion_length", "update", fresh, 8 * fresh, update(model, 1, 16, 8, fresh),
      update_work(shape, 1, 16, 8, fresh))
  end
end

function curves.experts()
  for _, experts in ipairs { 4, 8, 16, 32, 64, 128 } do
    local model <close>, shape = new(experts)
    point("experts", "sampling", experts, 32 * 64, sampling(model, 32, 10, 1, 64),
      sampling_work(shape, 32, 10, 1, 64))
    point("experts", "update", experts, 32 * 64, update(model, 4, 10, 8, 64), update_work(shape, 4, 10, 8, 64))
  end
end

function curves.prompt_length()
  local model <close>, shape = new(8)
  for _, length in ipairs { 16, 64, 256, 512, 1024, 2048 } do
    for _, prompts in ipairs { 1, 8 } do
      local name = prompts == 1 and "1 prompt" or "8 prompts"
      local samples = 8 // prompts
      point("prompt_length", "sampling, " .. name, length, 8 * 64, sampling(model, prompts, length, samples, 64),
        sampling_work(shape, prompts, length, samples, 64))
      point("prompt_length", "update, " .. name, length, 8 * 64, update(model, prompts, length, samples, 64),
        update_work(shape, prompts, length, samples, 64))
    end
  end
end

function curves.batch()
  local model <close>, shape = new(8)
  for _, sequences in ipairs { 1, 2, 4, 8, 16, 32, 64, 128 } do
    point("batch", "sampling", sequences, sequences * 64, sampling(model, sequences, 10, 1, 64),
      sampling_work(shape, sequences, 10, 1, 64))
    point("batch", "update", sequences, sequences * 64, update(model, sequences, 10, 1, 64),
      update_work(shape, sequences, 10, 1, 64))
  end
end

local wanted = arg[1] or "group_size,completion_length,experts,prompt_length,batch"
for name in wanted:gmatch("[^,]+") do assert(curves[name], "unknown curve " .. name)() end
