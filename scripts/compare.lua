-- The methods on one task: SFT, DPO, PPO, GRPO and GRAO, and GRAO without each of its parts, on a tiny mixture of experts
-- and its dense twin, from the same start, with the same number of completions, over several seeds.
--
--   .build/release/grao-run scripts/compare.lua [folder] [seeds] [steps]
--
-- The task is addition with a teacher who is wrong in two rows of five, so that a model can do better than its
-- references: then R(o) > R(y), a win. Writes report.md and pictures into the folder (default runs/compare).
local grao = require "grao"
local here = arg[0]:match("^(.*)/[^/]*$") or "."
local svg = dofile(here .. "/svg.lua")

local folder = arg[1] or "runs/compare"
local seeds = math.tointeger(tonumber(arg[2] or 3))
local steps = math.tointeger(tonumber(arg[3] or 600))
local prompts, group, every = 16, 8, 20

local shapes = {
  moe = { model_type = "qwen3_moe", num_experts = 8, num_experts_per_tok = 2, moe_intermediate_size = 96,
    norm_topk_prob = true },
  dense = { model_type = "qwen3", intermediate_size = 192 }, -- as wide as the two experts of a token
}

local function new_model(shape, seed)
  local config = {
    vocab_size = 80, hidden_size = 96, num_hidden_layers = 3, num_attention_heads = 4, num_key_value_heads = 2,
    head_dim = 24, intermediate_size = 192, tie_word_embeddings = true, hidden_act = "silu", initializer_range = 0.08,
    rms_norm_eps = 1e-6, rope_theta = 10000.0, max_position_embeddings = 32, eos_token_id = 1,
  }
  for key, value in pairs(shapes[shape]) do config[key] = value end
  return grao.new { seed = seed, config = config, tokenizer = here .. "/arithmetic-tokenizer" }
end

-- Sums up to 49. The reference is what the teacher says; the rejected answer is further off.
local function rows(seed)
  math.randomseed(seed)
  local list = {}
  for a = 1, 49 do
    for b = 1, 49 do
      local answer = a + b
      local said = answer
      if math.random() < 0.4 then said = math.max(0, answer + (math.random() < 0.5 and -1 or 1) * math.random(1, 3)) end
      local worse = math.max(0, answer + (math.random() < 0.5 and -1 or 1) * math.random(4, 12))
      list[#list + 1] = { prompt = ("%d+%d="):format(a, b), reference = tostring(said), chosen = tostring(said),
        rejected = tostring(worse), answer = answer }
    end
  end
  return grao.dataset(list):split(0.9, seed)
end

-- 1 for the right sum, less the further off; 0 for what is no number.
local function closeness(sample)
  local said = tonumber(sample.completion)
  return said and 1 / (1 + math.abs(said - sample.row.answer)) or 0
end

local sampling = { prompts_per_step = prompts, group_size = group, max_new_tokens = 4, temperature = 1.0,
  rewards = { closeness } }
local function rate(peak) return grao.schedule.warmup(5, grao.schedule.cosine(peak, peak / 10)) end

-- Every method sees prompts × group completions a step: SFT that many references, DPO half as many pairs. PPO makes four
-- updates of each rollout, as it is used; its steps are counted by rollouts.
local methods = {
  { name = "sft", options = { method = "sft", prompts_per_step = prompts * group } },
  { name = "dpo", options = { method = "dpo", prompts_per_step = prompts * group // 2 } },
  { name = "ppo", options = { method = "ppo", kl = { coefficient = 0.01 } }, samples = true, updates = 4 },
  { name = "grpo", options = { method = "grpo" }, samples = true },
  { name = "grao", options = { method = "grao" }, samples = true },
  { name = "grao without imitation", options = { method = "grao", weights = { imitation = 0 } }, samples = true },
  { name = "grao without exploration", options = { method = "grao", weights = { exploration = 0 } }, samples = true },
  { name = "grao without regularizer", options = { method = "grao", weights = { regularizer = 0 } }, samples = true },
}

-- Trains one method from a saved start; its curve, its end, and what GRAO's parts weighed.
local function run(method, start, train, held_out, seed)
  local model <close> = grao.load(start)
  local baseline <close> = grao.load(start)
  local result = { curve = {}, shares = {} }
  local updates = method.updates or 1
  local function measure()
    return grao.evaluate { model = model, data = held_out, rewards = { closeness }, max_new_tokens = 4 }.reward_mean
  end
  local options = { model = model, data = train, seed = seed, steps = steps * updates, optimizer = { learning_rate = rate(1e-3) } }
  if method.samples then for key, value in pairs(sampling) do options[key] = value end end
  for key, value in pairs(method.options) do options[key] = value end
  options.on_step = function(state)
    local metrics = state.metrics
    if metrics.exploration then
      local e, i, r = math.abs(metrics.exploration), math.abs(metrics.imitation), math.abs(metrics.regularizer)
      local total = e + i + r
      if total > 0 then result.shares[#result.shares + 1] = { state.step, e / total, i / total, r / total } end
    end
    if state.step % (every * updates) == 0 then
      result.curve[#result.curve + 1] = { state.step // updates, measure() }
    end
  end
  result.start = measure()
  grao.train(options)
  result.final = grao.evaluate { model = model, baseline = baseline, data = held_out, rewards = { closeness },
    max_new_tokens = 4 }
  return result
end

-- Mean and standard deviation (1/n) of numbers.
local function spread(numbers)
  local mean, square = 0, 0
  for _, x in ipairs(numbers) do mean = mean + x / #numbers end
  for _, x in ipairs(numbers) do square = square + (x - mean) ^ 2 / #numbers end
  return mean, math.sqrt(square)
end

local function percent(numbers)
  local mean, deviation = spread(numbers)
  return ("%.1f ± %.1f"):format(100 * mean, 100 * deviation)
end

local function column(results, get)
  local numbers = {}
  for i, result in ipairs(results) do numbers[i] = get(result) end
  return numbers
end

-- The first step at which a curve reaches a reward.
local function reached(result, reward)
  for _, point in ipairs(result.curve) do if point[2] >= reward then return point[1] end end
end

local function report_on(shape, all, report)
  local function line(...) report[#report + 1] = ("| %s |"):format(table.concat({ ... }, " | ")) end
  report[#report + 1] = ("\n## %s\n"):format(shape == "moe" and "Mixture of experts (8, 2 at work)" or "Dense twin")
  line("method", "reward", "RAS", "win", "tie", "loss", "NAG", "steps to 95 % of the best GRPO")
  line("---", "---", "---", "---", "---", "---", "---", "---")
  local best = 0
  for _, result in ipairs(all.grpo) do for _, point in ipairs(result.curve) do best = math.max(best, point[2]) end end
  for _, method in ipairs(methods) do
    local results = all[method.name]
    local counts, missed = {}, 0
    for _, result in ipairs(results) do
      local step = reached(result, 0.95 * best)
      if step then counts[#counts + 1] = step else missed = missed + 1 end
    end
    local said = #counts > 0 and ("%.0f ± %.0f"):format(spread(counts)) or "–"
    if missed > 0 and #counts > 0 then said = said .. (" (%d of %d)"):format(#counts, #results) end
    line(method.name, percent(column(results, function(r) return r.final.reward_mean end)),
      percent(column(results, function(r) return r.final.ras end)),
      percent(column(results, function(r) return r.final.win end)),
      percent(column(results, function(r) return r.final.tie end)),
      percent(column(results, function(r) return r.final.loss end)),
      percent(column(results, function(r) return r.final.nag end)), said)
  end
end

local function pictures(shape, all)
  local curves = { title = ("Held-out reward, %s, %d seeds"):format(shape, seeds), x = "rollout", y = "reward",
    series = {} }
  for i = 1, 5 do
    local name = methods[i].name
    local points = {}
    for place, point in ipairs(all[name][1].curve) do
      local mean, deviation = spread(column(all[name], function(r) return r.curve[place][2] end))
      points[place] = { point[1], mean, mean - deviation, mean + deviation }
    end
    table.insert(points, 1, { 0, (spread(column(all[name], function(r) return r.start end))) })
    points[1][3], points[1][4] = points[1][2], points[1][2]
    curves.series[i] = { name = name, points = points }
  end
  svg.lines(("%s/curves-%s.svg"):format(folder, shape), curves)
  svg.shares(("%s/shares-%s.svg"):format(folder, shape), { title = ("GRAO's parts of the loss, %s, seed 1"):format(shape),
    x = "optimizer step", names = { "exploration", "imitation", "regularizer" }, points = all.grao[1].shares })
end

assert(os.execute(("mkdir -p '%s'"):format(folder)))
local begun = os.time()
local report = {
  "# SFT, DPO, PPO, GRPO and GRAO on one task", "",
  ("Sums up to 98; two references of five are wrong. %d steps of %d completions from the same start, %d seeds: mean ± standard"):format(
    steps, prompts * group, seeds),
  "deviation over seeds, in % (reward: 1 / (1 + distance to the sum), greedy, on held-out rows). RAS: the completion beats the",
  "reference; NAG: share of gains less share of declines against the start.",
}
for _, shape in ipairs { "moe", "dense" } do
  local all = {}
  for seed = 1, seeds do
    local train, held_out = rows(seed)
    local model <close> = new_model(shape, seed)
    grao.train { model = model, method = "sft", data = train, seed = seed, steps = 150, prompts_per_step = 64,
      optimizer = { learning_rate = rate(3e-3) } }
    local start = ("%s/start-%s-%d"):format(folder, shape, seed)
    model:save(start)
    for _, method in ipairs(methods) do
      local result = run(method, start, train, held_out, seed)
      all[method.name] = all[method.name] or {}
      table.insert(all[method.name], result)
      print(("%s, seed %d, %-26s reward %.3f → %.3f"):format(shape, seed, method.name, result.start,
        result.final.reward_mean))
    end
  end
  report_on(shape, all, report)
  pictures(shape, all)
end
report[#report + 1] = ("\nIn %.1f minutes."):format((os.time() - begun) / 60)
local text = table.concat(report, "\n") .. "\n"
local file <close> = assert(io.open(folder .. "/report.md", "w"))
assert(file:write(text))
print("\n" .. text)
