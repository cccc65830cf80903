import Checkpoints
import Glibc
import Testing
import Values

/// Damaged files: opened and read they give an error that names the file, or numbers, and never a crash. Seeded.
struct FuzzTests {
  private static let models = list(fixture("../gguf_converted")).sorted()

  /// Changes a few places of a file's first `header` bytes: single bits, bytes, numbers of 8 bytes, or cuts it off.
  private func damage(_ original: [UInt8], header: Int, _ random: inout RandomStream) -> [UInt8] {
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    var bytes = original
    for _ in 0...below(3) {
      let place = below(min(header, bytes.count))
      switch below(4) {
      case 0: bytes[place] ^= 1 << UInt8(below(8))
      case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      case 2:
        let number = [0, 1, UInt64.max, UInt64(1) << UInt64(below(64)), random.next()][below(5)]
        for index in 0..<8 where place + index < bytes.count {
          bytes[place + index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
        }
      default: bytes.removeLast(below(bytes.count))
      }
      if bytes.count < 2 { break }
    }
    return bytes
  }

  private func check(_ path: String, named name: String) {
    do {
      let checkpoint = try openCheckpoint(path)
      for info in checkpoint.tensors.values where info.elementCount < 1 << 20 { _ = try checkpoint.elements(info.name) }
    } catch {
      #expect((error as? GRAOError)?.message.contains(name) == true, "\(error)")
    }
  }

  @Test(arguments: models) func damagedGGUFFilesAreNamed(model: String) throws {
    let directory = try TemporaryDirectory()
    let path = "\(directory.path)/damaged.gguf"
    let original = try readBytes(fixture("../gguf_converted/\(model)/converted.gguf"))
    var random = RandomStream(seed: UInt64(model.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    for _ in 0..<150 {
      try writeBytes(damage(original, header: 4096, &random), path)
      check(path, named: "damaged.gguf")
    }
  }

  @Test(arguments: ["single", "float8"]) func damagedSafetensorsAreNamed(name: String) throws {
    let directory = try TemporaryDirectory()
    let original = try readBytes(fixture("\(name)/model.safetensors"))
    try writeBytes(try readBytes(fixture("\(name)/config.json")), "\(directory.path)/config.json")
    var random = RandomStream(seed: 11)
    for _ in 0..<600 {
      try writeBytes(damage(original, header: original.count, &random), "\(directory.path)/model.safetensors")
      check(directory.path, named: directory.path)
    }
  }
}
