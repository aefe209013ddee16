import ReferenceModel
import TestSupport
import Testing
import TranslationCore

/// Fast cores against the slow reference: the same random programs, outcome by outcome.
@Suite struct X86DifferentialTests {
  private static let descriptors: UInt32 = 4

  private func translated(_ result: VTdUnit.Result) -> X86Translation {
    switch result {
    case .interrupt(let vector, let destination):
      return X86Translation(kind: .interrupt, vector: vector, destination: destination)
    case .fault(let fault): return X86Translation(kind: .dropped, code: fault.rawValue)
    case .posted(let address, let vector, let post):
      var posted: PostedDescriptor.Posted = post.coalesced ? .coalesced : []
      if post.notification != nil { posted.insert(.notified) }
      if post.suppressedBySN { posted.insert(.suppressed) }
      if post.suppressedByON { posted.insert(.alreadyOutstanding) }
      return X86Translation(
        kind: .posted, vector: vector, code: posted.rawValue, coalesced: post.coalesced,
        notified: post.notification != nil, destination: UInt32((address - 4096) / 64))
    }
  }

  private func randomEntry(_ random: inout SeededGenerator) -> VTdEntry {
    let validation: VTdEntry.SourceValidation =
      switch Int.random(in: 0..<4, using: &random) {
      case 0:
        .sourceID(
          sid: .random(in: 0..<16, using: &random), qualifier: .random(in: 0...3, using: &random))
      case 1:
        .busRange(
          first: .random(in: 0...2, using: &random), last: .random(in: 0...2, using: &random))
      default: .none
      }
    let vector = UInt8.random(in: 0...255, using: &random)
    var entry =
      Bool.random(using: &random)
      ? VTdEntry.remapped(
        vector: vector, destination: .random(in: 0...0xFFFF, using: &random), validation: validation
      )
      : VTdEntry.posted(
        vector: vector & 3,
        descriptor: VTdCore.descriptorAddress(.random(in: 0..<Self.descriptors, using: &random)),
        urgent: Bool.random(using: &random), validation: validation)
    // Now and then hardware meets what software should not have written.
    if Int.random(in: 0..<8, using: &random) == 0 {
      entry.low ^= 1 << UInt64.random(in: 0..<32, using: &random)
    }
    if Int.random(in: 0..<16, using: &random) == 0 {
      entry.high ^= 1 << UInt64.random(in: 16..<24, using: &random)
    }
    return entry
  }

  @Test(arguments: 1...8)
  func intelCoreEqualsTheReference(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed))
    let extended = seed % 2 == 0
    var reference = VTdUnit(
      tableSize: 4, extendedMode: extended, compatibilityPasses: seed % 3 == 0)
    // The cache is as large as the table: the reference's is unlimited.
    var core = VTdCore(
      log2Entries: 5, log2CacheEntries: 5, descriptorCount: Self.descriptors,
      extendedMode: extended, compatibilityPasses: seed % 3 == 0)
    for step in 0..<20_000 {
      switch Int.random(in: 0..<17, using: &random) {
      case 16:
        let number = UInt32.random(in: 0..<Self.descriptors, using: &random)
        let vector = UInt8.random(in: 0...3, using: &random)
        let post = reference[descriptor: VTdCore.descriptorAddress(number)].postBySoftware(
          vector: vector)
        let found = core.descriptor(number).postBySoftware(vector: vector)
        #expect(found.contains(.coalesced) == post.coalesced, "seed \(seed), step \(step)")
        #expect(found.contains(.notified) == (post.notification != nil))
        #expect(found.contains(.alreadyOutstanding) == post.suppressedByON)
      case 0:
        let entry = randomEntry(&random)
        let index = UInt32.random(in: 0..<32, using: &random)
        reference.write(entry, at: index)
        let isWritten = core.write(low: entry.low, high: entry.high, at: index)
        #expect(isWritten)
      case 1:
        let index: UInt32? =
          Bool.random(using: &random) ? .random(in: 0..<32, using: &random) : nil
        let mask = UInt8.random(in: 0...3, using: &random)
        reference.invalidate(index: index, mask: mask)
        core.invalidate(index: index, mask: UInt32(mask))
      case 2:
        let number = UInt32.random(in: 0..<Self.descriptors, using: &random)
        let address = VTdCore.descriptorAddress(number)
        var taken: [UInt8] = []
        core.descriptor(number).take { word, bits in
          for bit in 0..<64 where bits >> UInt64(bit) & 1 == 1 {
            taken.append(UInt8(word * 64 + bit))
          }
        }
        let expected = reference[descriptor: address].processNotification()
        #expect(taken == expected, "seed \(seed), step \(step)")
      case 3:
        let number = UInt32.random(in: 0..<Self.descriptors, using: &random)
        let address = VTdCore.descriptorAddress(number)
        if Bool.random(using: &random) {
          reference[descriptor: address].load(on: UInt32(step))
          core.descriptor(number).setControl(
            suppress: false, notificationVector: 0xF2, destination: UInt32(step), notifies: true)
        } else {
          reference[descriptor: address].putPreempted()
          let control = core.descriptor(number).word(4)
          core.descriptor(number).setControl(
            suppress: true, notificationVector: UInt8(truncatingIfNeeded: control >> 16),
            destination: UInt32(truncatingIfNeeded: control >> 32), notifies: false)
        }
      default:
        var message = X86Message.remappable(
          handle: .random(in: 0..<40, using: &random), subhandle: .random(in: 0...1, using: &random)
        )
        if Int.random(in: 0..<10, using: &random) == 0 { message.address ^= 0x10 }
        if Int.random(in: 0..<20, using: &random) == 0 { message.data |= 0x10000 }
        let requester = UInt16.random(in: 0..<0x300, using: &random) & 0x30F
        let expected = translated(reference.request(message, requester: requester))
        let found = core.request(
          address: message.address, data: message.data, requester: requester)
        #expect(found == expected, "seed \(seed), step \(step), \(message)")
      }
    }
    for number in 0..<Self.descriptors {
      let expected = reference[descriptor: VTdCore.descriptorAddress(number)].words
      #expect((0..<5).map { core.descriptor(number).word($0) } == Array(expected[0..<5]))
    }
  }

  private func translated(_ result: AMDUnit.Result) -> X86Translation {
    switch result {
    case .interrupt(let vector, let destination):
      return X86Translation(kind: .interrupt, vector: vector, destination: destination)
    case .guest(let vector, let tag, let coalesced, let doorbell, _):
      return X86Translation(
        kind: .posted, vector: vector, coalesced: coalesced, notified: doorbell != nil,
        destination: tag)
    case .dropped(let reason):
      let code: AMDCore.Drop =
        switch reason {
        case .targetAbort: .targetAbort
        case .indexOutOfRange: .indexOutOfRange
        case .entryDisabled: .entryDisabled
        case .reservedInterruptType: .reservedInterruptType
        }
      return X86Translation(kind: .dropped, code: 0x30 + code.rawValue)
    }
  }

  @Test(arguments: 1...6)
  func amdCoreEqualsTheReference(seed: Int) {
    var random = SeededGenerator(seed: UInt64(seed) &* 77)
    var reference = AMDUnit(logCapacity: 4)
    var core = AMDCore(deviceCapacity: 4, vcpuCount: 3, logCapacity: 4)
    for device in UInt16(0)..<4 where device != 2 {
      var control = AMDInterruptControl()
      control.isValid = true
      reference.control[device] = control
      let isEnabled = core.enable(device: device)
      #expect(isEnabled)
    }
    for step in 0..<20_000 {
      let device = UInt16.random(in: 0..<4, using: &random)
      switch Int.random(in: 0..<16, using: &random) {
      case 0, 1:
        guard device != 2 else { continue }
        let vcpu = UInt32.random(in: 0..<3, using: &random)
        let entry: AMDEntry
        if Int.random(in: 0..<4, using: &random) == 0 {
          var e = AMDEntry.Remapped()
          e.isEnabled = Int.random(in: 0..<4, using: &random) > 0
          e.interruptType = .random(in: 0...7, using: &random)
          e.destination = .random(in: 0...UInt32.max, using: &random)
          e.vector = .random(in: 0...255, using: &random)
          entry = .remapped(e)
        } else {
          var e = AMDEntry.Guest()
          e.isEnabled = Int.random(in: 0..<8, using: &random) > 0
          e.isRunning = Bool.random(using: &random)
          e.logsWhenNotRunning = Bool.random(using: &random)
          e.tag = vcpu
          e.vector = .random(in: 0...3, using: &random)
          e.backingPage = AMDCore.backingPage(vcpu)
          entry = .guest(e)
        }
        let index = UInt32.random(in: 0..<8, using: &random)
        reference.write(entry, device: device, index: index)
        let words = entry.words
        let isWritten = core.write(
          low: words.low, high: words.high, device: device, index: index)
        #expect(isWritten)
      case 2:
        reference.invalidate(device: device)
        core.invalidate(device: device)
      case 3:
        let vcpu = UInt32.random(in: 0..<3, using: &random)
        let destination: UInt32? =
          Bool.random(using: &random) ? .random(in: 0...UInt32.max, using: &random) : nil
        let expected = reference.setRunning(tag: vcpu, on: destination)
        let found = core.setRunning(tag: vcpu, on: destination)
        #expect(found == expected, "seed \(seed), step \(step)")
      case 4:
        var drained: [UInt64] = []
        core.drainLog { drained.append($0) }
        let expected = reference.drainLog().map(\.word)
        #expect(drained == expected, "seed \(seed), step \(step)")
      case 5:
        let vcpu = UInt32.random(in: 0..<3, using: &random)
        let vector = UInt8.random(in: 0...3, using: &random)
        let expected = reference.acknowledge(
          backingPage: AMDCore.backingPage(vcpu), vector: vector)
        let found = core.acknowledge(vcpu: vcpu, vector: vector)
        #expect(found == expected, "seed \(seed), step \(step)")
      default:
        var data = UInt32.random(in: 0..<10, using: &random)
        if Int.random(in: 0..<20, using: &random) == 0 { data = 600 }
        let message = X86Message(address: 0xFEE0_0000, data: data)
        let expected = translated(reference.request(message, device: device))
        let found = core.request(data: data, device: device)
        #expect(found == expected, "seed \(seed), step \(step), device \(device), data \(data)")
      }
    }
    #expect(core.logOverflows == reference.logOverflows && core.logOverflows > 0)
  }
}
