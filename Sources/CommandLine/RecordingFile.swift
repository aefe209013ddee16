import Foundation

/// The place of a recording. A recording cannot be made again, so what an earlier one left there is
/// not written over unasked.
struct RecordingFile {
  let path: String
  var partial: String { path + ".partial" }

  /// Takes the partial file, which must not be there yet.
  init(claiming path: String) throws {
    self.path = path
    // Safety: Swift passes a NUL-terminated copy of the path that outlives the call.
    let descriptor = unsafe open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      if errno == EEXIST {
        throw Failure(
          "\(partial): is there: another recording is being made, or was cut short; save it with "
            + "'doorbell recover \(partial) --output …' or remove it, or choose another --output")
      }
      throw Failure.ofSystem("open", path: partial)
    }
    close(descriptor)
  }

  /// Removes the partial file if nothing was recorded into it.
  func release() { try? FileManager.default.removeItem(atPath: partial) }
}
