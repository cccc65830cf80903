import Testing

extension BindingSuite {
  @Suite struct Generating {
    @Test func eachPromptHasItsSamples() throws {
      try script(
        """
        local model = tiny()
        local completions = model:generate { prompts = { "1+1=", { 6, 15, 7, 19 } }, samples = 3, max_new_tokens = 5 }
        equal({ #completions, #completions[1], #completions[2] }, { 2, 3, 3 })
        for i, prompt in ipairs { "1+1=", "1+2=" } do
          for _, sample in ipairs(completions[i]) do
            local keys = {}
            for key in pairs(sample) do keys[#keys + 1] = key end
            table.sort(keys)
            equal(keys, { "finish_reason", "ids", "logprobs", "text" })
            equal({ #sample.ids, sample.finish_reason }, { 5, "length" })
            -- Bit for bit what training computes.
            equal(sample.logprobs, model:logprobs(prompt, sample.ids))
            equal(sample.text, model.tokenizer:decode(sample.ids))
          end
        end
        check(grao.json.encode(completions[1][1].ids) ~= grao.json.encode(completions[1][2].ids))
        equal(#model:generate { prompts = { "1" }, max_new_tokens = 1 }[1], 1)
        equal(#model:generate { prompts = {} }, 0)
        """)
    }

    @Test func theEndOfSequenceStops() throws {
      try script(
        """
        local greedy = tiny():generate { prompts = { "1+1=" }, temperature = 0, max_new_tokens = 6 }[1][1]
        check(greedy.ids[3] ~= greedy.ids[1] and greedy.ids[3] ~= greedy.ids[2])
        -- The same weights, but the third token now ends a sequence: alone, or as one of several.
        for _, ends in ipairs { greedy.ids[3], { 79, greedy.ids[3] } } do
          local model = tiny { config = { eos_token_id = ends } }
          local sample = model:generate { prompts = { "1+1=" }, temperature = 0, max_new_tokens = 6 }[1][1]
          equal(sample.ids, { table.unpack(greedy.ids, 1, 3) })
          equal(sample.logprobs, { table.unpack(greedy.logprobs, 1, 3) })
          equal({ sample.text, sample.finish_reason }, { greedy.text:sub(1, 2), "stop" })
          -- The last token allowed, and an end all the same.
          sample = model:generate { prompts = { "1+1=" }, temperature = 0, max_new_tokens = 3 }[1][1]
          equal({ #sample.ids, sample.finish_reason }, { 3, "stop" })
        end
        """)
    }

    @Test func stopStringsAreCutFromTheTextOnly() throws {
      try script(
        """
        local model = tiny()
        local greedy = model:generate { prompts = { "1+1=" }, temperature = 0, max_new_tokens = 8 }[1][1]
        local stop = greedy.text:sub(4, 5)
        local first, last = greedy.text:find(stop, 1, true)
        for _, stops in ipairs { stop, { "no such text", stop } } do
          local sample = model:generate { prompts = { "1+1=" }, temperature = 0, max_new_tokens = 8, stop = stops }[1][1]
          equal(sample.text, greedy.text:sub(1, first - 1))
          equal(sample.ids, { table.unpack(greedy.ids, 1, last) })
          equal({ #sample.logprobs, sample.finish_reason }, { last, "stop" })
        end
        """)
    }

    @Test func greedyIsTheMostProbableToken() throws {
      try script(
        """
        local model = tiny()
        local function ids(options)
          options.prompts, options.max_new_tokens = { "1+1=" }, 6
          return model:generate(options)[1][1].ids
        end
        local greedy = ids { temperature = 0 }
        local logits, best = model:logits("1+1="), 1
        for i, logit in ipairs(logits) do if logit > logits[best] then best = i end end
        equal(greedy[1], best - 1)
        -- Filters that leave one token.
        equal(ids { top_k = 1 }, greedy)
        equal(ids { top_p = 1e-6 }, greedy)
        equal(ids { min_p = 1 }, greedy)
        equal(ids { temperature = 1e-3 }, greedy)
        """)
    }

    @Test func logprobsAreTheModelsUnlessAskedForTheSamplings() throws {
      try script(
        """
        local model = tiny()
        local function sample(options)
          options.prompts, options.max_new_tokens, options.seed = { "1+1=" }, 6, 5
          return model:generate(options)[1][1]
        end
        local hot = sample { temperature = 2 }
        equal(hot.logprobs, model:logprobs("1+1=", hot.ids))
        local sampled = sample { temperature = 2, logprobs_at = "sampling" }
        equal(sampled.ids, hot.ids)
        local sum, logits = 0, model:logits("1+1=")
        for _, logit in ipairs(logits) do sum = sum + math.exp(logit / 2) end
        near(sampled.logprobs[1], logits[sampled.ids[1] + 1] / 2 - math.log(sum), 2e-6)
        near(sample { temperature = 0.5, top_k = 1, logprobs_at = "sampling" }.logprobs, { 0, 0, 0, 0, 0, 0 }, 0)
        """)
    }

    @Test func seedsNameTheStreams() throws {
      try script(
        """
        local function options(seed)
          return { prompts = { "1+1=", "1+1=" }, samples = 2, max_new_tokens = 8, seed = seed }
        end
        local model = tiny()
        equal(model:generate(options(4)), model:generate(options(4)))
        local function texts(given)
          local texts = {}
          for _, samples in ipairs(given) do for _, sample in ipairs(samples) do texts[#texts + 1] = sample.text end end
          return table.concat(texts, " ")
        end
        check(texts(model:generate(options(4))) ~= texts(model:generate(options(5))))
        -- Without a seed the model's next stream, which begins anew with each model.
        local first, second = texts(model:generate(options())), texts(model:generate(options()))
        check(first ~= second)
        local again = tiny()
        equal({ texts(again:generate(options())), texts(again:generate(options())) }, { first, second })
        -- A completion depends on its place, not on what runs beside it.
        local alone = options(4)
        alone.prompts, alone.samples = { "1+1=" }, 1
        equal(model:generate(alone)[1][1], model:generate(options(4))[1][1])
        """)
    }

    @Test func theContextEndsACompletion() throws {
      try script(
        """
        local model = tiny()
        local sample = model:generate { prompts = { ("1"):rep(30) }, max_new_tokens = 9 }[1][1]
        equal({ #sample.ids, sample.finish_reason }, { 2, "length" })
        fails("prompt 1 has 32 tokens and leaves no room in the context of 32",
          function() return model:generate { prompts = { ("1"):rep(32) } } end)
        fails("grao.model:generate: option 'prompts[2]': the prompt has 33 tokens, more than the model's context of 32",
          function() return model:generate { prompts = { "1", ("1"):rep(33) } } end)
        """)
    }

    @Test(arguments: [
      (
        #"{ prompts = { "1" }, sample = 2 }"#,
        "grao.model:generate: unknown option 'sample' (did you mean 'samples'?)"
      ),
      (#"{ }"#, "grao.model:generate: option 'prompts' is missing: an array is required"),
      (#"nil"#, "argument 1 of grao.model:generate must be a table, not nil"),
      (#"{ prompts = "1" }"#, "grao.model:generate: option 'prompts' must be an array, not a string"),
      (
        #"{ prompts = { "1", "" } }"#,
        "grao.model:generate: option 'prompts[2]': the prompt is empty: it must have at least one token"
      ),
      (
        #"{ prompts = { {} } }"#,
        "grao.model:generate: option 'prompts[1]': the prompt is empty: it must have at least one token"
      ),
      (
        #"{ prompts = { { 80 } } }"#,
        "grao.model:generate: option 'prompts[1]': the prompt has the token id 80, outside the vocabulary of 80"
      ),
      (
        #"{ prompts = { { 1.5 } } }"#,
        "grao.model:generate: option 'prompts[1]' must be a string, an array of token ids or chat messages, "
          + "but one element is a number"
      ),
      (
        #"{ prompts = { { { role = "user", content = "Hi" } } } }"#,
        "grao.model:generate: option 'prompts[1]': the tokenizer has no chat template: "
          + "give one as the option 'template'"
      ),
      (
        #"{ prompts = { "1" }, samples = "2" }"#,
        "grao.model:generate: option 'samples' must be an integer, not a string"
      ),
      (
        #"{ prompts = { "1" }, samples = 0 }"#,
        "grao.model:generate: option 'samples' must be between 1 and 1048576, not 0"
      ),
      (
        #"{ prompts = { "1" }, max_new_tokens = 0 }"#,
        "grao.model:generate: option 'max_new_tokens' must be at least 1, not 0"
      ),
      (
        #"{ prompts = { "1" }, temperature = -1 }"#,
        "grao.model:generate: option 'temperature' must be at least 0, not -1"
      ),
      (
        #"{ prompts = { "1" }, temperature = 1 / 0 }"#,
        "grao.model:generate: option 'temperature' must be a finite number, not inf"
      ),
      (#"{ prompts = { "1" }, top_p = 1.5 }"#, "grao.model:generate: option 'top_p' must be between 0 and 1, not 1.5"),
      (
        #"{ prompts = { "1" }, logprobs_at = "greedy" }"#,
        "grao.model:generate: option 'logprobs_at' must be one of 'sampling', not 'greedy'"
      ),
      (#"{ prompts = { "1" }, stop = "" }"#, "grao.model:generate: option 'stop' must not hold an empty string"),
      (#"{ prompts = { "1" }, stop = { 1 } }"#, "grao.model:generate: option 'stop[1]' must be a string, not 1"),
      (#"{ prompts = { "1" }, seed = 0.5 }"#, "grao.model:generate: option 'seed' must be an integer, not 0.5"),
    ])
    func mistakesAreErrors(_ options: String, _ message: String) throws {
      try script("local model = tiny() fails([==[\(message)]==], function() return model:generate(\(options)) end)")
    }

    @Test func aModelWithoutATokenizerHasNoText() throws {
      try script(
        """
        local model = fixture("llama")
        local sample = model:generate { prompts = { { 5, 6 } }, max_new_tokens = 3 }[1][1]
        check(sample.text == nil and #sample.ids == 3)
        fails("a stop string needs a tokenizer, which this model lacks: give ids instead",
          function() return model:generate { prompts = { { 5 } }, stop = "x" } end)
        fails("grao.model:generate: option 'prompts[1]': a text prompt needs a tokenizer, which this model lacks: "
          .. "give ids instead", function() return model:generate { prompts = { "x" } } end)
        """)
    }
  }
}
