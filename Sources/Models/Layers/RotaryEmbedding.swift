import Foundation
import Kernels

/// Rotary position embedding (arXiv 2104.09864) in Hugging Face's halves form, of the first channels of each head or all:
/// tables of cos and sin, [positions, turning channels / 2], for as many positions as have been asked for.
package final class RotaryEmbedding {
  /// Radians from one position to the next, of each pair of channels.
  let frequencies: [Float]
  private let attentionFactor: Float
  private let headSize: Int
  private var positions = 0
  private var cosines = Buffer(bytes: 0)
  private var sines = Buffer(bytes: 0)

  /// - Parameter headSize: channels of a head; twice the frequencies, where nil.
  init(_ frequencies: RotaryFrequencies, headSize: Int? = nil) {
    self.frequencies = frequencies.inverse
    attentionFactor = frequencies.attentionFactor
    self.headSize = headSize ?? 2 * frequencies.inverse.count
  }

  /// Rotates the heads of x[T, heads · size] in place.
  func forward(_ x: Matrix, _ pass: Pass) {
    rotate(x, pass, transposed: false)
  }

  /// The transpose, for gradients, in place.
  func backward(_ dx: Matrix, _ pass: Pass) {
    rotate(dx, pass, transposed: true)
  }

  private func rotate(_ x: Matrix, _ pass: Pass, transposed: Bool) {
    extend(to: pass.batch.positionCount)
    let half = frequencies.count
    Kernels.rotate(
      x, positions: pass.positions, cosine: Matrix(start: cosines.floats, rows: positions, columns: half),
      sine: Matrix(start: sines.floats, rows: positions, columns: half), headSize: headSize,
      transposed: transposed)
  }

  private func extend(to wanted: Int) {
    guard wanted > positions else { return }
    let (half, larger) = (frequencies.count, max(wanted, 2 * positions, 256))
    cosines.grow(toBytes: larger * half * MemoryLayout<Float>.stride)
    sines.grow(toBytes: larger * half * MemoryLayout<Float>.stride)
    for position in positions..<larger {
      for (i, frequency) in frequencies.enumerated() {
        let angle = Double(Float(position) * frequency)
        cosines.floats[position * half + i] = Float(cos(angle)) * attentionFactor
        sines.floats[position * half + i] = Float(sin(angle)) * attentionFactor
      }
    }
    positions = larger
  }
}
