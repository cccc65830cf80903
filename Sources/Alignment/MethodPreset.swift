import Values

/// Published variants of GRPO by name: each is nothing but values of options, which a script may override one by one.
public struct MethodPreset {
  let name: String
  let options: Table

  static var all: [MethodPreset] {
    [
      // Dr. GRPO (arXiv 2503.20783): no bias by length or by difficulty.
      MethodPreset(name: "dr_grpo", options: ["advantage": ["scale": "none"], "normalization": "constant"]),
      // DAPO (arXiv 2503.14476): a higher clip, the mean over tokens, dynamic sampling, truncated completions masked.
      MethodPreset(
        name: "dapo",
        options: [
          "clip": ["low": 0.2, "high": 0.28], "normalization": "token", "resample_rounds": 4,
          "mask_truncated_completions": true,
        ]),
      // GSPO (arXiv 2507.18071, section 5.1).
      MethodPreset(name: "gspo", options: ["ratio": ["level": "sequence"], "clip": ["low": 3e-4, "high": 4e-4]]),
      // CISPO (arXiv 2506.13585): no lower bound on the weight.
      MethodPreset(
        name: "cispo", options: ["ratio": ["form": "cispo"], "clip": ["low": 1, "high": 4], "normalization": "token"]),
      // RLOO (arXiv 2402.14740).
      MethodPreset(
        name: "rloo",
        options: ["advantage": ["baseline": "leave_one_out", "scale": "none"], "ratio": ["level": "sequence"]]),
      // REINFORCE: the bare reward.
      MethodPreset(name: "reinforce", options: ["advantage": ["baseline": "none", "scale": "none"]]),
    ]
  }

  /// A script's options over those of the preset that they name.
  static func apply(to table: Table, owner: String) throws(GRAOError) -> Table {
    guard let name = table["preset"]?.string, let preset = all.first(where: { $0.name == name }) else { return table }
    guard table["method"]?.string == "grpo" else {
      throw GRAOError("\(owner): option 'preset' is '\(name)', a variant of method grpo")
    }
    var merged = table
    for (key, value) in preset.options {
      switch (table[key]?.unlessNull, value.table) {
      case (nil, _): merged[key] = value
      case (let given?, let defaults?):
        // What is no table is left for the schema to refuse.
        guard let given = given.table else { continue }
        var nested = defaults
        for (key, value) in given { nested[key] = value }
        merged[key] = .table(nested)
      default: continue
      }
    }
    return merged
  }

  /// A Markdown table of the presets and what they set.
  public static var markdownTable: String {
    let rows = all.map { preset in
      "| `\(preset.name)` | `\((try? JSON.print(.table(preset.options))) ?? "")` |\n"
    }
    return "| preset | options |\n|---|---|\n" + rows.joined()
  }
}
