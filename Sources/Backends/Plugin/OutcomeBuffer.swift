import EventModel
import Glibc

/// Room for the answers to a batch, ending at a page that cannot be touched: a plug-in that writes one
/// answer too many is stopped there, and not found out later by what it destroyed.
@safe
struct OutcomeBuffer: ~Copyable {
  private let mapped: UnsafeMutableRawPointer
  private let byteCount: Int
  private let end: UnsafeMutablePointer<Outcome>
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    let page = sysconf(Int32(_SC_PAGESIZE))
    let used = (capacity * MemoryLayout<Outcome>.stride + page - 1) / page * page
    byteCount = used + page
    // Safety: the mapping is this value's alone, and given back by `deinit` only; its last page is closed
    // and what is before it is zero.
    let memory = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED,
      unsafe mprotect(memory + used, page, PROT_NONE) == 0
    else { preconditionFailure("no memory for the answers of a batch") }
    unsafe mapped = memory
    unsafe end = (memory + used).assumingMemoryBound(to: Outcome.self)
  }

  deinit { unsafe munmap(mapped, byteCount) }

  /// The last `count` places.
  @inline(__always)
  func last(_ count: Int) -> UnsafeMutablePointer<Outcome> {
    precondition(count <= capacity)
    // Safety: within the mapping.
    return unsafe end - count
  }
}
