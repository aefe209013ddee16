/// The command queue in memory (IHI 0070, §3.5 and §7.1): software advances PROD, the SMMU CONS.
///
/// Both indices carry a wrap bit above the index: equal is empty, equal but for the wrap bit is
/// full. An erroneous command stops the queue with CONS at it, until software has dealt with it
/// and acknowledged the global error; then the SMMU tries from the same place.
package struct SMMUCommandQueue: Hashable, Sendable {
  package static let entrySizeBytes: UInt64 = 16

  package let base: UInt64
  package let log2Size: UInt8
  package private(set) var producer: UInt32 = 0
  package private(set) var consumer: UInt32 = 0
  /// CMDQ_CONS.ERR, while GERROR.CMDQ_ERR is active.
  package private(set) var error: SMMUCommandError?

  /// - Parameter log2Size: of the number of entries, at most 19 (IDR1.CMDQS).
  package init(base: UInt64, log2Size: UInt8) {
    precondition(log2Size <= 19, "a command queue has at most 2^19 entries")
    self.log2Size = log2Size
    let size = max(Self.entrySizeBytes << log2Size, 32)
    self.base = base & ~(size - 1)
  }

  package var isEmpty: Bool { producer == consumer }
  package var isFull: Bool { producer ^ consumer == 1 << UInt32(log2Size) }

  /// Software: stores a command and advances PROD. False if the queue is full.
  package mutating func push(_ command: SMMUCommand, into memory: inout ReferenceMemory) -> Bool {
    let (dw0, dw1) = command.dwords
    return push(dw0, dw1, into: &memory)
  }

  package mutating func push(
    _ dw0: UInt64, _ dw1: UInt64, into memory: inout ReferenceMemory
  ) -> Bool {
    guard !isFull else { return false }
    memory.store(dw0, at: slot(producer))
    memory.store(dw1, at: slot(producer) + 8)
    producer = next(producer)
    return true
  }

  /// The SMMU: executes until the queue is empty or a command is wrong.
  package mutating func drain(into smmu: inout SMMU) {
    while error == nil && !isEmpty {
      do throws(SMMUCommandError) {
        guard let dwords = smmu.load(slot(consumer), count: 2) else { throw .abort }
        try smmu.command(dwords[0], dwords[1])
        consumer = next(consumer)
      } catch {
        self.error = error
      }
    }
  }

  /// Software toggled GERRORN.CMDQ_ERR: the SMMU resumes at the command that CONS names.
  package mutating func acknowledgeError() { error = nil }

  private func slot(_ pointer: UInt32) -> UInt64 {
    base + UInt64(pointer & ((1 << UInt32(log2Size)) - 1)) * Self.entrySizeBytes
  }

  private func next(_ pointer: UInt32) -> UInt32 {
    (pointer + 1) & ((2 << UInt32(log2Size)) - 1)
  }
}
