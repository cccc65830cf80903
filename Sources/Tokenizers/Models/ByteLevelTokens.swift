/// A vocabulary of `ByteAlphabet`'s characters, read by the bytes that they stand for: words need not be spelled first.
struct ByteLevelTokens: Sendable {
  /// Byte → id.
  private let ids: [Int32]
  private var words: ByteStringTable
  private var idOfWord: [Int32] = []

  /// Nil where a byte's character is no token.
  /// - Parameter findsWords: whether tokens of several bytes are to be found.
  init?(_ vocabulary: Vocabulary, findsWords: Bool) {
    ids = ByteAlphabet.scalars.compactMap { scalar in
      Unicode.Scalar(scalar).flatMap { vocabulary.id(of: String(Character($0))) }
    }
    guard ids.count == 256 else { return nil }
    words = ByteStringTable(capacity: findsWords ? vocabulary.count : 0)
    guard findsWords else { return }
    for id in 0..<Int32(truncatingIfNeeded: vocabulary.idBound) {
      guard let token = vocabulary.token(of: id), let bytes = ByteAlphabet.bytes(of: token) else { continue }
      bytes.withUnsafeBufferPointer { _ = words.insert($0) }
      idOfWord.append(id)
    }
  }

  /// The token that is the whole of `word`.
  func id(of word: UnsafeBufferPointer<UInt8>) -> Int32? { words.index(of: word).map { idOfWord[$0] } }

  /// Appends the tokens of all bytes of `word`.
  @inline(__always)
  func spell(_ word: UnsafeBufferPointer<UInt8>, to symbols: inout [Int32]) {
    for byte in word { symbols.append(ids[Int(byte)]) }
  }
}
