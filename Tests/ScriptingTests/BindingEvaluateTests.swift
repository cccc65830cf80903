import Testing

extension BindingSuite {
  @Suite struct Evaluating {
    @Test func theResultsFollowFromTheRewards() throws {
      try script(
        """
        local rewards, references, row = {}, {}, 0
        local result = grao.evaluate { model = tiny(), data = grao.dataset(sums(5)), samples = 3, temperature = 1,
          seed = 2, max_new_tokens = 2, rewards = { function(sample)
            check(sample.step == 0 or sample.step == 1)
            local reward = sample.ids[1] % 3
            local level = sample.row.level
            if sample.is_reference then references[level] = reward
            else
              rewards[level] = rewards[level] or {}
              table.insert(rewards[level], reward)
            end
            return reward
          end } }
        local n, sum, squares, win, tie, loss = 0, 0, 0, 0, 0, 0
        for level, list in ipairs(rewards) do
          for _, r in ipairs(list) do
            n, sum, squares = n + 1, sum + r, squares + r * r
            local y = references[level]
            if r > y then win = win + 1 elseif r == y then tie = tie + 1 else loss = loss + 1 end
          end
        end
        equal(n, 15)
        check(win > 0 and tie > 0 and loss > 0, win .. " " .. tie .. " " .. loss)
        near({ result.reward_mean, result.reward_std, result.win, result.tie, result.loss, result.ras,
          result.ras_with_ties },
          { sum / n, math.sqrt(squares / n - (sum / n) ^ 2), win / n, tie / n, loss / n, win / n, (win + tie) / n },
          1e-12)
        check(result.gain == nil and result.decline == nil and result.nag == nil)
        """)
    }

    @Test func aBaselineIsPairedByRowAndIndex() throws {
      try script(
        """
        local asked = {}
        local function options(baseline)
          asked = {}
          return { model = tiny(), baseline = baseline, data = grao.dataset(sums(4)), samples = 2, temperature = 1,
            seed = 5, max_new_tokens = 2, rewards = { function(sample)
              if not sample.is_reference then asked[#asked + 1] = sample.ids[1] % 3 end
              return sample.ids[1] % 3
            end } }
        end
        local result = grao.evaluate(options(tiny { seed = 4 }))
        equal(#asked, 16)
        local gain, decline = 0, 0
        for i = 1, 8 do
          if asked[i] > asked[i + 8] then gain = gain + 1 elseif asked[i] < asked[i + 8] then decline = decline + 1 end
        end
        check(gain > 0 and decline > 0)
        equal({ result.gain, result.decline, result.nag }, { gain / 8, decline / 8, (gain - decline) / 8 })
        -- The same weights under the same seed say the same.
        local same = grao.evaluate(options(tiny()))
        equal({ same.gain, same.decline, same.nag }, { 0.0, 0.0, 0.0 })
        """)
    }

    @Test func theSeedNamesTheSamples() throws {
      try script(
        """
        local model = tiny()
        local function mean(seed, temperature)
          return grao.evaluate { model = model, data = grao.dataset(sums(5)), seed = seed, temperature = temperature,
            max_new_tokens = 4, rewards = { function(sample) return sample.ids[1] + sample.ids[#sample.ids] / 100 end }
          }.reward_mean
        end
        check(mean(1, 1) == mean(1, 1) and mean(1, 1) ~= mean(2, 1) and mean(nil, 1) == mean(0, 1))
        -- Greedy unless a temperature is given.
        check(mean(1) == mean(2) and mean() == mean(1, 0))
        local sum = 0
        for i, row in ipairs(sums(5)) do
          local ids = model:generate { prompts = { row.prompt }, temperature = 0, max_new_tokens = 4 }[1][1].ids
          sum = sum + ids[1] + ids[4] / 100
        end
        near(mean(), sum / 5, 1e-12)
        """)
    }

    @Test func rewardsAreWeighedAndSkipped() throws {
      try script(
        """
        local function evaluate(rewards, skip)
          return grao.evaluate { model = tiny(), data = grao.dataset(sums(4)), rewards = rewards, max_new_tokens = 1,
            on_reward_error = skip }
        end
        local one = function() return 1 end
        equal(evaluate({ { score = one, weight = 0.25 }, { score = one, weight = 2 } }).reward_mean, 2.25)
        equal(evaluate({ one, function() end }).reward_mean, 1.0)
        local odd = function(sample) if sample.row.level % 2 == 1 then error("odd") end return sample.row.level end
        local result = evaluate({ odd }, "skip")
        equal({ result.reward_mean, result.samples, result.excluded, result.tie }, { 3.0, 2, 2, 1.0 })
        fails("odd", function() return evaluate({ odd }) end)
        """)
    }

    @Test(arguments: [
      ("model = none", "grao.evaluate: option 'model' is missing: a model is required"),
      ("model = 5", "grao.evaluate: option 'model' must be a model, not 5"),
      ("data = none", "grao.evaluate: option 'data' is missing: a dataset is required"),
      ("data = sums(1)", "grao.evaluate: option 'data' must be a dataset, not an array"),
      ("rewards = none", "grao.evaluate: option 'rewards' is missing: an array is required"),
      ("rewards = {}", "grao.evaluate: option 'rewards' is empty: at least one is needed"),
      ("basline = tiny()", "grao.evaluate: unknown option 'basline' (did you mean 'baseline'?)"),
      ("baseline = 'base'", "grao.evaluate: option 'baseline' must be a model, not a string"),
      ("samples = 0", "grao.evaluate: option 'samples' must be between 1 and 1048576, not 0"),
      ("temperature = '0'", "grao.evaluate: option 'temperature' must be a number, not a string"),
      ("data = grao.dataset { { reference = '1' } }", "dataset: row 1: column 'prompt' is missing"),
    ])
    func mistakesAreErrors(_ option: String, _ message: String) throws {
      try script(
        """
        local options = { model = tiny(), data = grao.dataset(sums(1)), rewards = { print } }
        for key, value in pairs { \(option) } do options[key] = value end
        for key, value in pairs(options) do if value == none then options[key] = nil end end
        fails([==[\(message)]==], function() return grao.evaluate(options) end)
        """)
    }
  }
}
