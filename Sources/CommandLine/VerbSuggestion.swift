/// What a mistyped verb was meant to be.
enum VerbSuggestion {
  /// The verb that takes the fewest single-letter changes, and swaps of neighbours, to get from `word`; nil if
  /// none is near: more than two changes, or as many as the word has letters.
  static func nearest(to word: String, among verbs: [String]) -> String? {
    let letters = Array(word.lowercased())
    let limit = min(2, letters.count - 1)
    let near = verbs.map { (verb: $0, changes: changes(from: letters, to: Array($0))) }
      .filter { $0.changes <= limit }
    return near.min { $0.changes < $1.changes }?.verb
  }

  /// The optimal string alignment distance; the cost is the product of the lengths.
  private static func changes(from word: [Character], to verb: [Character]) -> Int {
    var rows = [[Int](0...verb.count)]
    for i in 0..<word.count {
      var row = [i + 1]
      for j in 0..<verb.count {
        var least = min(
          rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (word[i] == verb[j] ? 0 : 1))
        if i > 0, j > 0, word[i] == verb[j - 1], word[i - 1] == verb[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[word.count][verb.count]
  }
}
