-- Aligns SmolLM2-135M-Instruct with GRAO on addition, asked as a chat question. Fetch the model first:
--
--   bash scripts/get-smollm2.sh
--   .build/release/grao-run scripts/smollm2-arithmetic.lua [seed] [steps]
local grao = require "grao"

local seed = math.tointeger(arg[1] or 1)
local steps = math.tointeger(arg[2] or 60)
local model <close> = grao.load("models/SmolLM2-135M-Instruct.gguf")

local rows = {}
for a = 2, 20 do
  for b = 2, 20 do
    rows[#rows + 1] = {
      prompt = { { role = "user", content = ("What is %d+%d? Answer with the number only."):format(a, b) } },
      reference = tostring(a + b),
    }
  end
end
-- The same questions are held out for every seed, and never trained on.
local train, held_out = grao.dataset(rows):split(0.7, 0)

-- 1 where the last number of the answer is the sum.
local function correct(sample)
  local last
  for number in sample.completion:gmatch("%d+") do last = number end
  return last == sample.reference and 1 or 0
end

local function accuracy()
  local result = grao.evaluate { model = model, data = held_out, rewards = { correct }, max_new_tokens = 16 }
  return 100 * result.reward_mean
end

print(("SmolLM2-135M-Instruct, %d questions to train on, %d held out, seed %d"):format(#train, #held_out, seed))
print(("before: %.1f %% of the held-out sums are right"):format(accuracy()))
local start = os.time()
grao.train {
  model = model, method = "grao", data = train, seed = seed, steps = steps,
  rewards = { { name = "correct", score = correct } },
  prompts_per_step = 8, group_size = 8, max_new_tokens = 16, temperature = 0.7,
  weights = {
    imitation = grao.schedule.linear(0.5, 0.1),
    regularizer = 0.6,
  },
  optimizer = { learning_rate = grao.schedule.warmup(4, 2e-5) },
}
print(("after %d steps and %.1f minutes: %.1f %%"):format(steps, (os.time() - start) / 60, accuracy()))
model:save("runs/smollm2-arithmetic-" .. seed)
