import Foundation
import Scripting
import TestSupport
import Testing
import Values

extension BindingSuite {
  @Suite struct Models {
    @Test func theModuleHasTheContractsNames() throws {
      try script(
        """
        local function names(t) local n = {} for k in pairs(t) do n[#n + 1] = k end table.sort(n) return n end
        equal(names(grao), { "dataset", "evaluate", "json", "judge", "load", "new", "plugin", "reward_model", "schedule",
          "train", "trainer", "upcycle", "version" })
        equal(names(grao.schedule), { "constant", "cosine", "linear", "piecewise", "warmup" })
        check(grao.version:match("^%d+%.%d+%.%d+$"))
        check(require "grao" == grao)
        """)
    }

    @Test func infoCountsParameters() throws {
      try script(
        """
        equal(fixture("qwen3_moe"):info(), { architecture = "qwen3_moe", parameters = 56768, active_parameters = 38336,
          layers = 3, experts = 6, experts_per_token = 2, dtype = "float32", vocab_size = 96 })
        local llama = fixture("llama"):info()
        equal({ llama.architecture, llama.layers, llama.experts, llama.vocab_size }, { "llama", 3, 0, 96 })
        check(llama.parameters == llama.active_parameters)
        -- 80 · 32 embeddings, used as the head too; and for each layer two norms, q, k, v, o, the norms of q and k,
        -- the router and four experts.
        local layer = 2 * 32 + 32 * (32 + 16 + 16 + 32) + 2 * 16 + 4 * 32 + 4 * 3 * 32 * 16
        equal(tiny():info().parameters, 80 * 32 + 2 * layer + 32)
        equal(tiny():info().active_parameters, 80 * 32 + 2 * (layer - 2 * 3 * 32 * 16) + 32)
        """)
    }

    @Test func savingAsGGUF() throws {
      try script(
        """
        local model = tiny()
        local path = os.tmpname() .. ".gguf"
        fails("grao.model:save: option 'dtype' is for directories: give 'type' for a .gguf file",
          function() model:save(path, { dtype = "float32" }) end)
        fails("grao.model:save: option 'type' is for .gguf files",
          function() model:save("directory", { type = "q8_0" }) end)
        """)
    }

    /// The system would end each at its NUL, and take another file.
    @Test func aPathHasNoNUL() throws {
      try script(
        #"""
        local model = tiny()
        model:save(here .. "/model")
        local function refused(name, f)
          fails("HERE/" .. name .. ": expected a path, which has no NUL byte", f)
        end
        refused("model\\0x", function() grao.load(here .. "/model\0x") end)
        refused("saved\\0x", function() model:save(here .. "/saved\0x") end)
        refused("saved\\0x.gguf", function() fixture("llama"):save(here .. "/saved\0x.gguf") end)
        fails("grao.plugin: option 'cache': HERE/cache\\0x: expected a path, which has no NUL byte", function()
          grao.plugin("judge", {}, { cache = here .. "/cache\0x" })
        end)
        refused("rows\\0x.jsonl", function() grao.dataset(here .. "/rows\0x.jsonl") end)
        refused("run\\0x", function()
          train { model = model, method = "sft", data = grao.dataset(sums(4)), steps = 1, run_dir = here .. "/run\0x" }
        end)
        """#)
    }

    @Test(arguments: ["llama", "llama_tied", "qwen3_moe"])
    func logprobsAndGreedyTextAreTransformers(_ name: String) throws {
      try script(
        """
        local model, golden = fixture("\(name)"), golden("\(name)")
        for _, sequence in ipairs(golden.sequences) do
          near(model:logprobs(sequence.prompt, sequence.completion), sequence.logprobs, 2e-5)
        end
        for _, greedy in ipairs(golden.greedy) do
          local samples = model:generate { prompts = { greedy.prompt }, temperature = 0, max_new_tokens = 16 }
          equal(samples[1][1].ids, greedy.completion)
          equal({ samples[1][1].finish_reason, samples[1][1].text == nil }, { "length", true })
        end
        """)
    }

    @Test func logitsAreIndexedByIdPlusOne() throws {
      try script(
        """
        local model = tiny()
        local logits = model:logits("1+1=")
        equal(#logits, 80)
        equal(model:logits({ 6, 15, 6, 19 }), logits)
        local sum = 0
        for _, logit in ipairs(logits) do sum = sum + math.exp(logit) end
        for id = 0, 79 do near(model:logprobs("1+1=", { id })[1], logits[id + 1] - math.log(sum), 4e-6) end
        """)
    }

    @Test func aStringCompletionEndsWithTheEndOfSequence() throws {
      try script(
        """
        local model = tiny()
        equal(#model:logprobs("1+1=", "23"), 3)
        equal(model:logprobs("1+1=", "23"), model:logprobs({ 6, 15, 6, 19 }, { 7, 8, 1 }))
        equal(model:logprobs("1+1=", { 7, 8 }), { table.unpack(model:logprobs("1+1=", "23"), 1, 2) })
        """)
    }

    @Test func idsAndPromptsAreChecked() throws {
      try script(
        """
        local model, ids = tiny(), fixture("llama")
        fails("the prompt is empty: it must have at least one token", function() return model:logits("") end)
        fails("the prompt has the token id 80, outside the vocabulary of 80", function() return model:logits { 80 } end)
        fails("the completion has the token id -1, outside the vocabulary of 80",
          function() return model:logprobs("1", { -1 }) end)
        fails("the prompt has 33 tokens, more than the model's context of 32",
          function() return model:logits(("1"):rep(33)) end)
        fails("a prompt of 4 tokens with a completion of 29 exceeds the model's context of 32",
          function() return model:logprobs("1+1=", ("1"):rep(28)) end)
        fails("argument 1 of grao.model:logits must be a string, an array of token ids or chat messages, not nil",
          function() return model:logits() end)
        fails("argument 1 of grao.model:logits must be a string, an array of token ids or chat messages, but one element is a string",
          function() return model:logits { "1" } end)
        fails("argument 2 of grao.model:logprobs must be a string, an array of token ids or chat messages, not nil",
          function() return model:logprobs("1") end)
        fails("a text prompt needs a tokenizer, which this model lacks: give ids instead",
          function() return ids:logits("1") end)
        fails("a text completion needs a tokenizer, which this model lacks: give ids instead",
          function() return ids:logprobs({ 5 }, "1") end)
        """)
    }

    @Test func aClosedModelIsAnError() throws {
      try script(
        """
        local model = tiny()
        local tokenizer, other = model.tokenizer, nil
        do local closed <close> = model end
        fails("the model has been closed", function() return model:info() end)
        fails("the model has been closed", function() return model:logits { 5 } end)
        fails("the model has been closed", function() return model:generate { prompts = { "1" } } end)
        fails("the model has been closed", function() return model:save(here .. "/closed") end)
        fails("the model has been closed", function() return trainer { model = model } end)
        fails("the model has been closed", function()
          return grao.evaluate { model = model, data = grao.dataset(sums(1)), rewards = { print } }
        end)
        equal(tokenizer:encode("1"), { 6 })
        model:close()
        local second = tiny()
        second:close()
        fails("the model has been closed", function() return second:logprobs("1", "1") end)
        local third = tiny()
        local t = trainer { model = third }
        third:close()
        fails("the model has been closed", function() return t:rollout(sums(1)) end)
        fails("the model has been closed", function() return t:run() end)
        """)
    }

    @Test func newModelsFollowTheirSeedAndConfig() throws {
      try script(
        """
        equal(tiny { seed = 7 }:logits("1"), tiny { seed = 7 }:logits("1"))
        check(tiny { seed = 7 }:logits("1")[1] ~= tiny { seed = 8 }:logits("1")[1])
        equal(tiny { tokenizer = tiny().tokenizer }:logits("1"), tiny():logits("1"))
        check(tiny { tokenizer = none }.tokenizer == nil)
        fails("grao.new: option 'config' is missing: a table is required", function() return grao.new {} end)
        fails("grao.new: unknown option 'tok'; the options are config, tokenizer, seed, dtype",
          function() return grao.new { config = {}, tok = 1 } end)
        fails("grao.new: option 'tokenizer' must be a string or a tokenizer, not 5",
          function() return tiny { tokenizer = 5 } end)
        fails("grao.new: option 'seed' must be an integer, not 1.5", function() return tiny { seed = 1.5 } end)
        fails("HERE/none/tokenizer.json: no such file", function() return tiny { tokenizer = here .. "/none" } end)
        fails("config: config key 'model_type' is 'gpt9': expected one of \(modelTypes)",
          function() return tiny { config = { model_type = "gpt9" } } end)
        fails("config: config key 'vocab_size' is 79, but the tokenizer has 80 tokens",
          function() return tiny { config = { vocab_size = 79 } } end)
        """)
    }

    @Test func loadingIsRefusedClearly() throws {
      try script(
        """
        local function load(...) local given = table.pack(...)
          return function() return grao.load(table.unpack(given, 1, given.n)) end
        end
        fails("HERE/none: there is no such file or directory", load(here .. "/none"))
        fails("HERE: there is no config.json, so it is not a model directory", load(here))
        fails("HERE/main.lua: expected a model directory or a GGUF file", load(here .. "/main.lua"))
        fails("argument 1 of grao.load must be a string, not nothing", load())
        fails("grao.load: unknown option 'dtyp' (did you mean 'dtype'?)", load(here, { dtyp = "float32" }))
        fails("grao.load: option 'dtype' must be one of 'float32', 'bfloat16', not 'float64'",
          load(here, { dtype = "float64" }))
        check(grao.load(root .. "/Tests/Fixtures/models/llama", { dtype = "float32" }):info().dtype == "float32")
        check(grao.load(root .. "/Tests/Fixtures/models/llama", { dtype = "bfloat16" }):info().dtype == "bfloat16")
        """)
    }

    @Test func aModelIsNoTable() throws {
      try script(
        """
        local model = tiny()
        equal({ tostring(model), tostring(model.tokenizer) },
          { "grao.model: qwen3_moe, 21472 parameters", "grao.tokenizer" })
        check(model.nothing == nil)
        fails("a grao.model cannot be changed", function() model.x = 1 end)
        fails("grao.model:info was called on nil, not on a grao.model; write ':' before a method's name",
          function() return model.info() end)
        """)
    }
  }

  @Suite struct Saving {
    /// The dtypes in a saved file's header, and the names of its tensors.
    private static let header = """
      local function header(folder)
        local file <close> = assert(io.open(folder .. "/model.safetensors", "rb"))
        local length = string.unpack("<I8", file:read(8))
        local tensors = grao.json.decode(file:read(length))
        tensors.__metadata__ = nil
        local types = {}
        for _, tensor in pairs(tensors) do types[tensor.dtype] = true end
        return types, tensors
      end

      """

    @Test func aSavedModelIsTheSameModel() throws {
      try script(
        Self.header + """
          local model = tiny()
          model:save(here .. "/saved")
          local loaded = grao.load(here .. "/saved")
          equal(loaded:logits("1+1="), model:logits("1+1="))
          equal(loaded:info(), model:info())
          equal(loaded.tokenizer:encode("12<eos>"), { 6, 7, 1 })
          equal(loaded:logprobs("1", "2"), model:logprobs("1", "2"))
          equal(loaded:generate { prompts = { "1" }, seed = 1, max_new_tokens = 8 },
            model:generate { prompts = { "1" }, seed = 1, max_new_tokens = 8 })
          local _, tensors = header(here .. "/saved")
          check(tensors["model.embed_tokens.weight"] and not tensors["lm_head.weight"])
          -- Over what was there before.
          local other = tiny { seed = 9 }
          other:save(here .. "/saved")
          equal(grao.load(here .. "/saved"):logits("1"), other:logits("1"))
          """)
    }

    /// One file for each tensor that does not fit beside another.
    @Test func shardsAreAsLargeAsAsked() throws {
      try script(
        """
        local model = fixture("llama")
        local function files(folder)
          local file <close> = assert(io.open(folder .. "/model.safetensors.index.json"))
          local index = grao.json.decode(file:read("a"))
          local sizes = {}
          for _, name in pairs(index.weight_map) do
            local shard <close> = assert(io.open(folder .. "/" .. name, "rb"))
            local header = string.unpack("<I8", shard:read(8))
            sizes[name] = shard:seek("end") - 8 - header
          end
          local count, largest = 0, 0
          for _, size in pairs(sizes) do count, largest = count + 1, math.max(largest, size) end
          return count, largest
        end
        for _, size in ipairs { 40000, "40KB", "0.04 mb" } do
          model:save(here .. "/saved", { max_shard_size = size })
          local count, largest = files(here .. "/saved")
          check(count > 2 and largest <= 40000 and largest > 20000)
          equal(grao.load(here .. "/saved"):logits { 5, 6 }, model:logits { 5, 6 })
        end
        model:save(here .. "/saved", { max_shard_size = "1GB" })
        check(not io.open(here .. "/saved/model.safetensors.index.json"))
        """)
    }

    @Test func untrainedKeepsItsTypesAndTrainedIsFloat32() throws {
      try script(
        Self.header + """
          local model = fixture("llama_bfloat16")
          local before = model:logits { 5 }
          model:save(here .. "/untrained")
          equal(header(here .. "/untrained"), { BF16 = true })
          equal(grao.load(here .. "/untrained"):logits { 5 }, before)
          model:save(here .. "/half", { dtype = "float16" })
          equal(header(here .. "/half"), { F16 = true })
          model:save(here .. "/single", { dtype = "float32" })
          equal(header(here .. "/single"), { F32 = true })
          equal(grao.load(here .. "/single"):logits { 5 }, before)
          grao.trainer { model = model, method = "sft", optimizer = { learning_rate = 1e-3 } }
            :step { { prompt = { 5, 6 }, reference = { 7, 2 } } }
          check(model:logits { 5 }[1] ~= before[1])
          model:save(here .. "/trained")
          equal(header(here .. "/trained"), { F32 = true })
          equal(grao.load(here .. "/trained"):logits { 5 }, model:logits { 5 })
          """)
    }

    @Test func mistakesAreErrors() throws {
      try script(
        """
        local model = tiny()
        fails("HERE/main.lua: expected a directory, found a file", function() model:save(here .. "/main.lua") end)
        fails("grao.model:save: unknown option 'dtyp' (did you mean 'dtype'?)",
          function() model:save(here .. "/x", { dtyp = "float32" }) end)
        fails("grao.model:save: option 'dtype' must be one of 'float32', 'float16', 'bfloat16', not 'F32'",
          function() model:save(here .. "/x", { dtype = "F32" }) end)
        fails("grao.model:save: option 'max_shard_size' is '5 cows': expected bytes, or a number with KB, MB, GB or TB, "
          .. "as '5GB'", function() model:save(here .. "/x", { max_shard_size = "5 cows" }) end)
        fails("grao.model:save: option 'max_shard_size' must be at least 1, not 0",
          function() model:save(here .. "/x", { max_shard_size = 0 }) end)
        fails("grao.model:save: option 'max_shard_size' is for directories",
          function() model:save(here .. "/x.gguf", { max_shard_size = "5GB" }) end)
        fails("argument 1 of grao.model:save must be a string, not nothing", function() model:save() end)
        check(not io.open(here .. "/x/config.json"))
        """)
    }
  }

  @Suite struct Tokenizer {
    @Test func encodeAndDecode() throws {
      try script(
        """
        local tokenizer = tiny().tokenizer
        equal(tokenizer:encode("12+3=<eos>"), { 6, 7, 15, 8, 19, 1 })
        equal(tokenizer:encode(""), {})
        equal(tokenizer:decode { 6, 7, 15, 8, 19, 1 }, "12+3=")
        equal(tokenizer:decode({ 6, 7, 15, 8, 19, 1 }, { skip_special_tokens = false }), "12+3=<eos>")
        equal(tokenizer:decode({ 6, 1 }, { skip_special_tokens = true }), "1")
        equal(tokenizer:decode {}, "")
        """)
    }

    @Test func specialTokensAreAnOption() throws {
      try script(
        """
        local tokenizer = grao.new {
          config = { model_type = "llama", vocab_size = 2000, hidden_size = 8, num_hidden_layers = 1,
            num_attention_heads = 1, num_key_value_heads = 1, intermediate_size = 8, max_position_embeddings = 16,
            rms_norm_eps = 1e-5, hidden_act = "silu", tie_word_embeddings = true },
          tokenizer = root .. "/Tests/Fixtures/tokenizers/llama3" }.tokenizer
        local with, without = tokenizer:encode("Hi"), tokenizer:encode("Hi", { add_special_tokens = false })
        equal(tokenizer:encode("Hi", { add_special_tokens = true }), with)
        equal({ table.unpack(with, 2) }, without)
        equal(#with, #without + 1)
        equal(tokenizer:decode(with), "Hi")
        """)
    }

    @Test func mistakesAreErrors() throws {
      try script(
        """
        local tokenizer = tiny().tokenizer
        fails("grao.tokenizer:encode: unknown option 'special'; the options are add_special_tokens",
          function() return tokenizer:encode("1", { special = true }) end)
        fails("grao.tokenizer:decode: option 'skip_special_tokens' must be true or false, not 1",
          function() return tokenizer:decode({ 1 }, { skip_special_tokens = 1 }) end)
        fails("argument 1 of grao.tokenizer:encode must be a string, not an integer",
          function() return tokenizer:encode(12) end)
        fails("argument 1 of grao.tokenizer:decode must be an array of token ids, not a string",
          function() return tokenizer:decode("1") end)
        fails("the tokenizer has no chat template: give one as the option 'template'",
          function() return tokenizer:chat { { role = "user", content = "Hi" } } end)
        fails("argument 1 of grao.tokenizer:chat must be an array of chat messages, not a string",
          function() return tokenizer:chat "Hi" end)
        fails("no", function() return tokenizer:chat({ { role = "user" } }, { template = "{{ raise_exception('no') }}" })
          end)
        equal({ tokenizer:chat({ { role = "user", content = "Hi" } }, { add_generation_prompt = true, mood = "kind",
          template = "{{ messages[0].content }}{{ add_generation_prompt }}{{ mood }}" }) }, { "HiTruekind" })
        """)
    }

    /// JSON text keeps the order of keys, which a Lua table has not.
    @Test func toolsReachTheTemplate() throws {
      try script(
        """
        local model = tiny()
        local function shown(tools) return model.tokenizer:chat({}, { template = "{{ tools|tojson }}", tools = tools }) end
        equal(shown '[{"b": 1, "a": 2}]', '[{"b": 1, "a": 2}]')
        equal(shown { { b = 1, a = 2 } }, '[{"a": 2, "b": 1}]')
        fails("grao.tokenizer:chat: option 'tools[1]' must be a table, not 1", function() shown "[1]" end)
        fails("grao.tokenizer:chat: option 'tools': line 1: expected a JSON value, found the end",
          function() shown "[" end)

        model:save(here .. "/chatting")
        local chatting = grao.load(here .. "/chatting",
          { chat_template = "{{ messages[0].content }}{{ tools|length if tools else 0 }}{{ x }}" })
        local function asked(options)
          options.prompts, options.max_new_tokens, options.seed = { { { role = "user", content = "1+" } } }, 4, 1
          return chatting:generate(options)
        end
        local function told(text) return chatting:generate { prompts = { text }, max_new_tokens = 4, seed = 1 } end
        equal(asked {}, told "1+0")
        equal(asked { tools = { { a = 1 }, { a = 2 } }, chat_template_kwargs = { x = "=" } }, told "1+2=")
        equal(asked { tools = '[{"a": 1}]' }, told "1+1")
        fails("grao.model:generate: option 'tools' must be an array of tables, the JSON schemas of tools",
          function() asked { tools = "5" } end)
        """)
    }
  }
}
