import Foundation
import Values

/// A POST request of a plugin.
struct HTTPRequest: Sendable {
  var address: HTTPAddress
  var headers: [(name: String, value: String)]
  var body: Data
  /// Goes out as `Authorization: Bearer …`, and to no other server than the one that it was given for.
  var bearer: String?
}

/// What became of a request in the end.
struct HTTPOutcome: Sendable {
  /// Of the last reply; 0 where none came.
  var status = 0
  var body = Data()
  /// Requests that were sent for it.
  var attempts = 0
  /// Nil for a reply with a status of 200 to 299.
  var error: String?
}

/// Sends requests, several at once, follows redirects to granted hosts, tries again what may succeed later, and waits
/// for the end of all.
struct HTTPClient {
  let grants: HostGrants
  let policy: HTTPPolicy
  /// Seconds that all may take together.
  let seconds: Double
  /// Called often while it waits; throws to stop.
  let checkInterrupt: () throws -> Void

  private static let mostRedirects = 5
  /// Between looks at interrupts.
  private static let patience = 0.05

  /// A request on its way.
  private struct Exchange {
    var request: HTTPRequest
    var outcome = HTTPOutcome()
    /// Attempts since the last redirect, which bound the retries.
    var tries = 0
    var redirects = 0
    var notBefore: ContinuousClock.Instant
    /// While an attempt is under way: its number, and when it must have ended.
    var task: (number: Int, end: ContinuousClock.Instant)?
    var isDone = false
  }

  func post(_ requests: [HTTPRequest]) throws -> [HTTPOutcome] {
    if requests.isEmpty { return [] }
    let transport = HTTPTransport(connections: policy.concurrency)
    defer { transport.close() }
    let start = ContinuousClock.now
    let end = start + .seconds(seconds)
    var exchanges = requests.map { Exchange(request: $0, notBefore: start) }
    while exchanges.contains(where: { !$0.isDone }) {
      try checkInterrupt()
      let now = ContinuousClock.now
      for index in exchanges.indices where !exchanges[index].isDone {
        if now >= end {
          exchanges[index].task.map { transport.cancel($0.number) }
          finish(&exchanges[index], error: "the \(plain(seconds)) s that a plugin may wait for the network are over")
        } else if let task = exchanges[index].task, now >= task.end {
          transport.cancel(task.number)
          exchanges[index].task = nil
          retry(&exchanges[index], index, until: end, "no reply within \(plain(policy.timeout)) s")
        }
      }
      var free = policy.concurrency - exchanges.count { $0.task != nil }
      for index in exchanges.indices where free > 0 {
        let exchange = exchanges[index]
        guard !exchange.isDone, exchange.task == nil, exchange.notBefore <= now else { continue }
        begin(&exchanges[index], transport, now)
        free -= 1
      }
      for (number, event) in transport.events(within: pause(exchanges, until: end)) {
        guard let index = exchanges.firstIndex(where: { $0.task?.number == number }) else { continue }
        exchanges[index].task = nil
        switch event {
        case .failed(let reason): retry(&exchanges[index], index, until: end, reason)
        case .replied(let reply): take(reply, &exchanges[index], index, until: end)
        }
      }
    }
    return exchanges.map(\.outcome)
  }

  /// Until the next moment at which something may have to be done.
  private func pause(_ exchanges: [Exchange], until end: ContinuousClock.Instant) -> Double {
    let now = ContinuousClock.now
    let moments = exchanges.filter { !$0.isDone }.map { $0.task?.end ?? $0.notBefore }.filter { $0 > now }
    return min(((moments.min() ?? end) - now).seconds, Self.patience)
  }

  private func begin(_ exchange: inout Exchange, _ transport: HTTPTransport, _ now: ContinuousClock.Instant) {
    exchange.outcome.attempts += 1
    exchange.tries += 1
    var headers = exchange.request.headers
    if let bearer = exchange.request.bearer { headers.append(("Authorization", "Bearer " + bearer)) }
    guard let number = transport.post(exchange.request.address.url, headers: headers, body: exchange.request.body)
    else { return finish(&exchange, error: "the request could not be sent") }
    exchange.task = (number, now + .seconds(policy.timeout))
  }

  private func take(
    _ reply: HTTPTransport.Reply, _ exchange: inout Exchange, _ index: Int, until end: ContinuousClock.Instant
  ) {
    (exchange.outcome.status, exchange.outcome.body) = (reply.status, reply.body)
    switch reply.status {
    case 200...299: finish(&exchange, error: nil)
    case 301, 302, 307, 308: redirect(&exchange, to: reply.location)
    case let status where HTTPPolicy.isTransient(status):
      retry(
        &exchange, index, until: end, "HTTP status \(status)\(excerpt(reply.body))",
        asked: HTTPPolicy.seconds(retryAfter: reply.retryAfter))
    case let status: finish(&exchange, error: "HTTP status \(status)\(excerpt(reply.body))")
    }
  }

  /// The same request to another address, where that may be reached.
  private func redirect(_ exchange: inout Exchange, to location: String?) {
    let from = exchange.request.address
    exchange.redirects += 1
    guard let location, let address = try? HTTPAddress(location, relativeTo: from) else {
      return finish(&exchange, error: "a redirect without a URL to go to")
    }
    guard grants.allows(address) else {
      return finish(&exchange, error: "a redirect to the host '\(address.hostAndPort)', which is not granted")
    }
    guard exchange.redirects <= Self.mostRedirects else {
      return finish(&exchange, error: "more than \(Self.mostRedirects) redirects")
    }
    if !address.hasOrigin(of: from) { (exchange.request.bearer, exchange.request.headers) = (nil, plainHeaders) }
    exchange.request.address = address
    exchange.tries = 0
  }

  /// What a server may see that the plugin did not name.
  private var plainHeaders: [(name: String, value: String)] { [("Content-Type", "application/json")] }

  /// - Parameter asked: seconds that the server wants to be left alone.
  private func retry(
    _ exchange: inout Exchange, _ index: Int, until end: ContinuousClock.Instant, _ reason: String,
    asked: Double? = nil
  ) {
    guard exchange.tries <= policy.retries else { return finish(&exchange, error: reason) }
    let delay = max(policy.delay(after: exchange.tries, request: index), asked ?? 0)
    let left = (end - ContinuousClock.now).seconds
    guard delay < left else {
      return finish(
        &exchange, error: "\(reason); the next attempt is due in \(plain(delay)) s, and the time ends before")
    }
    exchange.notBefore = ContinuousClock.now + .seconds(delay)
  }

  private func finish(_ exchange: inout Exchange, error: String?) {
    exchange.task = nil
    exchange.isDone = true
    guard var error else { return }
    // A server may repeat what it was sent.
    if let bearer = exchange.request.bearer { error = error.replacing(bearer, with: "…") }
    let attempts = exchange.outcome.attempts
    exchange.outcome.error =
      "\(exchange.request.address.hostAndPort): \(error)" + (attempts > 1 ? ", after \(attempts) attempts" : "")
  }

  /// The beginning of a reply that says what went wrong.
  private func excerpt(_ body: Data) -> String {
    let text = String(decoding: body.prefix(300), as: UTF8.self).split(whereSeparator: \.isWhitespace)
    return text.isEmpty ? "" : ": " + text.joined(separator: " ")
  }

  private func plain(_ seconds: Double) -> String {
    let rounded = (seconds * 100).rounded() / 100
    return Int(exactly: rounded).map(String.init) ?? "\(rounded)"
  }
}
