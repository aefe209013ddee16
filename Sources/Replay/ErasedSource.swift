package import EventModel

/// A source behind two closures, so that code that is specialised for a backend need not be for a source
/// as well. Called once per batch.
@safe
package struct ErasedSource: EventSource, Sendable, ~Copyable {
  private let fillBody: @Sendable (UnsafeMutableBufferPointer<TraceEvent>) throws -> Int
  private let rewindBody: @Sendable () throws -> Void

  package init<Base: EventSource & Sendable & ~Copyable>(_ base: consuming Base)
  where Base: SendableMetatype {
    let box = Box(base)
    unsafe fillBody = { buffer in unsafe try box.base.fill(buffer) }
    rewindBody = { try box.base.rewind() }
  }

  package mutating func fill(_ buffer: UnsafeMutableBufferPointer<TraceEvent>) throws -> Int {
    // Safety: the buffer is the caller's for the time of the call.
    unsafe try fillBody(buffer)
  }

  package mutating func rewind() throws { try rewindBody() }

  /// `@unchecked Sendable`: the one `ErasedSource` that holds it cannot be copied, so one thread at a
  /// time calls into it.
  private final class Box<Base: EventSource & Sendable & ~Copyable>: @unchecked Sendable {
    var base: Base
    init(_ base: consuming Base) { self.base = base }
  }
}
