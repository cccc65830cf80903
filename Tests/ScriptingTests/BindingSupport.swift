import Foundation
import Runs
import Scripting
import TestSupport
import Testing
import Values

/// The bindings, through scripts as users write them. A script checks by itself what it can see.
@Suite(.machine) struct BindingSuite {}

/// Runs a script in the engine, after `prelude` on its first line; further files may lie beside it.
func script(_ text: String, files: [String: String] = [:], progress: (any ProgressReporter)? = nil) throws {
  let folder = try TemporaryFolder()
  for (name, text) in files { try folder.write(text, to: name) }
  let line = prelude.split(separator: "\n").joined(separator: " ")
  let file = try folder.write(line + " " + text, to: "main.lua")
  try ScriptEngine(script: file, progress: { progress }).run(arguments: [Fixtures.root, folder.path])
}

/// What the scripts of these tests have at hand. One line of Lua, so that their lines keep their numbers: no comments.
///
///     check(value)                 an error where the value is nil or false
///     equal(found, expected)       an error where two values are not the same JSON
///     near(found, expected, by)    an error where numbers, or arrays of them, are further apart
///     fails(message, f)            an error unless f fails with this message, after a position in the script
///     tiny({ seed =, config = })   a mixture of experts with the quickstart's tokenizer
///     fixture(name), golden(name)  a tiny checkpoint, and what PyTorch says of it
///     sums(n)                      n rows: prompt, reference, level
///     train(options), trainer(options)   grao.train with small defaults; an option that is none is left out
private let prelude = """
  local grao, root, here = require "grao", arg[1], arg[2]
  local none = {}
  local function check(value, words) if not value then error("check failed: " .. tostring(words), 2) end return value end
  local function equal(found, expected)
    local a, b = grao.json.encode(found), grao.json.encode(expected)
    if a ~= b then error("found " .. a .. ", expected " .. b, 2) end
  end
  local function near(found, expected, by)
    if type(found) == "number" then found, expected = { found }, { expected } end
    if #found ~= #expected then error("found " .. #found .. " numbers, expected " .. #expected, 2) end
    for i = 1, #found do
      if not (math.abs(found[i] - expected[i]) <= by) then
        error(("at %d found %.17g, expected %.17g"):format(i, found[i], expected[i]), 2)
      end
    end
  end
  local function fails(expected, f)
    local ok, message = pcall(f)
    if ok then error("no error, expected: " .. expected, 2) end
    local rest, count = message:gsub("^[^:]*/main%.lua:%d+: ", "", 1)
    if count == 0 then error("without a position: " .. message, 2) end
    rest = rest:gsub(here:gsub("%p", "%%%0"), "HERE")
    if rest ~= expected then error("found: " .. rest .. " expected: " .. expected, 2) end
  end
  local function tiny(options)
    options = options or {}
    local config = {
      model_type = "qwen3_moe", vocab_size = 80, hidden_size = 32, num_hidden_layers = 2, num_attention_heads = 2,
      num_key_value_heads = 1, head_dim = 16, num_experts = 4, num_experts_per_tok = 2, moe_intermediate_size = 16,
      intermediate_size = 32, tie_word_embeddings = true, max_position_embeddings = 32, eos_token_id = 1,
      norm_topk_prob = true, hidden_act = "silu", rms_norm_eps = 1e-6, rope_theta = 10000.0, initializer_range = 0.3,
    }
    for key, value in pairs(options.config or {}) do config[key] = value end
    local tokenizer = options.tokenizer or root .. "/scripts/arithmetic-tokenizer"
    if tokenizer == none then tokenizer = nil end
    return grao.new { config = config, tokenizer = tokenizer, seed = options.seed or 3 }
  end
  local function fixture(name) return grao.load(root .. "/Tests/Fixtures/models/" .. name) end
  local function golden(name)
    local file <close> = assert(io.open(root .. "/Tests/Fixtures/models/" .. name .. "/golden.json"))
    return grao.json.decode(file:read("a"))
  end
  local function sums(count)
    local rows = {}
    for i = 1, count do rows[i] = { prompt = i .. "+1=", reference = tostring(i + 1), level = i } end
    return rows
  end
  local function small(given)
    local options = {
      method = "grao", data = grao.dataset(sums(6)), steps = 1, prompts_per_step = 2, group_size = 2,
      max_new_tokens = 3, rewards = { function(sample) return sample.ids[1] end },
    }
    for key, value in pairs(given or {}) do options[key] = value end
    if not options.model then options.model = tiny() end
    for key, value in pairs(options) do if value == none then options[key] = nil end end
    return options
  end
  local function train(options) return grao.train(small(options)) end
  local function trainer(options) return grao.trainer(small(options)) end
  """
