import EventModel
import Measurement
import PipelineRaces
import Replay
import Testing

/// Any number of threads gives each stream what one thread would.
@Suite(.serialized) struct ScaleExperimentTests {
  /// Per stream, in order: what a vCPU has to see.
  private func expected(_ events: [TraceEvent], passes: Int) -> [UInt32: [ScaleExperiment.Note]] {
    var backend = ToyBackend()
    var accesses: [UInt32: UInt64] = [:]
    var notes: [UInt32: [ScaleExperiment.Note]] = [:]
    for _ in 0..<passes {
      for event in events {
        switch event.kind {
        case .dma:
          _ = backend.translate(event)
          accesses[event.streamID, default: 0] += 1
        case .msi:
          let outcome = backend.translate(event)
          guard outcome.outcome == .delivered else { continue }
          notes[event.streamID, default: []].append(
            .init(
              streamID: event.streamID, intid: outcome.intid, target: outcome.target,
              accessesBefore: accesses[event.streamID] ?? 0))
        case .acknowledge: backend.acknowledge(event)
        default: break
        }
      }
    }
    return notes
  }

  @Test(arguments: [(1, 1), (2, 1), (3, 2), (8, 3)])
  func eachStreamKeepsItsOrderAndNoInterruptPassesItsDMA(threads: Int, vCPUs: Int) throws {
    var events = toyTrace(rounds: 120, devices: 11)
    events.append(.msi(time: 9_999, streamID: 3, deviceID: 3, address: 0, data: 0xDEAD))
    var options = ScaleExperiment.Options()
    options.deviceThreads = threads
    options.vCPUs = vCPUs
    options.passes = 3
    options.ringCapacity = 32
    options.batch = 8
    options.keepsNotes = true
    let result = try ScaleExperiment(events, options).run { ToyBackend() }
    #expect(result.events == UInt64(events.count) * 3)
    #expect(result.isConserved && result.tally.lost == 3)
    let wanted = expected(events, passes: 3)
    #expect(result.taken == UInt64(wanted.values.reduce(0) { $0 + $1.count }))
    #expect(result.notes.count == vCPUs)
    // A toy interrupt has one target per device: all of a stream are at one vCPU, in order.
    var found: [UInt32: [ScaleExperiment.Note]] = [:]
    for note in result.notes.joined() { found[note.streamID, default: []].append(note) }
    #expect(found == wanted)
  }

  @Test func everyShardHasStreams() {
    for count in 1...16 {
      let shards = Set((0..<256).map { ScaleExperiment.shard(of: $0, of: count) })
      #expect(shards == Set(0..<count))
    }
  }

  @Test func aDesignThatBreaksTheAccountIsSeen() throws {
    var options = ScaleExperiment.Options()
    options.deviceThreads = 2
    options.passes = 1
    let result = try ScaleExperiment(toyTrace(rounds: 20), options).run {
      ToyBackend(flaw: .unconserved, at: 4)
    }
    #expect(!result.isConserved)
  }
}
