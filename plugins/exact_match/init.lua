-- 1 where the completion is the reference, else 0.

local function normal(text, options)
  if options.trim then text = text:match("^%s*(.-)%s*$") end
  if options.ignore_case then text = text:lower() end
  return text
end

return {
  name = "exact_match",
  version = "1.0.0",
  kind = "reward",
  description = "1 where the completion equals the reference, else 0; does not apply without a text or a reference",
  options = {
    trim = { type = "boolean", default = true, description = "leave out white space at both ends" },
    ignore_case = { type = "boolean", default = false, description = "treat A to Z as a to z" },
  },
  score = function(sample, options)
    if not (sample.completion and sample.reference) then return nil end
    return normal(sample.completion, options) == normal(sample.reference, options) and 1 or 0
  end,
}
