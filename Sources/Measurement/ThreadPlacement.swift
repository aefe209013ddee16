internal import CPlatform
internal import Glibc

/// Which CPU a thread runs on, and what the process uses of the machine.
@usableFromInline package enum ThreadPlacement {
  /// CPUs that this process might use when this was first asked, in rising order. A thread that is
  /// pinned later does not change it.
  package static let allowedCPUs: [Int] = {
    var cpus = [Int32](repeating: 0, count: 8192)
    // Safety: the array has the capacity that is passed.
    let count = unsafe CPlatform_allowedCPUs(&cpus, Int32(cpus.count))
    return cpus.prefix(max(0, min(Int(count), cpus.count))).map(Int.init)
  }()

  /// Pins the calling thread to the `index`-th allowed CPU, round robin. Nil if done, else why not.
  @usableFromInline package static func pin(toAllowed index: Int) -> String? {
    guard allowedCPUs.count > 1 else { return "only \(allowedCPUs.count) CPU allowed" }
    var cpu = Int32(allowedCPUs[index % allowedCPUs.count])
    // Safety: one CPU is passed, and it is there for the call.
    return unsafe reason(CPlatform_runOnCPUs(&cpu, 1))
  }

  /// Lets the calling thread run on every allowed CPU again. Nil if done, else why not.
  @discardableResult
  @usableFromInline package static func unpin() -> String? {
    let cpus = allowedCPUs.map { Int32($0) }
    // Safety: the array holds as many CPUs as are passed.
    return unsafe reason(CPlatform_runOnCPUs(cpus, Int32(cpus.count)))
  }

  /// Resident set size of the process; 0 if the system does not tell.
  @usableFromInline package static var residentBytes: UInt64 { CPlatform_residentBytes() }

  private static func reason(_ error: Int32) -> String? {
    guard error != 0 else { return nil }
    // Safety: strerror gives a text that ends in NUL and lives until this thread asks again.
    return unsafe strerror(error).map { unsafe String(cString: $0) } ?? "errno \(error)"
  }
}
