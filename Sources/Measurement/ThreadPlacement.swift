import CPlatform

/// Which CPU a thread runs on.
package enum ThreadPlacement {
  /// CPUs that this process may use, in rising order.
  package static let allowedCPUs: [Int] = {
    var cpus = [Int32](repeating: 0, count: 1024)
    // Safety: the array has the capacity that is passed.
    let count = unsafe CPlatform_allowedCPUs(&cpus, Int32(cpus.count))
    return cpus.prefix(max(0, min(Int(count), cpus.count))).map(Int.init)
  }()

  /// Pins the calling thread to the `index`-th allowed CPU, round robin. Nil if done, else why not.
  package static func pin(toAllowed index: Int) -> String? {
    guard allowedCPUs.count > 1 else { return "only \(allowedCPUs.count) CPU allowed" }
    let error = CPlatform_pinToCPU(Int32(allowedCPUs[index % allowedCPUs.count]))
    return error == 0 ? nil : "errno \(error)"
  }

  /// Lets the calling thread run on all allowed CPUs again.
  package static var residentBytes: UInt64 { CPlatform_residentBytes() }
}
