extension ImportReport {
  /// The report as lines of text: what was used, what was ignored and why, what was not understood.
  package var summary: String {
    var lines = [
      "lines \(lineCount): used \(usedLines), ignored \(ignoredLines), "
        + "not understood \(notUnderstoodLines), messages \(messageLines), damaged \(damagedLines)",
      "events \(eventCount): "
        + events.map { "\($0.kind) \($0.count)" }.joined(separator: ", "),
    ]
    if inferredMappings > 0 { lines.append("inferred mappings \(inferredMappings)") }
    if backwardTimes > 0 { lines.append("times before the line above \(backwardTimes)") }
    if forcedAccesses > 0 { lines.append("accesses cut short \(forcedAccesses)") }
    for tally in names where tally.notUnderstood > 0 {
      lines.append(
        "not understood: \(tally.name) \(tally.notUnderstood), "
          + "first in line \(tally.firstNotUnderstoodLine)")
    }
    for tally in damage {
      lines.append("damaged: \(tally.damage) \(tally.count), first line \(tally.firstLine)")
    }
    for tally in messages {
      lines.append("message: \(tally.firstWord) \(tally.count), first line \(tally.firstLine)")
    }
    for tally in names where tally.used > 0 {
      lines.append("used: \(tally.name) \(tally.used), first line \(tally.firstLine)")
    }
    for tally in names where tally.ignored > 0 {
      lines.append(
        "ignored: \(tally.name) \(tally.ignored), first line \(tally.firstLine): "
          + tally.reason.rawValue)
    }
    return lines.joined(separator: "\n")
  }
}
