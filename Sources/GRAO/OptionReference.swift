import Alignment
import Values

/// The reference page of options.
public enum OptionReference {
  /// Markdown: the committed page Options.md is this text, which a test holds it to.
  public static var page: String {
    """
    # Options

    Every option of every method, as the engine declares and checks it. Made by `grao-run options`.

    ## grao.train, grao.trainer

    \(TrainingOptions.schema.markdownTable)
    ### Presets of method grpo

    \(MethodPreset.markdownTable)
    ## grao.evaluate

    \(EvaluationOptions.schema.markdownTable)
    """
  }
}
