/// Refuses what is no path: the system ends one at its first NUL byte, and would touch another file than is named.
package func checkPath(_ path: String) throws(GRAOError) {
  guard !path.utf8.contains(0) else {
    throw GRAOError("\(path.replacing("\0", with: "\\0")): expected a path, which has no NUL byte")
  }
}
