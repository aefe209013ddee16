import CLive
import CLivePeer
import CPlatform
import Glibc
import Synchronization

/// Stores to a page that mprotect(2) protects and a handler of SIGSEGV opens. Signals belong to the whole
/// process: one block at a time.
enum SignalTrap {
  /// Bytes of a page; the page's address and size while a block runs, for the handler.
  private static let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
  private static let page = Atomic<UInt>(0)
  private static let turn = Mutex<Void>(())
  // Safety: written by the block that holds the turn, before the handler can run, and read by the handler.
  nonisolated(unsafe) private static var previous = sigaction()

  static func block(of count: Int) throws(LiveError) -> [CLivePeerTrap] {
    let result: Swift.Result<[CLivePeerTrap], LiveError> = turn.withLock { _ in
      do throws(LiveError) { return .success(try measured(count)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private static func measured(_ count: Int) throws(LiveError) -> [CLivePeerTrap] {
    // Forces it before a handler may need it.
    let bytes = pageBytes
    let mapping = try Mapping(private: bytes)
    let words = unsafe mapping.start.assumingMemoryBound(to: UInt64.self)
    unsafe CLive_publish(words, 1)
    page.store(unsafe UInt(bitPattern: mapping.start), ordering: .releasing)
    defer { page.store(0, ordering: .releasing) }
    var action = sigaction()
    action.sa_flags = SA_SIGINFO
    unsafe action.__sigaction_handler.sa_sigaction = { number, information, _ in
      unsafe SignalTrap.open(number, information)
    }
    // Safety: both structures live for the call; the handler calls what is async-signal-safe on Linux.
    guard unsafe sigaction(SIGSEGV, &action, &previous) == 0 else {
      throw .system(call: "sigaction", code: errno)
    }
    defer { unsafe sigaction(SIGSEGV, &previous, nil) }
    try unsafe protect(mapping.start, bytes)
    var traps = [CLivePeerTrap](repeating: CLivePeerTrap(), count: count)
    for index in 0..<count {
      // Safety: the word lies in the page.
      let word = unsafe words + index % (bytes / 8)
      let start = CPlatform_cycles()
      unsafe CLive_publish(word, UInt64(index))
      let stored = CPlatform_cycles()
      guard unsafe CLive_observe(word) == UInt64(index) else {
        throw .system(call: "a trapped store", code: EIO)
      }
      try unsafe protect(mapping.start, bytes)
      traps[index] = CLivePeerTrap(trapped: stored &- start, closed: CPlatform_cycles() &- stored)
    }
    return traps
  }

  private static func protect(
    _ page: UnsafeMutableRawPointer, _ bytes: Int
  ) throws(LiveError) {
    // Safety: the page is this block's own.
    guard unsafe mprotect(page, bytes, PROT_READ) == 0 else {
      throw .system(call: "mprotect", code: errno)
    }
  }

  /// In the handler. A fault elsewhere is somebody's bug: the old handler gets it when the instruction runs
  /// again.
  private static func open(_ number: Int32, _ information: UnsafeMutablePointer<siginfo_t>?) {
    let page = page.load(ordering: .acquiring)
    let address = unsafe UInt(bitPattern: information?.pointee._sifields._sigfault.si_addr)
    let bytes = UInt(pageBytes)
    // Safety: the page is mapped while its address is here.
    guard page != 0, address >= page, address < page + bytes,
      unsafe mprotect(
        UnsafeMutableRawPointer(bitPattern: page), Int(bytes), PROT_READ | PROT_WRITE) == 0
    else {
      unsafe sigaction(number, &previous, nil)
      return
    }
  }
}
