-- Memory of loading a model, from the system's own account of the process (Linux).
--
--   grao-run Benchmarks/loading.lua make DIRECTORY            writes a random qwen3_moe of 252 million parameters,
--                                                             504 MB in bfloat16
--   grao-run Benchmarks/loading.lua float32 DIRECTORY         loads it, in a type to compute in
--   grao-run Benchmarks/loading.lua bfloat16 DIRECTORY
--
-- VmHWM is the most that was resident at any moment, pages of the mapped file included; RssAnon what is resident of the
-- process's own now, RssFile of files.
local grao = require "grao"
local what, directory = arg[1], arg[2]

local function status(key)
  for line in io.lines("/proc/self/status") do
    local kilobytes = line:match("^" .. key .. ":%s+(%d+) kB")
    if kilobytes then return kilobytes * 1024 / 1e6 end
  end
end

if what == "make" then
  local model = grao.new { dtype = "bfloat16", config = {
    model_type = "qwen3_moe", vocab_size = 32768, hidden_size = 768, num_hidden_layers = 8, num_attention_heads = 12,
    num_key_value_heads = 4, head_dim = 64, num_experts = 20, num_experts_per_tok = 4, moe_intermediate_size = 512,
    intermediate_size = 512, tie_word_embeddings = false, max_position_embeddings = 4096, rms_norm_eps = 1e-6,
    norm_topk_prob = true,
  } }
  model:save(directory, { dtype = "bfloat16" })
  print(("%.1f million parameters"):format(model:info().parameters / 1e6))
  return
end

local before, clock = status("RssAnon"), os.clock()
local model <close> = grao.load(directory, { dtype = what })
local seconds = os.clock() - clock
local size = model:info().parameters * (what == "bfloat16" and 2 or 4) / 1e6
print(("%s: weights %.1f MB, loaded in %.1f s of CPU time"):format(what, size, seconds))
print(("before   RssAnon %.1f MB"):format(before))
print(("after    RssAnon %.1f MB, RssFile %.1f MB"):format(status("RssAnon"), status("RssFile")))
print(("peak     VmHWM %.1f MB = %.3f of the weights"):format(status("VmHWM"), status("VmHWM") / size))
