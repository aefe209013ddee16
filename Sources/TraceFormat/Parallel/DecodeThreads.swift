internal import CPlatform
import Glibc

/// The workers of a pipeline: started together, joined together.
///
/// `Replay` has a thread type too, above this target; it pins to one CPU and reports where it ran. These
/// share a set of CPUs, so that the scheduler can keep them off the one that is measured.
final class DecodeThreads {
  private var handles: [pthread_t] = []
  private let pipeline: DecodePipeline

  /// - Parameter cpus: where they may run; empty: anywhere.
  init(_ count: Int, onCPUs cpus: [Int32], _ pipeline: DecodePipeline) throws(TraceError) {
    self.pipeline = pipeline
    for _ in 0..<count { try start(Work(pipeline, cpus)) }
  }

  deinit { stop() }

  /// Cancels the pipeline and waits for its workers. The second time it does nothing: the pipeline may
  /// have other workers by then.
  func stop() {
    guard !handles.isEmpty else { return }
    pipeline.cancel()
    for handle in handles { pthread_join(handle, nil) }
    handles = []
  }

  private func start(_ work: Work) throws(TraceError) {
    var handle = pthread_t()
    let retained = unsafe Unmanaged.passRetained(work)
    // Safety: the work is retained for the thread, which takes it over; if there is no thread it is
    // released here.
    let code = unsafe pthread_create(
      &handle, nil,
      { argument in
        unsafe Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, retained.toOpaque())
    guard code == 0 else {
      unsafe retained.release()
      throw TraceError(
        .system, "thread", expected: "one more thread", found: "error \(code) of pthread_create")
    }
    handles.append(handle)
  }

  private final class Work: Sendable {
    private let pipeline: DecodePipeline
    private let cpus: [Int32]

    init(_ pipeline: DecodePipeline, _ cpus: [Int32]) {
      self.pipeline = pipeline
      self.cpus = cpus
    }

    func run() {
      // Without the right to choose it runs anywhere, which is slower and no less correct.
      if !cpus.isEmpty { _ = unsafe CPlatform_runOnCPUs(cpus, Int32(cpus.count)) }
      pipeline.work()
    }
  }
}
