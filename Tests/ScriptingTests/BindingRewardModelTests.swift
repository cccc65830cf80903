import Testing

extension BindingSuite {
  /// Reward models and ppo from a script.
  @Suite struct RewardModels {
    @Test func aRewardModelIsTrainedSavedAndUsed() throws {
      try script(
        """
        local rows = {}
        for i = 1, 6 do rows[i] = { prompt = i .. "+1=", chosen = tostring(i + 1), rejected = tostring(i + 2) } end
        local judge = tiny()
        grao.train { model = judge, method = "reward", data = grao.dataset(rows), steps = 2, prompts_per_step = 6 }
        judge:save(here .. "/judge")
        local reward = grao.reward_model(here .. "/judge")
        equal(reward.name, "reward_model")
        equal(reward:score("1+1=", "2"), grao.reward_model(judge):score("1+1=", "2"))
        fails("the model scores sequences (a ForSequenceClassification checkpoint, or trained with method 'reward'): it has "
          .. "no probabilities of tokens", function() return judge:logits("1+1=") end)
        fails("argument 1 of grao.reward_model must be a path or a model, not an integer",
          function() return grao.reward_model(3) end)

        local policy = tiny { seed = 4 }
        local stats = train { model = policy, method = "ppo", rewards = { reward }, steps = 4,
          kl = { coefficient = 0.1 }, ppo = { gae_lambda = 0.9 } }
        check(stats["rewards/reward_model/mean"] and stats["loss/value_avg"])
        policy:save(here .. "/policy", { value_head = true })
        local again = grao.load(here .. "/policy")
        equal(again:logits("1+1="), policy:logits("1+1="))
        again:save(here .. "/copy", { value_head = true })
        fails("the model has no value head: method ppo gives it one",
          function() return tiny():save(here .. "/none", { value_head = true }) end)
        """)
    }

    /// A trainer holds on to the head that it was made for.
    @Test func aModelBecomesARewardModelOnlyBetweenTrainers() throws {
      try script(
        """
        local scores = "the model scores sequences (a ForSequenceClassification checkpoint, or trained with method "
          .. "'reward'): it has no probabilities of tokens"
        local function become(model) return grao.trainer { model = model, method = "reward" } end
        for _, method in ipairs { "grpo", "ppo" } do
          local model = tiny()
          local t = trainer { model = model, method = method }
          local groups = t:rollout(sums(2))
          become(model)
          fails(scores, function() t:step(groups) end)
          fails(scores, function() t:rollout(sums(2)) end)
          equal(t.steps_made, 0)
        end
        local model, critic = tiny(), tiny { seed = 4 }
        local t = trainer { model = model, method = "ppo", ppo = { critic = critic } }
        local groups = t:rollout(sums(2))
        t:step(groups)
        become(critic)
        fails("the critic has been made a reward model since the trainer was made: make another trainer",
          function() t:step(groups) end)
        trainer { model = model, method = "ppo", ppo = { critic = critic } }:step(groups)
        fails("the model cannot be made a reward model by a function that its training or evaluation calls",
          function() train { model = model, method = "grpo", rewards = { function() become(model) end } } end)
        model:logits("1+1=")
        """)
    }
  }
}
