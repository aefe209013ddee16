import ArgumentParser
import TraceImport

/// A number on the command line, or a multiple of what is there: 4, 4x, 4×, 1.5x.
struct AmountArgument: ExpressibleByArgument {
  var amount: Amount

  init?(argument: String) {
    guard argument.hasSuffix("x") || argument.hasSuffix("×") else {
      guard let value = UInt64(argument) else { return nil }
      amount = Amount(value)
      return
    }
    // Three places after the point, exactly.
    let parts = argument.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = UInt64(parts[0]), whole < 1_000_000 else { return nil }
    let places = parts.count == 2 ? String(parts[1]) : ""
    let padded = places + String(repeating: "0", count: max(0, 3 - places.count))
    guard places.count <= 3, let thousandths = UInt64(padded) else { return nil }
    amount = Amount(thousandths: whole * 1_000 + thousandths)
  }
}

/// A count of events on the command line: 5000, 100k, 20M, 1G.
struct EventCount: ExpressibleByArgument {
  var value: UInt64

  init?(argument: String) {
    let units: [Character: UInt64] = ["k": 1_000, "M": 1_000_000, "G": 1_000_000_000]
    let factor = argument.last.flatMap { units[$0] }
    guard let number = UInt64(factor == nil ? argument : String(argument.dropLast())) else {
      return nil
    }
    let (value, overflow) = number.multipliedReportingOverflow(by: factor ?? 1)
    guard !overflow, value > 0 else { return nil }
    self.value = value
  }
}
