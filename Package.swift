// swift-tools-version: 6.3
// The whole architecture on one screen. Arrows point down: a target imports only targets above it
// in this file. `Sources/README.md` follows one event through them.
import PackageDescription

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

extension Target {
  /// A library layer: a folder in `Sources` and a mirrored folder in `Tests`. With `golden`, the
  /// latter holds a folder `Golden` of files that its tests read by path.
  static func layer(
    _ name: String, _ dependencies: Target.Dependency..., tests: [Target.Dependency] = [],
    resources: [Resource] = [], golden: Bool = false
  ) -> [Target] {
    [
      .target(
        name: name, dependencies: dependencies, resources: resources, swiftSettings: strict),
      .testTarget(
        name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + tests,
        exclude: golden ? ["Golden"] : [],
        swiftSettings: strict),
    ]
  }
}

let package = Package(
  name: "Doorbell",
  products: [
    .executable(name: "doorbell", targets: ["CommandLine"]),
    .library(name: "DoorbellReplay", targets: ["EventModel", "Replay"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/ordo-one/TextTable", from: "0.0.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
  ],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .target(name: "CPlatform"),
    .target(name: "CDoorbellBackend"),
    .target(name: "CAllocations"),
    .target(name: "CDemangle"),
    .target(
      name: "TraceFormatInC", dependencies: ["CZstd", "CLZ4"], path: "Tests/TraceFormatInC"),
    .target(
      name: "TestSupport", dependencies: ["EventModel"], path: "Tests/TestSupport",
      swiftSettings: strict),
  ]
    + Target.layer("EventModel")
    + Target.layer("RingBuffer", "CPlatform", tests: ["EventModel", "RingBenchmark", "RingRaces"])
    + Target.layer(
      "Measurement", "CAllocations", "CPlatform",
      .product(name: "Histogram", package: "hdrhistogram-swift"),
      tests: [.product(name: "Histogram", package: "hdrhistogram-swift")])
    + Target.layer(
      "TraceFormat", "EventModel", "CPlatform", "CZstd", "CLZ4",
      tests: ["TraceFormatInC", "ReferenceModel"], golden: true)
    + Target.layer(
      "TraceImport", "EventModel", "TraceFormat", "CPlatform", "CZstd",
      tests: ["EventModel", "CZstd"], golden: true)
    + Target.layer("ReferenceModel", "EventModel", tests: ["TraceImport"])
    + Target.layer(
      "TranslationCore", "EventModel", "CPlatform", tests: ["ReferenceModel", "TraceImport"])
    + Target.layer(
      "Replay", "EventModel", "RingBuffer", "Measurement", "CPlatform", tests: ["PipelineRaces"])
    + Target.layer(
      "Backends", "EventModel", "TranslationCore", "ReferenceModel", "Replay", "RingBuffer",
      "Measurement", "CPlatform", "CDoorbellBackend",
      tests: ["TraceFormat", "TraceImport", "CDoorbellBackend"], golden: true)
    + Target.layer(
      "Statistics", "EventModel", "Measurement",
      .product(name: "RealModule", package: "swift-numerics"), golden: true)
    + [.target(name: "CLive"), .target(name: "CLivePeer")]
    + Target.layer(
      "Live", "CLive", "CLivePeer", "CPlatform", "Measurement", "Replay",
      tests: ["CLivePeer", "CPlatform", "Measurement"], golden: true)
    + Target.layer("History")
    + Target.layer("Plots", .product(name: "RealModule", package: "swift-numerics"))
    + Target.layer("Gates", "EventModel", "Statistics", "History")
    + Target.layer(
      "HistoryStore", "History", .product(name: "GRDB", package: "GRDB.swift"),
      tests: ["History", .product(name: "GRDB", package: "GRDB.swift")])
    + Target.layer("Suites", "History", .product(name: "TOMLKit", package: "TOMLKit"))
    + Target.layer(
      "Reports", "History", "Measurement", "Statistics", "Gates", "Plots",
      .product(name: "TextTable", package: "TextTable"),
      .product(name: "Mustache", package: "swift-mustache"),
      resources: [
        .embedInCode("Page/page.mustache"), .embedInCode("Page/page.css"),
        .embedInCode("Site/index.mustache"),
      ])
    + [
      .executableTarget(
        name: "RingRaces", dependencies: ["RingBuffer", "TestSupport"], path: "Tests/RingRaces",
        swiftSettings: strict),
      .executableTarget(
        name: "TraceRaces", dependencies: ["EventModel", "TraceFormat"], path: "Tests/TraceRaces",
        swiftSettings: strict),
      .executableTarget(
        name: "PipelineRaces", dependencies: ["EventModel", "Replay"], path: "Tests/PipelineRaces",
        swiftSettings: strict),
      .target(name: "CRingPinning", path: "Benchmarks/Rings/Pinning"),
      .executableTarget(
        name: "RingBenchmark", dependencies: ["CRingPinning", "EventModel", "RingBuffer"],
        path: "Benchmarks/Rings/Swift", swiftSettings: strict),
      .executableTarget(
        name: "CommandLine",
        dependencies: [
          "EventModel", "Measurement", "TraceFormat", "TraceImport", "Replay", "Backends",
          "History", "HistoryStore", "Gates", "Plots", "Reports", "Live", "Statistics", "Suites",
          "CPlatform", "CDemangle",
          .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ],
        swiftSettings: strict),
      .executableTarget(
        name: "ImportBenchmark", dependencies: ["EventModel", "TraceImport"],
        path: "Benchmarks/Import", swiftSettings: strict),
      .executableTarget(
        name: "TraceDecodeBenchmark", dependencies: ["EventModel", "TraceFormat"],
        path: "Benchmarks/TraceDecode", exclude: ["soak"], swiftSettings: strict),
      .executableTarget(
        name: "TraceSize", dependencies: ["EventModel", "TraceFormat"],
        path: "Benchmarks/TraceSize", exclude: ["compare.py"], swiftSettings: strict),
      .testTarget(
        name: "CommandLineTests",
        dependencies: [
          "CommandLine", "EventModel", "Gates", "History", "ReferenceModel", "Replay",
          "TraceFormat", "TestSupport",
        ],
        exclude: ["Plugins"], swiftSettings: strict),
      .target(name: "CoreTwin", path: "Benchmarks/Core/CoreTwin"),
      .executableTarget(
        name: "CoreBenchmark",
        dependencies: [
          "Backends", "CoreTwin", "EventModel", "Replay", "TraceFormat", "TranslationCore",
        ],
        path: "Benchmarks/Core/CoreBenchmark", swiftSettings: strict),
      .executableTarget(
        name: "TablesBenchmark",
        dependencies: [
          "Backends", "CoreTwin", "CPlatform", "EventModel", "Replay", "TranslationCore",
        ],
        path: "Benchmarks/Tables", swiftSettings: strict),
      .executableTarget(
        name: "FirstBitBenchmark", dependencies: ["Measurement"], path: "Benchmarks/FirstBit",
        swiftSettings: strict),
      .executableTarget(
        name: "PluginCrossing", dependencies: ["Backends", "EventModel", "Replay", "TraceFormat"],
        path: "Benchmarks/PluginCrossing", swiftSettings: strict),
      .testTarget(
        name: "FirstBitTests", dependencies: ["FirstBitBenchmark"], swiftSettings: strict),
    ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
