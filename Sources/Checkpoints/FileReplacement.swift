import Glibc
import Values

/// Writes a file so that, whenever the process dies, `path` holds either what it held before or all that is new.
/// - Parameter path: is no file yet, or a regular one; its directory exists or is made.
func replaceFile(_ path: String, write: (borrowing OutputFile) throws(GRAOError) -> Void) throws(GRAOError) {
  guard !path.isEmpty, !path.hasSuffix("/") else { throw GRAOError("\(path): expected the path of a file") }
  if let kind = try fileKind(path), kind != .regular {
    throw GRAOError("\(path): expected a file, found \(kind == .directory ? "a directory" : "something else")")
  }
  let target = realPath(path) ?? path
  let parent = directoryName(target)
  try makeDirectories(parent)
  let scratch = "\(parent == "/" ? "" : parent)/.grao-\(getpid())-\(lastName(target))"
  unlink(scratch)
  do throws(GRAOError) {
    let file = try OutputFile(scratch)
    try write(file)
    try file.finish()
    guard rename(scratch, target) == 0 else { throw systemError(path) }
  } catch {
    unlink(scratch)
    throw error
  }
  try synchronize(parent)
}
