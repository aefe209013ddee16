import EventModel

/// Which (vCPU, vector) stands for which of the guest's interrupts, both ways.
///
/// The rule by which an Arm recording is played on x86: targets become vCPUs in the order of their first
/// use, APIC ID = vCPU number; an INTID becomes a vector of its target, the lowest free of 0x20…0xFE, in
/// the order of mapping, free again when its last event is gone. A vCPU has 223 of them, so a recording
/// that maps more INTIDs on one target does not fit; what does not fit is refused and counted.
struct GuestVectors {
  struct Place: Hashable {
    var vcpu: UInt32
    var vector: UInt8
    fileprivate var index: Int { Int(vcpu) << 8 | Int(vector) }
  }

  static let vectors: ClosedRange<UInt8> = 0x20...0xFE

  /// What a vector stands for: INTID 31:0, target 47:32, enabled 62, in use 63.
  private var interrupts: [UInt64]
  private var uses: [UInt32]
  private var places: [UInt32]
  private var vcpus: [InterruptTarget: UInt32] = [:]
  private let intidCount: UInt32
  private(set) var shortages: UInt64 = 0

  init(intidBits: UInt8) {
    intidCount = 1 << UInt32(min(max(intidBits, 14), 24))
    interrupts = Array(repeating: 0, count: Int(X86Layout.vcpuLimit) << 8)
    uses = Array(repeating: 0, count: interrupts.count)
    places = Array(repeating: 0, count: Int(intidCount) * 2)
  }

  func isLPI(_ intid: UInt32) -> Bool {
    intid >= INTID.firstLPI.rawValue && intid < intidCount
  }

  private static let enabled: UInt64 = 1 << 62
  private static let inUse: UInt64 = 1 << 63

  /// An interrupt as the guest numbers it.
  struct Interrupt {
    var intid: UInt32
    var target: InterruptTarget
    var isEnabled: Bool
  }

  @inline(__always)
  func interrupt(vcpu: UInt32, vector: UInt8) -> Interrupt {
    let word = interrupts[Int(vcpu) << 8 | Int(vector)]
    return Interrupt(
      intid: UInt32(truncatingIfNeeded: word),
      target: InterruptTarget(rawValue: UInt16(truncatingIfNeeded: word >> 32)),
      isEnabled: word & Self.enabled != 0)
  }

  private func slot(_ intid: UInt32, _ target: InterruptTarget) -> Int {
    Int(intid) + (target.isVPE ? Int(intidCount) : 0)
  }

  /// Where an INTID is; nil if it has no vector. vPEs' INTIDs are apart from PEs'.
  @inline(__always)
  func place(_ intid: UInt32, _ target: InterruptTarget) -> Place? {
    guard intid < intidCount else { return nil }
    let word = places[slot(intid, target)]
    return word == 0
      ? nil : Place(vcpu: word >> 8 & 0xFFFF, vector: UInt8(truncatingIfNeeded: word))
  }

  /// The number of a target, given on first use. Nil: no more vCPUs.
  mutating func vcpu(_ target: InterruptTarget) -> UInt32? {
    if let known = vcpus[target] { return known }
    guard vcpus.count < Int(X86Layout.vcpuLimit) else { return nil }
    vcpus[target] = UInt32(vcpus.count)
    return UInt32(vcpus.count - 1)
  }

  /// One more event leads to the interrupt: its vector, a new one if it has none on this target.
  mutating func acquire(
    _ intid: UInt32, _ target: InterruptTarget, isEnabled: Bool
  ) -> Place? {
    guard isLPI(intid), let vcpu = vcpu(target) else {
      shortages += 1
      return nil
    }
    if let place = place(intid, target), place.vcpu == vcpu {
      uses[place.index] += 1
      return place
    }
    let base = Int(vcpu) << 8
    guard let vector = Self.vectors.first(where: { interrupts[base + Int($0)] == 0 }) else {
      shortages += 1
      return nil
    }
    let place = Place(vcpu: vcpu, vector: vector)
    interrupts[place.index] =
      Self.inUse | UInt64(intid) | UInt64(target.rawValue) << 32 | (isEnabled ? Self.enabled : 0)
    uses[place.index] = 1
    places[slot(intid, target)] = 1 << 24 | vcpu << 8 | UInt32(vector)
    return place
  }

  /// One event less. Returns whether the vector is free again.
  mutating func release(_ place: Place) -> Bool {
    uses[place.index] -= 1
    guard uses[place.index] == 0 else { return false }
    let interrupt = interrupt(vcpu: place.vcpu, vector: place.vector)
    interrupts[place.index] = 0
    if self.place(interrupt.intid, interrupt.target) == place {
      places[slot(interrupt.intid, interrupt.target)] = 0
    }
    return true
  }

  mutating func setEnabled(_ intid: UInt32, _ target: InterruptTarget, _ isEnabled: Bool) {
    guard let place = place(intid, target) else { return }
    if isEnabled {
      interrupts[place.index] |= Self.enabled
    } else {
      interrupts[place.index] &= ~Self.enabled
    }
  }
}
