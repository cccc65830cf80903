import TestSupport
import Testing

extension CommandSuite {
  @Suite struct LoadingMemory {
    /// Weights go from the file to their place some rows at a time, and the file's pages are given back: what a process
    /// takes while it loads is 1.2 times the weights at most, the mapped file counted.
    @Test(arguments: ["float32", "bfloat16"]) func loadingHoldsNothingTwice(_ type: String) throws {
      let place = try Workplace()
      try place.write(
        """
        local grao = require "grao"
        local model = grao.new { dtype = "bfloat16", config = {
          model_type = "llama", vocab_size = 20000, hidden_size = 512, num_hidden_layers = 2, num_attention_heads = 8,
          intermediate_size = 1024, max_position_embeddings = 64,
        } }
        model:save("model", { dtype = "bfloat16" })
        """, to: "make.lua")
      try place.write(
        """
        local grao = require "grao"
        local function status(key)
          for line in io.lines("/proc/self/status") do
            local kilobytes = line:match("^" .. key .. ":%s+(%d+) kB")
            if kilobytes then return kilobytes * 1024 end
          end
        end
        local before = status("VmRSS")
        local model <close> = grao.load("model", { dtype = arg[1] })
        print((status("VmHWM") - before) / (model:info().parameters * (arg[1] == "bfloat16" and 2 or 4)))
        """, to: "load.lua")
      #expect(try place.run("make.lua").code == 0)
      let outcome = try place.run("load.lua", type)
      let share = try #require(outcome.lines.first.flatMap { Double($0) }, "\(outcome.errors)")
      #expect(share > 0.95 && share <= 1.2, "\(share)")
    }
  }
}
