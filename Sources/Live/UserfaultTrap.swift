import CLive
import CLivePeer
import CPlatform
import Glibc
import Measurement
import Replay
import Synchronization

/// Stores to a page that a userfaultfd write-protects, and a thread that opens it.
struct UserfaultTrap: ~Copyable {
  private let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))
  private let mapping: Mapping
  private let opener: Opener

  /// - Throws: what `absence` makes of a refusal, or the refusal itself.
  init(absence: (Int32) -> LiveAbsence?) throws(LiveError) {
    let opened = CLive_userfault()
    guard opened >= 0 else {
      if let absence = absence(-opened) { throw .absent(absence) }
      throw .system(call: "userfaultfd", code: -opened)
    }
    let descriptor = Descriptor(opened)
    let page = try Mapping(private: pageBytes)
    let words = unsafe page.start.assumingMemoryBound(to: UInt64.self)
    // A page that is not there is no page that is protected.
    unsafe CLive_publish(words, 1)
    let result = unsafe CLive_userfaultRegister(descriptor.number, page.start, pageBytes)
    guard result >= 0 else {
      if let absence = absence(-result) { throw .absent(absence) }
      throw .system(call: "UFFDIO_REGISTER", code: -result)
    }
    opener = Opener(descriptor, page: unsafe UInt(bitPattern: page.start), bytes: pageBytes)
    mapping = page
  }

  func block(of count: Int) throws(LiveError) -> [CLivePeerTrap] {
    let words = unsafe mapping.start.assumingMemoryBound(to: UInt64.self)
    try opener.protect()
    let worker: WorkerThread
    do {
      let opener = opener
      worker = try WorkerThread("userfault", onCPU: VCPUThread.cpuIndex) {
        ThreadPlacement.unpin()
        opener.run()
      }
    } catch {
      throw .system(call: "pthread_create", code: error.code)
    }
    defer {
      opener.stop()
      worker.join()
    }
    var traps = [CLivePeerTrap](repeating: CLivePeerTrap(), count: count)
    for index in 0..<count {
      // Safety: the word lies in the page.
      let word = unsafe words + index % (pageBytes / 8)
      let start = CPlatform_cycles()
      unsafe CLive_publish(word, UInt64(index))
      let stored = CPlatform_cycles()
      guard unsafe CLive_observe(word) == UInt64(index) else {
        throw .system(call: "a trapped store", code: EIO)
      }
      try opener.protect()
      traps[index] = CLivePeerTrap(trapped: stored &- start, closed: CPlatform_cycles() &- stored)
    }
    return traps
  }

  /// The side that takes faults. If it cannot open the page any more it closes the userfaultfd, whereupon
  /// the kernel lets the store go on, and the next `protect` fails.
  private final class Opener: Sendable {
    private let descriptor: Mutex<Descriptor?>
    private let number: Int32
    private let page: UInt
    private let bytes: Int
    private let isStopping = Atomic<Bool>(false)

    init(_ descriptor: consuming Descriptor, page: UInt, bytes: Int) {
      number = descriptor.number
      self.descriptor = Mutex(descriptor)
      self.page = page
      self.bytes = bytes
    }

    func protect() throws(LiveError) { try checked("UFFDIO_WRITEPROTECT", set(true)) }

    private func set(_ isProtected: Bool) -> Int32 {
      // Safety: the page is mapped until the thread has ended.
      guard let start = unsafe UnsafeMutableRawPointer(bitPattern: page) else { return -EINVAL }
      return unsafe CLive_userfaultProtect(number, start, bytes, isProtected ? 1 : 0)
    }

    func run() {
      var address: UInt64 = 0
      while !isStopping.load(ordering: .acquiring) {
        let result = unsafe CLive_userfaultWait(number, 20, &address)
        if result == -ETIMEDOUT || result == -EINTR { continue }
        guard result == 0, set(false) >= 0 else {
          descriptor.withLock { $0 = nil }
          return
        }
      }
    }

    func stop() { isStopping.store(true, ordering: .releasing) }
  }
}
