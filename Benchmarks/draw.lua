-- Tables and pictures of what phases and curves.lua measured, into the documentation.
--
--   grao-run Benchmarks/draw.lua phases.jsonl curves.jsonl
--
-- Writes Sources/GRAO/GRAO.docc/Resources/*.svg, and the tables between the markers of Performance.md and Scaling.md.
local grao = require "grao"
local here = arg[0]:match("^(.*)/") or "."
local svg, work = dofile(here .. "/../scripts/svg.lua"), dofile(here .. "/work.lua")
local documentation = here .. "/../Sources/GRAO/GRAO.docc/"
local pictures = documentation .. "Resources/"

local function records(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = grao.json.decode(line) end
  return list
end

-- Replaces what stands between <!-- NAME --> and <!-- /NAME -->.
local function fill(page, name, lines)
  local file <close> = assert(io.open(documentation .. page))
  local text = file:read("a")
  local open, close = "<!-- " .. name .. " -->\n", "<!-- /" .. name .. " -->"
  local _, begin = text:find(open, 1, true)
  local finish = text:find(close, begin or 1, true)
  assert(begin and finish, page .. " has no place for " .. name)
  local out <close> = assert(io.open(documentation .. page, "w"))
  assert(out:write(text:sub(1, begin), table.concat(lines, "\n"), "\n", text:sub(finish)))
end

local measured = records(arg[1])
local machine = table.remove(measured)

local function peak(dtype) return machine[dtype .. "_gflops"] * 1e9 end
local bandwidth = machine.gbytes_per_second * 1e9

-- ---------------------------------------------------------------- phases

local function phase_work(p)
  if p.phase == "decode" then return work.decode(p.shape, p.tokens, p.keys) end
  if p.phase == "optimizer" then return work.optimizer(p.shape) end
  return work[p.phase](p.shape, p.tokens, p.keys)
end

local function title(p)
  return p.phase == "decode" and "decode at " .. p.tokens or p.phase == "prompt" and "prompt of " .. p.tokens or p.phase
end

-- On the pictures.
local short = { prompt = "p", forward = "f", head = "h", backward = "b", optimizer = "o" }

local lines = {
  ("%d threads, kernels `%s`: %.0f GFLOP/s in float32, %.0f in bfloat16, %.1f GB/s."):format(machine.threads,
    machine.variant, machine.float32_gflops, machine.bfloat16_gflops, machine.gbytes_per_second),
  "", "| model | phase | ms | GFLOP | MB | GFLOP/s, of peak | GB/s, of reading | least ms, by | share of the limit |",
  "|---|---|---|---|---|---|---|---|---|",
}
local rooflines, order = {}, {}
for _, p in ipairs(measured) do
  local w = phase_work(p)
  local by_operations, by_bytes = w.operations / peak(p.dtype), w.bytes / bandwidth
  local least = math.max(by_operations, by_bytes)
  lines[#lines + 1] = ("| %s %s | %s | %.2f | %.2f | %.0f | %.0f, %.0f %% | %.1f, %.0f %% | %.2f, %s | %.0f %% |"):format(
    p.model, p.dtype, title(p), p.seconds * 1e3, w.operations / 1e9, w.bytes / 1e6, w.operations / p.seconds / 1e9,
    100 * by_operations / p.seconds, w.bytes / p.seconds / 1e9, 100 * by_bytes / p.seconds, least * 1e3,
    by_operations > by_bytes and "operations" or "bytes", 100 * least / p.seconds)
  if not rooflines[p.model] then
    rooflines[p.model], order[#order + 1] = {}, p.model
  end
  local points = rooflines[p.model]
  points[p.dtype] = points[p.dtype] or {}
  table.insert(points[p.dtype], { w.operations / w.bytes, w.operations / p.seconds / 1e9, short[p.phase] or ("%d"):format(p.tokens) })
end
fill("Performance.md", "phases", lines)

for _, model in ipairs(order) do
  local series = {}
  for _, dtype in ipairs { "float32", "bfloat16" } do
    local points = rooflines[model][dtype]
    if points then
      local top = machine[dtype .. "_gflops"]
      series[#series + 1] = { name = dtype, points = points }
      series[#series + 1] = { name = "limit, " .. dtype, joined = true, points = {
        { 0.2, 0.2 * bandwidth / 1e9 }, { top / (bandwidth / 1e9), top }, { 2000, top },
      } }
    end
  end
  svg.points(pictures .. "roofline-" .. model .. ".svg", {
    title = model .. ": phases under the machine's limits", x = "operations for each byte", y = "GFLOP/s", log = 10,
    series = series,
  })
end

-- ---------------------------------------------------------------- curves

if not arg[2] then return end
local titles = {
  group_size = { "group size", "Group size: one prompt of 64 tokens, completions of 64" },
  completion_length = { "tokens of a completion", "Completion length: 8 completions of one prompt" },
  experts = { "experts", "Experts: 32 completions of 64 tokens, 2 experts a token" },
  prompt_length = { "tokens of the prompt", "Prompt length: 8 completions of 64 tokens" },
  batch = { "sequences", "Batch: sequences of 10 + 64 tokens" },
}
local curves, names = {}, {}
for _, p in ipairs(records(arg[2])) do
  local curve = curves[p.curve]
  if not curve then
    curve = { order = {}, series = {} }
    curves[p.curve], names[#names + 1] = curve, p.curve
  end
  if not curve.series[p.series] then
    curve.series[p.series], curve.order[#curve.order + 1] = {}, p.series
  end
  table.insert(curve.series[p.series], p)
end

-- What operations and bytes take where each runs at the machine's limit, one after the other.
local function limits(p) return p.operations / peak("float32"), p.bytes / bandwidth end

for _, name in ipairs(names) do
  local curve, chart = curves[name], {}
  lines = {
    "| series | " .. titles[name][1] .. " | µs a token | µs of operations | µs of bytes | time ÷ their sum |",
    "|---|---|---|---|---|---|",
  }
  for _, series in ipairs(curve.order) do
    local line = { name = series, points = {} }
    for _, p in ipairs(curve.series[series]) do
      local each, operations, bytes = 1e6 / p.tokens, limits(p)
      line.points[#line.points + 1] = { p.x, p.seconds * each }
      lines[#lines + 1] = ("| %s | %d | %.1f | %.1f | %.1f | %.2f |"):format(series, p.x, p.seconds * each,
        operations * each, bytes * each, p.seconds / (operations + bytes))
    end
    chart[#chart + 1] = line
  end
  for i, series in ipairs(curve.order) do
    local line = { name = series, points = {}, dashed = true, colour = i }
    for _, p in ipairs(curve.series[series]) do
      local operations, bytes = limits(p)
      line.points[#line.points + 1] = { p.x, (operations + bytes) / p.tokens * 1e6 }
    end
    chart[#chart + 1] = line
  end
  fill("Scaling.md", name, lines)
  svg.lines(pictures .. "scaling-" .. name:gsub("_", "-") .. ".svg", {
    title = titles[name][2], x = titles[name][1], y = "µs for each new token", log = 2, series = chart,
  })
end
