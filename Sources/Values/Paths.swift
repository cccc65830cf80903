import Glibc

/// Refuses what is no path: the system ends one at its first NUL byte, and would touch another file than is named.
package func checkPath(_ path: String) throws(GRAOError) {
  guard !path.utf8.contains(0) else {
    throw GRAOError("\(path.replacing("\0", with: "\\0")): expected a path, which has no NUL byte")
  }
}

/// The path without symbolic links and ".."; nil where nothing is there.
package func realPath(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}

/// The path of the folder that a path lies in: "." for a name alone.
package func directoryName(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
