import Values

/// `grao.json`.
///
/// Objects become tables and arrays arrays; null is left out of a table and is `grao.json.null` in an array. An empty
/// Lua table is written as `{}`; keys are written in the order of their bytes.
package enum JSONFunctions {
  package static var module: Value {
    let encode = HostFunction("grao.json.encode") { call in [.string(try JSON.print(call[1]))] }
    let decode = HostFunction("grao.json.decode") { call in
      [try JSON.parse(try call.string(1), source: "grao.json.decode")]
    }
    return ["encode": .object(encode), "decode": .object(decode)]
  }
}
