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
  }
}
