-- Two rewards that pull apart, and the front between them: sums that are right, and answers that are brief.
--
--   .build/release/grao-run scripts/multi_objective.lua [folder] [seed]
--
-- "right" counts the digits of the answer that are right from the first on, the first for most; "brief" takes a quarter
-- for each token. Who has both in view leaves out the digits that are worth less than the room they take. One start is
-- trained under several weights, with both ways to aggregate, and every policy is measured on held-out sums. Prints the
-- front, and draws it in front.svg in the folder (default runs/multi-objective).
local grao = require "grao"
local here = arg[0]:match("^(.*)/[^/]*$") or "."
local svg = dofile(here .. "/svg.lua")

local folder = arg[1] or "runs/multi-objective"
local seed = math.tointeger(tonumber(arg[2] or 1))
local weights = { 0, 0.2, 0.35, 0.5, 0.6, 0.7, 1 } -- of "brief"; "right" has the rest
local aggregations = { "sum_then_normalize", "normalize_then_sum" }

local model = grao.new {
  seed = seed,
  tokenizer = here .. "/arithmetic-tokenizer",
  config = {
    model_type = "qwen3_moe", vocab_size = 80, hidden_size = 128, num_hidden_layers = 4,
    num_attention_heads = 4, num_key_value_heads = 2, head_dim = 32,
    num_experts = 8, num_experts_per_tok = 2, moe_intermediate_size = 128, intermediate_size = 128,
    norm_topk_prob = true, tie_word_embeddings = true, hidden_act = "silu", initializer_range = 0.08,
    rms_norm_eps = 1e-6, rope_theta = 10000.0, max_position_embeddings = 32, eos_token_id = 1,
  },
}

local rows = {}
for a = 2, 99 do
  for b = 2, 99 do rows[#rows + 1] = { prompt = ("%d+%d="):format(a, b), reference = tostring(a + b) } end
end
local train, held_out = grao.dataset(rows):split(0.95, seed)

-- What the digits of an answer are worth, by their number.
local worth = { { 1 }, { 0.75, 0.25 }, { 0.6, 0.3, 0.1 } }

local function right(sample)
  local said, answer, value = sample.completion, sample.row.reference, 0
  for i, share in ipairs(worth[#answer]) do
    if said:sub(i, i) ~= answer:sub(i, i) then break end
    value = value + share
  end
  return #said > #answer and 0 or value
end

-- All samples of a step in one call; the mean length goes to the metrics as rewards/brief/tokens.
local function brief(samples)
  local scores, tokens = {}, 0
  for i, sample in ipairs(samples) do
    scores[i], tokens = 1 - (#sample.ids - 1) / 4, tokens + #sample.ids
  end
  return scores, { tokens = tokens / #samples }
end

local function rewards(weight)
  return {
    { name = "right", score = right, weight = 1 - weight },
    { name = "brief", score_batch = brief, weight = weight },
  }
end

--- Both rewards on held-out sums, drawn at the temperature of training: a policy may mix lengths.
local function measure(policy)
  local result = grao.evaluate {
    model = policy, data = held_out, rewards = rewards(0.5), max_new_tokens = 5, temperature = 1, seed = seed,
  }
  return result["rewards/brief/mean"], result["rewards/right/mean"], result["rewards/brief/tokens"]
end

grao.train {
  model = model, method = "sft", data = train, seed = seed, steps = 300, prompts_per_step = 64,
  optimizer = { learning_rate = grao.schedule.warmup(20, grao.schedule.cosine(3e-3, 3e-4)) },
}
model:save(folder .. "/start")

local series = {}
local x, y = measure(model)
series[1] = { name = "start", points = { { x, y, "start" } } }
print(("%-20s  %-9s  %5s  %5s  %6s"):format("aggregation", "brief", "right", "brief", "tokens"))
print(("%-20s  %-9s  %5.3f  %5.3f"):format("start", "-", y, x))

for _, aggregation in ipairs(aggregations) do
  local points = {}
  for _, weight in ipairs(weights) do
    local policy <close> = grao.load(folder .. "/start")
    grao.train {
      model = policy, method = "grao", data = train, seed = seed, steps = 120, prompts_per_step = 16, group_size = 8,
      max_new_tokens = 5, temperature = 1.5, rewards = rewards(weight), reward_aggregation = aggregation,
      optimizer = { learning_rate = grao.schedule.cosine(1e-3, 1e-4) },
    }
    local shortness, correctness, tokens = measure(policy)
    points[#points + 1] = { shortness, correctness, ("%g"):format(weight) }
    print(("%-20s  %-9g  %5.3f  %5.3f  %6.2f"):format(aggregation, weight, correctness, shortness, tokens))
  end
  series[#series + 1] = { name = aggregation, joined = true, points = points }
end

svg.points(folder .. "/front.svg", {
  title = "Right or brief: the front as the weight of \"brief\" goes from 0 to 1", x = "brief (held out)",
  y = "right (held out)", series = series,
})
print(("the picture is %s/front.svg"):format(folder))
