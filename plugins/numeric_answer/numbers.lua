local numbers = {}

--- The text after the last place of `marker`, or nil where it has none.
local function after(text, marker)
  local rest
  local _, last = text:find(marker, 1, true)
  while last do
    rest = text:sub(last + 1)
    _, last = text:find(marker, last + 1, true)
  end
  return rest
end

--- The number whose digits begin at `start`, and where it ends: digits, groups as in 1,234,567, decimals.
local function read(text, start)
  local _, stop = text:find("^%d+", start)
  if stop - start < 3 then
    while text:find("^,%d%d%d%f[%D]", stop + 1) do stop = stop + 4 end
  end
  local _, decimals = text:find("^%.%d+", stop + 1)
  stop = decimals or stop
  local digits = text:sub(start, stop):gsub(",", "")
  -- A minus is a sign where nothing stands before it that it could be taken from.
  local before = text:sub(math.max(1, start - 2), start - 1)
  local negative = before == "-" or before:match("[^%w%)%]]%-$")
  return tonumber((negative and "-" or "") .. digits), stop
end

--- The last number of a text, or nil. With a marker, and where the text has it, the last number after it.
function numbers.last(text, marker, marker_required)
  if marker ~= "" then
    local rest = after(text, marker)
    if not rest and marker_required then return nil end
    text = rest or text
  end
  local last
  local start = text:find("%d")
  while start do
    local number, stop = read(text, start)
    last = number
    start = text:find("%d", stop + 1)
  end
  return last
end

return numbers
