import Glibc

/// Removes a trace instance when this process is gone, however it ended: a small shell waits for the
/// end of a pipe that only we hold. Without it a SIGKILL would leave the kernel tracing for nobody.
@safe
struct InstanceGuard: ~Copyable {
  private let pipeEnd: Int32
  private let process: pid_t

  /// It hears "armed" or nothing before the pipe's end: what it did not see made is not ours. The
  /// kernel may close the files of the ring after the pipe, so removing is tried for some seconds.
  private static let script = """
    read -r line || exit 0
    while read -r line; do :; done
    tries=0
    while [ -d "$0" ] && ! rmdir "$0" 2>/dev/null && [ $tries -lt 100 ]; do
      tries=$((tries + 1)); sleep 0.05
    done
    """

  init(_ instance: String) throws(RecordError) {
    var ends: [Int32] = [-1, -1]
    // Safety: pipe fills in two numbers.
    guard unsafe pipe(&ends) == 0 else {
      throw .refused(path: "a pipe", operation: "making it", code: errno)
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let (process, code) = Self.spawn(instance, input: ends[0])
    close(ends[0])
    guard code == 0 else {
      close(ends[1])
      throw .refused(path: "/bin/sh", operation: "starting it", code: code)
    }
    pipeEnd = ends[1]
    self.process = process
  }

  /// The instance exists and is ours.
  func arm() {
    // Safety: the array's own count is passed.
    let word = Array("armed\n".utf8)
    _ = unsafe write(pipeEnd, word, word.count)
  }

  // The instance may or may not be gone; the shell looks, and ends at once if it is.
  deinit {
    close(pipeEnd)
    while waitpid(process, nil, 0) < 0 && errno == EINTR {}
  }

  private static func spawn(_ instance: String, input: Int32) -> (pid_t, Int32) {
    // Safety: both are initialised here and destroyed below. The strings are copies of our own, freed
    // after the call; both arrays end in nil.
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    _ = unsafe posix_spawn_file_actions_init(&actions)
    _ = unsafe posix_spawnattr_init(&attributes)
    defer {
      _ = unsafe posix_spawn_file_actions_destroy(&actions)
      _ = unsafe posix_spawnattr_destroy(&attributes)
    }
    _ = unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    for output in [STDOUT_FILENO, STDERR_FILENO] {
      _ = unsafe posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0)
    }
    // A process group of its own: a Ctrl-C at the terminal is for us alone.
    _ = unsafe posix_spawnattr_setpgroup(&attributes, 0)
    _ = unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    let words = unsafe Self.copies(["sh", "-c", script, instance])
    let environment = unsafe Self.copies(["PATH=/usr/bin:/bin"])
    defer {
      for index in unsafe words.indices { unsafe free(words[index]) }
      unsafe free(environment[0])
    }
    var process: pid_t = 0
    let code = unsafe posix_spawn(
      &process, "/bin/sh", &actions, &attributes, words, environment)
    return (process, code)
  }

  /// C strings that the caller frees, and nil.
  @unsafe
  private static func copies(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    var copies: [UnsafeMutablePointer<CChar>?] = unsafe []
    for text in texts { unsafe copies.append(unsafe strdup(text)) }
    unsafe copies.append(nil)
    return unsafe copies
  }
}
