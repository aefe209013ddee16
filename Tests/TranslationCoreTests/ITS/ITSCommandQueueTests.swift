import EventModel
import ReferenceModel
import TestSupport
import Testing

@testable import TranslationCore

/// The core's command queue beside the reference's, which lies in its memory.
@Suite struct ITSCommandQueueTests {
  private struct Machine: ~Copyable {
    static let address: UInt64 = 0x7000_0000
    var core: ITSCore
    var queue: ITSCommandQueue
    var reference: ITS

    init(wrong: ITSCommandQueue.Reaction, fetch: ITSCommandQueue.Reaction) {
      core = ITSCore(geometry: ITSPair.geometry, rules: ITSRules(version: .v4))
      queue = ITSCommandQueue(wrongCommand: wrong, fetchFailure: fetch)
      var policy = ITS.Policy.specification.forRecordings()
      policy.wrongCommand = wrong == .stall ? .stall : .skip
      policy.fetchFailure = fetch == .stall ? .stall : .skip
      reference = .provisioned(ITS.Configuration(ITSPair.geometry), policy: policy)
      enable(false)
      writeBase(Self.address | 1 << 63)
      enable(true)
    }

    mutating func enable(_ isEnabled: Bool) {
      reference.write(register: ITS.Register.ctlr, value: isEnabled ? 1 : 0)
      core.isEnabled = isEnabled
      queue.run(on: &core)
    }

    mutating func writeBase(_ value: UInt64) {
      reference.write(register: ITS.Register.cbaser, value: value)
      queue.writeBase(value, of: core)
    }

    mutating func writeTail(_ value: UInt64) {
      reference.write(register: ITS.Register.cwriter, value: value)
      queue.writeTail(value, on: &core)
    }

    mutating func store(_ p: ITSCommandPacket, slot: Int) {
      for (index, word) in p.words.enumerated() {
        reference.memory.store(word, at: Self.address + UInt64(slot * 32 + index * 8))
      }
      queue.store(p.dw0, p.dw1, p.dw2, p.dw3, slot: slot)
    }

    mutating func setUnreadable(_ range: Range<UInt64>) {
      queue.unreadable = range
      reference.memory.inaccessible =
        range.isEmpty ? [] : [Self.address + range.lowerBound..<Self.address + range.upperBound]
    }

    /// What differs: registers, errors, mappings.
    var difference: String? {
      let registers = [
        reference.read(register: ITS.Register.cbaser),
        reference.read(register: ITS.Register.cwriter),
        reference.read(register: ITS.Register.creadr),
      ]
      let mine = [queue.base, queue.tail, queue.head]
      if registers != mine { return "registers \(registers), \(mine)" }
      if reference.errors != core.errors { return "errors \(reference.errors), \(core.errors)" }
      if reference.counters.itsCommands != commands { return "commands \(commands)" }
      return nil
    }

    private var commands: UInt64 {
      var work = WorkCounters()
      core.addCounters(to: &work)
      return work.itsCommands
    }
  }

  @Test(
    arguments: [ITSCommandQueue.Reaction.skip, .stall], [ITSCommandQueue.Reaction.skip, .stall])
  func randomUseGivesTheSameAsTheReference(
    wrong: ITSCommandQueue.Reaction, fetch: ITSCommandQueue.Reaction
  ) {
    for seed in 0..<6 as Range<UInt64> {
      var machine = Machine(wrong: wrong, fetch: fetch)
      var source = ITSEventSource(seed: seed, .v4)
      var stalls = 0
      for step in 0..<600 {
        switch source.pick(0..<40) {
        case 0: machine.enable(source.pick(0..<3) != 0)
        case 1:
          let size = UInt64(source.pick(0..<2))
          machine.writeBase(Machine.address | size | (source.pick(0..<6) == 0 ? 0 : 1 << 63))
        case 2:
          let start = UInt64(source.pick(0..<256)) * 16
          machine.setUnreadable(start..<start + UInt64(source.pick(0..<3)) * 32)
        case 3: machine.writeTail(UInt64(source.pick(0..<0x10_0000)))
        case 4..<16:
          let isRetry = source.pick(0..<3) == 0
          machine.writeTail(UInt64(source.pick(0..<130)) * 32 | (isRetry ? 1 : 0))
        default: machine.store(source.command(), slot: Int(source.pick(0..<130)))
        }
        if machine.queue.head & 1 == 1 { stalls += 1 }
        let difference = machine.difference
        #expect(difference == nil, "seed \(seed), step \(step)")
        if difference != nil { return }
      }
      #expect(stalls > 0 || wrong == .skip && fetch == .skip)
    }
  }

  @Test func theQueueWrapsAtItsEndFromEverySlot() {
    let sync = ITSCommand.sync(rdBase: 0).packet
    for start in 0..<128 {
      var machine = Machine(wrong: .skip, fetch: .stall)
      for _ in 0..<start + 2 {
        let posted = machine.queue.post(
          sync.dw0, sync.dw1, sync.dw2, sync.dw3, on: &machine.core)
        #expect(posted)
      }
      #expect(machine.queue.isEmpty && machine.queue.head == UInt64((start + 2) % 128 * 32))
    }
  }

  @Test func aQueueOfADisabledITSFillsUpAndIsTakenUpLater() {
    let sync = ITSCommand.sync(rdBase: 0).packet
    var machine = Machine(wrong: .skip, fetch: .stall)
    machine.core.isEnabled = false
    var posted = 0
    while machine.queue.post(sync.dw0, sync.dw1, sync.dw2, sync.dw3, on: &machine.core) {
      posted += 1
    }
    #expect(posted == 127 && machine.queue.isFull && machine.queue.head == 0)
    machine.core.isEnabled = true
    machine.queue.run(on: &machine.core)
    #expect(machine.queue.isEmpty && machine.queue.head == 127 * 32)
  }
}
