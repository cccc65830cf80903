-- DPO (arXiv 2305.18290) in Lua: the same updates as method = "dpo". Needs reference_model = true.

return {
  name = "dpo_objective",
  version = "1.0.0",
  kind = "objective",
  description = "DPO's sigmoid loss on a chosen and a rejected response",
  options = { beta = { type = "number", default = 0.1, min = 0, description = "how firmly the reference holds" } },
  loss = function(group, options)
    local w, l = group.chosen, group.rejected
    local margin = (w.logps - w.ref_logps) - (l.logps - l.ref_logps)
    return -(options.beta * margin):log_sigmoid():mean()
  end,
}
