import Testing

extension BindingSuite {
  /// `grao.train { stages = … }`.
  @Suite struct Stages {
    @Test func stagesAreTrainedAndRemembered() throws {
      try script(
        """
        local function even(sample) return sample.ids[1] % 2 end
        local model = tiny()
        local before = model:logits("1+")
        local result = grao.train {
          model = model, method = "sft", data = grao.dataset(sums(4)), eval_data = grao.dataset(sums(3)),
          rewards = { even }, steps = 2, prompts_per_step = 4, max_new_tokens = 2, run_dir = here .. "/run",
          optimizer = { learning_rate = 1e-2 },
          stages = { { name = "first" }, { name = "second", method = "grpo", group_size = 2, steps = 1 } },
        }
        equal(result.names, { "first", "second" })
        check(result.before.first and result.after.first.second and result.after.second.first and result.forgetting.first)
        check(model:logits("1+")[1] ~= before[1])
        for _, folder in ipairs { "1-first", "2-second" } do
          local file <close> = assert(io.open(here .. "/run/" .. folder .. "/metrics.jsonl"))
          check(#file:read("a") > 0)
        end
        local t = small { stages = { {} } }
        fails("grao.train: option 'stages' is for grao.train: a trainer by hand has one stage",
          function() grao.trainer(t) end)
        """)
    }
  }
}
