import Foundation
import TestSupport
import Testing
import Values

extension CommandSuite {
  @Suite struct Runs {
    @Test func printGoesOutAndProgressGoesToErrors() throws {
      let outcome = try Workplace(["main.lua": setup + "print 'a' local s = grao.train(options) print(s.step)"])
        .run("main.lua")
      #expect(outcome.code == 0)
      #expect(outcome.output == "a\n2\n")
      // One line for each step where nobody watches.
      #expect(outcome.progress.count == 2 && outcome.messages.isEmpty && outcome.errors.hasSuffix("\n"))
      for (step, line) in outcome.progress.enumerated() {
        let form = /step (\d)\/2  reward -?\d+\.\d+  loss -?\d+\.\d+  \S+ tokens\/s  ETA \d:\d\d/
        #expect(line.wholeMatch(of: form)?.1 == "\(step + 1)", "\(line)")
      }
    }

    @Test func aRunDirectoryHoldsTheRun() throws {
      let text =
        setup + """

          options.run_dir = "runs/first"
          options.weights = { regularizer = grao.schedule.linear(1, 0) }
          options.eval_data, options.eval_every = data, 2
          local summary = grao.train(options)
          local saved = grao.load("runs/first/model")
          print(grao.json.encode(saved:logits { 5, 6 }) == grao.json.encode(model:logits { 5, 6 }))
          print(grao.json.encode(summary))
          """
      let place = try Workplace(["folder/script.lua": text])
      let outcome = try place.run("folder/script.lua")
      #expect(outcome.code == 0, "\(outcome.errors)")
      #expect(try place.names("runs/first") == ["metrics.jsonl", "model", "options.json", "script.lua"])
      #expect(try place.bytes("runs/first/script.lua") == Data(text.utf8))

      let options = try JSON.parse(place.bytes("runs/first/options.json"), source: "options.json")
      #expect(options["method"]?.string == "grao")
      #expect(options["steps"]?.integer == 2)
      #expect(options["group_size"]?.integer == 4)
      #expect(options["temperature"]?.number.map(Float.init) == 0.7)
      #expect(options["seed"]?.integer == 0)
      #expect(options["optimizer"]?["learning_rate"]?.number == 0.01)
      #expect(options["optimizer"]?["weight_decay"]?.number == 0.01)
      #expect(options["weights"]?["imitation"]?.number == 0.5)
      #expect(options["rewards"]?.array?.first?["name"]?.string == "even")

      let lines = place.lines("runs/first/metrics.jsonl")
      #expect(lines.count == 2)
      let metrics = try lines.map { try JSON.parse($0.utf8, source: "metrics.jsonl") }
      for (index, metrics) in metrics.enumerated() {
        #expect(metrics["step"]?.integer == index + 1)
        for name in [
          "loss", "grad_norm", "learning_rate", "reward", "reward_std", "rewards/even/mean", "rewards/even/std",
          "frac_reward_zero_std", "entropy", "completions/mean_length", "completions/clipped_ratio", "num_tokens",
          "step_time", "objective/exploration", "objective/imitation", "objective/regularizer", "weights/even",
          "weights/exploration", "weights/imitation", "weights/regularizer", "moe/load_max_violation",
          "sampling/logprob_difference",
        ] {
          #expect(metrics[name]?.number != nil, "\(name)")
        }
        #expect(metrics["sampling/logprob_difference"]?.number == 0)
        #expect(metrics["weights/regularizer"]?.number == Double(1 - index))
        #expect((metrics["eval/reward_mean"] != nil) == (index == 1))
      }
      let printed = outcome.lines
      #expect(printed.first == "true")
      let summary = try JSON.parse(try #require(printed.last).utf8, source: "summary")
      for (name, value) in try #require(metrics[1].table) { #expect(summary[name]?.number == value.number, "\(name)") }

      // A run is never written over.
      let again = try place.run("folder/script.lua")
      #expect(again.code == 1)
      #expect(
        again.messages.first
          == "grao-run: folder/script.lua:5: run directory runs/first: already holds a run; choose another run_dir, or "
          + "remove it")
      #expect(place.lines("runs/first/metrics.jsonl") == lines)
    }

    @Test func whatIsInTheWayOfARunIsRefused() throws {
      let text = setup + "\noptions.run_dir = arg[1] grao.train(options)"
      let place = try Workplace(["main.lua": text, "full/notes.txt": "mine"])
      let file = try place.run("main.lua", "main.lua")
      #expect(file.code == 1)
      #expect(file.messages.first == "grao-run: main.lua:2: run directory main.lua: a file of this name exists")
      let full = try place.run("main.lua", "full")
      #expect(
        full.messages.first
          == "grao-run: main.lua:2: run directory full: is not empty; choose another run_dir, or remove it")
      #expect(try place.names("full") == ["notes.txt"])
      #expect(file.progress.isEmpty && full.progress.isEmpty)
    }

    @Test func withoutARunDirectoryNothingIsWritten() throws {
      let place = try Workplace(["main.lua": setup + "grao.train(options)"])
      #expect(try place.run("main.lua").code == 0)
      #expect(try place.names("").filter { !$0.hasPrefix(".") } == ["main.lua"])
    }

    @Test func pluginsAreFoundInOrder() throws {
      func plugin(_ value: Int) -> String {
        """
        return { name = "mine", version = "1.0.0", kind = "reward", description = "\(value)",
          score = function() return \(value) end }
        """
      }
      let place = try Workplace([
        "work/main.lua": "print(require 'grao'.plugin('mine').description)", "given/mine/init.lua": plugin(1),
        "environment/mine/init.lua": plugin(2), "work/plugins/mine/init.lua": plugin(3),
        "plugins/mine/init.lua": plugin(4), "other/main.lua": "print(require 'grao'.plugin('mine').description)",
        "empty/none.txt": "", "shipped.lua": "print(require 'grao'.plugin('exact_match').name)",
      ])
      let variable = ["GRAO_PLUGIN_PATH": "\(place.path)/empty:\(place.path)/environment"]
      #expect(try place.run("--plugin-path", "given", "work/main.lua", environment: variable).output == "1\n")
      #expect(
        try place.run("--plugin-path", "empty", "--plugin-path", "given", "work/main.lua", environment: variable).output
          == "1\n")
      #expect(try place.run("work/main.lua", environment: variable).output == "2\n")
      #expect(try place.run("work/main.lua").output == "3\n")
      #expect(try place.run("other/main.lua").output == "4\n")
      #expect(try place.run("shipped.lua").output == "exact_match\n")
    }
  }

  @Suite struct Examples {
    @Test func theScriptsCompile() throws {
      let scripts = try FileManager.default.contentsOfDirectory(atPath: Fixtures.root + "/scripts")
        .filter { $0.hasSuffix(".lua") }.sorted()
      #expect(scripts.contains("quickstart.lua"))
      for name in scripts {
        let place = try Workplace(["main.lua": "assert(loadfile(os.getenv 'ROOT' .. '/scripts/\(name)'))"])
        let outcome = try place.run("main.lua")
        #expect(outcome.code == 0, "\(outcome.errors)")
      }
    }

    /// The quickstart with two steps in each run.
    @Test func theQuickstartRuns() throws {
      let text = """
        local grao = require "grao"
        local train = grao.train
        function grao.train(options)
          options.steps = 2
          return train(options)
        end
        arg[0] = os.getenv "ROOT" .. "/scripts/quickstart.lua"
        dofile(arg[0])
        print(grao.load("runs/quickstart-1/model"):info().experts)
        """
      let place = try Workplace(["main.lua": text])
      let outcome = try place.run("main.lua", "3")
      #expect(outcome.code == 0, "\(outcome.errors)")
      for stage in ["before", "after the start (sft)", "after GRAO"] {
        #expect(outcome.lines.count { $0.hasPrefix(stage + " ") } == 2, "\(stage)")
      }
      #expect(outcome.lines.last == "8")
      #expect(place.lines("runs/quickstart-1/metrics.jsonl").count == 2)
    }
  }

  @Suite struct Determinism {
    @Test func aRunsBytesDependOnTheSeedAlone() throws {
      let text =
        setup + """

          options.micro_batch_tokens, options.seed = 24, tonumber(arg[2])
          grao.train(options)
          model:save(arg[1])
          """
      let place = try Workplace(["main.lua": text])
      var saved: [String: Data] = [:]
      for (name, threads, seed) in [
        ("a", "1", "0"), ("b", "1", "0"), ("c", "2", "0"), ("d", "5", "0"), ("e", "1", "1"),
      ] {
        let outcome = try place.run("--threads", threads, "main.lua", name, seed)
        #expect(outcome.code == 0, "\(outcome.errors)")
        saved[name] = try place.bytes("\(name)/model.safetensors")
      }
      for name in ["b", "c", "d"] { #expect(saved[name] == saved["a"], "\(name)") }
      #expect(saved["e"] != saved["a"])
      let before = try Data(contentsOf: URL(filePath: Fixtures.model("qwen3_moe") + "/model.safetensors"))
      #expect(saved["a"]?.count ?? 0 > before.count / 2 && saved["a"] != before)
    }

    @Test func generationWithoutASeedIsTheSameInEachProcess() throws {
      let text =
        setup + """

          for _ = 1, 2 do
            local ids = model:generate { prompts = { { 5, 6 } }, max_new_tokens = 12 }[1][1].ids
            print(table.concat(ids, " "))
          end
          print(math.random(1 << 40))
          """
      let place = try Workplace(["main.lua": text])
      let first = try place.run("main.lua")
      #expect(first.code == 0, "\(first.errors)")
      let lines = first.lines
      #expect(lines.count == 3 && lines[0] != lines[1])
      #expect(try place.run("--threads", "1", "main.lua").output == first.output)
    }

    @Test(arguments: ["plain", "avx2", "avx512", "avx512bf16", "neon"]) func eachKernelVariantRuns(_ variant: String)
      throws
    {
      let text =
        setup + """

          local file = io.open(fixtures .. "qwen3_moe/golden.json")
          local expected = grao.json.decode(file:read("a")).sequences[1]
          local found = model:logprobs(expected.prompt, expected.completion)
          for i, logprob in ipairs(found) do assert(math.abs(logprob - expected.logprobs[i]) < 2e-5) end
          local summary = grao.train(options)
          print(summary["sampling/logprob_difference"], summary.step)
          """
      let place = try Workplace(["main.lua": text])
      for gradients in ["own", "openblas"] {
        let outcome = try place.run(
          "main.lua", environment: ["GRAO_KERNELS": variant, "GRAO_GRADIENTS": gradients])
        // What this CPU lacks is refused in words.
        if variant != "plain", outcome.code == 1 {
          let (words, lack) = (outcome.errors, "\"\(variant)\" needs ")
          #expect(words.hasPrefix("grao-run: GRAO_KERNELS: ") && words.contains(lack), "\(words)")
        } else {
          #expect(outcome.code == 0, "\(outcome.errors)")
          #expect(outcome.output == "0.0\t2\n")
        }
      }
    }
  }
}
