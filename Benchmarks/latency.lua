-- Small things that a user waits for, in CPU time: what calling a reward costs besides its own work, and loading data.
-- latency.py runs it, and times the start of the program.
--
--   grao-run Benchmarks/latency.lua
--
-- A reward is called for 2,048 samples of 64 tokens; the clock is read at the first and the last call of rewards that do
-- nothing, so that what lies between is all that surrounds them.
local grao = require "grao"
local here = arg[0]:match("^(.*)/") or "."
local model = grao.new { tokenizer = here .. "/../scripts/arithmetic-tokenizer", seed = 1, config = {
  model_type = "qwen3_moe", vocab_size = 80, hidden_size = 32, num_hidden_layers = 1, num_attention_heads = 2, num_key_value_heads = 2,
  num_experts = 2, num_experts_per_tok = 1, moe_intermediate_size = 32, eos_token_id = {},
} }

local calls, first, last, before, after
local function script_reward(sample)
  calls = calls + 1
  if calls == 1 then first = os.clock() elseif calls == 2048 then last = os.clock() end
  return #sample.ids // 64
end
local rows = {}
for i = 1, 32 do rows[i] = { prompt = ("%d+%d="):format(i, i), reference = tostring(2 * i) } end

local function measured(rewards)
  calls, before, after = 0, nil, nil
  local trainer = grao.trainer { model = model, method = "grpo", rewards = rewards, group_size = 64,
    max_new_tokens = 64, prompts_per_step = 32, micro_batch_tokens = 4096 }
  trainer:rollout(rows)
end

-- The least of some rounds: what else the machine does only adds.
local function least(rounds, body)
  local best = math.huge
  for _ = 1, rounds do best = math.min(best, body()) end
  return best
end

print(grao.json.encode { what = "script reward", unit = "µs", target = 5, value = least(3, function()
  measured { script_reward }
  return (last - first) / 2047 * 1e6
end) })

local plugin = grao.plugin("nothing")
print(grao.json.encode { what = "plugin reward", unit = "µs", target = 20, value = least(3, function()
  measured {
    { name = "before", score = function() before = os.clock() return 1 end }, plugin,
    { name = "after", score = function() after = after or os.clock() return 1 end },
  }
  return (after - before) / 2048 * 1e6
end) })

local lines = {}
for i = 1, 10000 do
  lines[i] = grao.json.encode { prompt = ("What is %d plus %d? Answer with a number and nothing else."):format(i, i + 7),
    reference = ("The answer is %d."):format(2 * i + 7), level = i % 5, tags = { "sum", "easy" } }
end
local temporary = os.tmpname()
local path = temporary .. ".jsonl"
local file = assert(io.open(path, "w"))
assert(file:write(table.concat(lines, "\n"), "\n"))
file:close()
print(grao.json.encode { what = "10,000 rows of JSONL", unit = "s", target = 0.1, value = least(5, function()
  local begun = os.clock()
  assert(#grao.dataset(path) == 10000)
  return os.clock() - begun
end) })
os.remove(path)
os.remove(temporary)
