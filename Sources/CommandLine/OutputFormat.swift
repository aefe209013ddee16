import ArgumentParser

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table
  case json
}

/// The codec of a trace to be written.
enum CodecName: String, ExpressibleByArgument, CaseIterable {
  case zstd
  case lz4
  case none
}
