import EventModel
import Glibc

/// Frames between the threads that decode them and the one that takes them.
///
/// Frame n has slot n mod `slotCount`. One worker at a time reads: it waits until the slot of the
/// next frame is free, reads the stored bytes into it, and lets the next worker read. Then it decodes,
/// alone with its slot, and marks it ready. The taker waits for the slots in order, and marks each
/// free when it is done. So the order is that of the file, and memory that of the slots.
@safe
final class DecodePipeline: @unchecked Sendable {
  // Safety of `@unchecked Sendable`: `reader`, `nextFrame` and `isAtEnd` belong to the holder of
  // `input`; `states` and `isCancelled` to the holder of `slots`; a slot to one thread, by its state.

  private enum State { case free, working, ready }

  /// A frame on its way.
  struct Slot: ~Copyable {
    enum Content {
      case events, other
      case end(TraceTotals?)
      case error(TraceError)
    }
    var content = Content.other
    var stored = RawBuffer()
    var decoder = FrameDecoder()
    let opener = FrameOpener()
    /// Decoded records.
    var records = RawBuffer()
    var count = 0
    var header: FrameHeader?
    var offset: UInt64 = 0
  }

  let slotCount: Int
  private let slotMemory: UnsafeMutablePointer<Slot>
  private var states: [State]
  private let path: String
  private let input = Monitor()
  private let slots = Monitor()
  var reader: TraceReader
  private var nextFrame = 0
  private var isAtEnd = false
  private var isCancelled = false

  init(_ reader: consuming TraceReader, slotCount: Int) {
    path = reader.path
    states = Array(repeating: .free, count: slotCount)
    self.reader = reader
    self.slotCount = slotCount
    // Safety: every slot is initialised here and deinitialised in deinit.
    unsafe slotMemory = .allocate(capacity: slotCount)
    for index in 0..<slotCount { unsafe (slotMemory + index).initialize(to: Slot()) }
  }

  deinit {
    unsafe slotMemory.deinitialize(count: slotCount)
    unsafe slotMemory.deallocate()
  }

  // Safety: an index below `slotCount`.
  private func slot(_ frame: Int) -> UnsafeMutablePointer<Slot> {
    unsafe slotMemory + frame % slotCount
  }

  // MARK: Workers

  /// The life of one worker: until the end of the trace, an error or `cancel`.
  func work() {
    while let frame = readNext() {
      // Safety: the slot is this thread's until it is marked ready.
      unsafe decode(&slot(frame).pointee)
      slots.lock()
      states[frame % slotCount] = .ready
      slots.wakeAll()
      slots.unlock()
    }
  }

  /// Reads the stored bytes of the next frame into its slot. Nil if there is nothing more to do.
  private func readNext() -> Int? {
    input.lock()
    defer { input.unlock() }
    guard !isAtEnd, claim(nextFrame) else { return nil }
    defer { nextFrame += 1 }
    // Safety: claimed, so this thread's.
    let slot = unsafe slot(nextFrame)
    do throws(TraceError) {
      guard let piece = try reader.nextFrame() else {
        isAtEnd = true
        unsafe slot.pointee.content = .end(reader.totals)
        return nextFrame
      }
      unsafe swap(&reader.frames.stored, &slot.pointee.stored)
      unsafe slot.pointee.header = piece.header
      unsafe slot.pointee.offset = piece.offset
      unsafe slot.pointee.content = piece.header.kind == .events ? .events : .other
    } catch {
      isAtEnd = true
      unsafe slot.pointee.content = .error(error)
    }
    return nextFrame
  }

  /// Waits until a slot is free and takes it. False after `cancel`.
  private func claim(_ frame: Int) -> Bool {
    slots.lock()
    defer { slots.unlock() }
    while !isCancelled && states[frame % slotCount] != .free { slots.wait() }
    if isCancelled { return false }
    states[frame % slotCount] = .working
    return true
  }

  private func decode(_ slot: inout Slot) {
    slot.count = 0
    guard let header = slot.header else { return }
    do throws(TraceError) {
      switch slot.content {
      case .events:
        try slot.opener.open(header, slot.stored, with: &slot.decoder)
        let size = Int(header.count) * MemoryLayout<TraceEvent>.stride
        slot.records.reserve(size)
        // Safety: room for as many records as the header counts.
        slot.count = unsafe slot.decoder.decode(
          into: UnsafeMutableBufferPointer(
            start: slot.records.base.bindMemory(to: TraceEvent.self, capacity: Int(header.count)),
            count: Int(header.count)))
      case .other: try slot.opener.decompress(header, slot.stored, into: &slot.decoder.plain)
      case .end, .error: break
      }
    } catch {
      slot.content = .error(error.at(path: path, frame: header.number, byteOffset: slot.offset))
    }
  }

  // MARK: The taker

  /// Waits for a frame and gives its slot, which is the taker's until `release`.
  @unsafe func take(_ frame: Int) -> UnsafeMutablePointer<Slot> {
    slots.lock()
    while states[frame % slotCount] != .ready { slots.wait() }
    slots.unlock()
    // Safety: ready, so the taker's.
    return unsafe slot(frame)
  }

  func release(_ frame: Int) {
    slots.lock()
    states[frame % slotCount] = .free
    slots.wakeAll()
    slots.unlock()
  }

  /// Lets every worker end after the frame that it is at.
  func cancel() {
    slots.lock()
    isCancelled = true
    slots.wakeAll()
    slots.unlock()
  }

  /// Goes back to the start for new workers. The old ones are gone, so everything is the caller's.
  func rewind() throws(TraceError) {
    try reader.rewind()
    states = Array(repeating: .free, count: slotCount)
    nextFrame = 0
    isAtEnd = false
    isCancelled = false
  }
}
