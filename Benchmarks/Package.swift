// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "grao", path: "..")],
  targets: [
    .target(name: "CPeak"),
    .target(name: "Measuring", dependencies: ["CPeak", .product(name: "CKernels", package: "grao")]),
    .executableTarget(name: "kernels", dependencies: ["Measuring", .product(name: "CKernels", package: "grao")]),
    // Reads the engine's inside: built with -Xswiftc -enable-testing.
    .executableTarget(name: "phases", dependencies: ["Measuring", .product(name: "GRAO", package: "grao")]),
    .executableTarget(name: "tokenizer", dependencies: [.product(name: "Tokenizers", package: "grao")]),
  ],
  cLanguageStandard: .c11
)
