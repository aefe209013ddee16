import TOMLKit

/// A table of a suite's file, and where it is in it: gives values of the right type, or an error with the place.
struct SuiteTable {
  private let table: TOMLTable
  private let path: String
  /// "run 2"; nil for the whole file.
  private let place: String?

  init(_ table: TOMLTable, path: String, place: String?) {
    self.table = table
    self.path = path
    self.place = place
  }

  func refusal(
    _ key: String, expected: String, found: String, advice: String
  ) -> SuiteError {
    .refused(
      path: path, place: place.map { "\(key) of \($0)" } ?? key, expected: expected, found: found,
      advice: advice)
  }

  func refuseOthers(than keys: [String]) throws(SuiteError) {
    for key in table.keys.sorted() where !keys.contains(key) {
      throw refusal(
        key, expected: "one of the keys " + keys.joined(separator: ", "), found: "'\(key)'",
        advice: "take it out, or spell it as one of them")
    }
  }

  func integer(_ key: String) throws(SuiteError) -> Int? {
    guard let value = table[key] else { return nil }
    guard let number = value.int else {
      throw refusal(
        key, expected: "an integer", found: Self.text(value), advice: "write a plain number")
    }
    return number
  }

  func launches() throws(SuiteError) -> Int? {
    let launches = try integer("launches")
    if let launches, !(1...1_000).contains(launches) {
      throw refusal(
        "launches", expected: "a number from 1 to 1000", found: "\(launches)",
        advice: "5 are enough for an interval")
    }
    return launches
  }

  func tables(_ key: String) throws(SuiteError) -> [SuiteTable] {
    guard let array = table[key]?.array, !array.isEmpty, array.allSatisfy({ $0.type == .table })
    else {
      throw refusal(
        key, expected: "one or more tables [[\(key)]]", found: table[key].map(Self.text) ?? "none",
        advice: "write what to measure below a line '[[\(key)]]'")
    }
    return array.enumerated().compactMap { index, value in
      value.table.map { SuiteTable($0, path: path, place: "\(key) \(index + 1)") }
    }
  }

  func string(_ key: String) throws(SuiteError) -> String? {
    guard let value = table[key] else { return nil }
    guard let string = value.string, !string.isEmpty else {
      throw refusal(
        key, expected: "a string", found: Self.text(value), advice: "write one word in quotes")
    }
    return string
  }

  /// A string or several, each once; nil if the key is not there.
  func strings(_ key: String, among known: [String]? = nil) throws(SuiteError) -> [String]? {
    let expected =
      known.map { "one or more of " + $0.joined(separator: ", ") }
      ?? "a string or an array of strings"
    return try each(key, expected) { value in
      value.string.flatMap { string in
        string.isEmpty || known?.contains(string) == false ? nil : string
      }
    }
  }

  /// The values of a parameter, as words for `replay`.
  func words(_ parameter: SuiteParameter) throws(SuiteError) -> [String]? {
    try each(parameter.name, parameter.form.expected) { value in
      switch parameter.form {
      case .count: value.int.flatMap { $0 >= 0 ? "\($0)" : nil }
      case .rate: value.int.flatMap { $0 > 0 ? "\($0)" : nil } ?? value.string
      case .time: value.string
      case .number: value.int.map { "\($0)" } ?? value.double.map { "\($0)" }
      case .word(let words): value.string.flatMap { words.contains($0) ? $0 : nil }
      }
    }
  }

  private func each(
    _ key: String, _ expected: String, _ word: (any TOMLValueConvertible) -> String?
  ) throws(SuiteError) -> [String]? {
    guard let value = table[key] else { return nil }
    var words: [String] = []
    let values: [any TOMLValueConvertible] = value.array.map { Array($0) } ?? [value]
    for value in values {
      guard let found = word(value) else {
        throw refusal(
          key, expected: expected, found: Self.text(value), advice: "mend or take out this value")
      }
      guard !words.contains(found) else {
        throw refusal(
          key, expected: "each value once", found: "'\(found)' twice", advice: "take one out")
      }
      words.append(found)
    }
    guard !words.isEmpty else {
      throw refusal(
        key, expected: expected, found: "an empty array", advice: "take the key out for its default"
      )
    }
    return words
  }

  /// A value as a reader of the file knows it.
  private static func text(_ value: any TOMLValueConvertible) -> String {
    switch value.type {
    case .string: "the string \"\(value.string ?? "")\""
    case .int: "the integer \(value.int ?? 0)"
    case .double: "the number \(value.double ?? 0)"
    case .bool: value.bool == true ? "true" : "false"
    case .array: "an array"
    case .table: "a table"
    case .date, .time, .dateTime: "a \(value.type)"
    }
  }
}
