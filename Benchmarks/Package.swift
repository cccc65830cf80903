// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "grao", path: "..")],
  targets: [
    .target(name: "CPeak"),
    .executableTarget(name: "kernels", dependencies: ["CPeak", .product(name: "CKernels", package: "grao")]),
    .executableTarget(name: "tokenizer", dependencies: [.product(name: "Tokenizers", package: "grao")]),
  ],
  cLanguageStandard: .c11
)
