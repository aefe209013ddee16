/// What a source did, told so that another can do it again: when since the last time, and what, with memory
/// named by how long ago it was used.
struct SampledEvent: Sendable {
  enum Action: UInt8, Sendable {
    case access, faultyAccess, unmap
    case message, faultyMessage
    /// The affinity of a vector.
    case move
    case load, put, block
  }

  var gapNanoseconds: UInt64
  /// access, unmap: which leaf. A page: its distance in the order of last use, `.max` if it was not used
  /// before. A larger leaf: its number, since the pages in it are what is used again.
  var leaf: UInt32 = 0
  /// access: in the leaf. message: nanoseconds until it was acknowledged, 0 if that is not known.
  var offset: UInt32 = 0
  /// access: bytes. message: nanoseconds from the acknowledge to the end of the interrupt.
  var sizeBytes: UInt32 = 0
  /// message, move: the vector's number in its device.
  var vector: UInt16 = 0
  /// access, unmap: which pool of leaves.
  var pool: UInt8 = 0
  /// access: `EventFlags` that tell the direction.
  var flags: UInt8 = 0
  var action: Action
}

/// One device, or one vCPU, of a recording.
struct SampledSource: Sendable {
  /// nil: a vCPU.
  var streamID: UInt32?
  /// Runs of events as they were recorded. All of them, or every 2ⁿth of a long recording.
  var blocks: [[SampledEvent]] = []
  /// Events of the recording, kept or not.
  var eventCount: UInt64 = 0
  /// Of the time in which the recording was busy: all its gaps, and the rest.
  var activeNanoseconds: UInt64 = 0
  var idleNanoseconds: UInt64 = 0
  /// Vectors that were used, in the order of their first use, by the number of the vCPU that took them.
  var targets: [Int] = []
  var pools: [Pool] = []
  var hasFaultyMessages = false

  struct Pool: Sendable {
    var log2Bytes: UInt32
    var level: UInt32
    var leaves: Int = 0
    var isOfPages: Bool { log2Bytes == 12 }
  }
}
