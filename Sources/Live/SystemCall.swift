import Glibc

/// A result of `CLive`, or what its negative errno says.
@discardableResult
func checked(_ call: String, _ result: Int32) throws(LiveError) -> Int32 {
  guard result >= 0 else { throw .system(call: call, code: -result) }
  return result
}

/// "Permission denied (errno 13)".
func reason(ofError code: Int32) -> String {
  // Safety: strerror gives a text that ends in NUL and lives until this thread asks again.
  let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error"
  return "\(text) (errno \(code))"
}

/// A file descriptor with one owner.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32
  init(_ number: Int32) { self.number = number }
  deinit { close(number) }
}

/// Memory of whole pages with one owner.
@safe struct Mapping: ~Copyable, @unchecked Sendable {
  // Safety: mapped until `deinit`. Who shares it between threads says how at the place of use.
  let start: UnsafeMutableRawPointer
  let bytes: Int

  /// Zeroed memory of this process, shared with what maps it (a VM's memory slot).
  init(anonymous bytes: Int) throws(LiveError) {
    try self.init(bytes, MAP_SHARED | MAP_ANONYMOUS, -1)
  }

  /// What a descriptor offers to share.
  init(of descriptor: Int32, bytes: Int) throws(LiveError) {
    try self.init(bytes, MAP_SHARED, descriptor)
  }

  /// Zeroed memory that a userfaultfd can protect: private.
  init(private bytes: Int) throws(LiveError) {
    try self.init(bytes, MAP_PRIVATE | MAP_ANONYMOUS, -1)
  }

  private init(_ bytes: Int, _ flags: Int32, _ descriptor: Int32) throws(LiveError) {
    let mapped = unsafe mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0)
    guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
      throw .system(call: "mmap of \(bytes) bytes", code: errno)
    }
    unsafe start = mapped
    self.bytes = bytes
  }

  deinit {
    // Safety: nobody uses the memory after its owner.
    unsafe munmap(start, bytes)
  }
}
