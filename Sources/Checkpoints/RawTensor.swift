/// A tensor as a .safetensors file holds it, byte for byte: for those that are carried through a save unchanged.
public struct RawTensor {
  /// As the checkpoint names it.
  public let name: String
  /// The file's word for the format of its elements: "F32", "F8_E4M3", "I64", …
  public let dtype: String
  /// Outermost dimension first.
  public let shape: [Int]
  /// The elements, row-major; they are there as long as this value.
  public let bytes: UnsafeRawBufferPointer
  /// What keeps the bytes in memory.
  private let owner: AnyObject

  init(name: String, dtype: String, shape: [Int], bytes: UnsafeRawBufferPointer, owner: AnyObject) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
    self.owner = owner
  }
}
