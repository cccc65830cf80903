import Foundation
import Values

/// Texts by key, in a folder that outlives the run: a file for each, written whole or not at all.
struct DiskCache: Sendable {
  let folder: String

  /// Nil where there is none. A file that cannot be read as an entry is none.
  func text(for key: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path(of: key)),
      let entry = try? JSON.parse(data, source: folder), entry["key"]?.string == key
    else { return nil }
    return entry["text"]?.string
  }

  func store(_ text: String, for key: String) throws(GRAOError) {
    let entry = try JSON.print(["key": .string(key), "text": .string(text)])
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(entry.utf8).write(to: URL(fileURLWithPath: path(of: key)), options: .atomic)
    } catch {
      throw GRAOError("the cache '\(folder)' cannot be written: \(error.localizedDescription)")
    }
  }

  /// Named by a hash of 128 bits; an entry holds its key, so that two with one name could not be taken for another.
  private func path(of key: String) -> String {
    let halves = [0xCBF2_9CE4_8422_2325, 0x9AE1_6A3B_2F90_404F].map { (start: UInt64) in
      let hash = key.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
      return String(format: "%016lx", RandomStream(seed: hash).key)
    }
    return "\(folder)/\(halves.joined()).json"
  }
}
