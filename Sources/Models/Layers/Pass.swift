import Kernels

/// What the layers of one forward (and backward) pass share.
package final class Pass {
  package let parameters: ParameterStore
  package let workspace: Workspace
  package let batch: TokenBatch
  package let positions: Indices
  /// Where keys and values go and come from in sampling; nil in training.
  package let cache: KeyValueCache?
  /// Where activations go that training will need; nil where none will.
  package var recording: ActivationRecording?
  /// Filled by the layers that route; nil where nobody asks.
  package var routers: RouterRecord?
  /// Of the routers' losses, for the way back.
  var routerGradients: RouterGradients?
  /// Whether the routers' parameters get no gradient.
  var freezesRouters = false

  package init(_ batch: TokenBatch, parameters: ParameterStore, workspace: Workspace, cache: KeyValueCache? = nil) {
    self.batch = batch
    self.parameters = parameters
    self.workspace = workspace
    self.cache = cache
    positions = workspace.indices(batch.positions)
  }
}
