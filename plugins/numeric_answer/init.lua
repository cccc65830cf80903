-- 1 where the last number of the completion is that of the reference.

local numbers = require "numbers"

return {
  name = "numeric_answer",
  version = "1.0.0",
  kind = "reward",
  description = "compares the last number of the completion with the last number of the reference; 1,234 and 1234 "
    .. "are one number; does not apply to a reference without a number",
  options = {
    tolerance = { type = "number", default = 0, min = 0, description = "the largest difference that counts as equal" },
    marker = {
      type = "string",
      default = "",
      description = "where the completion has this text, only numbers after its last place count: '####', say; "
        .. "the same for the reference",
    },
    require_marker = { type = "boolean", default = false, description = "no number without the marker" },
    correct = { type = "number", default = 1, description = "the score of an equal number" },
    wrong = { type = "number", default = 0, description = "the score of another number" },
    missing = { type = "number", default = 0, description = "the score of a completion without a number" },
  },
  score = function(sample, options)
    if not (sample.completion and sample.reference) then return nil end
    local expected = numbers.last(sample.reference, options.marker)
    if not expected then return nil end
    local found = numbers.last(sample.completion, options.marker, options.require_marker)
    if not found then return options.missing end
    return math.abs(found - expected) <= options.tolerance and options.correct or options.wrong
  end,
}
