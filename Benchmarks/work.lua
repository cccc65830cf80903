-- What sampling and training have to do at least: operations (a multiply-add is two), and bytes that no cache can spare
-- them. A shape has layers, channels, vocabulary; queries, the floats of a token's queries in a layer, and keys_values,
-- those of its keys and values; experts, chosen (of them, by a token) and width (of one; a dense layer is one expert);
-- weight_bytes, 4 or 2.
local work = {}

local function attention(s) return s.channels * (2 * s.queries + s.keys_values) end
local function expert(s) return 3 * s.channels * s.width end
local function head(s) return s.channels * s.vocabulary end
local function router(s) return s.experts > 1 and s.channels * s.experts or 0 end

function work.parameters(s) return s.layers * (attention(s) + router(s) + s.experts * expert(s)) + head(s) end

-- Experts of a layer that some tokens reach, where routers choose evenly.
local function reached(s, tokens) return s.experts * (1 - (1 - s.chosen / s.experts) ^ tokens) end

local function sum(...)
  local all = { operations = 0, bytes = 0 }
  for _, part in ipairs { ... } do
    all.operations, all.bytes = all.operations + part.operations, all.bytes + part.bytes
  end
  return all
end
work.sum = sum

function work.times(count, part) return { operations = count * part.operations, bytes = count * part.bytes } end

-- Products of tokens through the layers, and attention of each to some keys in the mean.
local function layers(s, tokens, keys)
  local product = 2 * tokens * (attention(s) + s.chosen * expert(s) + router(s))
  return {
    operations = s.layers * (product + 4 * tokens * s.queries * keys),
    bytes = s.layers * s.weight_bytes * (attention(s) + reached(s, tokens) * expert(s)),
  }
end

local function logits(s, rows)
  return { operations = 2 * rows * head(s), bytes = s.weight_bytes * head(s) + 4 * rows * s.vocabulary }
end

-- A prompt of some tokens, and the logits after it.
function work.prompt(s, tokens) return sum(layers(s, tokens, (tokens + 1) / 2), logits(s, 1)) end

-- A token of each of some sequences, each of which reads the keys and values of its own; of the first `shared` keys
-- there is one copy.
function work.decode(s, sequences, keys, shared)
  local own = sequences * (keys - (shared or 0)) + (shared or 0)
  return sum(layers(s, sequences, keys), logits(s, sequences),
    { operations = 0, bytes = 4 * s.layers * own * s.keys_values })
end

-- Floats that training keeps of a token in a layer: what enters both halves, queries, keys, values and what attention
-- says of them, each expert's gate and up. The rest is made again.
local function kept(s) return 2 * s.channels + 2 * s.queries + s.keys_values + 2 * s.chosen * s.width end

function work.forward(s, tokens, keys)
  return sum(layers(s, tokens, keys), { operations = 0, bytes = 4 * s.layers * tokens * kept(s) })
end

-- Two products for each of the forward pass, and five in attention for its two; what was kept is read; gradients of the
-- weights are read and written.
function work.backward(s, tokens, keys)
  local products = layers(s, tokens, 0)
  return {
    operations = 2 * products.operations + 10 * s.layers * tokens * s.queries * keys,
    bytes = products.bytes + 4 * s.layers * tokens * kept(s) + 8 * (work.parameters(s) - head(s)),
  }
end

-- Logits for the log-probabilities, which the last chunk of rows keeps for their gradient and the others compute again;
-- the two products of that; logits are written and read, and so is their gradient.
function work.head(s, rows)
  local chunk = math.min(math.max((16 << 20) // s.vocabulary, 16), 2048)
  local again = math.max(rows - 1, 0) // chunk * chunk
  return {
    operations = 2 * (3 * rows + again) * head(s),
    bytes = (again > 0 and 3 or 2) * s.weight_bytes * head(s) + 8 * head(s) + 4 * (6 * rows + again) * s.vocabulary,
  }
end

-- The gradient's norm, AdamW, gradients back to 0; a bfloat16 model's weights rounded from their masters.
function work.optimizer(s)
  local count = work.parameters(s)
  return { operations = 16 * count, bytes = count * (36 + (s.weight_bytes == 2 and 6 or 0)) }
end

-- A whole update on some tokens.
function work.update(s, tokens, keys, rows)
  return sum(work.forward(s, tokens, keys), work.backward(s, tokens, keys), work.head(s, rows), work.optimizer(s))
end

return work
