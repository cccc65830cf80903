-- One measurement of the engine, as a user's script meets it; benchmark.py runs it beside the peers'.
--
--   grao-run Benchmarks/engine.lua MODEL WORK ROUNDS [DTYPE]
--
-- WORK: grpo, grao (a whole step: 4 prompts of 10 tokens, 8 completions of 64 each, rewards, one update), generate
-- (32 completions of 64), generate1 (one of 256), prompt (one of 512 tokens), train (an update on 32 sequences of 80
-- tokens). Prints a line of JSON a round, and peak memory at the end. No token of the models ends a completion, which is
-- checked once.
local grao = require "grao"
local path, work, rounds, dtype = arg[1], arg[2], tonumber(arg[3]), arg[4] or "float32"

local measure = dofile((arg[0]:match("^(.*)/") or ".") .. "/measure.lua")
local model = grao.load(path, { dtype = dtype })
local ids = measure.tokens(model:info().vocab_size)

local function reward(sample) return sample.ids[1] % 7 end

local function whole(completions, length)
  for _, completion in ipairs(completions) do
    assert(#completion.ids == length, "a completion has ended early: make the model with make-models.lua")
  end
end

local function step(method)
  local rows = {}
  for i = 1, 4 do rows[i] = { prompt = ids(10), reference = ids(64) } end
  local trainer = grao.trainer {
    model = model, method = method, rewards = { reward }, group_size = 8, max_new_tokens = 64, temperature = 1.0,
    prompts_per_step = 4,
  }
  for _, group in ipairs(trainer:rollout(rows)) do whole(group.samples, 64) end
  return function() trainer:step(trainer:rollout(rows)) end
end

local works = {
  grpo = function() return step("grpo"), 32 * 64 end,
  grao = function() return step("grao"), 32 * 64 end,
  generate = function()
    local prompts = {}
    for i = 1, 32 do prompts[i] = ids(10) end
    for _, samples in ipairs(model:generate { prompts = prompts, max_new_tokens = 64, seed = 1 }) do whole(samples, 64) end
    return function() model:generate { prompts = prompts, max_new_tokens = 64, seed = 1 } end, 32 * 64
  end,
  generate1 = function()
    local prompts = { ids(10) }
    whole(model:generate { prompts = prompts, max_new_tokens = 256, seed = 1 }[1], 256)
    return function() model:generate { prompts = prompts, max_new_tokens = 256, seed = 1 } end, 256
  end,
  prompt = function()
    local prompt = ids(512)
    return function() model:logits(prompt) end, 512
  end,
  train = function()
    local groups = {}
    for i = 1, 32 do groups[i] = { prompt = ids(1), reference = ids(79) } end
    local trainer = grao.trainer { model = model, method = "sft" }
    return function() trainer:step(groups) end, 32 * 80
  end,
}

local body, tokens = assert(works[work], "unknown work " .. tostring(work))()
body() -- to warm up
for _ = 1, rounds do
  print(grao.json.encode { seconds = measure.timed(body), tokens = tokens })
end
print(grao.json.encode { peak_kilobytes = measure.peak_kilobytes() })
