import Foundation

/// What a mistyped word was meant to be: a verb, or the value of an option.
enum Suggestion {
  /// What to do instead: "did you mean 'replay'?", or what there is.
  static func advice(for word: String, among choices: [String]) -> String {
    nearest(to: word, among: choices).map { "did you mean '\($0)'?" }
      ?? "there are: \(choices.joined(separator: ", "))"
  }

  /// The message of the argument parser on wrong usage, with the nearest value where it lists all of an option's.
  static func added(to message: String) -> String {
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    guard
      let wrong = try? /The value '(?<word>[^']*)' is invalid for '(?<option>[^']*)'/
        .firstMatch(in: message)
    else { return message }
    // One line with all in quotes, or a list below.
    let listed = lines.filter { $0.hasPrefix("  - ") }.map { String($0.dropFirst(4)) }
    let choices =
      listed.isEmpty
      ? lines[0].components(separatedBy: "Please provide one of ").dropFirst()
        .flatMap { $0.matches(of: /'([^']*)'/).map { String($0.1) } }
      : listed
    guard let near = nearest(to: String(wrong.word), among: choices) else { return message }
    return message.replacing(
      ". Please provide one of", with: "; did you mean '\(near)'? Please provide one of",
      maxReplacements: 1)
  }

  /// The choice that takes the fewest single-letter changes, and swaps of neighbours, to get from `word`; nil if
  /// none is near: more than two changes, or as many as the word has letters.
  static func nearest(to word: String, among choices: [String]) -> String? {
    let letters = Array(word.lowercased())
    let limit = min(2, letters.count - 1)
    let near = choices.map { (choice: $0, changes: changes(from: letters, to: Array($0))) }
      .filter { $0.changes <= limit }
    return near.min { $0.changes < $1.changes }?.choice
  }

  /// The optimal string alignment distance; the cost is the product of the lengths.
  private static func changes(from word: [Character], to choice: [Character]) -> Int {
    var rows = [[Int](0...choice.count)]
    for i in 0..<word.count {
      var row = [i + 1]
      for j in 0..<choice.count {
        var least = min(
          rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (word[i] == choice[j] ? 0 : 1))
        if i > 0, j > 0, word[i] == choice[j - 1], word[i - 1] == choice[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[word.count][choice.count]
  }
}
