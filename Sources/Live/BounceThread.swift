import CLive
import CPlatform
import Glibc
import Measurement
import Replay
import Synchronization

/// The user-space half of `bounce`: sleeps on an eventfd, and injects an MSI for each wake-up.
final class BounceThread: Sendable {
  /// The third allowed CPU. Where there are but two, that of the device, which then gives it away while
  /// it waits: a device of hardware would take none. Never that of the vCPU, which it would preempt.
  static var cpuIndex: Int { sharesDeviceCPU ? 0 : 2 }
  static var sharesDeviceCPU: Bool { ThreadPlacement.allowedCPUs.count < 3 }

  private let eventfd: Int32
  private let worker: WorkerThread
  private let isStopping: Flag
  private let failure: Failure

  private final class Flag: Sendable {
    let value = Atomic<Bool>(false)
  }
  private final class Failure: Sendable {
    let first = Mutex<LiveError?>(nil)
  }

  init(vm: Int32, eventfd: Int32, message: RoutingTable.Message) throws(LiveError) {
    self.eventfd = eventfd
    let (isStopping, failure) = (Flag(), Failure())
    self.isStopping = isStopping
    self.failure = failure
    do {
      worker = try WorkerThread("bounce", onCPU: Self.cpuIndex) {
        do throws(LiveError) {
          try Self.bounce(vm, eventfd, message) { isStopping.value.load(ordering: .acquiring) }
        } catch {
          failure.first.withLock { $0 = error }
        }
      }
    } catch {
      throw .system(call: "pthread_create", code: error.code)
    }
  }

  private static func bounce(
    _ vm: Int32, _ eventfd: Int32, _ message: RoutingTable.Message, _ isStopping: () -> Bool
  ) throws(LiveError) {
    var request = kvm_msi()
    request.address_lo = UInt32(truncatingIfNeeded: message.address)
    request.address_hi = UInt32(message.address >> 32)
    request.data = message.data
    if let deviceID = message.deviceID {
      request.flags = UInt32(KVM_MSI_VALID_DEVID)
      request.devid = deviceID
    }
    while true {
      var count: UInt64 = 0
      // Safety: the pointer is valid for the call.
      let error = unsafe CPlatform_eventfdWait(eventfd, &count)
      if isStopping() { return }
      guard error == 0 else { throw .system(call: "read of an eventfd", code: error) }
      let result = try checked("KVM_SIGNAL_MSI", CLive_signalMSI(vm, request))
      // 0: nobody took it (api.rst, 4.71).
      guard result > 0 else { throw .system(call: "KVM_SIGNAL_MSI", code: ENODEV) }
    }
  }

  /// Ends it and waits.
  func stop() throws(LiveError) {
    isStopping.value.store(true, ordering: .releasing)
    // It cannot fail: the descriptor is open, and the counter is far from its limit.
    _ = CPlatform_eventfdSignal(eventfd)
    worker.join()
    if let failure = failure.first.withLock({ $0 }) { throw failure }
  }
}
