-- GRPO (arXiv 2402.03300) in Lua: the same updates as method = "grpo" on groups of equal size.

return {
  name = "grpo_objective",
  version = "1.0.0",
  kind = "objective",
  description = "GRPO's clipped loss, with a k3 penalty where reference_model = true",
  options = {
    clip = { type = "number", default = 0.2, min = 0, max = 1, description = "the ratio stays within 1 - clip … 1 + clip" },
    kl = { type = "number", default = 0, min = 0, description = "coefficient of the penalty" },
  },
  loss = function(group, options)
    local o = group.samples
    local ratio = (o.logp - o.old_logp):exp()
    local clipped = ratio:clamp(1 - options.clip, 1 + options.clip)
    local objective = (ratio * o.advantage):min(clipped * o.advantage)
    if options.kl > 0 then
      local d = o.ref_logp - o.logp
      objective = objective - options.kl * (d:exp() - d - 1)
    end
    return -objective:mean():mean() -- over tokens, then over sequences
  end,
}
