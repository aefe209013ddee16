/// What is wrong with a suite.
public enum SuiteError: Error, Hashable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  /// Not TOML.
  case syntax(path: String, line: Int, column: Int, reason: String)
  /// TOML, but no suite. A place is "launches", or "rate of run 2": runs are counted from 1.
  case refused(path: String, place: String, expected: String, found: String, advice: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason); name a suite, such as Benchmarks/Nightly/suite.toml"
    case .syntax(let path, let line, let column, let reason):
      "\(path):\(line):\(column): not TOML: \(reason); mend the line"
    case .refused(let path, let place, let expected, let found, let advice):
      "\(path): \(place): expected \(expected), found \(found); \(advice)"
    }
  }
}
