import EventModel

/// What goes on in a scenario after the set-up.
struct ScenarioTraffic {
  private let load: Load
  private let shape: SyntheticGuest.Shape
  private var random: RandomStream
  private let gap: ExponentialGap
  private var nextRequest: UInt64 = 0
  private var requests = 0
  private var errors = 0
  private var rebound = 0
  /// Where each device is in its ring of descriptors, 64 bytes each.
  private var descriptors: [UInt64]
  private var moves: Pace
  private var moved = 0
  private var slices: CPUSlices?

  private static let descriptorBytes: UInt64 = 64
  /// Of a ring of descriptors, in the first pages of a device.
  private static let ringBytes: UInt64 = 16 << 12

  init(_ load: Load, _ shape: SyntheticGuest.Shape, gapNanoseconds: UInt64, seed: UInt64) {
    self.load = load
    self.shape = shape
    random = RandomStream(seed: seed)
    gap = ExponentialGap(meanNanoseconds: gapNanoseconds)
    descriptors = Array(repeating: 0, count: shape.devices)
    let vectors = UInt64(shape.devices * shape.vectorsPerDevice)
    moves = Pace(
      everyNanoseconds: load.moveNanoseconds == 0 ? 0 : max(1, load.moveNanoseconds / vectors))
    if load.vcpusPerCPU > 1 {
      slices = CPUSlices(vcpus: shape.vcpus, vcpusPerCPU: load.vcpusPerCPU)
    }
  }

  /// Traffic begins after `time`.
  mutating func start(_ time: UInt64) {
    nextRequest = time + gap.next(&random)
    moves.start(time)
    slices?.start(time)
  }

  /// The next thing that happens.
  mutating func next(_ guest: inout SyntheticGuest) {
    let slice = slices?.nextTime ?? .max
    if slice <= min(nextRequest, moves.nextTime) {
      guest.advance(to: slice)
      slices?.turn(&guest)
    } else if moves.nextTime <= nextRequest {
      guest.advance(to: moves.nextTime)
      moves.tick()
      moveOne(&guest)
    } else {
      guest.advance(to: nextRequest)
      request(&guest)
      nextRequest += gap.next(&random)
    }
  }

  private mutating func moveOne(_ guest: inout SyntheticGuest) {
    let (device, vector) = (
      moved / shape.vectorsPerDevice % shape.devices, moved % shape.vectorsPerDevice
    )
    moved += 1
    let vcpu = Int(guest.target(device, vector).number)
    guest.move(device, vector, to: (vcpu + 1) % shape.vcpus)
  }

  private mutating func request(_ guest: inout SyntheticGuest) {
    requests += 1
    if load.requestsPerRebind > 0, requests % load.requestsPerRebind == 0 {
      let device = rebound % shape.devices
      rebound += 1
      guest.unbind(device)
      guest.unmapAll(device)
      guest.bind(device)
    }
    if load.requestsPerError > 0, requests % load.requestsPerError == 0 {
      goWrong(&guest)
      return
    }
    let device = random.below(shape.devices)
    access(device, &guest)
    let vector = random.below(shape.vectorsPerDevice)
    for message in 0..<load.messages {
      if message > 0 { guest.advance(to: guest.time + 25) }
      // A handler takes a few microseconds; a message is noticed after one to three.
      guest.interrupt(
        device, vector, latency: 1_000 + UInt64(random.below(2_048)),
        handling: 1_500 + UInt64(random.below(4_096)))
    }
  }

  /// A descriptor, then data: in one page after another, or anywhere.
  private mutating func access(_ device: Int, _ guest: inout SyntheticGuest) {
    let ringPages = Int(Self.ringBytes >> 12)
    var page = ringPages + random.below(load.pages - ringPages)
    for index in 0..<load.accesses {
      if load.isScattered || index % 8 == 0 && index > 0 {
        page = ringPages + random.below(load.pages - ringPages)
      }
      if index == 0 {
        let offset = descriptors[device]
        descriptors[device] = (offset + Self.descriptorBytes) % Self.ringBytes
        guest.access(
          device, pool: 0, leaf: Int(offset >> 12), offset: offset & 0xFFF,
          sizeBytes: UInt32(Self.descriptorBytes), flags: .read)
      } else {
        guest.access(
          device, pool: 0, leaf: page, offset: UInt64(index % 8) * 512, sizeBytes: 512,
          flags: .write)
      }
      guest.advance(to: guest.time + 40)
    }
  }

  private mutating func goWrong(_ guest: inout SyntheticGuest) {
    let device = errors % shape.devices
    let faults = SyntheticGuest.Fault.allCases
    let choice = errors % (faults.count + 2)
    errors += 1
    if choice < faults.count {
      guest.interrupt(device, fault: faults[choice])
    } else if choice == faults.count {
      guest.interruptFromUnmappedDevice(shape.devices)
    } else {
      guest.accessNowhere(device)
    }
  }
}

/// Something that happens again and again.
struct Pace {
  private let everyNanoseconds: UInt64
  private(set) var nextTime: UInt64 = .max

  /// - Parameter everyNanoseconds: 0 for never.
  init(everyNanoseconds: UInt64) { self.everyNanoseconds = everyNanoseconds }

  mutating func start(_ time: UInt64) {
    if everyNanoseconds > 0 { nextTime = time + everyNanoseconds }
  }
  mutating func tick() { nextTime += everyNanoseconds }
}
