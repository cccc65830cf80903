import Runs
import Testing

extension BindingSuite {
  @Suite struct Training {
    @Test func aRunReturnsItsLastStep() throws {
      try script(
        """
        local summary = train { steps = 3, prompts_per_step = 2, optimizer = { learning_rate = 0.01 } }
        for _, name in ipairs {
          "loss", "grad_norm", "learning_rate", "reward", "reward_std", "rewards/reward1/mean", "rewards/reward1/std",
          "frac_reward_zero_std", "entropy", "completions/mean_length", "completions/clipped_ratio", "num_tokens",
          "step_time", "objective/exploration", "objective/imitation", "objective/regularizer", "weights/reward1",
          "moe/load_max_violation", "sampling/logprob_difference", "exploration", "imitation", "regularizer",
        } do check(math.type(summary[name]), name) end
        equal({ summary.step, summary.steps, summary.learning_rate }, { 3, 3, 0.01 })
        equal(summary["sampling/logprob_difference"], 0.0)
        near(summary.loss, -(summary.exploration + summary.imitation + summary.regularizer), 1e-12)
        """)
    }

    @Test func progressMakesRoomForPrintedLines() throws {
      final class Reporter: ProgressReporter {
        var events: [String] = []
        func report(_ progress: RunProgress) { events.append("step \(progress.step) of \(progress.steps ?? 0)") }
        func clear() { events.append("clear") }
        func finish() { events.append("finish") }
      }
      let reporter = Reporter()
      try script(
        """
        print "before"
        train { steps = 3, on_step = function(state) if state.step == 2 then print "within" end end }
        print "after"
        trainer { steps = 1 }:run()
        """, progress: reporter)
      #expect(
        reporter.events == [
          "step 1 of 3", "step 2 of 3", "clear", "step 3 of 3", "finish", "step 1 of 1", "finish",
        ])
    }

    @Test func onePassOverTheRowsIsTheDefault() throws {
      try script(
        """
        equal(train { steps = none }.steps, 3)
        equal(train { steps = none, prompts_per_step = 4 }.steps, 2)
        local seen = {}
        train { steps = none, rewards = { function(sample)
          if sample.is_reference then seen[#seen + 1] = sample.row.level end
          return 1
        end } }
        table.sort(seen)
        equal(seen, { 1, 2, 3, 4, 5, 6 })
        """)
    }

    @Test func trainingLearns() throws {
      try script(
        """
        local model, data = tiny(), grao.dataset { { prompt = "1+1=", reference = "2" } }
        local before = model:logprobs("1+1=", "2")
        local optimizer = { learning_rate = 0.01 }
        grao.train { model = model, method = "sft", data = data, steps = 10, prompts_per_step = 1,
          optimizer = optimizer }
        local after = model:logprobs("1+1=", "2")
        check(after[1] > before[1] + 1 and after[2] > before[2] + 1)
        """)
    }

    @Test func theSeedNamesARun() throws {
      try script(
        """
        local function logits(seed)
          local model = tiny()
          train { model = model, seed = seed, steps = 2, optimizer = { learning_rate = 0.01 } }
          return grao.json.encode(model:logits("1"))
        end
        check(logits(1) == logits(1))
        check(logits(1) ~= logits(2))
        check(logits(nil) == logits(0))
        """)
    }

    @Test func onStepSeesTheStateAndEndsTheRun() throws {
      try script(
        """
        local states = {}
        local summary = train { steps = 5, on_step = function(state)
          states[#states + 1] = state
          return state.step < 3
        end }
        equal(#states, 3)
        for i, state in ipairs(states) do
          equal({ state.step, state.steps, state.metrics.step }, { i, 5, i })
          near(state.progress, (i - 1) / 4, 0)
          check(state.metrics.loss and state.metrics.step_time)
        end
        equal({ summary.step, summary.steps }, { 3, 3 })
        -- Only false ends a run.
        equal(train { steps = 2, on_step = function() end }.steps, 2)
        fails("enough", function() train { on_step = function() error("enough") end } end)
        """)
    }

    @Test func evalDataIsEvaluatedEveryNSteps() throws {
      try script(
        """
        local with = {}
        train { steps = 4, eval_every = 2, eval_data = grao.dataset(sums(3)), on_step = function(state)
          local m = state.metrics
          with[#with + 1] = m["eval/reward_mean"] ~= nil
          if m["eval/reward_mean"] then
            near(m["eval/win"] + m["eval/tie"] + m["eval/loss"], 1, 1e-12)
            check(m["eval/ras"] and m["eval/ras_with_ties"] and m["eval/reward_std"])
          end
        end }
        equal(with, { false, true, false, true })
        """)
    }

    @Test func aCurriculumWeighsRows() throws {
      try script(
        """
        local drawn, histories = {}, {}
        train {
          steps = 8, prompts_per_step = 1, rewards = { function(sample)
            if sample.is_reference then drawn[#drawn + 1] = sample.row.level end
            return sample.row.level
          end },
          curriculum = function(row, state)
            equal(state.steps, 8)
            if row.level == 2 then histories[state.step] = { row.seen, row.reward_mean } end
            return (row.level == 2 or row.level == 5) and row.level or 0
          end,
        }
        local counts = { [2] = 0, [5] = 0 }
        for i, level in ipairs(drawn) do
          equal(histories[i], { counts[2], counts[2] > 0 and 2.0 or nil })
          counts[level] = counts[level] + 1
        end
        check(counts[2] > 0 and counts[5] > 0 and counts[2] + counts[5] == 8)
        """)
    }

    @Test(arguments: [
      ("function() return -1 end", "curriculum: the weight of row 1 at step 1 is -1.0, not a number of 0 or more"),
      (
        "function(row) return row.level == 3 and 1 / 0 or 1 end",
        "curriculum: the weight of row 3 at step 1 is inf, not a number of 0 or more"
      ),
      ("function() return 0 end", "curriculum: every row has weight 0 at step 1"),
      ("function() end", "a curriculum function returned nil, expected a number"),
      ("function() return '1' end", "a curriculum function returned a string, expected a number"),
      ("function() error('no') end", "no"),
      ("grao.plugin('exact_match')", "plugin 'exact_match' is a reward, and cannot be used as a curriculum"),
      ("3", "grao.train: option 'curriculum' must be a function or a curriculum plugin, not 3"),
      (
        "grao.dataset(sums(1))",
        "grao.train: option 'curriculum' must be a function or a curriculum plugin, not a Dataset"
      ),
    ])
    func badCurricula(_ curriculum: String, _ message: String) throws {
      try script("fails([==[\(message)]==], function() train { curriculum = \(curriculum) } end)")
    }
  }

  @Suite struct Schedules {
    @Test func eachKindGivesItsNumbers() throws {
      try script(
        """
        local s = grao.schedule
        local function values(schedule)
          local values = {}
          train { method = "sft", steps = 5, optimizer = { learning_rate = schedule }, on_step = function(state)
            values[state.step] = state.metrics.learning_rate
          end }
          return values
        end
        near(values(0.5), { 0.5, 0.5, 0.5, 0.5, 0.5 }, 0)
        near(values(s.constant(0.5)), { 0.5, 0.5, 0.5, 0.5, 0.5 }, 0)
        near(values(s.linear(0, 4)), { 0, 1, 2, 3, 4 }, 0)
        local r = math.sqrt(0.5)
        near(values(s.cosine(2, 0)), { 2, 1 + r, 1, 1 - r, 0 }, 4e-16)
        near(values(s.warmup(4, 1)), { 0.25, 0.5, 0.75, 1, 1 }, 0)
        near(values(s.warmup(2, s.linear(8, 4))), { 4, 7, 6, 5, 4 }, 0)
        near(values(s.piecewise { { 1, 3 }, { 3, 2 }, { 5, 1 } }), { 3, 3, 2, 2, 1 }, 0)
        near(values(s.piecewise { { 3, 2 } }), { 2, 2, 2, 2, 2 }, 0)
        near(values(function(state) return 10 * state.step + state.steps + state.progress end),
          { 15, 25.25, 35.5, 45.75, 56 }, 0)
        near(values(s.warmup(2, function() return 3 end)), { 1.5, 3, 3, 3, 3 }, 0)
        near(values(grao.plugin("cosine_restarts", { from = 2, period = 2 })), { 2, 1, 2, 1, 2 }, 1e-15)
        """)
    }

    @Test func aFunctionSeesTheLastStepsMetrics() throws {
      try script(
        """
        local losses, seen = {}, {}
        train {
          steps = 3, weights = { imitation = function(state)
            seen[state.step] = state.metrics.loss or "none"
            return 0.5
          end },
          on_step = function(state) losses[state.step] = state.metrics.loss end,
        }
        equal(seen, { "none", losses[1], losses[2] })
        """)
    }

    @Test func theObjectivesWeightsAreSchedules() throws {
      try script(
        """
        local function parts(weights)
          local m = train { weights = weights }
          return { m.exploration, m.imitation, m.regularizer },
            { m["weights/exploration"], m["weights/imitation"], m["weights/regularizer"] }
        end
        local base, defaults = parts {}
        near(defaults, { 1, 0.5, 0.6 }, 0)
        local changed, weights = parts {
          exploration = 2, imitation = grao.schedule.constant(1), regularizer = function() return 0 end,
        }
        near(weights, { 2, 1, 0 }, 0)
        near(changed, { 2 * base[1], 2 * base[2], 0 }, 1e-12)
        """)
    }

    @Test(arguments: [
      (
        "optimizer = { learning_rate = function(s) return s.step == 2 and 1 / 0 or 0 end }",
        "option 'optimizer.learning_rate': its schedule gives inf at step 2, not a finite number"
      ),
      (
        "weights = { imitation = function(s) return s.step == 2 and -1 / 0 or 0 end }",
        "option 'weights.imitation': its schedule gives -inf at step 2, not a finite number"
      ),
      (
        "weights = { regularizer = function(s) if s.step == 1 then return 1 end end }",
        "option 'weights.regularizer': its schedule fails at step 2: a schedule function returned nil, expected a number"
      ),
      (
        "weights = { exploration = grao.schedule.warmup(2, function() return '1' end) }",
        "option 'weights.exploration': its schedule fails at step 1: "
          + "a schedule function returned a string, expected a number"
      ),
      (
        "rewards = { { name = 'x', score = function() return 1 end, weight = function() return 1 / 0 end } }",
        "option 'rewards.x.weight': its schedule gives inf at step 1, not a finite number"
      ),
      ("optimizer = { learning_rate = function() error('no') end }", "no"),
      (
        "optimizer = { learning_rate = '1e-3' }",
        "grao.train: option 'optimizer.learning_rate' must be a number or a schedule, not a string"
      ),
      (
        "optimizer = { learning_rate = 1 / 0 }",
        "grao.train: option 'optimizer.learning_rate' must be a finite number, not inf"
      ),
      (
        "weights = { imitation = grao.plugin('exact_match') }",
        "option 'weights.imitation': its schedule fails at step 1: "
          + "plugin 'exact_match' is a reward, and cannot be used as a schedule"
      ),
    ])
    func valuesThatAreNoNumbers(_ option: String, _ message: String) throws {
      try script("fails([==[\(message)]==], function() train { steps = 3, \(option) } end)")
    }

    @Test(arguments: [
      ("constant()", "argument 1 of grao.schedule.constant must be a number, not nothing"),
      ("constant('1')", "argument 1 of grao.schedule.constant must be a number, not a string"),
      ("constant(1 / 0)", "option 'grao.schedule.constant': a schedule cannot have the value inf"),
      ("linear(1)", "argument 2 of grao.schedule.linear must be a number, not nothing"),
      ("cosine(1, 1 / 0)", "option 'grao.schedule.cosine': a schedule cannot have the value inf"),
      ("warmup(-2, 1)", "option 'grao.schedule.warmup': a warmup cannot take -2 steps"),
      ("warmup(2)", "grao.schedule.warmup: option 'argument 2' must be a number or a schedule, not nil"),
      ("piecewise {}", "option 'grao.schedule.piecewise': a piecewise schedule without points"),
      ("piecewise { { 1, 1 }, { 5 } }", "grao.schedule.piecewise: point 2 must be { step, value }, two numbers"),
      (
        "piecewise { { 5, 1 }, { 1, 2 } }",
        "option 'grao.schedule.piecewise': the steps of a piecewise schedule must rise, but 1 follows 5"
      ),
    ])
    func mistakesAreErrors(_ call: String, _ message: String) throws {
      try script("fails([==[\(message)]==], function() return grao.schedule.\(call) end)")
    }
  }
}
