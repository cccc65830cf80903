import Values

/// The stage after the model: sets special tokens around the ids.
protocol PostProcessor: Sendable {
  func process(_ ids: [Int32]) -> [Int32]
}

enum PostProcessors {
  static let registry = StageRegistry<any PostProcessor>(makers: [
    "BertProcessing": { description throws(GRAOError) in try TemplateProcessing(around: description) },
    // It trims offsets, of which there are none here.
    "ByteLevel": { _ in PostProcessorSequence([]) },
    "RobertaProcessing": { description throws(GRAOError) in try TemplateProcessing(around: description) },
    "Sequence": { description throws(GRAOError) in try PostProcessorSequence(description) },
    "TemplateProcessing": { description throws(GRAOError) in try TemplateProcessing(description) },
  ])
}

/// Several post-processors, one after the other.
struct PostProcessorSequence: PostProcessor {
  private let processors: [any PostProcessor]

  init(_ processors: [any PostProcessor]) { self.processors = processors }

  init(_ description: StageDescription) throws(GRAOError) {
    var processors: [any PostProcessor] = []
    for stage in try description.stages("processors") { processors.append(try PostProcessors.registry.make(stage)) }
    self.processors = processors
  }

  func process(_ ids: [Int32]) -> [Int32] { processors.reduce(ids) { $1.process($0) } }
}
