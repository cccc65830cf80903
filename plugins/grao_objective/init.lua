-- GRAO (arXiv 2508.07750, eq. 2) in Lua: the same updates as method = "grao". A place to begin an objective of your own.

return {
  name = "grao_objective",
  version = "1.0.0",
  kind = "objective",
  description = "GRAO's loss; needs advantage = { group = \"with_reference\" }",
  options = {
    exploration = { type = "number", default = 1, description = "weight of what the samples teach" },
    imitation = { type = "number", default = 0.5, description = "beta, weight of the reference" },
    regularizer = { type = "number", default = 0.6, description = "lambda, weight of the distance between them" },
  },
  loss = function(group, options)
    local o, y = group.samples, group.reference
    local A, Ay = o.advantage, y.advantage
    local J, Jy = o.logp:mean(), y.logp:mean() -- tokens to sequences
    local exploration = options.exploration * (A * J):mean() -- sequences to a number
    local imitation = options.imitation * (Ay * Jy):mean()
    local regularizer = options.regularizer * (A * (J - Jy)):mean()
    local parts = { exploration = exploration, imitation = imitation, regularizer = regularizer }
    return -(exploration + imitation + regularizer), parts
  end,
}
