import Testing

extension BindingSuite {
  @Suite struct Rewards {
    @Test func aFunctionGetsTheSample() throws {
      try script(
        """
        local samples = {}
        local groups = trainer { group_size = 2, rewards = { function(sample)
          samples[#samples + 1] = sample
          return #samples
        end } }:rollout { { prompt = "1+1=", reference = "2", level = 7, list = { 1, 2 } }, sums(2)[2] }
        equal(#samples, 6)
        -- In the order of rows and samples, the row's reference last.
        for i, sample in ipairs(samples) do
          local group, number = groups[(i + 2) // 3], (i - 1) % 3 + 1
          equal({ sample.prompt, sample.reference, sample.step, sample.is_reference },
            { i < 4 and "1+1=" or "2+1=", i < 4 and "2" or "3", 1, number == 3 })
          local given = group.samples[number] or { text = group.row.reference, ids = group.reference }
          equal({ sample.completion, sample.ids }, { given.text, given.ids })
          equal(sample.finish_reason, number == 3 and "stop" or given.finish_reason)
          equal(number == 3 and group.reference_reward or given.reward, i + 0.0)
        end
        equal(samples[1].row, { prompt = "1+1=", reference = "2", level = 7, list = { 1, 2 } })
        equal(samples[3].ids, { 7, 1 })
        """)
    }

    @Test func theStepIsTheOneBeingPrepared() throws {
      try script(
        """
        local steps = {}
        train { steps = 3, prompts_per_step = 1, group_size = 1, rewards = { function(sample)
          steps[#steps + 1] = sample.step
          return 1
        end } }
        equal(steps, { 1, 1, 2, 2, 3, 3 })
        """)
    }

    @Test func aSamplesRewardIsTheWeightedSum() throws {
      try script(
        """
        local rewards = {
          function(sample) return sample.ids[1] end,
          { score = function(sample) return 10 end, weight = 0.5 },
          { name = "third", score = function(sample) return 100 end, weight = function(state) return state.step end },
          { name = "none", score = function() return nil end },
        }
        local t = trainer { rewards = rewards }
        local groups = t:rollout(sums(1))
        for _, sample in ipairs(groups[1].samples) do
          equal(sample.reward, sample.ids[1] + 105.0)
          equal(sample.rewards, { reward1 = sample.ids[1] + 0.0, reward2 = 10.0, third = 100.0 })
        end
        local stats = t:step(groups)
        equal({ stats["rewards/third/mean"], stats["rewards/third/std"], stats["weights/third"],
          stats["weights/reward2"], stats["rewards/none/mean"] == nil }, { 100.0, 0.0, 1.0, 0.5, true })
        equal(t:rollout(sums(1))[1].reference_reward, 7 + 5 + 200.0)
        local sum = groups[1].samples[1].reward + groups[1].samples[2].reward
        near(stats.reward, sum / 2, 1e-12)
        near(stats.reward_std, math.abs(groups[1].samples[1].reward - sum / 2), 1e-12)
        """)
    }

    @Test func whatDoesNotApplyIsLeftOut() throws {
      try script(
        """
        local count = 0
        local function alternate(sample)
          if sample.is_reference then return 1 end
          count = count + 1
          if count % 2 == 0 then return nil end
          return 3
        end
        local summary = train { group_size = 4, rewards = { alternate } }
        equal({ summary.reward, summary["samples/dropped"], summary["groups/dropped"] }, { 3.0, 4, 0 })
        -- Without samples, or without a reward for the reference, the group is dropped.
        for _, keep in ipairs { true, false } do
          local model = tiny()
          local before = model:logits("1")
          local summary = train { model = model, optimizer = { learning_rate = 1 }, rewards = { function(sample)
            if sample.is_reference == keep then return 1 end
          end } }
          equal({ summary["groups/dropped"], summary.loss, summary.grad_norm, summary.exploration, summary.imitation,
            summary.regularizer }, { 2, 0.0, 0.0, 0.0, 0.0, 0.0 })
          equal(model:logits("1"), before)
        end
        """)
    }

    @Test(arguments: [
      ("function() return 1 / 0 end", "reward 'reward1' returned inf, which is not a finite number"),
      (
        "{ name = 'style', score = function(s) return s.is_reference and -1 / 0 or 1 end }",
        "reward 'style' returned -inf, which is not a finite number"
      ),
      ("function() return '1' end", "reward 'reward1': a reward function returned a string, expected a number or nil"),
      (
        "function() return true end", "reward 'reward1': a reward function returned a boolean, expected a number or nil"
      ),
      ("function() error('broken') end", "broken"),
      ("function(sample) return sample.none.x end", "attempt to index a nil value (field 'none')"),
      (
        "grao.plugin('success_band')",
        "reward 'success_band': plugin 'success_band' is a curriculum, and cannot be used as a reward"
      ),
    ])
    func anErrorStopsOrSkips(_ reward: String, _ message: String) throws {
      try script(
        """
        fails([==[\(message)]==], function() train { rewards = { \(reward) } } end)
        fails([==[\(message)]==], function()
          grao.evaluate { model = tiny(), data = grao.dataset(sums(1)), rewards = { \(reward) }, max_new_tokens = 1 }
        end)
        local summary = train { rewards = { \(reward) }, on_reward_error = "skip" }
        equal(summary["groups/dropped"], 2)
        """)
    }

    @Test func notANumberIsNamed() throws {
      // Lua prints what 0/0 gives as "-nan" or "nan", by platform.
      try script(
        """
        local ok, message = pcall(function() train { rewards = { { name = "style", score = function() return 0 / 0 end } } } end)
        check(not ok and message:match("^.*main%.lua:1: reward 'style' returned %-?nan, which is not a finite number$"),
          message)
        """)
    }

    @Test func aBatchIsScoredInOneCall() throws {
      try script(
        """
        local sizes, late = {}, 0
        local function batch(samples)
          sizes[#sizes + 1] = #samples
          -- Neither nil nor false applies, and what the function keeps stays as it is.
          local scores = table.pack(1, nil, 3, false, 5, 6)
          if late > 0 then scores[late] = { error = "too late" } end
          return scores, { calls = #sizes }
        end
        local t = trainer { rewards = { { name = "all", score_batch = batch, weight = 2 } } }
        local groups = t:rollout(sums(2))
        equal(sizes, { 6 })
        equal({ groups[1].samples[1].reward, groups[1].reference_reward, groups[2].samples[2].reward }, { 2.0, 6.0, 10.0 })
        equal(groups[1].samples[2].reward, nil)
        equal(groups[2].samples[1].reward, nil)
        equal({ groups[1].samples[1].numbers, groups[1].reference_rewards }, { { ["all/calls"] = 1.0 }, { all = 3.0 } })
        local stats = t:step(groups)
        equal({ stats["rewards/all/mean"], stats["rewards/all/weighted_mean"], stats["weights/all"] }, { 3.0, 6.0, 2.0 })
        equal({ stats["rewards/all/calls"], stats["samples/dropped"], stats["rewards/all/failed"] }, { 1.0, 2, 0 })
        late = 5
        fails("reward 'all': too late", function() t:rollout(sums(2)) end)
        """)
    }

    @Test(arguments: [
      (
        "return 1",
        "a score_batch function returned an integer, expected an array with a number or nil for each of 6 samples"
      ),
      (
        "return { [7] = 1 }",
        "a score_batch function returned a table, expected an array with a number or nil for each of 6 samples: "
          + "it has the key '7'"
      ),
      ("return { 1, 2, 'x' }", "a score_batch function returned a string, expected a number or nil"),
      (
        "return {}, 5",
        "a score_batch function returned an integer, expected as its second result a table of numbers by name"
      ),
      (
        "return {}, { a = 'b' }",
        "a score_batch function returned a string, expected as its second result a table of numbers by name"
      ),
    ])
    func aBatchOfOtherThingsIsAnError(_ body: String, _ message: String) throws {
      try script(
        """
        fails([==[reward 'b': \(message)]==], function()
          train { rewards = { { name = "b", score_batch = function(samples) \(body) end } } }
        end)
        """)
    }

    @Test func aRewardMayLogNumbers() throws {
      try script(
        """
        local function reward(sample)
          if sample.is_reference then return 1 end
          return #sample.ids, { length = #sample.ids, one = 1 }
        end
        local summary = train { rewards = { { name = "r", score = reward } } }
        equal(summary["rewards/r/one"], 1.0)
        equal(summary["rewards/r/length"], summary["rewards/r/mean"])
        local evaluation = grao.evaluate {
          model = tiny(), data = grao.dataset(sums(2)), max_new_tokens = 2,
          rewards = { { name = "r", score = reward, weight = 0.5 } },
        }
        equal(evaluation["rewards/r/weighted_mean"], evaluation.reward_mean)
        equal(evaluation["rewards/r/length"], evaluation["rewards/r/mean"])
        fails("reward 'r' logs 'std', which is a name of the engine's own", function()
          train { rewards = { { name = "r", score = function() return 1, { std = 1 } end } } }
        end)
        """)
    }

    @Test func skippedSamplesTakeNoOthersAlong() throws {
      try script(
        """
        local calls = 0
        local function reward(sample)
          if sample.is_reference then return 1 end
          calls = calls + 1
          if sample.ids[1] % 2 == 0 then error("even") end
          return sample.ids[1]
        end
        local t = trainer { group_size = 6, rewards = { reward }, on_reward_error = "skip" }
        local group = t:rollout(sums(1))[1]
        local even = 0
        for _, sample in ipairs(group.samples) do
          if sample.ids[1] % 2 == 0 then
            even = even + 1
            check(sample.reward == nil)
          else
            equal(sample.reward, sample.ids[1] + 0.0)
          end
        end
        check(even > 0 and even < 6)
        equal(group.reference_reward, 1.0)
        equal(t:step { group }["samples/dropped"], even)
        """)
    }

    @Test(arguments: [
      ("5", "grao.train: option 'rewards' must be an array, not 5"),
      ("{ 5 }", "grao.train: option 'rewards[1]' must be a function, a reward plugin or a table, not an integer"),
      (
        "{ print, { } }", "grao.train: rewards[2]: option 'score' is missing: a function or a reward plugin is required"
      ),
      (
        "{ { score = print, score_batch = print } }",
        "grao.train: rewards[1]: option 'score_batch' cannot stand beside 'score': give one of them"
      ),
      (
        "{ { score = 'exact' } }",
        "grao.train: rewards[1]: option 'score' must be a function or a reward plugin, not a string"
      ),
      (
        "{ { score = print, wieght = 1 } }", "grao.train: rewards[1]: unknown option 'wieght' (did you mean 'weight'?)"
      ),
      (
        "{ { score = print, weight = '1' } }",
        "grao.train: rewards[1]: option 'weight' must be a number or a schedule, not a string"
      ),
      (
        "{ { score = print, name = 'a' }, { score = print, name = 'a' } }",
        "grao.train: option 'rewards' has two rewards named 'a'"
      ),
      (
        "{ print, { name = 'reward1', score = print } }", "grao.train: option 'rewards' has two rewards named 'reward1'"
      ),
      ("{ }", "grao.train: option 'rewards' is missing: method 'grao' needs at least one"),
      ("none", "grao.train: option 'rewards' is missing: method 'grao' needs at least one"),
    ])
    func mistakesAreErrors(_ rewards: String, _ message: String) throws {
      try script("fails([==[\(message)]==], function() train { rewards = \(rewards) } end)")
    }
  }

  @Suite struct Plugins {
    static let writer = """
      return {
        name = "writer", version = "1.0.0", kind = "reward", options = { value = { type = "number", required = true } },
        score = function(sample, options)
          sample.row.level, sample.ids[1] = "changed", -1
          return options.value
        end,
      }
      """
    static let endless = """
      return { name = "endless", version = "1.0.0", kind = "reward", score = function() while true do end end }
      """

    @Test func rewardsHaveTheirNames() throws {
      try script(
        """
        local summary = train { rewards = { grao.plugin("exact_match"),
          { name = "number", score = grao.plugin("numeric_answer"), weight = 0.5 } } }
        equal({ summary["weights/exact_match"], summary["weights/number"], summary.reference_reward }, { 1.0, 0.5, 1.5 })
        local plugin = grao.plugin("exact_match", { ignore_case = true })
        equal({ plugin.name, plugin.kind, type(plugin.description) }, { "exact_match", "reward", "string" })
        equal(tostring(plugin), "grao.plugin: reward 'exact_match' 1.0.0")
        """)
    }

    @Test func aPluginBesideTheScriptGetsCopies() throws {
      try script(
        """
        local function level(sample)
          check(sample.ids[1] >= 0)
          return sample.row.level
        end
        local t = trainer { rewards = { grao.plugin("writer", { value = 5 }), { name = "level", score = level } } }
        local group = t:rollout(sums(1))[1]
        equal({ group.samples[1].rewards, group.row.level }, { { writer = 5.0, level = 1.0 }, 1 })
        """, files: ["plugins/writer/init.lua": Self.writer])
    }

    @Test func limitsEndACall() throws {
      let files = ["plugins/endless/init.lua": Self.endless]
      try script(
        """
        local endless = grao.plugin("endless", {}, { seconds = 0.01 })
        local ok, message = pcall(function() train { rewards = { endless } } end)
        check(not ok and message:find("plugins/endless/init.lua:1: the time limit of 0.01 s is over", 1, true), message)
        equal(train { rewards = { endless }, prompts_per_step = 1, on_reward_error = "skip" }["groups/dropped"], 1)
        """, files: files)
    }

    @Test(arguments: [
      ("'exact_mach'", "no plugin 'exact_mach' (did you mean 'exact_match'?)"),
      ("'../exact_match'", "'../exact_match' is not a plugin's name: letters, digits, _ and -"),
      ("", "argument 1 of grao.plugin must be a string, not nothing"),
      ("'exact_match', { case = true }", "plugin 'exact_match': unknown option 'case'; the options are "),
      ("'exact_match', { trim = 1 }", "plugin 'exact_match': option 'trim' must be true or false, not 1"),
      ("'writer'", "plugin 'writer': option 'value' is missing: a number is required"),
      ("'length', { max = -1 }", "plugin 'length': option 'max' must be at least 0, not -1"),
      ("'exact_match', {}, { second = 1 }", "grao.plugin: unknown option 'second' (did you mean 'seconds'?)"),
      ("'exact_match', {}, { seconds = 0 }", "grao.plugin: option 'seconds' must be at least 0.001, not 0"),
      (
        "'exact_match', {}, { hosts = { 'http://example.org' } }",
        "grao.plugin: option 'hosts': 'http://example.org' is not a host"
      ),
    ])
    func mistakesAreErrors(_ call: String, _ message: String) throws {
      // Up to the list of folders that were searched.
      try script(
        """
        local ok, found = pcall(function() return grao.plugin(\(call)) end)
        check(not ok and found:gsub("^.-main%.lua:1: ", ""):sub(1, #[==[\(message)]==]) == [==[\(message)]==], found)
        """, files: ["plugins/writer/init.lua": Self.writer])
    }
  }
}
