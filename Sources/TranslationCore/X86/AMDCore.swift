/// The fast AMD interrupt remapper: one flat table per device, 128-bit entries, guest mode with vAPIC
/// request bits, the GA log as a ring. Proved equal to `ReferenceModel.AMDUnit`.
///
/// One thread translates, writes entries and acknowledges. Nothing allocates after `init`.
@safe
package struct AMDCore: ~Copyable {
  /// Device slots: index by DeviceID → slot + 1, 0 if none.
  @usableFromInline let slots: UnsafeMutablePointer<UInt16>
  /// Entries as software stored them, and as the unit last read them.
  @usableFromInline let stored: UnsafeMutablePointer<UInt64>
  @usableFromInline let cached: UnsafeMutablePointer<UInt64>
  @usableFromInline let requestsPending: UnsafeMutablePointer<UInt64>
  @usableFromInline let log: UnsafeMutablePointer<UInt64>
  @usableFromInline let deviceCapacity: Int
  @usableFromInline let vcpuCount: UInt32
  @usableFromInline let logCapacity: Int
  private var deviceCount = 0

  @usableFromInline package internal(set) var logCount = 0
  @usableFromInline package internal(set) var logOverflows: UInt64 = 0
  @usableFromInline package internal(set) var logAppends: UInt64 = 0
  @usableFromInline package internal(set) var entryReads: UInt64 = 0
  package private(set) var entryWrites: UInt64 = 0
  package private(set) var invalidations: UInt64 = 0

  /// Entries of a device's table: IntTabLen 9, as Linux writes it.
  @inlinable package static var entriesPerDevice: Int { 512 }
  /// In a cached low word: "not read yet". Bits 5:3 of a guest entry are reserved, so it is no entry.
  @usableFromInline static var notCached: UInt64 { 0x38 }

  @frozen
  package enum Drop: UInt8, Sendable {
    case targetAbort, indexOutOfRange, entryDisabled, reservedInterruptType
  }

  /// - Parameters:
  ///   - deviceCapacity: devices that may have a table; 16 KiB each.
  ///   - vcpuCount: vAPIC backing pages, at 4 KiB × (number + 1).
  package init(deviceCapacity: Int = 64, vcpuCount: UInt32 = 64, logCapacity: Int = 512) {
    precondition((1...4096).contains(deviceCapacity) && (1...65_536).contains(vcpuCount))
    precondition((2...65_536).contains(logCapacity))
    self.deviceCapacity = deviceCapacity
    self.vcpuCount = vcpuCount
    self.logCapacity = logCapacity
    let words = deviceCapacity * Self.entriesPerDevice * 2
    // Safety: sizes as used below, initialised before use, released once in `deinit`.
    unsafe slots = .allocate(capacity: 65_536)
    unsafe slots.initialize(repeating: 0, count: 65_536)
    unsafe stored = .allocate(capacity: words)
    unsafe stored.initialize(repeating: 0, count: words)
    unsafe cached = .allocate(capacity: words)
    unsafe cached.initialize(repeating: Self.notCached, count: words)
    unsafe requestsPending = .allocate(capacity: Int(vcpuCount) * 4)
    unsafe requestsPending.initialize(repeating: 0, count: Int(vcpuCount) * 4)
    unsafe log = .allocate(capacity: logCapacity)
    unsafe log.initialize(repeating: 0, count: logCapacity)
  }

  deinit {
    // Safety: allocated in `init`, never handed out.
    unsafe slots.deallocate()
    unsafe stored.deallocate()
    unsafe cached.deallocate()
    unsafe requestsPending.deallocate()
    unsafe log.deallocate()
  }

  @inlinable package static func backingPage(_ vcpu: UInt32) -> UInt64 {
    (UInt64(vcpu) &+ 1) &<< 12
  }

  /// Gives the device a table (IV = 1, IntCtl = 2). False if no slot is free.
  package mutating func enable(device: UInt16) -> Bool {
    // Safety: 65,536 slots.
    guard unsafe slots[Int(device)] == 0 else { return true }
    guard deviceCount < deviceCapacity else { return false }
    deviceCount += 1
    unsafe slots[Int(device)] = UInt16(deviceCount)
    return true
  }

  /// Stores an entry; the unit keeps what it had read until `invalidate`. False if there is no table.
  package mutating func write(low: UInt64, high: UInt64, device: UInt16, index: UInt32) -> Bool {
    guard let base = base(of: device), index < UInt32(Self.entriesPerDevice) else { return false }
    let word = base + Int(index) * 2
    // Safety: base is a device's first word, index is within its table.
    unsafe stored[word] = low
    unsafe stored[word + 1] = high
    entryWrites += 1
    return true
  }

  /// INVALIDATE_INTERRUPT_TABLE.
  package mutating func invalidate(device: UInt16) {
    invalidations += 1
    guard let base = base(of: device) else { return }
    // Safety: a device's words are entriesPerDevice × 2 from its base.
    unsafe (cached + base).update(repeating: Self.notCached, count: Self.entriesPerDevice * 2)
  }

  private func base(of device: UInt16) -> Int? {
    // Safety: 65,536 slots.
    let slot = Int(unsafe slots[Int(device)])
    return slot == 0 ? nil : (slot - 1) * Self.entriesPerDevice * 2
  }

  @inlinable
  static func drop(_ reason: Drop) -> X86Translation {
    X86Translation(kind: .dropped, code: 0x30 + reason.rawValue)
  }

  /// One interrupt request: index = data[10:0].
  @inlinable
  package mutating func request(data: UInt32, device: UInt16) -> X86Translation {
    // Safety: 65,536 slots; a slot number is at most deviceCapacity.
    let slot = Int(unsafe slots[Int(device)])
    guard slot != 0 else { return Self.drop(.targetAbort) }
    let index = Int(data & 0x7FF)
    guard index < Self.entriesPerDevice else { return Self.drop(.indexOutOfRange) }
    let word = ((slot &- 1) &* Self.entriesPerDevice &+ index) &* 2
    // Safety: slot and index were checked, so word + 1 lies in both tables.
    if unsafe cached[word] == Self.notCached {
      entryReads &+= 1
      let low = unsafe stored[word]
      guard low & 1 == 1 else { return Self.drop(.entryDisabled) }
      unsafe cached[word] = low
      unsafe cached[word &+ 1] = stored[word &+ 1]
    }
    let low = unsafe cached[word]
    let high = unsafe cached[word &+ 1]
    let vector = UInt8(truncatingIfNeeded: high)
    let destination =
      UInt32(truncatingIfNeeded: low &>> 8) & 0xFF_FFFF
      | UInt32(truncatingIfNeeded: high &>> 56) &<< 24
    if low & 0x80 == 0 {
      let type = low &>> 2 & 7
      if type == 5 || type == 7 { return Self.drop(.reservedInterruptType) }
      return X86Translation(kind: .interrupt, vector: vector, destination: destination)
    }
    let vcpu = (high & 0x000F_FFFF_FFFF_F000) &>> 12 &- 1
    // A backing page outside the vCPUs is memory that the unit cannot write: a target abort.
    guard vcpu < UInt64(vcpuCount) else { return Self.drop(.targetAbort) }
    let bit = UInt64(1) &<< UInt64(vector & 63)
    let pending = Int(vcpu) &* 4 &+ Int(vector &>> 6)
    // Safety: vcpu was checked, vector / 64 is 0…3.
    let old = unsafe requestsPending[pending]
    unsafe requestsPending[pending] = old | bit
    let isRunning = low & 0x40 != 0
    if !isRunning && low & 4 != 0 { append(tag: UInt32(truncatingIfNeeded: low &>> 32), device) }
    return X86Translation(
      kind: .posted, vector: vector, coalesced: old & bit != 0, notified: isRunning,
      destination: UInt32(truncatingIfNeeded: low &>> 32))
  }

  @inlinable
  mutating func append(tag: UInt32, _ device: UInt16) {
    guard logCount < logCapacity &- 1 else {
      logOverflows &+= 1
      return
    }
    // Safety: logCount is below logCapacity.
    unsafe log[logCount] = UInt64(tag) | UInt64(device) &<< 32 | 1 &<< 60
    logCount &+= 1
    logAppends &+= 1
  }

  /// Calls `body` with each log entry in order and empties the log.
  package mutating func drainLog(_ body: (UInt64) -> Void) {
    for entry in 0..<logCount {
      // Safety: below logCount.
      body(unsafe log[entry])
    }
    logCount = 0
  }

  /// Software sets `vector` in the backing page (Linux, arch/x86/kvm/svm/avic.c). True if it was set
  /// already.
  @inlinable
  package mutating func postBySoftware(vcpu: UInt32, vector: UInt8) -> Bool {
    precondition(vcpu < vcpuCount)
    let bit = UInt64(1) &<< UInt64(vector & 63)
    let pending = Int(vcpu) &* 4 &+ Int(vector &>> 6)
    // Safety: vcpu was checked, vector / 64 is 0…3.
    let old = unsafe requestsPending[pending]
    unsafe requestsPending[pending] = old | bit
    return old & bit != 0
  }

  /// The guest takes `vector`; false if it was not requested.
  @inlinable
  package mutating func acknowledge(vcpu: UInt32, vector: UInt8) -> Bool {
    guard vcpu < vcpuCount else { return false }
    let bit = UInt64(1) << UInt64(vector & 63)
    let pending = Int(vcpu) * 4 + Int(vector >> 6)
    // Safety: checked above.
    let old = unsafe requestsPending[pending]
    unsafe requestsPending[pending] = old & ~bit
    return old & bit != 0
  }

  /// vCPU load (a destination) or put (nil): rewrites every guest entry with this tag and drops it from
  /// the cache. O(entries of all devices), as the list walk that it stands for is O(vectors); returns
  /// the number written.
  package mutating func setRunning(tag: UInt32, on destination: UInt32?) -> Int {
    var written = 0
    for word in stride(from: 0, to: deviceCount * Self.entriesPerDevice * 2, by: 2) {
      // Safety: below the words of the devices in use.
      var low = unsafe stored[word]
      guard low & 0x80 != 0, UInt32(truncatingIfNeeded: low >> 32) == tag else { continue }
      var high = unsafe stored[word + 1]
      low &= ~0x40
      if let destination {
        low = low & ~0xFFFF_FF00 | 0x40 | UInt64(destination & 0xFF_FFFF) << 8
        high = high & 0x00FF_FFFF_FFFF_FFFF | UInt64(destination >> 24) << 56
      }
      unsafe stored[word] = low
      unsafe stored[word + 1] = high
      unsafe cached[word] = Self.notCached
      written += 1
    }
    entryWrites += UInt64(written)
    return written
  }
}
