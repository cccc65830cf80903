import Glibc
import Values

/// Writes a directory so that, whenever the process dies, `path` holds either what it held before or all that is new.
/// What the old directory holds besides is carried over.
/// - Parameters:
///   - path: does not exist, is an empty directory, or a directory with a file `marker`; anything else is refused.
///   - marker: a file by which a directory is known as one that may be replaced.
///   - isReplaced: whether a name of the old directory is not carried over, although the new one does not have it.
///   - write: fills the new directory, whose path it is given. If it fails, the old one stays as it was.
package func replaceDirectory(
  _ path: String, marker: String, isReplaced: (String) -> Bool, write: (String) throws(GRAOError) -> Void
) throws(GRAOError) {
  let target = try resolve(path)
  let exists = try fileKind(target) != nil
  if exists { try checkReplaceable(target, marker: marker, path: path) }
  let parent = directoryName(target)
  let scratch = try makeScratch(in: parent)
  do throws(GRAOError) {
    try write(scratch)
    if exists { try carryOver(from: target, to: scratch, isReplaced: isReplaced) }
    try synchronize(scratch)
    try swap(scratch, target, exists: exists)
  } catch {
    try? removeTree(scratch)
    throw error
  }
  try synchronize(parent)
  // Where there was an old directory, it now has the scratch name.
  if exists {
    do throws(GRAOError) {
      try removeTree(scratch)
    } catch {
      throw GRAOError("\(path) is saved, but what it held before could not be removed: \(error.message)")
    }
  }
}

/// The absolute path, without symbolic links, of a directory that exists or that will be made in one that exists after
/// this call.
private func resolve(_ path: String) throws(GRAOError) -> String {
  var trimmed = path
  while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
  guard !trimmed.isEmpty else { throw GRAOError("expected the path of a directory, found an empty string") }
  if let real = realPath(trimmed) { return real }
  var status = stat()
  guard lstat(trimmed, &status) != 0 else { throw GRAOError("\(path): a symbolic link that leads nowhere") }
  let parent = directoryName(trimmed)
  try makeDirectories(parent)
  guard let realParent = realPath(parent) else { throw systemError(parent) }
  return (realParent == "/" ? "" : realParent) + "/" + lastName(trimmed)
}

func lastName(_ path: String) -> String {
  path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}

func makeDirectories(_ path: String) throws(GRAOError) {
  if let kind = try fileKind(path) {
    guard kind == .directory else { throw GRAOError("\(path): expected a directory") }
    return
  }
  try makeDirectories(directoryName(path))
  guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw systemError(path) }
}

private func checkReplaceable(_ target: String, marker: String, path: String) throws(GRAOError) {
  guard try fileKind(target) == .directory else { throw GRAOError("\(path): expected a directory, found a file") }
  let isEmpty = try namesIn(target).isEmpty
  let isMarked = try fileKind("\(target)/\(marker)") == .regular
  guard isEmpty || isMarked else {
    throw GRAOError("\(path): holds files but no \(marker), so it is not replaced; give another directory")
  }
  // The process would be left in a directory that is gone.
  if let here = realPath("."), here == target || here.hasPrefix(target + "/") {
    throw GRAOError("\(path): the working directory lies in it, so it cannot be replaced; give another directory")
  }
}

private func makeScratch(in parent: String) throws(GRAOError) -> String {
  for attempt in 0..<10_000 {
    let path = "\(parent == "/" ? "" : parent)/.grao-\(getpid())-\(attempt)"
    if mkdir(path, 0o777) == 0 { return path }
    guard errno == EEXIST else { throw systemError(parent) }
  }
  throw GRAOError("\(parent): too many directories .grao-\(getpid())-… are left over in it")
}

/// Gives `new` what it lacks of `old`: files as hard links, or as copies where the file system has none.
private func carryOver(from old: String, to new: String, isReplaced: (String) -> Bool) throws(GRAOError) {
  var status = stat()
  guard stat(old, &status) == 0 else { throw systemError(old) }
  let mode = status.st_mode & 0o7777
  for name in try namesIn(old) where !isReplaced(name) {
    let source = "\(old)/\(name)"
    let copy = "\(new)/\(name)"
    if lstat(copy, &status) == 0 { continue }
    guard lstat(source, &status) == 0 else { throw systemError(source) }
    if kind(of: status) == .directory {
      guard mkdir(copy, 0o777) == 0 else { throw systemError(copy) }
      try carryOver(from: source, to: copy) { _ in false }
      try synchronize(copy)
    } else if link(source, copy) != 0 {
      guard kind(of: status) == .regular else { throw systemError(source) }
      let bytes = try MappedFile(source)
      let file = try OutputFile(copy)
      try file.write(bytes.bytes)
      try file.finish()
      guard chmod(copy, status.st_mode & 0o7777) == 0 else { throw systemError(copy) }
    }
  }
  // Last, for it may forbid writing.
  guard chmod(new, mode) == 0 else { throw systemError(new) }
}

/// Puts the directory `new` in the place of `old`, and `old`, where it exists, in the place of `new`.
private func swap(_ new: String, _ old: String, exists: Bool) throws(GRAOError) {
  guard exists else {
    guard rename(new, old) == 0 else { throw systemError(old) }
    return
  }
  if exchange(new, old) { return }
  // Some file systems cannot exchange: then the old directory is whole under another name for a moment.
  let aside = new + "-old"
  guard errno == EINVAL || errno == ENOSYS, rename(old, aside) == 0 else { throw systemError(old) }
  guard rename(new, old) == 0 else {
    let error = systemError(old)
    rename(aside, old)
    throw error
  }
  guard rename(aside, new) == 0 else { throw systemError(aside) }
}

/// Exchanges two names in one step. Linux's renameat2 is not in Swift's Glibc module, so it is looked up; without it
/// `errno` is ENOSYS.
private func exchange(_ a: String, _ b: String) -> Bool {
  typealias Function = @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, CUnsignedInt) -> CInt
  guard let symbol = dlsym(nil, "renameat2") else {
    errno = ENOSYS
    return false
  }
  let exchangeFlag: CUnsignedInt = 2
  return unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, a, AT_FDCWD, b, exchangeFlag) == 0
}

/// Brings a directory's list of names to the disk.
func synchronize(_ directory: String) throws(GRAOError) {
  let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw systemError(directory) }
  defer { close(descriptor) }
  // Network file systems may have no fsync for directories.
  guard fsync(descriptor) == 0 || errno == EINVAL else { throw systemError(directory) }
}

private func removeTree(_ path: String) throws(GRAOError) {
  for name in try namesIn(path) {
    let child = "\(path)/\(name)"
    var status = stat()
    guard lstat(child, &status) == 0 else { throw systemError(child) }
    if kind(of: status) == .directory {
      try removeTree(child)
    } else if unlink(child) != 0 {
      throw systemError(child)
    }
  }
  guard rmdir(path) == 0 else { throw systemError(path) }
}
