import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Carries single requests, several at once, and reports what became of each. Follows no redirects.
final class HTTPTransport: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  struct Reply {
    var status = 0
    /// Of a redirect.
    var location: String?
    /// Seconds to wait, as the server asks, or the date.
    var retryAfter: String?
    var body = Data()
  }

  enum Event {
    case replied(Reply)
    case failed(String)
  }

  /// A larger reply is a failure.
  private static let largestBody = 4 << 20

  /// Guards everything below; signalled when an event comes.
  private let condition = NSCondition()
  private var replies: [Int: Reply] = [:]
  private var tooLarge: Set<Int> = []
  private var events: [(task: Int, event: Event)] = []
  private var tasks: [Int: URLSessionDataTask] = [:]
  private var session: URLSession?

  init(connections: Int) {
    super.init()
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpMaximumConnectionsPerHost = connections
    configuration.httpShouldSetCookies = false
    configuration.urlCache = nil
    session = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
  }

  /// Ends what is under way.
  func close() {
    session?.invalidateAndCancel()
    session = nil
  }

  /// Begins a POST; gives its number.
  func post(_ url: URL, headers: [(name: String, value: String)], body: Data) -> Int? {
    var request = URLRequest(url: url)
    request.httpMethod = "POST"
    request.httpBody = body
    // The caller has its own clock.
    request.timeoutInterval = 3600
    for header in headers { request.setValue(header.value, forHTTPHeaderField: header.name) }
    guard let task = session?.dataTask(with: request) else { return nil }
    condition.lock()
    replies[task.taskIdentifier] = Reply()
    tasks[task.taskIdentifier] = task
    condition.unlock()
    task.resume()
    return task.taskIdentifier
  }

  /// Forgets a request; nothing will be reported of it.
  func cancel(_ number: Int) {
    condition.lock()
    let task = tasks.removeValue(forKey: number)
    replies[number] = nil
    events.removeAll { $0.task == number }
    condition.unlock()
    task?.cancel()
  }

  /// What has happened; waits for it for at most `seconds`.
  func events(within seconds: Double) -> [(task: Int, event: Event)] {
    condition.lock()
    defer { condition.unlock() }
    if events.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
    defer { events = [] }
    return events
  }

  // MARK: Called by the session, on threads of its own

  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    note(response, of: task.taskIdentifier)
    completionHandler(nil)
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    if let response = response as? HTTPURLResponse { note(response, of: dataTask.taskIdentifier) }
    completionHandler(.allow)
  }

  private func note(_ response: HTTPURLResponse, of task: Int) {
    condition.lock()
    replies[task]?.status = response.statusCode
    replies[task]?.location = response.value(forHTTPHeaderField: "Location")
    replies[task]?.retryAfter = response.value(forHTTPHeaderField: "Retry-After")
    condition.unlock()
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    condition.lock()
    let number = dataTask.taskIdentifier
    replies[number]?.body.append(data)
    let isTooLarge = replies[number].map { $0.body.count > Self.largestBody } ?? false
    if isTooLarge { tooLarge.insert(number) }
    condition.unlock()
    if isTooLarge { dataTask.cancel() }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    condition.lock()
    defer { condition.unlock() }
    let number = task.taskIdentifier
    tasks[number] = nil
    guard var reply = replies.removeValue(forKey: number) else { return }
    // Of a redirect that leads nowhere nothing else is told.
    if reply.status == 0, error == nil { reply.status = (task.response as? HTTPURLResponse)?.statusCode ?? 0 }
    let event: Event
    if tooLarge.remove(number) != nil {
      event = .failed("its reply is larger than \(Self.largestBody >> 20) MiB")
    } else if reply.status != 0, error == nil || reply.location != nil {
      event = .replied(reply)
    } else {
      event = .failed(error.map { $0.localizedDescription } ?? "the connection ended without a reply")
    }
    events.append((number, event))
    condition.signal()
  }
}
