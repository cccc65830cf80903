-- Small charts as SVG files: lines with a band of spread, stacked shares, points of a front.
--
--   local svg = dofile(folder .. "/svg.lua")
--   svg.lines("curves.svg", { title = "…", x = "step", y = "reward",
--     series = { { name = "grao", points = { { x, y, low, high }, … } } } })
--     with log = 2 or 10, both axes are logarithmic, and x has marks at that number's powers; dashed series stand last,
--     each in the colour number it names
--   svg.shares("shares.svg", { title = "…", x = "step", names = { … }, points = { { x, share, share, … }, … } })
--   svg.points("front.svg", { title = "…", x = "…", y = "…", series = { { name =, joined =, points = { { x, y, label }, … } } } })
local svg = {}

local width, height = 720, 420
local left, right, top, bottom = 70, 170, 46, 52
local colours = { "#4269d0", "#ff725c", "#3ca951", "#efb118", "#a463f2", "#6cc5b0", "#9c6b4e", "#97bbf5", "#9498a0" }

local function escape(text)
  return (tostring(text):gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&quot;" }))
end

-- Round numbers from at most `low` to at least `high`.
local function ticks(low, high)
  if high <= low then low, high = low - 0.5, high + 0.5 end
  local raw = (high - low) / 5
  local power = 10 ^ math.floor(math.log(raw, 10))
  local step = power * 10
  for _, factor in ipairs { 1, 2, 5 } do
    if raw <= factor * power then step = factor * power break end
  end
  local marks, first = {}, math.floor(low / step)
  for i = first, math.ceil(high / step - 1e-9) do marks[#marks + 1] = i * step end
  return marks
end

-- Powers of base from at most `low` to at least `high`; of ten with 2 and 5 times them where there are few.
local function powers(low, high, base)
  local marks, factors = {}, base == 10 and high < 300 * low and { 1, 2, 5 } or { 1 }
  for power = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base)) do
    for _, factor in ipairs(factors) do
      local mark = factor * base ^ power
      if marks[1] and mark <= low * 1.000001 then marks = {} end
      marks[#marks + 1] = mark
      if mark >= high * 0.999999 then return marks end
    end
  end
  return marks
end

local function canvas(chart, xs, ys)
  local scale = chart.log and math.log or function(value) return value end
  local x0, x1, y0, y1 = scale(xs[1]), scale(xs[#xs]), scale(ys[1]), scale(ys[#ys])
  local self = { out = {} }
  function self.add(format, ...) self.out[#self.out + 1] = format:format(...) end
  function self.x(value) return left + (scale(value) - x0) / (x1 - x0) * (width - left - right) end
  function self.y(value) return height - bottom - (scale(value) - y0) / (y1 - y0) * (height - top - bottom) end
  self.add('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">',
    width, height)
  self.add('<rect width="100%%" height="100%%" fill="white"/>')
  self.add('<text x="%d" y="26" font-size="15" font-weight="bold">%s</text>', left, escape(chart.title))
  for _, mark in ipairs(ys) do
    self.add('<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>', left, width - right, self.y(mark), self.y(mark))
    self.add('<text x="%d" y="%.1f" text-anchor="end" fill="#555">%g</text>', left - 8, self.y(mark) + 4, mark)
  end
  for _, mark in ipairs(xs) do
    self.add('<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%g</text>', self.x(mark), height - bottom + 18, mark)
  end
  self.add('<text x="%d" y="%d" text-anchor="middle">%s</text>', (left + width - right) // 2, height - 12,
    escape(chart.x))
  if chart.y then
    self.add('<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>',
      (top + height - bottom) // 2, escape(chart.y))
  end
  function self.legend(names)
    for i, name in ipairs(names) do
      local y = top + 20 * i - 12
      self.add('<rect x="%d" y="%d" width="12" height="12" fill="%s"/>', width - right + 14, y, colours[(i - 1) % #colours + 1])
      self.add('<text x="%d" y="%d">%s</text>', width - right + 32, y + 10, escape(name))
    end
  end
  function self.write(path)
    self.add("</svg>")
    local file <close> = assert(io.open(path, "w"))
    assert(file:write(table.concat(self.out, "\n"), "\n"))
  end
  return self
end

local function bounds(chart, first, last)
  local series = chart.series
  local x0, x1, y0, y1 = math.huge, -math.huge, math.huge, -math.huge
  for _, line in ipairs(series) do
    for _, point in ipairs(line.points) do
      x0, x1 = math.min(x0, point[1]), math.max(x1, point[1])
      for i = first, last do
        if type(point[i]) == "number" then y0, y1 = math.min(y0, point[i]), math.max(y1, point[i]) end
      end
    end
  end
  if chart.log then return powers(x0, x1, chart.log), powers(y0, y1, 10) end
  return ticks(x0, x1), ticks(y0, y1)
end

local function path(points) return "M" .. table.concat(points, "L") end

function svg.lines(file, chart)
  local page = canvas(chart, bounds(chart, 2, 4))
  local names = {}
  for i, line in ipairs(chart.series) do
    local colour = colours[line.colour or (i - 1) % #colours + 1]
    local middle, band, back = {}, {}, {}
    for _, point in ipairs(line.points) do
      local x = page.x(point[1])
      middle[#middle + 1] = ("%.1f %.1f"):format(x, page.y(point[2]))
      if point[3] then
        band[#band + 1] = ("%.1f %.1f"):format(x, page.y(point[3]))
        table.insert(back, 1, ("%.1f %.1f"):format(x, page.y(point[4])))
      end
    end
    if #band > 0 then
      for _, place in ipairs(back) do band[#band + 1] = place end
      page.add('<path d="%sZ" fill="%s" fill-opacity="0.15"/>', path(band), colour)
    end
    page.add('<path d="%s" fill="none" stroke="%s" %s/>', path(middle), colour,
      line.dashed and 'stroke-dasharray="5 4"' or 'stroke-width="2"')
    if not line.dashed then names[i] = line.name end
  end
  page.legend(names)
  page.write(file)
end

function svg.shares(file, chart)
  local points = chart.points
  local page = canvas(chart, ticks(points[1][1], points[#points][1]), { 0, 0.25, 0.5, 0.75, 1 })
  for i in ipairs(chart.names) do
    local upper, lower = {}, {}
    for _, point in ipairs(points) do
      local below = 0
      for j = 1, i - 1 do below = below + point[j + 1] end
      local x = page.x(point[1])
      upper[#upper + 1] = ("%.1f %.1f"):format(x, page.y(below + point[i + 1]))
      table.insert(lower, 1, ("%.1f %.1f"):format(x, page.y(below)))
    end
    for _, place in ipairs(lower) do upper[#upper + 1] = place end
    page.add('<path d="%sZ" fill="%s" fill-opacity="0.8"/>', path(upper), colours[(i - 1) % #colours + 1])
  end
  page.legend(chart.names)
  page.write(file)
end

function svg.points(file, chart)
  local page = canvas(chart, bounds(chart, 2, 2))
  local names = {}
  for i, set in ipairs(chart.series) do
    local colour = colours[(i - 1) % #colours + 1]
    local joined = {}
    for _, point in ipairs(set.points) do
      local x, y = page.x(point[1]), page.y(point[2])
      joined[#joined + 1] = ("%.1f %.1f"):format(x, y)
      page.add('<circle cx="%.1f" cy="%.1f" r="4" fill="%s"/>', x, y, colour)
      if point[3] then page.add('<text x="%.1f" y="%.1f" fill="#333">%s</text>', x + 7, y - 5, escape(point[3])) end
    end
    if set.joined and #joined > 1 then
      page.add('<path d="%s" fill="none" stroke="%s" stroke-dasharray="4 3"/>', path(joined), colour)
    end
    names[i] = set.name
  end
  page.legend(names)
  page.write(file)
end

return svg
