import Glibc

/// The rings of an instance, one per CPU, read page by page in the kernel's own layout: its files
/// per_cpu/cpuN/trace_pipe_raw (linux, Documentation/trace/ftrace.rst). Reading takes the events out.
@safe
struct RingFiles: ~Copyable {
  struct Ring {
    var cpu: UInt16
    var path: String
    /// Of a file that does not block.
    var descriptor: Int32
  }

  /// In the order of their CPUs.
  private let rings: [Ring]
  // Safety: this struct's own; written by read(2) up to its size.
  private let block: UnsafeMutableRawBufferPointer

  /// - Parameter pageSizeBytes: of one page of the rings; one read gives one.
  init(_ instance: TracefsFolder, pageSizeBytes: Int) throws(RecordError) {
    let cpus = instance.names("per_cpu").compactMap { name in
      name.hasPrefix("cpu") ? UInt16(name.dropFirst(3)) : nil
    }.sorted()
    guard !cpus.isEmpty else {
      throw .malformed(
        path: "\(instance.path)/per_cpu", expected: "a folder for each CPU", found: "none")
    }
    var rings: [Ring] = []
    for cpu in cpus {
      let path = "\(instance.path)/per_cpu/cpu\(cpu)/trace_pipe_raw"
      // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
      let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else {
        let code = errno
        for ring in rings { close(ring.descriptor) }
        throw .refused(path: path, operation: "open", code: code)
      }
      rings.append(Ring(cpu: cpu, path: path, descriptor: descriptor))
    }
    self.init(rings, pageSizeBytes: pageSizeBytes)
  }

  /// Takes open rings; they are closed with this.
  init(_ rings: [Ring], pageSizeBytes: Int) {
    self.rings = rings
    unsafe block = .allocate(byteCount: pageSizeBytes, alignment: 64)
  }

  deinit {
    for ring in rings { close(ring.descriptor) }
    unsafe block.deallocate()
  }

  var cpus: [UInt16] { rings.map(\.cpu) }

  /// The next page of a ring, as full as it is; nil if it holds nothing now.
  func page(_ ring: Int) throws(RecordError) -> OrderedBytes? {
    while true {
      // Safety: at most the block's own size is written to it.
      let got = unsafe read(rings[ring].descriptor, block.baseAddress, block.count)
      if got > 0 {
        // Safety: the first `got` bytes were just written.
        let bytes = unsafe Array(block[..<got])
        return OrderedBytes(bytes, isBigEndian: 1.bigEndian == 1)
      }
      if got == 0 || errno == EAGAIN { return nil }
      guard errno == EINTR else {
        throw .refused(path: rings[ring].path, operation: "read", code: errno)
      }
    }
  }

  /// Returns when a ring has filled to the instance's `buffer_percent`, a signal came, or the time is
  /// over.
  func wait(milliseconds: Int32) {
    // The ring of a CPU that is not there answers at once with an error: it is not waited for, and
    // read now and then in case it came.
    var polled: [pollfd] = []
    for ring in rings {
      polled.append(pollfd(fd: ring.descriptor, events: Int16(POLLIN), revents: 0))
    }
    // Safety: the array's own count is passed.
    let ready = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
    if ready > 0, !polled.contains(where: { $0.revents & Int16(POLLIN) != 0 }) {
      usleep(UInt32(milliseconds) * 1_000)
    }
  }
}
