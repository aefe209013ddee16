import CLive
import Glibc
import Measurement
import Replay
import Synchronization

/// A thread in which the vCPU runs, and the ways to its end: by itself, by a deadline, or by a kick.
/// There is no third way: `stop` or `finish` must be called, and both wait until the thread has ended.
final class VCPUThread: Sendable {
  /// The second allowed CPU; the device has the first.
  static let cpuIndex = 1

  private let machine: GuestMachine
  private let state = State()
  private let worker: WorkerThread

  private final class State: Sendable {
    /// pthread_t of the thread, 0 until it runs.
    let thread = Atomic<UInt>(0)
    let hasEnded = Atomic<Bool>(false)
    let isStopping = Atomic<Bool>(false)
    let failure = Mutex<LiveError?>(nil)
  }

  /// Starts `body` at once. It gets a closure that says whether it is to end.
  init(
    _ machine: GuestMachine,
    body: @escaping @Sendable (GuestMachine, () -> Bool) throws(LiveError) -> Void
  ) throws(LiveError) {
    self.machine = machine
    let state = state
    do {
      worker = try WorkerThread("vCPU", onCPU: Self.cpuIndex) {
        state.thread.store(pthread_self(), ordering: .releasing)
        do throws(LiveError) {
          try checked("sigaction", CLive_acceptKick())
          try body(machine) { state.isStopping.load(ordering: .acquiring) }
        } catch {
          state.failure.withLock { $0 = error }
        }
        state.hasEnded.store(true, ordering: .releasing)
      }
    } catch {
      throw .system(call: "pthread_create", code: error.code)
    }
  }

  /// Stays in guest mode until it is stopped. Any exit is a failure: this guest has none then.
  static func running(_ machine: GuestMachine) throws(LiveError) -> VCPUThread {
    try VCPUThread(machine) { machine, isStopping throws(LiveError) in
      while !isStopping() {
        if let exit = try machine.run() { throw GuestMachine.failure(at: exit) }
      }
    }
  }

  /// Why it ended, while nobody asked it to.
  var failure: LiveError? { state.failure.withLock { $0 } }

  /// Gets it out of the guest and waits for its end. Then the vCPU can be entered again.
  /// - Returns: why the thread did not have a CPU of its own, if it had none.
  @discardableResult
  func stop() throws(LiveError) -> String? {
    state.isStopping.store(true, ordering: .releasing)
    machine.requestExit()
    // Again and again: a signal that comes before KVM_RUN is no more than the request, which it sees.
    while !state.hasEnded.load(ordering: .acquiring) {
      let thread = state.thread.load(ordering: .acquiring)
      if thread != 0 { pthread_kill(thread, SIGUSR1) }
      usleep(200)
    }
    let placement = worker.join()
    if let failure { throw failure }
    return placement
  }

  /// Waits until it ends by itself, at most so long; then stops it.
  func finish(_ part: String, withinNanoseconds limit: UInt64) throws(LiveError) {
    let clock = CycleClock.shared
    let start = clock.now()
    while !state.hasEnded.load(ordering: .acquiring) {
      if clock.nanoseconds(from: start, to: clock.now()) > limit {
        try stop()
        throw .deadline(of: part, milliseconds: limit / 1_000_000)
      }
      usleep(50)
    }
    worker.join()
    if let failure { throw failure }
  }
}
