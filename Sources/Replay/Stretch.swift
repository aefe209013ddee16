import EventModel

/// Consecutive events of one class of work.
@usableFromInline
struct Stretch: Hashable, Sendable {
  @usableFromInline
  enum Work: Hashable, Sendable {
    case traffic
    case maintenance
    /// Interrupt set-up and vCPU life: what `configure` takes.
    case setUp

    /// Nil for notes (marks, losses), which are nobody's work.
    init?(_ kind: EventKind) {
      if kind.isTraffic {
        self = .traffic
      } else if kind.isMaintenance {
        self = .maintenance
      } else if kind.isSetUp || kind.isVCPU {
        self = .setUp
      } else {
        return nil
      }
    }
  }

  @usableFromInline var range: Range<Int>
  @usableFromInline var work: Work

  /// The stretches of `events`, in order and without gaps. A note belongs to the stretch that it is in;
  /// those at the very start to the first one.
  static func cut(_ events: [TraceEvent]) -> [Stretch] {
    var stretches: [Stretch] = []
    for index in events.indices {
      let work = Work(events[index].kind) ?? stretches.last?.work ?? .traffic
      if let last = stretches.last, last.work == work {
        stretches[stretches.count - 1].range = last.range.lowerBound..<index + 1
      } else {
        stretches.append(Stretch(range: index..<index + 1, work: work))
      }
    }
    return stretches
  }

  /// Joins traffic and maintenance, under the name of traffic.
  static func joinedByDelivery(_ stretches: [Stretch]) -> [Stretch] {
    var joined: [Stretch] = []
    for stretch in stretches {
      let work: Work = stretch.work == .setUp ? .setUp : .traffic
      if let last = joined.last, last.work == work {
        joined[joined.count - 1].range = last.range.lowerBound..<stretch.range.upperBound
      } else {
        joined.append(Stretch(range: stretch.range, work: work))
      }
    }
    return joined
  }
}
