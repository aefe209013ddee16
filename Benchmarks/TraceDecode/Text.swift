/// Numbers and columns for a terminal.
enum Text {
  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  static func decimal(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let number = String(Int((value * scale).rounded()))
    let padded = String(repeating: "0", count: max(0, digits + 1 - number.count)) + number
    return padded.dropLast(digits) + "." + padded.suffix(digits)
  }
}
