import Values

/// How curricula are asked: many rows in one call, since a run asks for all rows before each step.
enum RowWeights {
  /// Turns a function of one row into one of an array of rows, nil in its results become null.
  static let wrapper = """
    local weight, nulls = ...
    local null = nulls[1]
    return function(rows, ...)
      local weights = {}
      for i = 1, #rows do
        local value = weight(rows[i], ...)
        if value == nil then value = null end
        weights[i] = value
      end
      return weights
    end
    """

  /// A call's limits are meant for a bounded number of rows.
  private static let rowsPerCall = 256

  static func inParts(_ rows: [Value], _ weigh: ([Value]) throws -> [Double]) rethrows -> [Double] {
    try stride(from: 0, to: rows.count, by: rowsPerCall).flatMap { start in
      try weigh(Array(rows[start..<min(start + rowsPerCall, rows.count)]))
    }
  }
}

extension LuaState {
  /// The function that `wrapper` returns when called with `function` and an array that holds null.
  func wrap(_ function: LuaFunction, in wrapper: String) throws -> LuaFunction {
    guard let wrapped = try loadOwn(wrapper).call([.object(function), [nil]]).first?.object as? LuaFunction else {
      return function
    }
    return wrapped
  }
}
