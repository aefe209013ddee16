import EventModel

@testable import TraceImport

/// A trace instance as a folder of files: the rings of a small machine (Linux 6.18, x86, two CPUs) as
/// trace_pipe_raw gave them, the formats, and the text of the same moment. A program sent MSIs to an
/// empty virtual machine with KVM_SIGNAL_MSI, more than CPU 0's ring held, and wrote to a disk.
enum RecordedRing {
  static let folder = TracefsFolder(path: path)
  static let path: String = {
    let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return here.joined(separator: "/") + "/Golden/ring"
  }()

  static let events = [
    TracepointName("irq", "irq_handler_entry"), TracepointName("irq", "irq_handler_exit"),
    TracepointName("kvm", "kvm_msi_set_irq"),
  ]

  static func formats() throws -> TracefsFormats {
    try TracefsFormats(live: folder, folder, events)
  }

  static func reader() throws -> LiveReader {
    let formats = try formats()
    let files = try RingFiles(
      folder, pageSizeBytes: formats.page.dataOffset + formats.page.dataSize)
    return LiveReader(files, formats, origin: .host) { 0 }
  }
}
