import Foundation

#if canImport(Glibc)
  import Glibc
#endif

extension Process {
  /// Waits for the end of a process that runs, and ends it when this one is interrupted.
  ///
  /// - Parameter waiting: called ten times a second.
  /// - Returns: false if it was interrupted.
  func waitUntilExitOrStop(_ waiting: () -> Void = {}) -> Bool {
    while isRunning {
      Thread.sleep(forTimeInterval: 0.1)
      waiting()
      guard Interruption.isStopRequested else { continue }
      kill(processIdentifier, SIGKILL)
      break
    }
    waitUntilExit()
    return !Interruption.isStopRequested
  }
}

extension FileHandle {
  /// An empty file to write to.
  convenience init(creating path: String) throws {
    guard FileManager.default.createFile(atPath: path, contents: nil) else {
      throw Failure.ofSystem("creating a file", path: path)
    }
    let descriptor = unsafe open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.ofSystem("open", path: path) }
    self.init(fileDescriptor: descriptor, closeOnDealloc: true)
  }
}
