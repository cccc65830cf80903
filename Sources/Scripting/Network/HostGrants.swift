import Foundation
import Values

/// The hosts that a script lets a plugin reach: "api.example.org" at the usual port of a URL's scheme, or
/// "127.0.0.1:8080".
package struct HostGrants: Sendable {
  private let hosts: Set<String>

  package init(_ hosts: [String]) throws(GRAOError) {
    for host in hosts {
      let match = host.wholeMatch(of: #/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::([0-9]{1,5}))?/#)
      guard let match, match.2.map({ UInt16($0) ?? 0 }) != 0 else {
        throw GRAOError("'\(host)' is not a host: write its name or address, and a port where it is not the usual one")
      }
    }
    self.hosts = Set(hosts.map { $0.lowercased() })
  }

  func allows(_ address: HTTPAddress) -> Bool {
    hosts.contains(address.hostAndPort) || address.hasUsualPort && hosts.contains(address.host)
  }
}

/// Where a request goes: an http or https URL whose parts no two readers could take differently.
struct HTTPAddress: Sendable {
  let url: URL
  let host: String
  let port: Int
  let hasUsualPort: Bool

  /// - Parameter base: what a relative URL begins at.
  init(_ text: String, relativeTo base: HTTPAddress? = nil) throws(GRAOError) {
    let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
    guard isPlain, let url = URL(string: text, relativeTo: base?.url)?.absoluteURL,
      let scheme = url.scheme?.lowercased(), scheme == "http" || scheme == "https",
      let host = url.host?.lowercased(), !host.isEmpty
    else { throw GRAOError("'\(text)' is not the URL of an HTTP server") }
    guard url.user == nil, url.password == nil else {
      throw GRAOError("a URL with a user or a password in it is not accepted")
    }
    let usualPort = scheme == "https" ? 443 : 80
    self.url = url
    self.host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    port = url.port ?? usualPort
    hasUsualPort = port == usualPort
  }

  var hostAndPort: String { "\(host):\(port)" }

  /// Whether what is meant for one server may be told to the other.
  func hasOrigin(of other: HTTPAddress) -> Bool {
    hostAndPort == other.hostAndPort && url.scheme?.lowercased() == other.url.scheme?.lowercased()
  }
}
