-- Loshchilov and Hutter, 2017 (SGDR): from high to low along a cosine, again and again.

return {
  name = "cosine_restarts",
  version = "1.0.0",
  kind = "schedule",
  description = "falls from one value to another along half a cosine, then starts again",
  options = {
    from = { type = "number", required = true, description = "the value at the start of each period" },
    to = { type = "number", default = 0, description = "the value that each period falls to" },
    period = { type = "integer", required = true, min = 1, description = "the steps of the first period" },
    stretch = { type = "number", default = 1, min = 1, description = "each period is this many times the last" },
    decay = { type = "number", default = 1, min = 0, max = 1, description = "each start is this share of the last" },
  },
  value = function(state, options)
    local position, period, start = state.step - 1, options.period, options.from
    if options.stretch == 1 then
      -- In one go: there may be very many periods.
      local periods = position // period
      position, start = position - periods * period, start * options.decay ^ periods
    else
      while position >= period do
        position, period, start = position - period, period * options.stretch, start * options.decay
      end
    end
    return options.to + (start - options.to) * (1 + math.cos(math.pi * position / period)) / 2
  end,
}
