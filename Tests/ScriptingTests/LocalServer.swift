import Foundation
import Glibc
import Values

/// An HTTP server on a free port of 127.0.0.1, a thread for each connection and one request on each.
final class LocalServer: @unchecked Sendable {
  struct Request {
    let path: String
    /// By lowercase name.
    let headers: [String: String]
    let body: String
    /// Requests that came before.
    let number: Int
  }

  struct Response {
    var status = 200
    var headers: [String: String] = [:]
    var body = ""
    /// Seconds before it is sent.
    var delay = 0.0
    /// Close the connection without one.
    var isAbsent = false
  }

  let port: Int
  private let listener: Int32
  private let handler: @Sendable (Request) -> Response
  private let lock = NSLock()
  private var seen: [Request] = []
  private var current = 0
  private var highest = 0

  var host: String { "127.0.0.1:\(port)" }
  var requests: [Request] { lock.withLock { seen } }
  /// Requests that were under way at the same time.
  var mostAtOnce: Int { lock.withLock { highest } }

  init(_ handler: @escaping @Sendable (Request) -> Response) throws {
    self.handler = handler
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(listener, address, size) == 0 && listen(listener, 128) == 0 && getsockname(listener, address, &size) == 0
      }
    }
    guard bound else { throw GRAOError("no local server: \(String(cString: strerror(errno)))") }
    self.listener = listener
    port = Int(address.sin_port.bigEndian)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0, let server = self else {
          close(connection)
          close(listener)
          return
        }
        Thread.detachNewThread { server.serve(connection) }
      }
    }
  }

  /// Ends `accept`, whose thread closes the socket: no one else's may have its number before.
  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    guard let (head, body) = read(connection) else { return }
    let lines = head.components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    let request = lock.withLock {
      let request = Request(
        path: lines[0].split(separator: " ").dropFirst().first.map(String.init) ?? "", headers: headers, body: body,
        number: seen.count)
      seen.append(request)
      current += 1
      highest = max(highest, current)
      return request
    }
    let response = handler(request)
    if response.delay > 0 { Thread.sleep(forTimeInterval: response.delay) }
    lock.withLock { current -= 1 }
    if response.isAbsent { return }
    var text =
      "HTTP/1.1 \(response.status) Some\r\nConnection: close\r\nContent-Length: \(response.body.utf8.count)\r\n"
    for (name, value) in response.headers { text += "\(name): \(value)\r\n" }
    let bytes = Array((text + "\r\n" + response.body).utf8)
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      if count <= 0 { return }
      sent += count
    }
  }

  /// A request's head and body; nil where the connection ends before.
  private func read(_ connection: Int32) -> (String, String)? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let text = String(decoding: bytes, as: UTF8.self)
      if let end = text.range(of: "\r\n\r\n") {
        let head = String(text[..<end.lowerBound])
        let length = head.lowercased().firstMatch(of: #/content-length: *([0-9]+)/#).flatMap { Int($0.1) } ?? 0
        let body = text[end.upperBound...]
        if body.utf8.count >= length { return (head, String(body)) }
      }
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return nil }
      bytes += buffer[..<count]
    }
  }
}
