import Checkpoints
import Glibc
import Testing
import Values

/// The path of a fixture.
func fixture(_ name: String) -> String {
  let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
  return "/\(tests)/Fixtures/checkpoints/\(name)"
}

/// A new directory that goes with the value.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/grao-checkpoints-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit { removeAll(path) }

  /// The names in it, sorted.
  func names(_ directory: String = "") -> [String] { list("\(path)/\(directory)") }
}

func list(_ directory: String) -> [String] {
  guard let stream = opendir(directory) else { return [] }
  defer { closedir(stream) }
  var names: [String] = []
  while let entry = readdir(stream) {
    names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
  }
  return names.filter { $0 != "." && $0 != ".." }.sorted()
}

private func removeAll(_ path: String) {
  var status = stat()
  guard lstat(path, &status) == 0 else { return }
  if status.st_mode & S_IFMT == S_IFDIR {
    for name in list(path) { removeAll("\(path)/\(name)") }
    rmdir(path)
  } else {
    unlink(path)
  }
}

func readBytes(_ path: String) throws -> [UInt8] {
  let file = try #require(fopen(path, "rb"), "\(path)")
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  var bytes = [UInt8](repeating: 0, count: ftell(file))
  rewind(file)
  #expect(fread(&bytes, 1, bytes.count, file) == bytes.count)
  return bytes
}

func writeBytes(_ bytes: some Collection<UInt8>, _ path: String) throws {
  let file = try #require(fopen(path, "wb"), "\(path)")
  defer { fclose(file) }
  let bytes = Array(bytes)
  #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}

/// The float32 elements in a file of nothing else, as bits.
func readBits(_ path: String) throws -> [UInt32] {
  try readBytes(path).withUnsafeBytes { buffer in
    (0..<buffer.count / 4).map { buffer.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
  }
}

extension Checkpoint {
  /// A tensor's elements.
  func elements(_ name: String) throws -> [Float] {
    let count = try #require(tensors[name]).elementCount
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    buffer.initialize(repeating: .nan)
    defer { buffer.deallocate() }
    try read(name, into: buffer)
    return Array(buffer)
  }

  /// The bits of the tensors that are read, in the order of their names, as the fixtures' script writes them.
  func bits(where isRead: (TensorInfo) -> Bool = { _ in true }) throws -> [UInt32] {
    try tensors.values.filter(isRead).map(\.name).sorted().flatMap { try elements($0).map(\.bitPattern) }
  }
}

/// The message with which `body` fails.
func failure(_ body: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> String {
  do {
    try body()
  } catch {
    #expect(error is GRAOError, sourceLocation: location)
    return "\(error)"
  }
  Issue.record("nothing was thrown", sourceLocation: location)
  return ""
}

/// Opens and reads everything: whatever the bytes, this ends, with an error or without.
func readEverything(_ path: String) {
  guard let checkpoint = try? openCheckpoint(path) else { return }
  for info in checkpoint.tensors.values where info.elementCount < 1 << 20 { _ = try? checkpoint.elements(info.name) }
}
