-- From random weights to sums in about a minute, without a download: a small mixture of experts gets a short
-- supervised start on addition, then GRAO takes it on with rewards, a curriculum and schedules.
--
--   .build/release/grao-run scripts/quickstart.lua [seed]
local grao = require "grao"

local seed = math.tointeger(arg[1] or 1)
local folder = arg[0]:match("^(.*)/[^/]*$") or "."

-- A Qwen3-MoE of 1.8 million parameters, 0.6 million of them at work on each token. The keys are config.json's.
local model = grao.new {
  seed = seed,
  tokenizer = folder .. "/arithmetic-tokenizer",
  config = {
    model_type = "qwen3_moe", vocab_size = 80, hidden_size = 128, num_hidden_layers = 4,
    num_attention_heads = 4, num_key_value_heads = 2, head_dim = 32,
    num_experts = 8, num_experts_per_tok = 2, moe_intermediate_size = 128, intermediate_size = 128,
    norm_topk_prob = true, tie_word_embeddings = true, hidden_act = "silu", initializer_range = 0.08,
    rms_norm_eps = 1e-6, rope_theta = 10000.0, max_position_embeddings = 32, eos_token_id = 1,
  },
}
local info = model:info()
print(("%s: %d parameters, %d active, %d experts"):format(
  info.architecture, info.parameters, info.active_parameters, info.experts))

-- All sums of two numbers from 2 to 99. A twentieth is held out: no training ever sees it.
local rows = {}
for a = 2, 99 do
  for b = 2, 99 do
    rows[#rows + 1] = { prompt = ("%d+%d="):format(a, b), reference = tostring(a + b) }
  end
end
local train, held_out = grao.dataset(rows):split(0.95, seed)
print(("%d sums to train on, %d held out"):format(#train, #held_out))

-- Share of held-out sums that the model gets right, answering greedily.
local exact = grao.plugin("exact_match")
local function accuracy()
  return grao.evaluate { model = model, data = held_out, rewards = { exact }, max_new_tokens = 4 }.reward_mean
end

local function examples()
  local prompts = {}
  for i = 1, 4 do prompts[i] = held_out[i].prompt end
  local lines = {}
  for i, samples in ipairs(model:generate { prompts = prompts, temperature = 0, max_new_tokens = 4 }) do
    lines[i] = prompts[i] .. samples[1].text
  end
  return table.concat(lines, "  ")
end

local report = {}
local function measure(stage)
  report[#report + 1] = ("%-24s %5.1f %%   %s"):format(stage, 100 * accuracy(), examples())
  print(report[#report])
end

measure("before")

grao.train {
  model = model, method = "sft", data = train, seed = seed, steps = 300, prompts_per_step = 64,
  optimizer = { learning_rate = grao.schedule.warmup(20, grao.schedule.cosine(3e-3, 3e-4)) },
}
measure("after the start (sft)")

-- A run directory of its own for each run: metrics.jsonl, options.json, the script, and the model.
local run, number = nil, 0
repeat
  number = number + 1
  run = ("runs/quickstart-%d"):format(number)
  local taken = io.open(run .. "/options.json")
  if taken then taken:close() end
until not taken

grao.train {
  model = model, method = "grao", data = train, seed = seed, steps = 900, run_dir = run,
  prompts_per_step = 32, group_size = 8, max_new_tokens = 4, temperature = 1.0,
  rewards = {
    { name = "exact", score = exact },
    -- Half a point for being close: it tells wrong answers apart.
    { name = "close", weight = 0.5, score = function(sample)
      local answer = tonumber(sample.completion)
      return answer and 1 / (1 + math.abs(answer - tonumber(sample.reference))) or 0
    end },
  },
  -- Most often the sums that it sometimes gets right.
  curriculum = grao.plugin("success_band", { low = 0.3, high = 1.2, width = 0.3, floor = 0.3 }),
  weights = {
    imitation = grao.schedule.linear(0.5, 0.1),                     -- β: lean on the reference less and less
    regularizer = function(state) return 0.6 * (1 - state.progress / 2) end, -- λ
  },
  optimizer = { learning_rate = grao.schedule.cosine(1e-3, 1e-4) },
}
measure("after GRAO")

print("\nheld-out sums that are right, with four of them:")
print(table.concat(report, "\n"))
print(("the model, its options and metrics are in %s"):format(run))
