import Foundation
import Values

/// Lua source on disk.
enum SourceFile {
  /// Beyond this a file is no source, but a mistake.
  private static let largest = 16 << 20

  /// A file's source, as Lua reads it.
  static func read(_ path: String) throws(GRAOError) -> [UInt8] { source(try bytes(of: path)) }

  /// Without a byte order mark; a first line that begins with '#' is emptied, so that lines keep their numbers.
  static func source(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes[...]
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.first == UInt8(ascii: "#") { bytes = bytes.drop { $0 != UInt8(ascii: "\n") } }
    return [UInt8](bytes)
  }

  /// The bytes of a regular file.
  static func bytes(of path: String) throws(GRAOError) -> [UInt8] {
    try checkPath(path)
    var status = stat()
    guard stat(path, &status) == 0 else { throw GRAOError("\(path): \(String(cString: strerror(errno)))") }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw GRAOError("\(path): a directory, not a Lua file")
    default: throw GRAOError("\(path): not a regular file")
    }
    guard status.st_size <= largest else { throw GRAOError("\(path): larger than \(largest >> 20) MiB") }
    guard let data = FileManager.default.contents(atPath: path) else { throw GRAOError("\(path): cannot be read") }
    return [UInt8](data)
  }

  /// Whether a name has only ASCII letters, digits, _ and -, so that it can be part of a path.
  static func isName(_ name: some StringProtocol) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { (byte: UInt8) in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
