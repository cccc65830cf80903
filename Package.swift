// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "grao",
  products: [
    .executable(name: "grao-run", targets: ["grao-run"]),
    .library(name: "GRAO", targets: ["GRAO"]),
    // For Benchmarks.
    .library(name: "CKernels", targets: ["CKernels"]),
    .library(name: "Tokenizers", targets: ["Tokenizers"]),
  ],
  dependencies: [
    // The command line of grao-run.
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // C and system libraries.
    .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
    .systemLibrary(name: "COnig", pkgConfig: "oniguruma", providers: [.apt(["libonig-dev"])]),
    .target(name: "CKernels"),
    .target(name: "CLuaBridge", dependencies: ["CLua"]),

    // The engine, from the machine upwards; imports go one way.
    .target(name: "Values"),
    .target(name: "Kernels", dependencies: ["CKernels", "Values"]),
    .target(name: "Checkpoints", dependencies: ["Values"]),
    .target(name: "Templates", dependencies: ["Values"]),
    .target(name: "Tokenizers", dependencies: ["COnig", "Templates", "Values"]),
    .target(name: "Data", dependencies: ["Values"]),
    .target(name: "Models", dependencies: ["Kernels", "Checkpoints", "Values"]),
    .target(name: "Sampling", dependencies: ["Models", "Kernels", "Checkpoints", "Tokenizers", "Values"]),
    .target(name: "Alignment", dependencies: ["Sampling", "Models", "Kernels", "Tokenizers", "Data", "Values"]),
    .target(name: "Runs", dependencies: ["Alignment", "Values"]),
    .target(
      name: "GRAO",
      dependencies: ["Runs", "Alignment", "Sampling", "Models", "Checkpoints", "Tokenizers", "Data", "Values"]),
    .target(name: "Scripting", dependencies: ["GRAO", "CLuaBridge", "Values"]),
    .executableTarget(
      name: "grao-run",
      dependencies: ["Scripting", .product(name: "ArgumentParser", package: "swift-argument-parser")]),

    // One test target per module, and what several of them share.
    .target(
      name: "TestSupport", dependencies: ["Models", "Kernels", "Checkpoints", "Values"], path: "Tests/TestSupport"),
    .testTarget(name: "ValuesTests", dependencies: ["Values"]),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "CKernels", "TestSupport"]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "Values"]),
    .testTarget(name: "TemplatesTests", dependencies: ["Templates", "Values"]),
    .testTarget(name: "TokenizersTests", dependencies: ["Tokenizers", "Values"]),
    .testTarget(name: "DataTests", dependencies: ["Data", "Values"]),
    .testTarget(name: "ModelsTests", dependencies: ["Models", "Kernels", "Checkpoints", "Values", "TestSupport"]),
    .testTarget(
      name: "SamplingTests",
      dependencies: [
        "Sampling", "Models", "Kernels", "Checkpoints", "Tokenizers", "Templates", "Values", "TestSupport",
      ]),
    .testTarget(
      name: "AlignmentTests",
      dependencies: [
        "Alignment", "Sampling", "Models", "Kernels", "Checkpoints", "Tokenizers", "Data", "Values", "TestSupport",
      ]),
    .testTarget(name: "RunsTests", dependencies: ["Runs", "Alignment", "Sampling", "Data", "Values", "TestSupport"]),
    .testTarget(name: "GRAOTests", dependencies: ["GRAO"]),
    .testTarget(name: "ScriptingTests", dependencies: ["Scripting", "CLuaBridge", "Runs", "Values", "TestSupport"]),
    .testTarget(name: "CommandTests", dependencies: ["grao-run", "Values", "TestSupport"]),
  ],
  cLanguageStandard: .c11
)
