import Foundation
import Values

enum File {
  static func bytes(at path: String) throws(GRAOError) -> [UInt8] {
    try checkPath(path)
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw GRAOError("\(path): no such file")
    }
    guard !isDirectory.boolValue else { throw GRAOError("\(path): a directory, not a file") }
    guard let contents = FileManager.default.contents(atPath: path) else {
      throw GRAOError("\(path): the file cannot be read")
    }
    return [UInt8](contents)
  }
}
