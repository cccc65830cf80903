import Testing

extension BindingSuite {
  /// `grao.trainer`, driven by hand.
  @Suite struct ByHand {
    /// A group of the tiny model, and a step on changed copies of it that leaves the model as it is.
    private static let setup = """
      local model = tiny()
      local t = grao.trainer { model = model, method = "grao", optimizer = { learning_rate = 0 } }
      local function group(changes)
        local group = { prompt = "1+1=", reference = "2", reference_reward = 1,
          samples = { { text = "3", reward = 0 }, { ids = { 7, 8, 9, 1 }, reward = 0.5 } } }
        for key, value in pairs(changes or {}) do group[key] = value end
        return group
      end
      local function step(changes) return t:step { group(changes) } end
      local function same(a, b)
        for _, name in ipairs { "loss", "grad_norm", "exploration", "imitation", "regularizer" } do
          if a[name] ~= b[name] then error(("%s: %.17g and %.17g"):format(name, a[name], b[name]), 2) end
        end
      end

      """

    @Test(arguments: ["llama", "llama_tied", "qwen3_moe"], ["with_reference", "samples"])
    func aStepHasTorchsNumbers(_ name: String, _ group: String) throws {
      try script(
        """
        local golden = golden("\(name)").grao
        local t = grao.trainer { model = fixture("\(name)"), method = "grao", advantage = { group = "\(group)" },
          weights = golden.weights }
        local samples = {}
        for i, ids in ipairs(golden.completions) do samples[i] = { ids = ids, reward = golden.rewards[i] } end
        local stats = t:step { { prompt = golden.prompt, reference = golden.reference, samples = samples,
          reference_reward = golden.reference_reward } }
        for _, part in ipairs { "loss", "exploration", "imitation", "regularizer" } do
          near(stats[part], golden.groups.\(group)[part], 5e-6)
        end
        """)
    }

    @Test func supervisedStepsHaveTorchsNumbers() throws {
      try script(
        """
        local golden = golden("qwen3_moe")
        local o = golden.sft.optimizer
        local t = grao.trainer { model = fixture("qwen3_moe"), method = "sft", optimizer = {
          learning_rate = o.learning_rate, betas = o.betas, eps = o.eps, weight_decay = o.weight_decay,
          max_grad_norm = o.max_grad_norm } }
        local groups = {}
        for i, sequence in ipairs(golden.sequences) do
          groups[i] = { prompt = sequence.prompt, reference = sequence.completion }
        end
        for _, expected in ipairs(golden.sft.steps) do
          local stats = t:step(groups)
          near(stats.loss, expected.loss, 1e-5)
          near(stats.grad_norm, expected.grad_norm, 1e-5 * expected.grad_norm)
        end
        """)
    }

    @Test func rolloutAndStepAreARun() throws {
      try script(
        """
        local function logits(model) return grao.json.encode(model:logits("1+1=")) end
        local function options(model)
          return { model = model, data = grao.dataset(sums(1)), prompts_per_step = 1, steps = 2, seed = 4,
            optimizer = { learning_rate = 0.01 } }
        end
        local whole = tiny()
        local summary = train(options(whole))
        local hand = tiny()
        local t = trainer(options(hand))
        equal(t.steps_made, 0)
        for _ = 1, 2 do
          local stats = t:step(t:rollout(sums(1)))
          equal(stats["sampling/logprob_difference"], 0.0)
          summary.last = stats
        end
        equal({ t.steps_made, summary.last.loss }, { 2, summary.loss })
        check(logits(hand) == logits(whole))
        local run = tiny()
        local again = trainer(options(run))
        equal(again:run().loss, summary.loss)
        check(logits(run) == logits(whole) and logits(run) ~= logits(tiny()))
        """)
    }

    @Test func aGroupIsATable() throws {
      try script(
        """
        local t = trainer {}
        local groups = t:rollout(sums(2))
        equal(#groups, 2)
        local group = groups[2]
        equal({ group.prompt, group.reference, group.reference_reward, group.row },
          { { 7, 15, 6, 19 }, { 8, 1 }, 8.0, sums(2)[2] })
        local sample = group.samples[1]
        equal({ #group.samples, #sample.ids, sample.reward, sample.finish_reason }, { 2, 3, sample.ids[1] + 0.0, "length" })
        equal(sample.logprobs, tiny():logprobs("2+1=", sample.ids))
        -- As they are, changed, and as JSON: groups are plain values.
        group.samples[1].reward = 100
        local stats = t:step(grao.json.decode(grao.json.encode(groups)))
        near(stats.reward, (groups[1].samples[1].reward + groups[1].samples[2].reward + 100 + group.samples[2].reward) / 4,
          1e-12)
        equal(#t:rollout {}, 0)
        """)
    }

    @Test func logprobTemperatureIsTheObjectives() throws {
      try script(
        """
        local model = tiny()
        local t = trainer { model = model, logprob_temperature = 0.5, temperature = 2 }
        local groups = t:rollout(sums(1))
        local sample, logits, sum = groups[1].samples[1], model:logits("1+1="), 0
        for _, logit in ipairs(logits) do sum = sum + math.exp(2 * logit) end
        near(sample.logprobs[1], 2 * logits[sample.ids[1] + 1] - math.log(sum), 1e-5)
        equal(t:step(groups)["sampling/logprob_difference"], 0.0)
        """)
    }

    @Test func textAndIdsAreTheSame() throws {
      try script(
        Self.setup + """
          local expected = step()
          check(expected.grad_norm > 0)
          near(expected.loss, -(expected.exploration + expected.imitation + expected.regularizer), 1e-12)
          same(step { prompt = { 6, 15, 6, 19 }, reference = { 7, 1 } }, expected)
          same(step { samples = { { ids = { 8, 1 }, reward = 0 }, { text = "234", reward = 0.5 } } }, expected)
          -- Where both are given, ids count: they are what was sampled.
          same(step { samples = { { ids = { 8, 1 }, text = "other", reward = 0 }, { text = "234", reward = 0.5 } } },
            expected)
          equal(model:logits("1"), tiny():logits("1"))
          """)
    }

    @Test func maskedTokensAreNotTrained() throws {
      try script(
        Self.setup + """
          local function with(sample) return step { samples = { sample, { ids = { 7, 1 }, reward = 0.5 } } } end
          local short = with { ids = { 7, 8 }, reward = 0 }
          local masked = with { ids = { 7, 8, 9, 1 }, mask = { 1, 1, 0, 0 }, reward = 0 }
          equal(masked.loss, short.loss)
          near(masked.grad_norm, short.grad_norm, 1e-5)
          check(with { ids = { 7, 8, 9, 1 }, reward = 0 }.loss ~= short.loss)
          local whole = with { ids = { 7, 8 }, mask = { 1, 1 }, reward = 0 }
          same(whole, short)
          """)
    }

    @Test func samplesWithoutARewardAreLeftOut() throws {
      try script(
        Self.setup + """
          local one = { { text = "3", reward = 0 }, { ids = { 7, 8, 9, 1 }, reward = 0.5 }, { text = "9" } }
          local stats = step { samples = one }
          same(stats, step())
          equal(stats["samples/dropped"], 1)
          for _, changes in ipairs { { samples = {} }, { samples = { { text = "3" } } }, { reference_reward = none } } do
            local dropped = group(changes)
            if changes.reference_reward then dropped.reference_reward = nil end
            local stats = t:step { dropped }
            equal({ stats["groups/dropped"], stats.loss, stats.grad_norm, stats.exploration, stats.imitation,
              stats.regularizer }, { 1, 0.0, 0.0, 0.0, 0.0, 0.0 })
            -- The others count as if it were not there.
            local mixed = t:step { group(), dropped }
            equal({ mixed["groups/dropped"], mixed.loss }, { 1, step().loss })
          end
          """)
    }

    @Test func lossesAreMeansOverQueries() throws {
      try script(
        Self.setup + """
          local a, b = step(), step { prompt = "9+9=" }
          local both = t:step { group(), group { prompt = "9+9=" } }
          for _, part in ipairs { "loss", "exploration", "imitation", "regularizer" } do
            near(both[part], (a[part] + b[part]) / 2, 1e-12)
          end
          """)
    }

    @Test func logprobsMeasureTheBehaviourPolicy() throws {
      try script(
        Self.setup + """
          local now = model:logprobs("1+1=", "3")
          local samples = group().samples
          samples[1].logprobs = { now[1] + 0.25, now[2] }
          local stats = step { samples = samples }
          near(stats["sampling/logprob_difference"], 0.25, 1e-6)
          -- GRAO has no ratio: they change nothing else.
          same(stats, step())
          """)
    }

    @Test(arguments: [
      ("{}", #"group{ samples = 3 }"#, "group 1: option 'samples' must be an array, not 3"),
      ("{}", #"group{ samples = { 3 } }"#, "group 1: sample 1 must be a table, not an integer"),
      (
        "{}", #"group{ samples = { { text = "3", reward = 1 }, { reward = 1 } } }"#,
        "group 1: sample 2 needs 'ids' or 'text'"
      ),
      (
        "{}", #"group{ samples = { { ids = {}, reward = 1 } } }"#,
        "group 1: a sample is empty: it must have at least one token"
      ),
      (
        "{}", #"group{ samples = { { ids = { 80 }, reward = 1 } } }"#,
        "group 1: sample 1: the completion has the token id 80, outside the vocabulary of 80"
      ),
      (
        "{}", #"group{ samples = { { ids = { 5, 6 }, reward = 1, mask = { 1 } } } }"#,
        "group 1: a sample has 2 ids but 1 mask"
      ),
      (
        "{}", #"group{ samples = { { ids = { 5, 6 }, reward = 1, mask = { 1, 2 } } } }"#,
        "group 1: sample 1: option 'mask' must hold 0 for tokens that are not trained on, else 1, not 2.0"
      ),
      (
        "{}", #"group{ samples = { { ids = { 5, 6 }, reward = 1, mask = { true, false } } } }"#,
        "group 1: sample 1: option 'mask[1]' must be a number, not true"
      ),
      (
        "{}", #"group{ samples = { { ids = { 5 }, reward = 1, logprobs = { -1, -2 } } } }"#,
        "group 1: a sample has 1 ids but 2 logprobs"
      ),
      (
        "{}", #"group{ samples = { { ids = { 5 }, reward = 1, logprobs = { -1 / 0 } } } }"#,
        "group 1: sample 1: option 'logprobs[1]' must be a finite number, not -inf"
      ),
      (
        "{}", #"group{ samples = { { ids = { 5 }, reward = 1, logprobs = { -1e300 } } } }"#,
        "group 1: a sample has the log-probability -inf"
      ),
      (
        "{}", #"group{ samples = { { text = "3", reward = 1 / 0 } } }"#,
        "group 1: sample 1: option 'reward' must be a finite number, not inf"
      ),
      (
        "{}", #"group{ samples = { { text = "3", reward = "1" } } }"#,
        "group 1: sample 1: option 'reward' must be a number, not a string"
      ),
      (
        "{}", #"group{ samples = { { text = "3", rewrd = 1 } } }"#,
        "group 1: sample 1: unknown option 'rewrd' (did you mean 'reward'?)"
      ),
      ("{}", #"group{ sample = {} }"#, "group 1: unknown option 'sample' (did you mean 'samples'?)"),
      (
        "{}", #"group{ reference_reward = 1 / 0 }"#,
        "group 1: option 'reference_reward' must be a finite number, not inf"
      ),
      (
        "{}", #"group{ reference = 3 }"#,
        "group 1: reference must be a string, an array of token ids or chat messages, not an integer"
      ),
      (
        "{}", #"group{ reference = { -1 } }"#,
        "group 1: reference: the completion has the token id -1, outside the vocabulary of 80"
      ),
      ("{}", #"group{ prompt = "" }"#, "group 1: the prompt is empty: it must have at least one token"),
      ("{}", #"{ samples = {} }"#, "group 1: option 'prompt' is missing: a value is required"),
      ("{}", #"{ prompt = "1" }"#, "group 1: method 'grao' needs a reference, which the group lacks"),
      (
        "{}", #"group{ samples = { { text = ("1"):rep(40), reward = 1 } } }"#,
        "group 1: a prompt of 4 tokens with a completion of 41 exceeds the model's context of 32"
      ),
      ("{}", #"group(), "x""#, "group 2 must be a table, not a string"),
      ("{ method = 'sft' }", #"{ prompt = "1" }"#, "group 1: method 'sft' needs a reference, which the group lacks"),
    ])
    func badGroups(_ options: String, _ group: String, _ message: String) throws {
      try script(
        Self.setup + """
          local bad = trainer(\(options))
          fails([==[\(message)]==], function() return bad:step { \(group) } end)
          equal(bad.steps_made, 0)
          """)
    }

    @Test func badArguments() throws {
      try script(
        """
        local t = trainer { data = none, rewards = none }
        local rows = "argument 1 of grao.trainer:rollout must be an array of dataset rows, not "
        fails(rows .. "nil", function() return t:rollout() end)
        fails(rows .. "a table", function() return t:rollout(sums(1)[1]) end)
        fails("row 2: column 'prompt' is missing", function() return t:rollout { sums(1)[1], { reference = "1" } } end)
        fails("argument 1 of grao.trainer:step must be an array, not nothing", function() return t:step() end)
        fails("argument 1 of grao.trainer:step must be an array, not a table", function() return t:step(sums(1)[1]) end)
        fails("grao.train: option 'data' is missing: a dataset is required", function() return t:run() end)
        fails("grao.trainer:run was called on nil, not on a grao.trainer; write ':' before a method's name",
          function() return t.run() end)
        """)
    }
  }
}
