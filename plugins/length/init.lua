-- A penalty for completions that are too short or too long.

local function length(sample, unit)
  if unit == "tokens" then return sample.ids and #sample.ids end
  if not sample.completion then return nil end
  -- Bytes where the text is no UTF-8.
  return utf8.len(sample.completion) or #sample.completion
end

return {
  name = "length",
  version = "1.0.0",
  kind = "reward",
  description = "0 for a length from min to max, less by the penalty for each token or character outside",
  options = {
    unit = {
      type = "string",
      default = "tokens",
      choices = { "tokens", "characters" },
      description = "what is counted",
    },
    min = { type = "integer", default = 0, min = 0, description = "the shortest length without a penalty" },
    max = { type = "integer", required = true, min = 0, description = "the longest length without a penalty" },
    penalty = { type = "number", default = 0.01, min = 0, description = "for each token or character outside" },
    most = { type = "number", default = 1, min = 0, description = "the largest penalty" },
  },
  score = function(sample, options)
    if options.min > options.max then error("option 'min' must not be larger than option 'max'", 0) end
    local count = length(sample, options.unit)
    if not count then return nil end
    local outside = math.max(options.min - count, count - options.max, 0)
    return -math.min(outside * options.penalty, options.most)
  end,
}
