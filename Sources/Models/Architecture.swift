import Values

/// A family of models: how its config.json becomes layers, under the parameter names of transformers.
/// To add one: a file in Architectures/, and its line in ``architectures``.
package protocol Architecture: SendableMetatype {
  /// `model_type` in config.json.
  static var modelType: String { get }
  /// The class of transformers, for `architectures` in config.json.
  static var className: String { get }
  /// The class that scores sequences, where there is one.
  static var classifierName: String? { get }
  /// Declares the parameters in `store` and composes the layers. Throws for a key that is missing, has a bad value or
  /// asks for a feature that the engine lacks.
  static func decoder(_ config: Configuration, in store: ParameterStore) throws(GRAOError) -> ArchitecturePlan
  /// Whether a tensor that the layers do not use may be in a checkpoint: it is carried through a save.
  static func isIgnorable(_ tensor: String, _ config: Configuration) -> Bool
}

extension Architecture {
  package static func isIgnorable(_ tensor: String, _ config: Configuration) -> Bool { false }
}

/// What an architecture makes of a config.json.
package struct ArchitecturePlan {
  package let decoder: Decoder
  /// Positions that the model has.
  package let context: Int
  package let vocabulary: Int
  package let keyValueHeads: Int
  package let headSize: Int
  package let keyValueWidth: KeyValueWidth
  package let expertsPerToken: Int
  /// The load-balancing loss; nil without experts.
  package var balancing: LoadBalancing?
}

package let architectures: [any Architecture.Type] = [
  DeepSeekV2.self,
  DeepSeekV3.self,
  GPTOSS.self,
  Gemma.self,
  Gemma2.self,
  Gemma3.self,
  GraniteMoE.self,
  Llama.self,
  Mistral.self,
  Mixtral.self,
  OLMo2.self,
  OLMoE.self,
  Phi3.self,
  Qwen2.self,
  Qwen2MoE.self,
  Qwen3.self,
  Qwen3MoE.self,
]
