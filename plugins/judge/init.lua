-- A language model as judge: is the completion better than the reference, by a criterion?

local question = require "question"

--- The request of a question, whose text is also its name in the cache.
local function body(options, context, first, second)
  local content = { model = options.model, messages = question.messages(options.criterion, context, first, second) }
  for key, value in pairs(options.parameters) do content[key] = value end
  return json.encode(content)
end

--- What the model said, or nil and what is wrong with the reply.
local function answer_in(reply)
  local ok, content = pcall(json.decode, reply)
  local choice = ok and type(content) == "table" and type(content.choices) == "table" and content.choices[1]
  local message = type(choice) == "table" and type(choice.message) == "table" and choice.message
  local text = message and message.content
  if type(text) == "string" then return text end
  return nil, "the reply is no chat completion: " .. reply:sub(1, 200)
end

--- The verdict on each question, or `{ error = }`: from the cache, and from the model for the others, all at once.
local function ask(questions, options, counts)
  local verdicts, requests, asked = {}, {}, {}
  local url = options.url:gsub("/+$", "")
  if not url:find("/chat/completions$") then url = url .. "/chat/completions" end
  for _, text in ipairs(questions) do
    local known = cache.get(text)
    if known then
      verdicts[text], counts.cached = question.verdict(known), counts.cached + 1
    end
    if verdicts[text] == nil then
      requests[#requests + 1] = { url = url, body = text, key = options.api_key_env }
      asked[#asked + 1] = text
    end
  end
  local replies = http.post(requests, {
    concurrency = options.concurrency, timeout = options.timeout, retries = options.retries, backoff = options.backoff,
  })
  for i, reply in ipairs(replies) do
    counts.requests, counts.retries = counts.requests + reply.attempts, counts.retries + math.max(reply.attempts - 1, 0)
    local answer, problem = nil, reply.error
    if not problem then answer, problem = answer_in(reply.body) end
    local verdict = answer and question.verdict(answer)
    if verdict then
      cache.put(asked[i], answer)
    elseif answer then
      problem = "the answer is none of '1 > 2', '1 = 2' and '1 < 2': " .. answer:sub(-200)
    end
    if not reply.error and not verdict then counts.malformed = counts.malformed + 1 end
    verdicts[asked[i]] = verdict or { error = "the judge failed: " .. problem }
  end
  return verdicts
end

--- The score of two verdicts on one pair: the completion stood first, and second.
local function combine(first, second, options)
  if type(first) == "table" then return first end
  if type(second) == "table" then return second end
  if options.combine == "mean" then return (first - second) / 2 end
  return first == -second and first or 0
end

return {
  name = "judge",
  version = "1.0.0",
  kind = "reward",
  description = "asks a language model behind an OpenAI-compatible API whether the completion (text 1) or the "
    .. "reference (text 2) is better: 1, 0 or -1; asks in both orders; the reference itself scores 0; does not apply "
    .. "without a text or a reference. The script must grant the host, and may grant a cache: "
    .. "grao.plugin('judge', options, { hosts = { '127.0.0.1:8080' }, cache = 'judged' })",
  options = {
    url = { type = "string", required = true, description = "the API: 'http://127.0.0.1:8080/v1', say" },
    model = { type = "string", required = true, description = "the model's name there" },
    criterion = {
      type = "string",
      default = "helpful",
      description = "'helpful', 'harmless', or which text is to be preferred in your own words",
    },
    combine = {
      type = "string",
      default = "mean",
      choices = { "mean", "agree" },
      description = "of the answers in both orders: their mean, or a tie (0) unless both say the same",
    },
    api_key_env = { type = "string", description = "the environment variable that holds the API's key" },
    parameters = {
      type = "table",
      default = { temperature = 0, max_tokens = 1024 },
      description = "further fields of each request",
    },
    concurrency = { type = "integer", default = 16, min = 1, max = 256, description = "requests at once" },
    timeout = { type = "number", default = 60, min = 0.001, description = "seconds that one attempt may take" },
    retries = {
      type = "integer",
      default = 4,
      min = 0,
      max = 100,
      description = "attempts after the first, where it was a time-out, no connection, or status 408, 429 or 5xx",
    },
    backoff = {
      type = "number",
      default = 1,
      min = 0,
      description = "seconds before the second attempt, twice as many before each further one, and at least what the "
        .. "server asks for with Retry-After",
    },
  },
  score_batch = function(samples, options)
    local counts = { requests = 0, retries = 0, cached = 0, malformed = 0 }
    local scores, pairs_of, questions, known = {}, {}, {}, {}
    local function add(text)
      if not known[text] then questions[#questions + 1] = text end
      known[text] = true
      return text
    end
    for i, sample in ipairs(samples) do
      local completion, reference = sample.completion, sample.reference
      if not (completion and reference) then
        scores[i] = false
      elseif sample.is_reference or completion == reference then
        scores[i] = 0
      else
        pairs_of[i] = {
          add(body(options, sample.prompt, completion, reference)),
          add(body(options, sample.prompt, reference, completion)),
        }
      end
    end
    local verdicts = ask(questions, options, counts)
    local judged, contradicted = 0, 0
    for i, pair in pairs(pairs_of) do
      local first, second = verdicts[pair[1]], verdicts[pair[2]]
      scores[i] = combine(first, second, options)
      if type(scores[i]) == "number" then
        judged = judged + 1
        if first ~= -second then contradicted = contradicted + 1 end
      end
    end
    -- How often the order of the texts decides.
    if judged > 0 then counts.order_bias = contradicted / judged end
    return scores, counts
  end,
}
