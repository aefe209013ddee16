import EventModel
import PipelineRaces
import Replay
import Testing

@Suite struct ReplayLoopTests {
  @Test func eachKindReachesItsMethodInOrderAndNotesReachNone() {
    let events = EventKind.all.map { TraceEvent(time: 0, kind: $0) }
    var backend = ToyBackend(keepsLog: true)
    var tally = PassTally()
    unsafe events.withUnsafeBufferPointer { unsafe replay($0, through: &backend, &tally) }
    let nobodys: [EventKind] = [.endOfInterrupt, .mark, .loss]
    #expect(backend.log == EventKind.all.filter { !nobodys.contains($0) })
    #expect(tally.accesses == 2 && tally.interrupts == 1 && tally.acknowledges == 1)
  }

  private func digest(_ outcomes: [Outcome]) -> UInt64 {
    var tally = PassTally()
    for outcome in outcomes { tally.addAccess(outcome) }
    return tally.digest
  }

  @Test func digestSeesEveryFieldOfAnOutcome() {
    let base = Outcome(address: 1, intid: 8192, target: .vpe(1), outcome: .delivered, flags: 0)
    var others = Array(repeating: base, count: 5)
    others[0].address ^= 1 << 47
    others[1].intid ^= 1
    others[2].target = .pe(1)
    others[3].outcome = .coalesced
    others[4].flags = 1
    let all = ([base] + others).map { digest([$0, base]) }
    #expect(Set(all).count == all.count)
  }

  /// Distances around 64 and 128, where a digest of rotations forgets places.
  @Test(arguments: [1, 2, 63, 64, 65, 128])
  func digestSeesThatTwoOutcomesChangedPlacesOrFailedAlike(distance: Int) {
    let outcomes = (0..<200).map { Outcome(address: UInt64($0) << 12, outcome: .translated) }
    var swapped = outcomes
    swapped.swapAt(10, 10 + distance)
    #expect(digest(swapped) != digest(outcomes))
    var alike = outcomes
    alike[10].address ^= 1 << 40
    alike[10 + distance].address ^= 1 << 40
    #expect(digest(alike) != digest(outcomes))
  }
}
