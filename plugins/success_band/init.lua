-- Rows that are neither solved nor hopeless: the policy learns most where it sometimes succeeds.

return {
  name = "success_band",
  version = "1.0.0",
  kind = "curriculum",
  description = "draws most the rows whose mean reward so far lies in a band, and less the further it lies outside",
  options = {
    low = { type = "number", default = 0.2, description = "the lower end of the band" },
    high = { type = "number", default = 0.8, description = "the upper end of the band" },
    width = { type = "number", default = 0.2, min = 0, description = "how far outside the weight reaches the floor" },
    floor = { type = "number", default = 0.1, min = 0, max = 1, description = "the weight far outside the band" },
    unseen = { type = "number", default = 1, min = 0, description = "the weight of a row not yet seen" },
  },
  weight = function(row, _, options)
    if options.low > options.high then error("option 'low' must not be larger than option 'high'", 0) end
    if (row.seen or 0) == 0 or not row.reward_mean then return options.unseen end
    local outside = math.max(options.low - row.reward_mean, row.reward_mean - options.high, 0)
    if outside == 0 then return 1 end
    if outside >= options.width then return options.floor end
    return 1 + (options.floor - 1) * outside / options.width
  end,
}
