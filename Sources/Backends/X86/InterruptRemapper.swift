import EventModel
import TranslationCore

/// What a vCPU does, as far as interrupt hardware has to know.
enum VCPUState: Hashable {
  case running(on: UInt32)
  /// Off its CPU, but wants to run: nobody needs to be told about interrupts.
  case preempted
  /// Waits for an interrupt: the host wants to be told.
  case blocked
}

/// One vendor's interrupt remapping unit with its pending state, as a host programs and a device uses it.
///
/// Entries are named by (requester ID, index). Every change of a live entry is followed by a
/// synchronous invalidation, as Linux does it. Vectors are the guest's, destinations vCPU numbers.
protocol InterruptRemapper: ~Copyable, SendableMetatype {
  init()

  /// A free entry for the host to hand out; nil when there is none.
  mutating func allocate(requester: UInt16) -> UInt32?
  /// A given entry, where the table is the device's own; false where there is no such entry.
  mutating func claim(requester: UInt16, index: UInt32) -> Bool

  /// Remapped format: the host's interrupt, by `HostInterrupt` number.
  mutating func routeToHost(requester: UInt16, index: UInt32, interrupt: UInt32)
  /// Posted format, guest mode.
  mutating func routeToGuest(requester: UInt16, index: UInt32, vcpu: UInt32, vector: UInt8)
  /// The entry is present no more.
  mutating func remove(requester: UInt16, index: UInt32)

  /// The device's write in the format in which the host composes messages for this entry.
  mutating func request(requester: UInt16, index: UInt32) -> X86Translation

  /// Software makes a vector pending; true if it was.
  mutating func post(vcpu: UInt32, vector: UInt8) -> Bool
  /// The guest takes a vector; true if it was pending.
  mutating func acknowledge(vcpu: UInt32, vector: UInt8) -> Bool

  mutating func setState(vcpu: UInt32, _ state: VCPUState)
  /// Wake-ups that the last requests asked for: since the last call.
  mutating func takeWakeUps() -> UInt64

  func addCounters(to work: inout WorkCounters)
}

/// The host's own interrupts: vectors 0x30…0xEE of each CPU in turn, as one number.
enum HostInterrupt {
  static let firstVector: UInt32 = 0x30
  static let vectorsPerCPU: UInt32 = 0xEF - 0x30
  /// CPUs that may take device interrupts: 8 bits of destination, so that both xAPIC and x2APIC do.
  static let limit = vectorsPerCPU * 255

  static func vector(_ interrupt: UInt32) -> UInt8 {
    UInt8(firstVector + interrupt % vectorsPerCPU)
  }
  static func destination(_ interrupt: UInt32) -> UInt32 { interrupt / vectorsPerCPU }

  /// The number that a remapped request stands for.
  @inline(__always)
  static func number(vector: UInt8, destination: UInt32) -> UInt32 {
    destination &* vectorsPerCPU &+ UInt32(vector) &- firstVector
  }
}

/// Sizes that both vendors' units share.
enum X86Layout {
  /// vCPUs of one machine, nested ones included.
  static let vcpuLimit: UInt32 = 256
  /// Devices with a table of their own (AMD).
  static let deviceLimit = 256
  /// The doorbell of every message.
  static let doorbell: UInt64 = 0xFEE0_0000
}
