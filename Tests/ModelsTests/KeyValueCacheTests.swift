import Kernels
import Testing

@testable import Models

@Suite struct KeyValueCacheTests {
  /// What a layer's rows hold, keys and values.
  private func numbers(_ cache: KeyValueCache, layer: Int, rows: Range<Int>) -> [Float] {
    Array(cache.keys(layer: layer).rows(rows).elements) + Array(cache.values(layer: layer).rows(rows).elements)
  }

  private func fill(_ matrix: Matrix, from first: Float) {
    for i in 0..<matrix.count { matrix.start[i] = first + Float(i) }
  }

  @Test func rowsStayAsTheCacheGrowsAndPassesTakeTheirMemory() {
    let workspace = Workspace()
    let cache = KeyValueCache(layers: 3, width: KeyValueWidth(keys: 3, values: 2), in: workspace)
    cache.grow(toPages: 2)
    var before: [[Float]] = []
    let rows = 0..<2 * KeyValueCache.pageRows
    #expect(cache.takePage() == 0)
    #expect(cache.takePage() == Int32(KeyValueCache.pageRows))
    for layer in 0..<3 {
      fill(cache.keys(layer: layer), from: Float(1000 * layer))
      fill(cache.values(layer: layer), from: Float(1000 * layer + 500))
      before.append(numbers(cache, layer: layer, rows: rows))
    }
    for _ in 0..<2 {
      cache.startPass()
      fill(workspace.matrix(100, 100), from: -1e6)
      for layer in 0..<3 { #expect(numbers(cache, layer: layer, rows: rows) == before[layer]) }
    }
    // Twice past its room.
    for page in 2..<9 { #expect(cache.takePage() == Int32(page * KeyValueCache.pageRows)) }
    cache.startPass()
    fill(workspace.matrix(100, 100), from: -1e6)
    for layer in 0..<3 {
      #expect(cache.keys(layer: layer).rows >= 9 * KeyValueCache.pageRows)
      #expect(numbers(cache, layer: layer, rows: rows) == before[layer])
    }
    cache.giveBack(page: 64)
    #expect(cache.takePage() == 64)
  }
}
