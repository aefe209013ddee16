import EventModel

/// A named load, the same for everybody who names it.
package enum Scenario: String, CaseIterable, Sendable {
  case steady
  case manyVectors = "many-vectors"
  case affinityStorm = "affinity-storm"
  case overcommit
  case hotPlug = "hot-plug"
  case dmaPressure = "dma-pressure"
  case burst
  case errorMix = "error-mix"

  package var summary: String {
    switch self {
    case .steady: "one hot vector per device"
    case .manyVectors: "128 vectors per device, all alike (up to 2048)"
    case .affinityStorm: "every vector moves to another vCPU every ms"
    case .overcommit: "four vCPUs per CPU, which block when nothing is to do"
    case .hotPlug: "devices go and come back: DISCARD, MAPD, MAPTI, MSI-X"
    case .dmaPressure: "64 accesses over 16 MiB per device for each interrupt"
    case .burst: "256 messages back to back on one vector, which coalesce"
    case .errorMix: "every eighth goes wrong, in nine ways"
    }
  }

  var load: Load {
    var load = Load()
    switch self {
    case .steady: break
    case .manyVectors: (load.devices, load.vectors, load.vcpus) = (4, 128, 8)
    case .affinityStorm:
      (load.devices, load.vectors) = (4, 8)
      load.moveNanoseconds = 1_000_000
    case .overcommit:
      (load.devices, load.vectors, load.vcpus, load.vcpusPerCPU) = (4, 8, 16, 4)
    case .hotPlug:
      (load.devices, load.vectors, load.requestsPerRebind) = (4, 4, 64)
    case .dmaPressure:
      (load.devices, load.accesses, load.pages, load.isScattered) = (4, 64, 4_096, true)
    case .burst: (load.devices, load.messages, load.gapNanoseconds) = (4, 256, 500_000)
    case .errorMix: (load.devices, load.vectors, load.requestsPerError) = (4, 4, 8)
    }
    return load
  }
}

/// What a scenario is made of.
struct Load: Sendable {
  var devices = 8
  var vectors = 1
  var vcpus = 4
  /// Mean time between two requests to the machine.
  var gapNanoseconds: UInt64 = 20_000
  /// Of a request: DMA accesses, then messages of one vector.
  var accesses = 4
  var messages = 1
  /// Pages that a device works on.
  var pages = 64
  /// Accesses have no locality.
  var isScattered = false
  /// How often each vector moves. 0: never.
  var moveNanoseconds: UInt64 = 0
  /// 1: every vCPU has a CPU.
  var vcpusPerCPU = 1
  /// Requests between two re-binds of a driver. 0: never.
  var requestsPerRebind = 0
  /// Requests of which one goes wrong. 0: none does.
  var requestsPerError = 0
}

/// A number on its own, or as a multiple of what is there.
package struct Amount: Hashable, Sendable {
  package var value: UInt64
  /// `value` is in thousandths of what is there.
  package var isFactor: Bool

  package init(_ value: UInt64) { (self.value, isFactor) = (value, false) }
  package init(thousandths: UInt64) { (value, isFactor) = (thousandths, true) }

  func apply(to base: UInt64) -> UInt64 {
    guard isFactor else { return value }
    let (high, low) = base.multipliedFullWidth(by: value)
    return high >= 1_000 ? .max : UInt64(1_000).dividingFullWidth((high, low)).quotient
  }
}

/// What to make.
package struct SynthesisOptions: Sendable {
  package var seed: UInt64 = 1
  /// Events of the trace, set-up included.
  package var events: UInt64 = 100_000
  /// Interrupts per second of trace time.
  package var rate: Amount?
  package var devices: Amount?
  /// Per device.
  package var vectors: Amount?
  package var vcpus: Amount?
  package init() {}
}

package enum SynthesisError: Error, Hashable, CustomStringConvertible {
  case outOfRange(what: String, range: ClosedRange<UInt64>, found: UInt64)
  case tooFewEvents(asked: UInt64, device: Int, devices: Int)
  case nothingToScale(missing: String)

  package var description: String {
    switch self {
    case .outOfRange(let what, let range, let found):
      "\(what): expected \(range.lowerBound)…\(range.upperBound), found \(found)"
    case .tooFewEvents(let asked, let device, let devices):
      "\(asked) events are used up while device \(device + 1) of \(devices) is set up; "
        + "ask for more --events, or for fewer --devices or --vectors"
    case .nothingToScale(let missing):
      "the recording holds no \(missing), and there is nothing to scale; see 'doorbell info'"
    }
  }
}

extension SynthesisOptions {
  static let deviceLimit: UInt64 = 4_096
  static let vectorLimit: UInt64 = 2_048
  static let vcpuLimit: UInt64 = 256
  static let vectorTotalLimit: UInt64 = 1 << 20

  static func check(
    _ what: String, _ found: UInt64, _ range: ClosedRange<UInt64>
  ) throws(SynthesisError) -> Int {
    guard range.contains(found) else {
      throw .outOfRange(what: what, range: range, found: found)
    }
    return Int(found)
  }

  /// The shape of the machine, from what it is without options.
  func shape(
    devices: Int, vectors: Int, vcpus: Int
  ) throws(SynthesisError) -> SyntheticGuest.Shape {
    func resolve(_ amount: Amount?, _ base: Int) -> UInt64 {
      amount.map { $0.apply(to: UInt64(base)) } ?? UInt64(base)
    }
    var shape = SyntheticGuest.Shape()
    shape.devices = try Self.check(
      "devices", resolve(self.devices, devices), 1...Self.deviceLimit)
    shape.vectorsPerDevice = try Self.check(
      "vectors per device", resolve(self.vectors, vectors), 1...Self.vectorLimit)
    shape.vcpus = try Self.check("vCPUs", resolve(self.vcpus, vcpus), 1...Self.vcpuLimit)
    _ = try Self.check(
      "vectors of all devices", UInt64(shape.devices * shape.vectorsPerDevice),
      1...Self.vectorTotalLimit)
    return shape
  }
}

extension SyntheticGuest.Shape {
  /// Tables as wide as this machine needs, 16 bits at least.
  var geometry: TableGeometry {
    var geometry = TableGeometry()
    geometry.peCount = UInt16(vcpus)
    let lastINTID = UInt64(INTID.firstLPI.rawValue) + UInt64(devices * allVectorsPerDevice)
    geometry.intidBits = UInt8(max(16, 64 - lastINTID.leadingZeroBitCount))
    return geometry
  }
}

extension SyntheticGuest.Shape {
  /// What some designs have no room for. Vectors 0x20…0xFE of an x86 vCPU are free (Intel SDM 3A, §12.5.2,
  /// less the one that Linux keeps for spurious interrupts).
  var limits: [String] {
    let perVCPU = (devices * vectorsPerDevice + vcpus - 1) / vcpus
    guard perVCPU > 223 else { return [] }
    return [
      "\(perVCPU) interrupts for each vCPU are more than the 223 vectors that an x86 vCPU has, so that "
        + "only designs on Arm replay all of them; ask for more --vcpus or fewer --vectors"
    ]
  }
}
