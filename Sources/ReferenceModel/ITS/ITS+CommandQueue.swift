package import EventModel

// The command queue (IHI 0069, §5.2.5): a ring of 32-byte slots in memory. Software fills slots and
// moves GITS_CWRITER; the ITS executes from GITS_CREADR up to it.
//
//                 CREADR                 CWRITER
//                   ↓                       ↓
//     ┌────┬────┬────┬────┬────┬────┬────┬────┬────┐   empty: CREADR == CWRITER
//     │    │    │ c0 │ c1 │ c2 │ c3 │ c4 │    │    │   full:  CWRITER + 1 == CREADR (mod N)
//     └────┴────┴────┴────┴────┴────┴────┴────┴────┘
//
// A command that fails either stalls the queue (CREADR.Stalled, CREADR still points at it, software
// repairs the slot and writes CWRITER.Retry) or is skipped. The architecture allows both: `Policy`.

extension ITS {
  mutating func writeQueueTail(_ value: UInt64) {
    let offset = value & .field(~0 as UInt64, 19, 5)
    guard offset < registers.queueSizeBytes else { return }
    registers.writeOffset = offset
    if value.bit(0) { registers.stalled = false }
    processQueue()
  }

  /// Executes what is in the queue. Ends: each turn takes one slot of a queue of fixed size.
  mutating func processQueue() {
    while registers.enabled, registers.queueIsValid, !registers.stalled, !registers.queueIsEmpty {
      if let error = executeSlot() {
        let reaction =
          error.condition == .memoryAborted && error.opcode == 0
          ? policy.fetchFailure : policy.wrongCommand
        if reaction == .stall {
          registers.stalled = true
          return
        }
      }
      registers.readOffset =
        (registers.readOffset + ITSCommandPacket.sizeBytes) % registers.queueSizeBytes
    }
  }

  private mutating func executeSlot() -> ITSError? {
    let address = registers.queueAddress + registers.readOffset
    guard memory.isAccessible(address, sizeBytes: ITSCommandPacket.sizeBytes) else {
      return count(ITSError(.memoryAborted, 0))
    }
    return execute(
      ITSCommandPacket(
        memory.load(at: address), memory.load(at: address + 8), memory.load(at: address + 16),
        memory.load(at: address + 24)))
  }

  /// Executes a command as its 32 bytes, wherever they come from.
  @discardableResult
  package mutating func execute(_ packet: ITSCommandPacket) -> ITSError? {
    if packet.reservedBits != ITSCommandPacket() { commandsWithReservedBits += 1 }
    do {
      return execute(try ITSCommand(packet))
    } catch {
      counters.itsCommands += 1
      return count(error)
    }
  }

  /// Puts a command into the next slot and moves CWRITER, as a driver does.
  /// - Returns: false if the queue is full; nothing was done then.
  package mutating func post(_ command: ITSCommand) -> Bool {
    guard !registers.queueIsFull else { return false }
    let slot = registers.queueAddress + registers.writeOffset
    for (index, word) in command.packet.words.enumerated() {
      memory.store(word, at: slot + UInt64(index) * 8)
    }
    let next = (registers.writeOffset + ITSCommandPacket.sizeBytes) % registers.queueSizeBytes
    write(register: Register.cwriter, value: next)
    return true
  }

  @discardableResult
  mutating func count(_ error: ITSError) -> ITSError {
    errors[error, default: 0] += 1
    return error
  }
}
