import Scripting
import Testing

extension BindingSuite {
  /// What `grao.train` and `grao.trainer` refuse, and in which words.
  @Suite struct Options {
    @Test(arguments: [
      ("method = 'rlhf'", "option 'method' must be one of 'sft', 'dpo', 'grpo', 'ppo', 'reward', 'grao', not 'rlhf'"),
      ("method = none", "option 'method' is missing: a string or an objective of your own is required"),
      ("model = 'path'", "option 'model' must be a model, not a string"),
      ("kl = { coefficient = 0.1 }", "option 'kl.coefficient' needs method grpo or ppo"),
      (
        "moe = { bias_update_speed = 0.1 }",
        "option 'moe.bias_update_speed' needs a correction bias (e_score_correction_bias): 'qwen3_moe' has none"
      ),
      ("moe = { aux_loss_coefficient = -1 }", "option 'moe.aux_loss_coefficient' must be at least 0, not -1"),
      ("checkpoint_every = 5", "option 'checkpoint_every' is not supported by this version of the engine"),
      ("resume = true", "option 'resume' is not supported by this version of the engine"),
      ("resume = 'runs/1'", "option 'resume' is not supported by this version of the engine"),
      ("normalization = 'token'", "option 'normalization' must be \"sequence\" with method grao"),
      (
        "normalization = 'tokens'",
        "option 'normalization' must be one of 'sequence', 'token', 'constant', not 'tokens'"
      ),
      ("eval_every = 5", "option 'eval_every' needs option 'eval_data'"),
    ])
    func refusals(_ option: String, _ message: String) throws {
      for call in ["train", "trainer"] {
        try script("fails([==[grao.train: \(message)]==], function() return \(call) { \(option) } end)")
      }
    }

    @Test(arguments: [
      ("epochs = 1", "unknown option 'epochs'"),
      ("promts_per_step = 1", "unknown option 'promts_per_step' (did you mean 'prompts_per_step'?)"),
      (
        "optimizer = { lr = 1 }",
        "unknown option 'optimizer.lr'; the options are learning_rate, betas, eps, weight_decay, max_grad_norm, "
          + "state_dtype"
      ),
      ("advantage = { groups = 'samples' }", "unknown option 'advantage.groups' (did you mean 'group'?)"),
      ("weights = { beta = 1 }", "unknown option 'weights.beta'; the options are exploration, imitation, regularizer"),
      ("clip = { lo = 1 }", "unknown option 'clip.lo' (did you mean 'low'?)"),
      ("kl = { coef = 0 }", "unknown option 'kl.coef'"),
      ("dpo = { bta = 1 }", "unknown option 'dpo.bta' (did you mean 'beta'?)"),
      ("moe = { freeze = true }", "unknown option 'moe.freeze'"),
    ])
    func unknownNames(_ option: String, _ message: String) throws {
      try script(
        """
        local ok, found = pcall(function() train { \(option) } end)
        check(not ok and found:find([==[main.lua:1: grao.train: \(message)]==], 1, true), found)
        """)
    }

    @Test(arguments: [
      ("steps = '1'", "'steps' must be an integer, not a string"),
      ("steps = 0", "'steps' must be at least 1, not 0"),
      ("steps = 1.5", "'steps' must be an integer, not 1.5"),
      (
        "optimizer = { state_dtype = 'half' }",
        "'optimizer.state_dtype' must be one of 'float32', 'bfloat16', not 'half'"
      ),
      ("group_size = 0", "'group_size' must be between 1 and 1048576, not 0"),
      ("prompts_per_step = 0", "'prompts_per_step' must be between 1 and 1048576, not 0"),
      (
        "group_size = 2048, prompts_per_step = 1024",
        "'group_size' is 2048: expected at most 1024 with 1024 prompts_per_step, 1048576 completions a step"
      ),
      ("micro_batch_tokens = 0", "'micro_batch_tokens' must be at least 1, not 0"),
      ("max_new_tokens = 0", "'max_new_tokens' must be at least 1, not 0"),
      ("temperature = -1", "'temperature' must be at least 0, not -1"),
      ("logprob_temperature = 0", "'logprob_temperature' must be at least 0.001, not 0"),
      ("min_p = 2", "'min_p' must be between 0 and 1, not 2"),
      ("seed = 'x'", "'seed' must be an integer, not a string"),
      ("on_step = 3", "'on_step' must be a function, not 3"),
      ("run_dir = 3", "'run_dir' must be a string, not 3"),
      ("eval_data = 3", "'eval_data' must be a dataset, not 3"),
      ("on_reward_error = 'ignore'", "'on_reward_error' must be one of 'stop', 'skip', not 'ignore'"),
      ("optimizer = 3", "'optimizer' must be a table, not 3"),
      ("optimizer = { betas = { 0.9 } }", "'optimizer.betas' must have 2 elements, not 1"),
      ("optimizer = { betas = { 0.9, 1 } }", "'optimizer.betas[2]' must be between 0 and 0.999999999, not 1"),
      ("optimizer = { weight_decay = -1 }", "'optimizer.weight_decay' must be at least 0, not -1"),
      ("optimizer = { max_grad_norm = 1 / 0 }", "'optimizer.max_grad_norm' must be a finite number, not inf"),
      ("advantage = { group = 'all' }", "'advantage.group' must be one of 'with_reference', 'samples', not 'all'"),
      ("advantage = { scale = 'norm' }", "'advantage.scale' must be one of 'std', 'none', 'batch', not 'norm'"),
      ("advantage = { epsilon = -1 }", "'advantage.epsilon' must be at least 0, not -1"),
    ])
    func wrongValues(_ option: String, _ message: String) throws {
      try script("fails([==[grao.train: option \(message)]==], function() train { \(option) } end)")
    }

    @Test func whatChangesNothingIsTaken() throws {
      try script(
        """
        local plain = train {}.loss
        equal(train { kl = { coefficient = 0, reference = "initial" }, moe = { aux_loss_coefficient = 0 },
          resume = false, clip = { low = 0.1, high = 0.3 }, dpo = { beta = 0.2 }, steps = 1.0, weights = {},
          advantage = { group = "with_reference", scale = "std", epsilon = 0 }, normalization = "sequence",
          logprob_temperature = 1, temperature = 0.7, micro_batch_tokens = 2048, recompute = true }.loss, plain)
        check(train { advantage = { scale = "none" } }.loss ~= plain)
        check(train { advantage = { epsilon = 1 } }.loss ~= plain)
        check(train { temperature = 2 }.loss ~= plain)
        """)
    }

    @Test func arguments() throws {
      try script(
        """
        fails("argument 1 of grao.train must be a table, not nothing", function() grao.train() end)
        fails("argument 1 of grao.trainer must be a table, not a string", function() grao.trainer("x") end)
        fails("grao.train: option 'model' is missing: a model is required", function() grao.train {} end)
        fails("argument 1 of grao.evaluate must be a table, not nothing", function() grao.evaluate() end)
        """)
    }

    @Test func errorsNameTheLineAndHaveATraceback() throws {
      let error = #expect(throws: LuaError.self) {
        try script("\nlocal function go()\n  train { steps = 0 }\nend\ngo()")
      }
      // The helper `train` is on the first line.
      let message = error?.message ?? ""
      #expect(message.hasSuffix("/main.lua:1: grao.train: option 'steps' must be at least 1, not 0"), "\(message)")
      #expect(!message.contains("\n"))
      let traceback = error?.traceback ?? ""
      #expect(traceback.hasPrefix("stack traceback:"), "\(traceback)")
      #expect(traceback.contains("main.lua:3: in ") && traceback.contains("main.lua:5: in main chunk"), "\(traceback)")
    }

    @Test func jsonKeepsValues() throws {
      try script(
        """
        local text = '{"a": [1, 2.5, "x", true, null], "b": {"c": {}}}'
        local value = grao.json.decode(text)
        equal({ value.a[1], value.a[2], value.a[3], value.a[4], value.a[5] == grao.json.null }, { 1, 2.5, "x", true, true })
        equal(grao.json.encode(value), text)
        fails("grao.json.decode: line 1: expected a JSON value, found the end", function() grao.json.decode("[") end)
        """)
    }
  }
}
