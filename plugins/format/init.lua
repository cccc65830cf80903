-- A score for completions of a given form.

--- The pattern bound to both ends of the text.
local function bound(pattern)
  -- A dollar after an odd number of % is a plain character.
  local escapes = pattern:match("(%%*)%$$")
  local ends = escapes and #escapes % 2 == 0
  return (pattern:sub(1, 1) == "^" and "" or "^") .. pattern .. (ends and "" or "$")
end

return {
  name = "format",
  version = "1.0.0",
  kind = "reward",
  description = "one score where the completion has the form of a Lua pattern, another where it has not",
  options = {
    pattern = { type = "string", required = true, description = "a Lua pattern: '<answer>%-?%d+</answer>', say" },
    whole = { type = "boolean", default = true, description = "the whole completion must match, not a part of it" },
    trim = { type = "boolean", default = true, description = "leave out white space at both ends first" },
    score = { type = "number", default = 1, description = "the score of a match" },
    otherwise = { type = "number", default = 0, description = "the score where nothing matches" },
  },
  score = function(sample, options)
    local text = sample.completion
    if not text then return nil end
    if options.trim then text = text:match("^%s*(.-)%s*$") end
    local pattern = options.whole and bound(options.pattern) or options.pattern
    return text:find(pattern) and options.score or options.otherwise
  end,
}
