import CKernels

// Between row-major and packed weights, and between the types of packed ones.

/// Elements that the packed form of a matrix takes, padding included.
package func packedCount(_ type: ComputeType, outputs: Int, inputs: Int) -> Int {
  switch type {
  case .float32: gk_packed_count(outputs, inputs)
  case .bfloat16: gk_bfloat16_packed_count(outputs, inputs)
  }
}

/// Packs outputs first ..< first + rows of one matrix, from their row-major form w[rows, inputs], rounded to its type.
/// `first` begins a panel; where `rows` does not end one, the panel's further outputs become 0.
package func pack(_ w: UnsafePointer<Float>, rows: Int, into packed: PackedWeights, from first: Int = 0) {
  switch packed.elements {
  case .float32(let start):
    gk_pack(w, start + gk_packed_count(first, packed.inputs), rows, packed.inputs)
  case .bfloat16(let start):
    gk_bfloat16_pack(w, start + gk_bfloat16_packed_count(first, packed.inputs), rows, packed.inputs)
  }
}

/// One matrix into its row-major form.
package func unpack(_ packed: PackedWeights, into w: UnsafeMutablePointer<Float>) {
  switch packed.elements {
  case .float32(let start): gk_unpack(start, w, packed.outputs, packed.inputs)
  case .bfloat16(let start): gk_bfloat16_unpack(start, w, packed.outputs, packed.inputs)
  }
}

/// One matrix of float32, packed at `single`, rounded to bfloat16.
package func narrow(_ single: UnsafePointer<Float>, into w: UnsafeMutablePointer<UInt16>, outputs: Int, inputs: Int) {
  gk_bfloat16_narrow(single, w, outputs, inputs)
}

/// One matrix of bfloat16 as float32, packed.
package func widen(_ w: UnsafePointer<UInt16>, into single: UnsafeMutablePointer<Float>, outputs: Int, inputs: Int) {
  gk_bfloat16_widen(w, single, outputs, inputs)
}
