import EventModel

extension LogInterpreter {
  consuming func report() -> ImportReport {
    var report = ImportReport()
    geometry.peCount = UInt16(clamping: max(UInt32(geometry.peCount), highestPE + 1))
    report.geometry = geometry
    report.isTranslationPageRecorded = translationPage != nil
    report.textBytes = textBytes
    report.lineCount = lineCount
    report.eventCount = eventCount
    report.events = EventKind.all.compactMap { kind in
      let count = kinds[Int(kind.rawValue)]
      return count == 0 ? nil : ImportReport.KindTally(kind: kind, count: count)
    }
    report.names = names.occurring().map { name, row in
      ImportReport.NameTally(
        name: name, used: row.used, ignored: row.ignored, notUnderstood: row.notUnderstood,
        firstLine: row.firstLine, firstNotUnderstoodLine: row.firstNotUnderstoodLine,
        reason: row.reason)
    }
    report.messages = messages.occurring().map { word, row in
      ImportReport.MessageTally(firstWord: word, count: row.used, firstLine: row.firstLine)
    }
    report.damage = LineDamage.allCases.compactMap { kind in
      let (count, firstLine) = damage[kind.rawValue]
      return count == 0
        ? nil : ImportReport.DamageTally(damage: kind, count: count, firstLine: firstLine)
    }
    report.threadCount = threads.count + threads.replaced
    report.startMicroseconds = startNanoseconds / 1_000
    report.durationNanoseconds = lastTime
    report.backwardTimes = backwardTimes
    report.inferredMappings = inferredMappings
    report.forcedAccesses = forcedAccesses
    report.notes = ["times are the emulator's: good for order, never as hardware latency"]
    return report
  }
}
