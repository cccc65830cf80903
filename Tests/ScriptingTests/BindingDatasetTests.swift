import Scripting
import TestSupport
import Testing

extension BindingSuite {
  @Suite struct Datasets {
    @Test func rowsAreReadByIndex() throws {
      try script(
        """
        local data = grao.dataset(sums(6))
        equal({ #data, data[1], data[6].level }, { 6, { prompt = "1+1=", reference = "2", level = 1 }, 6 })
        check(data[0] == nil and data[7] == nil and data[1.5] == nil)
        local levels = {}
        for _, row in ipairs(data) do levels[#levels + 1] = row.level end
        equal(levels, { 1, 2, 3, 4, 5, 6 })
        -- A row is a copy.
        local row = data[1]
        row.prompt = "changed"
        equal(data[1].prompt, "1+1=")
        fails("a grao.dataset cannot be changed", function() data[1] = {} end)
        local deep = { prompt = { 5, 6 }, chosen = "a", nested = { list = { 1, 2.5, "x", true }, table = { x = 1 } } }
        equal(grao.dataset({ deep })[1], deep)
        """)
    }

    @Test func filesGiveRows() throws {
      try script(
        """
        for _, name in ipairs { "rows.jsonl", "rows.json", "rows.csv" } do
          local data = grao.dataset(here .. "/" .. name)
          equal({ #data, data[1].prompt, data[2].prompt }, { 2, "a", "b, c" })
        end
        equal(grao.dataset(here .. "/rows.jsonl")[2].level, 2)
        equal(grao.dataset(here .. "/rows.csv")[2].level, "2")
        fails("HERE/none.jsonl: no such file", function() return grao.dataset(here .. "/none.jsonl") end)
        fails("HERE/rows.txt: a dataset's file name must end in .jsonl, .json or .csv",
          function() return grao.dataset(here .. "/rows.txt") end)
        fails("HERE/broken.jsonl: line 2: a row must be an object, not an array",
          function() return grao.dataset(here .. "/broken.jsonl") end)
        """,
        files: [
          "rows.jsonl": #"{"prompt": "a", "level": 1}"# + "\n" + #"{"prompt": "b, c", "level": 2}"# + "\n",
          "rows.json": #"[{"prompt": "a"}, {"prompt": "b, c"}]"#,
          "rows.csv": "prompt,level\na,1\n\"b, c\",2\n",
          "broken.jsonl": "{}\n[]\n",
        ])
    }

    @Test func filterAndMapMakeNewDatasets() throws {
      try script(
        """
        local data = grao.dataset(sums(6))
        local high = data:filter(function(row) return row.level > 4 end)
        equal({ #high, high[1].level, high[2].level, #data }, { 2, 5, 6, 6 })
        -- Anything but nil and false keeps a row.
        equal(#data:filter(function(row) return row.level == 1 and 0 or nil end), 1)
        local doubled = data:map(function(row) row.level = row.level * 2 return row end)
        equal({ doubled[6].level, doubled[6].prompt, data[6].level }, { 12, "6+1=", 6 })
        fails("dataset: the filter keeps no row", function() return data:filter(function() end) end)
        fails("grao.dataset:map: the function returned nil, expected a row: a table with named columns",
          function() return data:map(function() end) end)
        fails("bad row 1", function() return data:map(function(row) error("bad row " .. row.level) end) end)
        fails("argument 1 of grao.dataset:filter must be a function, not an integer",
          function() return data:filter(3) end)
        fails("argument 1 of grao.dataset:map must be a function, not nothing", function() return data:map() end)
        """)
    }

    @Test func splitIsSeededAndLosesNoRow() throws {
      try script(
        """
        local data = grao.dataset(sums(10))
        local function levels(data)
          local levels = {}
          for i, row in ipairs(data) do levels[i] = row.level end
          return levels
        end
        local a, b = data:split(0.7, 1)
        equal({ #a, #b }, { 7, 3 })
        local all = levels(a)
        for _, level in ipairs(levels(b)) do all[#all + 1] = level end
        check(grao.json.encode(all) ~= grao.json.encode(levels(data)))
        table.sort(all)
        equal(all, levels(data))
        equal(levels(data:split(0.7, 1)), levels(a))
        check(grao.json.encode(levels(data:split(0.7, 2))) ~= grao.json.encode(levels(a)))
        fails("dataset: split: the fraction must be between 0 and 1, not 1.0", function() return data:split(1, 1) end)
        fails("dataset: split: a fraction 0.01 of 10 rows leaves one part empty",
          function() return data:split(0.01, 1) end)
        fails("argument 1 of grao.dataset:split must be a number, not a string",
          function() return data:split("0.5", 1) end)
        fails("argument 2 of grao.dataset:split must be an integer, not a number",
          function() return data:split(0.5, 0.5) end)
        """)
    }

    @Test func whatIsNoDatasetIsAnError() throws {
      try script(
        """
        fails("dataset: an empty dataset", function() return grao.dataset {} end)
        fails("argument 1 of grao.dataset must be a path or an array of rows, not nil",
          function() return grao.dataset() end)
        fails("argument 1 of grao.dataset must be a path or an array of rows, but one element is an integer",
          function() return grao.dataset { 1, 2 } end)
        fails("argument 1 of grao.dataset must be a path or an array of rows, not a table",
          function() return grao.dataset { prompt = "1" } end)
        fails("grao.train: option 'data' must be a dataset, not an array", function() return train { data = sums(1) } end)
        """)
    }
  }

  @Suite struct Rows {
    @Test(arguments: [
      (#"{ reference = "1" }"#, "column 'prompt' is missing"),
      (#"{ prompt = "1" }"#, "method 'grao' needs a column 'reference' (or 'chosen')"),
      (
        #"{ prompt = 1, reference = "1" }"#,
        "column 'prompt' must be a string, an array of token ids or chat messages, not an integer"
      ),
      (#"{ prompt = "", reference = "1" }"#, "the prompt is empty: it must have at least one token"),
      (#"{ prompt = { 80 }, reference = "1" }"#, "the prompt has the token id 80, outside the vocabulary of 80"),
      (
        #"{ prompt = "1", reference = { 5, "6" } }"#,
        "column 'reference' must be a string, an array of token ids or chat messages, but one element is a string"
      ),
      (
        #"{ prompt = { { role = "user", content = "Hi" } }, reference = "1" }"#,
        "the tokenizer has no chat template: give one as the option 'template'"
      ),
    ])
    func aBadRowIsNamed(_ row: String, _ message: String) throws {
      // The second of two rows: both are in the one step.
      try script(
        "fails([==[dataset: row 2: \(message)]==], "
          + "function() train { data = grao.dataset { { prompt = '1', reference = '1' }, \(row) } } end)")
    }

    @Test func idsAndChosenAreTakenToo() throws {
      try script(
        """
        local function loss(row)
          local model = tiny()
          return grao.train { model = model, method = "sft", data = grao.dataset { row }, prompts_per_step = 1 }.loss
        end
        local expected = loss { prompt = "1+1=", reference = "2" }
        equal(loss { prompt = { 6, 15, 6, 19 }, reference = { 7, 1 } }, expected)
        equal(loss { prompt = "1+1=", chosen = "2", rejected = "3" }, expected)
        local sum = 0
        for _, logprob in ipairs(tiny():logprobs("1+1=", "2")) do sum = sum + logprob end
        near(expected, -sum / 2, 1e-6)
        """)
    }

    @Test func aModelWithoutATokenizerTrainsOnIds() throws {
      try script(
        """
        local seen = 0
        local model = fixture("qwen3_moe")
        local options = {
          model = model, data = grao.dataset { { prompt = { 5, 6 }, reference = { 7, 2 } } }, prompts_per_step = 1,
          rewards = { function(sample)
            check(sample.prompt == nil and sample.completion == nil and sample.reference == nil)
            seen = seen + 1
            return sample.ids[1]
          end },
        }
        equal(train(options).step, 1)
        equal(seen, 3)
        fails("dataset: row 1: a text prompt needs a tokenizer, which this model lacks: give ids instead", function()
          return train { model = model, data = grao.dataset { { prompt = "1", reference = { 2 } } } }
        end)
        """)
    }
  }
}
