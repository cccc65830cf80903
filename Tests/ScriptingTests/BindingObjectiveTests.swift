import Testing

extension BindingSuite {
  /// Objectives written in Lua.
  @Suite struct Objectives {
    /// Trains twice from the same start and compares every weight that a logit shows.
    private static let setup = """
      local function metrics(options)
        local seen = {}
        options.on_step = function(state) seen[#seen + 1] = state.metrics end
        options.optimizer, options.steps = { learning_rate = 1e-2 }, options.steps or 3
        options.model = tiny()
        train(options)
        return seen, options.model:logits("1+")
      end
      local function same(mine, builtin, by)
        local a, logits = metrics(mine)
        local b, expected = metrics(builtin)
        for step = 1, #b do
          near(a[step].loss, b[step].loss, by)
          near(a[step].grad_norm, b[step].grad_norm, by * math.max(1, b[step].grad_norm))
        end
        near(logits, expected, 2e-5)
        return a, b
      end
      local pairs_of_sums = {}
      for i = 1, 6 do pairs_of_sums[i] = { prompt = i .. "+1=", chosen = tostring(i + 1), rejected = "0" } end

      """

    @Test func graoInLuaIsGRAO() throws {
      try script(
        Self.setup + """
          local a, b = same(
            { method = grao.plugin("grao_objective"), advantage = { group = "with_reference" }, check = true },
            { method = "grao" }, 1e-6)
          for step = 1, 3 do
            for _, part in ipairs { "exploration", "imitation", "regularizer" } do
              near(a[step]["objective/" .. part], b[step]["objective/" .. part], 1e-6)
            end
          end
          """)
    }

    @Test func grpoInLuaIsGRPO() throws {
      try script(
        Self.setup + """
          same({ method = grao.plugin("grpo_objective", { kl = 0.2 }), reference_model = true, check = true,
                 num_iterations = 2, steps = 4, logprob_temperature = 0.7 },
               { method = "grpo", kl = { coefficient = 0.2 }, num_iterations = 2, steps = 4 }, 1e-6)
          """)
    }

    @Test func dpoInLuaIsDPO() throws {
      try script(
        Self.setup + """
          local data = grao.dataset(pairs_of_sums)
          same({ method = grao.plugin("dpo_objective"), reference_model = true, data = data, rewards = none, check = true },
               { method = "dpo", data = data, rewards = none }, 1e-6)
          """)
    }

    @Test func aFunctionOfTheScript() throws {
      try script(
        Self.setup + """
          local function loss(group)
            local o = group.samples
            equal(o.count, 2)
            equal(tostring(o.logp), "tracked a number for each token of 2 sequences")
            equal(#o.length:numbers(), 2)
            local likely = o.logp:gt(-1):where(o.logp, -o.logp:detach())
            return (1 - 2 * o.advantage * o.logp:mean() / 2):mean() + 0 * likely:mean():mean(), { seen = o.reward:mean() }
          end
          local seen = metrics { method = loss, steps = 2, check = true }
          check(seen[2]["objective/seen"] > 0)
          check(seen[1].loss ~= seen[2].loss)
          """)
    }

    /// SFT by hand: a function needs no rewards where it needs no samples.
    @Test func aFunctionWithoutSamples() throws {
      try script(
        Self.setup + """
          same({ method = function(group) return -group.reference.logp:mean():mean() end, rewards = none },
               { method = "sft", rewards = none }, 1e-6)
          """)
    }

    /// A part that a group does not give is 0 there.
    @Test func groupsMayHaveDifferentParts() throws {
      try script(
        Self.setup + """
          local calls = 0
          local stats = train { rewards = none, method = function(group)
            calls = calls + 1
            return -group.reference.logp:mean():mean(), ({ { a = 1 }, { a = 2, b = 6 } })[calls]
          end }
          equal({ calls, stats["objective/a"], stats["objective/b"] }, { 2, 1.5, 3.0 })
          """)
    }

    /// A pass that waits for its objective keeps what it has computed.
    @Test func anObjectiveMayAskTheModel() throws {
      try script(
        Self.setup + """
          local model
          local function loss(group) return -group.reference.logp:mean():mean() end
          local function curious(group)
            model:logprobs("1+1=", "2 and more")
            model:logits("2+2=")
            model:generate { prompts = { "1+1=", "3+" }, samples = 3, max_new_tokens = 8 }
            return loss(group)
          end
          local function run(objective)
            model = tiny()
            local result = train { model = model, method = objective, rewards = none, steps = 3 }
            return { result.loss, result.grad_norm }, model:logits("1+")
          end
          local a, b = { run(loss) }, { run(curious) }
          near(a[1], b[1], 0)
          near(a[2], b[2], 0)
          """)
    }

    @Test func anObjectiveMayNotChangeTheModel() throws {
      try script(
        Self.setup + """
          local model = tiny()
          local other = trainer { model = model, method = "sft", rewards = none }
          local groups = other:rollout(sums(2))
          local message
          local function during(action)
            train { model = model, rewards = none, method = function(group)
              local ok
              ok, message = pcall(action)
              check(not ok)
              return -group.reference.logp:mean():mean()
            end }
            return message
          end
          local refused = "the model is being trained: its objective may read it, not train it"
          equal(during(function() other:step(groups) end):match("the model is.*"), refused)
          equal(during(function() other:rollout(sums(1)) end):match("the model is.*"), refused)
          equal(during(function() other:run() end):match("the model is.*"), refused)
          equal(during(function() trainer { model = model } end):match("the model is.*"), refused)
          local open = "the model cannot be closed by a function that its training or evaluation calls"
          equal(during(function() model:close() end):match("the model cannot.*"), open)
          fails(open, function() train { model = model, rewards = { function() model:close() end } } end)
          fails(open, function()
            grao.evaluate { model = model, data = grao.dataset(sums(1)), rewards = { function() model:close() end } }
          end)
          fails(open, function()
            train { model = model, optimizer = { learning_rate = function() model:close() return 0 end } }
          end)
          local critic = tiny()
          fails(open, function()
            train { model = model, method = "ppo", ppo = { critic = critic }, kl = { coefficient = function()
              critic:close() return 0 end } }
          end)
          model:close()
          critic:close()
          """)
    }

    /// Nor where the objective is asked between passes: of a group that is too large for one, or by the check.
    @Test(arguments: ["micro_batch_tokens = 8", "check = true"])
    func norBetweenPasses(_ option: String) throws {
      try script(
        Self.setup + """
          local function run(action)
            local model = tiny()
            local other = trainer { model = model, method = "sft", rewards = none }
            local groups = other:rollout(sums(2))
            local stats = train { model = model, \(option), method = function(group)
              action(other, groups, model)
              return -(group.samples.logp:mean() * group.samples.reward):mean()
            end }
            return { stats.loss, stats.grad_norm }
          end
          local refused = "the model is being trained: its objective may read it, not train it"
          equal(run(function(other, groups, model)
            fails(refused, function() other:step(groups) end)
            fails(refused, function() grao.trainer { model = model, method = "reward" } end)
          end), run(function() end))
          """)
    }

    @Test func whatGoesWrongIsSaid() throws {
      try script(
        Self.setup + """
          local function failure(loss, options)
            options = options or {}
            options.method = loss
            options.check = options.check == nil or options.check
            local ok, message = pcall(train, options)
            check(not ok, "no error")
            return message
          end
          local function has(message, words) if not message:find(words, 1, true) then error(message, 2) end end
          has(failure(function() return "x" end), "the objective returned a string for the loss")
          has(failure(function(g) return g.samples.logp end),
            "the objective returned a number for each token of 2 sequences for the loss, not a single number")
          has(failure(function(g) return g.samples.logp:mean():mean(), 3 end), "expected a table of numbers by name")
          has(failure(function(g) return g.samples.logp + "1" end), "must be a tracked value or a number, not a string")
          has(failure(function(g) return g.samples.ref_logp:mean() end), "ref_logp")
          has(failure(function(g)
            return (g.samples.logp * g.samples.logp:numbers()[1]):mean():mean() end), "check: the derivative of the loss")
          has(failure("grpo"), "option 'check' needs an objective of your own as method")
          has(failure(grao.plugin("exact_match")), "is a reward, and cannot be used as an objective")
          has(failure(3), "option 'method' must be a string or an objective of your own")
          """)
    }
  }
}
