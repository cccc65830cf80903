import Kernels

/// The part of a decoder layer that works on each token by itself.
package protocol FeedForward: Layer {
  /// Experts of the layer, 0 for a dense one.
  var experts: Int { get }
  /// Its routed part; nil for a dense one.
  var sparse: SparseFeedForward? { get }
  /// Parameters that a token does not use: those of the experts it is not routed to.
  var inactiveParameterCount: Int { get }
}
