/// The format of a stored tensor's elements.
public enum ElementType: String, Sendable, CaseIterable {
  case float32
  case float16
  case bfloat16
  /// Small numbers with scales, as GGUF files hold them in blocks and others in 8 bits: read as float32.
  case quantized
  /// A format that files may hold and the engine does not read: integers, float64, …
  case other

  /// The format in which a tensor read from a file is saved again without loss: its own where the writer has it, else
  /// float32.
  public var saved: ElementType { plain == nil ? .float32 : self }

  /// Nil for what is not a plain array of numbers that the engine reads and writes.
  var plain: PlainFormat? {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    case .quantized, .other: nil
    }
  }
}

/// A tensor's name, its row-major shape and the format in which it is, or is to be, stored.
public struct TensorInfo: Equatable, Sendable {
  /// As the checkpoint names it.
  public var name: String
  /// Outermost dimension first.
  public var shape: [Int]
  /// What its numbers are stored as.
  public var elementType: ElementType

  /// - Parameter shape: outermost dimension first.
  public init(name: String, shape: [Int], elementType: ElementType) {
    self.name = name
    self.shape = shape
    self.elementType = elementType
  }

  /// The number of elements; Int.max where it is more than an Int holds or a dimension is negative, which no tensor of
  /// an opened checkpoint has.
  public var elementCount: Int { product(of: shape) ?? Int.max }

  /// Elements of a row: the last dimension.
  public var columns: Int { shape.last ?? 1 }
  /// Rows over all dimensions but the last.
  public var rows: Int { product(of: shape.dropLast().map { $0 }) ?? Int.max }
}

/// The product of dimensions; nil where one is negative or an Int cannot hold it.
func product(of shape: [Int]) -> Int? {
  // A zero makes the product zero, however large the others are.
  if shape.contains(0) { return shape.contains { $0 < 0 } ? nil : 0 }
  var count = 1
  for dimension in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
    guard dimension > 0, !overflow else { return nil }
    count = product
  }
  return count
}
