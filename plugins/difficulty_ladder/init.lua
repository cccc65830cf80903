-- Easy rows first: the level that rows may have rises with the run's progress.

return {
  name = "difficulty_ladder",
  version = "1.0.0",
  kind = "curriculum",
  description = "draws rows up to a level that rises from the lowest to the highest as the run goes on",
  options = {
    column = { type = "string", default = "level", description = "the column with a row's level, a number" },
    lowest = { type = "number", default = 1, description = "the level that the run begins with" },
    highest = { type = "number", required = true, description = "the level that it ends with" },
    reach = {
      type = "number",
      default = 0.8,
      min = 0,
      max = 1,
      description = "the progress (0 to 1) at which the highest level is reached",
    },
    review = { type = "number", default = 0.25, min = 0, description = "the weight of the levels already passed" },
  },
  weight = function(row, state, options)
    local level = row[options.column]
    if type(level) ~= "number" then
      error("column '" .. options.column .. "' must hold a number in every row, found " .. type(level), 0)
    end
    local risen = options.reach > 0 and math.min(state.progress / options.reach, 1) or 1
    -- Each level takes the same share of the time; the current one is the highest reached so far.
    local steps = math.floor(options.highest - options.lowest)
    local current = options.lowest + math.min(math.floor(risen * (steps + 1)), steps)
    if level > current then return 0 end
    return level > current - 1 and 1 or options.review
  end,
}
