import Glibc
import Values

#if _endian(big)
  #error("Checkpoints are little-endian, and so must be the machine.")
#endif

/// What a path leads to, symbolic links followed.
enum FileKind {
  case directory, regular, other
}

/// The error of the system call that just failed, in words.
func systemError(_ what: String) -> GRAOError {
  GRAOError("\(what): \(String(cString: strerror(errno)))")
}

/// Whether a path leads to a directory.
package func isDirectory(_ path: String) -> Bool { (try? fileKind(path)) == .directory }

/// Nil where nothing is there.
func fileKind(_ path: String) throws(GRAOError) -> FileKind? {
  try checkPath(path)
  var status = stat()
  guard stat(path, &status) == 0 else {
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw systemError(path)
  }
  return kind(of: status)
}

func kind(of status: stat) -> FileKind {
  switch status.st_mode & S_IFMT {
  case S_IFDIR: .directory
  case S_IFREG: .regular
  default: .other
  }
}

/// The names in a directory, sorted, without "." and "..".
func namesIn(_ directory: String) throws(GRAOError) -> [String] {
  guard let stream = opendir(directory) else { throw systemError(directory) }
  defer { closedir(stream) }
  var names: [String] = []
  while true {
    errno = 0
    guard let entry = readdir(stream) else {
      guard errno == 0 else { throw systemError(directory) }
      return names.sorted()
    }
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    if name != "." && name != ".." { names.append(name) }
  }
}

/// A file's bytes mapped into memory, read-only.
final class MappedFile: @unchecked Sendable {
  let path: String
  let bytes: UnsafeRawBufferPointer

  init(_ path: String) throws(GRAOError) {
    // A pipe would be waited for until somebody writes to it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw systemError(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError(path) }
    guard kind(of: status) == .regular else { throw GRAOError("\(path): expected a file") }
    self.path = path
    let count = Int(status.st_size)
    // The system maps no empty file.
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw systemError(path)
    }
    bytes = UnsafeRawBufferPointer(start: start, count: count)
  }

  /// Gives the pages of some bytes back to the system, which holds them or reads them again when they are next asked
  /// for: a file that has been read through does not stay in this process's memory.
  func forget(_ range: Range<Int>) {
    guard let start = bytes.baseAddress, !range.isEmpty else { return }
    // Whole pages, and those beside them that the system has mapped along with them.
    let window = 1 << 17
    let first = range.lowerBound / window * window
    let end = min((range.upperBound + window - 1) / window * window, bytes.count)
    _ = madvise(UnsafeMutableRawPointer(mutating: start + first), end - first, MADV_DONTNEED)
  }

  deinit {
    if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
  }
}

/// A new file, written from front to back; `finish` brings it to the disk.
struct OutputFile: ~Copyable {
  let path: String
  private let descriptor: Int32

  init(_ path: String) throws(GRAOError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw systemError(path) }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(GRAOError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw systemError(path)
      }
      rest = rest.dropFirst(count)
    }
  }

  func write(_ bytes: [UInt8]) throws(GRAOError) {
    // A typed throw does not pass through withUnsafeBytes as it stands.
    let result: Result<Void, GRAOError> = bytes.withUnsafeBytes { buffer in
      Result { () throws(GRAOError) in try write(buffer) }
    }
    try result.get()
  }

  func finish() throws(GRAOError) {
    guard fsync(descriptor) == 0 else { throw systemError(path) }
  }

  deinit { close(descriptor) }
}
