import Foundation
import TestSupport
import Testing

extension CommandSuite {
  @Suite struct Usage {
    @Test(arguments: ["--help", "-h"]) func helpTeaches(_ option: String) throws {
      let outcome = try Workplace().run(option)
      #expect(outcome.code == 0)
      #expect(outcome.errors == "")
      for word in [
        "USAGE: grao-run", "--threads", "--plugin-path", "<script>", "local grao = require \"grao\"", "grao.load(",
        "grao.train {", "GRAO_KERNELS", "GRAO_PLUGIN_PATH", "130: interrupted",
      ] {
        #expect(outcome.output.contains(word), "\(word)")
      }
    }

    @Test func theVersionIsTheModules() throws {
      let outcome = try Workplace().run("--version")
      #expect(outcome.code == 0)
      let script = try Workplace(["main.lua": "print(require 'grao'.version)"]).run("main.lua")
      #expect(outcome.output == script.output)
      #expect(outcome.output.count > 1 && outcome.errors == "")
    }

    @Test(arguments: [
      ([], "'<script>'"), (["--threads", "0", "main.lua"], "--threads must be at least 1, not 0"),
      (["--threads", "many", "main.lua"], "'many' is invalid for '--threads"),
      (["--thread", "1", "main.lua"], "'--thread'"),
      (["--plugin-path"], "Missing value for '--plugin-path"),
      (["--plugin-path", "none", "main.lua"], "--plugin-path: 'none' is not a folder"),
      (["--plugin-path", "main.lua", "main.lua"], "--plugin-path: 'main.lua' is not a folder"),
    ])
    func wrongUsageIsTwo(_ arguments: [String], _ message: String) throws {
      let place = try Workplace(["main.lua": "print 'ran'"])
      let outcome =
        switch arguments.count {
        case 0: try place.run()
        case 1: try place.run(arguments[0])
        default: try place.run(arguments[0], arguments[1], arguments[2])
        }
      #expect(outcome.code == 2)
      #expect(outcome.output == "")
      #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func argumentsReachTheScript() throws {
      let place = try Workplace(["main.lua": "print(arg[0], #arg, table.concat(arg, '|'), select('#', ...))"])
      #expect(try place.run("main.lua", "a b", "--threads", "-h", "").output == "main.lua\t4\ta b|--threads|-h|\t4\n")
      #expect(try place.run("--threads", "1", "main.lua", "--", "x").output == "main.lua\t2\t--|x\t2\n")
      #expect(try place.run("main.lua").output == "main.lua\t0\t\t0\n")
    }

    @Test func theEnvironmentIsChecked() throws {
      let place = try Workplace(["main.lua": "print 'ran'"])
      let kernels = try place.run("main.lua", environment: ["GRAO_KERNELS": "fast"])
      #expect(kernels.code == 1 && kernels.output == "")
      #expect(
        kernels.errors
          == "grao-run: GRAO_KERNELS: expected \"avx512bf16\", \"avx512\", \"avx2\", \"neon\" or \"plain\"\n")
      let gradients = try place.run("main.lua", environment: ["GRAO_GRADIENTS": "mkl"])
      #expect(gradients.code == 1 && gradients.output == "")
      #expect(gradients.errors == "grao-run: GRAO_GRADIENTS: expected \"own\" or \"openblas\"\n")
    }
  }

  @Suite struct Errors {
    @Test func noScriptIsOne() throws {
      let place = try Workplace()
      let missing = try place.run("none.lua")
      #expect(missing.code == 1)
      #expect(missing.errors == "grao-run: none.lua: No such file or directory\n")
      let folder = try place.run(place.path)
      #expect(folder.code == 1)
      #expect(folder.errors == "grao-run: \(place.path): a directory, not a Lua file\n")
    }

    @Test func syntaxErrorsHaveTheirLine() throws {
      let outcome = try Workplace(["main.lua": "print 'no'\n\nx = = 1\n"]).run("main.lua")
      #expect(outcome.code == 1)
      #expect(outcome.output == "")
      #expect(outcome.messages.first == "grao-run: main.lua:3: unexpected symbol near '='")
    }

    @Test func runtimeErrorsHaveATraceback() throws {
      let text = "print 'before'\nlocal function inner()\n  local t\n  return t.x\nend\ninner()\n"
      let outcome = try Workplace(["deep/main.lua": text]).run("deep/main.lua")
      #expect(outcome.code == 1)
      #expect(outcome.output == "before\n")
      #expect(
        outcome.messages == [
          "grao-run: deep/main.lua:4: attempt to index a nil value (local 't')", "stack traceback:",
          "\tdeep/main.lua:4: in local 'inner'", "\tdeep/main.lua:6: in main chunk", "\t[C]: in ?",
        ])
    }

    @Test func engineErrorsHaveTheScriptsLine() throws {
      let text = setup + "\nlocal f = function()\n  options.stepz = 1\n  grao.train(options)\nend\nf()"
      let outcome = try Workplace(["main.lua": text]).run("main.lua")
      #expect(outcome.code == 1)
      #expect(
        outcome.messages.first == "grao-run: main.lua:4: grao.train: unknown option 'stepz' (did you mean 'steps'?)")
      #expect(outcome.messages.dropFirst().first == "stack traceback:")
      #expect(outcome.messages.contains("\tmain.lua:6: in main chunk"))
    }

    @Test func errorsOfOtherFilesNameThem() throws {
      let place = try Workplace([
        "main.lua": "local helper = require 'helper'\nhelper()",
        "helper.lua": "return function()\n  error 'helpless'\nend",
      ])
      let outcome = try place.run("main.lua")
      #expect(outcome.code == 1)
      #expect(outcome.messages.first == "grao-run: ./helper.lua:2: helpless")
    }

    @Test func aCutOffModelIsNamed() throws {
      let place = try Workplace()
      for name in ["config.json", "model.safetensors"] {
        let data = try Data(contentsOf: URL(filePath: "\(Fixtures.model("qwen3_moe"))/\(name)"))
        try place.write("", to: "cut/\(name)")
        let kept = name == "config.json" ? data : data.dropLast(1000)
        try kept.write(to: URL(filePath: "\(place.path)/cut/\(name)"))
      }
      try place.write("require 'grao'.load 'cut'", to: "main.lua")
      let outcome = try place.run("main.lua")
      #expect(outcome.code == 1)
      let message = outcome.messages.first ?? ""
      #expect(message.hasPrefix("grao-run: main.lua:1: cut/model.safetensors: "), "\(message)")
      #expect(message.contains("cut off"), "\(message)")
    }

    @Test func aRewardThatIsNotANumberIsNamed() throws {
      let text =
        setup + "options.rewards[1].score = function() return 0 / 0 end options.run_dir = 'run'\ngrao.train(options)"
      let place = try Workplace(["main.lua": text])
      let outcome = try place.run("main.lua")
      #expect(outcome.code == 1)
      let message = outcome.messages.first ?? ""
      #expect(message.hasPrefix("grao-run: main.lua:2: reward 'even' returned "), "\(message)")
      #expect(message.hasSuffix("nan, which is not a finite number"), "\(message)")
      // No step was made, and no model is written.
      #expect(place.text("run/metrics.jsonl") == "")
      #expect(try place.names("run") == ["main.lua", "metrics.jsonl", "options.json"])
    }

    @Test func printedLinesComeOutWhateverHappens() throws {
      let outcome = try Workplace(["main.lua": "io.write('half a line') error('stop', 0)"]).run("main.lua")
      #expect(outcome.code == 1)
      #expect(outcome.output == "half a line")
      #expect(outcome.messages.first == "grao-run: stop")
    }
  }

  @Suite struct Interrupts {
    @Test(
      arguments: [
        // Lua code alone, which catches all errors.
        "while true do pcall(function() while true do end end) end",
        // Training, whose rewards take no time.
        "options.steps = 1 << 40 grao.train(options)",
        // A reward that never ends, and whose errors are skipped.
        """
        options.on_reward_error = "skip" options.rewards[1].score = function() while true do end end
        grao.train(options)
        """,
        // Sampling.
        """
        local prompts = {}
        for i = 1, 100000 do prompts[i] = { 5, 6 } end
        model:generate { prompts = prompts, samples = 64, max_new_tokens = 50 }
        """,
      ], [SIGINT, SIGTERM])
    func anInterruptIs130(_ work: String, _ signal: Int32) throws {
      let place = try Workplace(["main.lua": setup + "\nprint 'ready' io.stdout:flush()\n" + work])
      let outcome = try place.run("main.lua", signal: signal)
      #expect(outcome.code == 130)
      #expect(outcome.output == "ready\n")
      let message = outcome.messages.first ?? ""
      #expect(message.hasPrefix("grao-run: ") && message.hasSuffix("interrupted"), "\(message)")
      #expect(outcome.messages.count == 1, "\(outcome.errors)")
    }

    @Test func anInterruptedRewardIsNoReward() throws {
      let text =
        setup + """

          options.on_reward_error, options.run_dir = "skip", "run"
          options.rewards[1].score = function()
            print 'ready' io.stdout:flush()
            while true do end
          end
          grao.train(options)
          """
      let place = try Workplace(["main.lua": text])
      let outcome = try place.run("main.lua", signal: SIGINT)
      #expect(outcome.code == 130)
      #expect(outcome.output == "ready\n")
      #expect(place.lines("run/metrics.jsonl") == [])
    }

    @Test func anInterruptedRunLeavesWholeLines() throws {
      let text =
        setup + """

          options.steps, options.run_dir = 1 << 40, "run"
          options.on_step = function(state) if state.step == 3 then print 'ready' io.stdout:flush() end end
          grao.train(options)
          """
      let place = try Workplace(["main.lua": text])
      let outcome = try place.run("main.lua", signal: SIGINT)
      #expect(outcome.code == 130)
      #expect(outcome.messages.last?.hasSuffix("the model after the last whole step is run/interrupted") == true)
      #expect(place.text("run/interrupted/config.json").contains("model_type"))
      let metrics = place.text("run/metrics.jsonl")
      #expect(metrics.hasSuffix("}\n"))
      #expect(metrics.split(separator: "\n").count >= 3)
    }
  }
}
