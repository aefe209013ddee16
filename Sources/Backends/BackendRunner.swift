package import EventModel
package import Replay

/// One design, ready to be proved and measured. The closures hold the loops of `Replay` specialised for
/// its backend type, which nobody outside this module knows.
package struct BackendRunner: Sendable {
  /// Every event once, against the reference model and the recording.
  package let prove: @Sendable (ReferenceAnswers) -> EqualityCheck
  /// The same with each MSI as `signal` and `inject`, as `path` delivers it.
  package let proveInHalves: @Sendable (ReferenceAnswers) -> EqualityCheck
  /// The same as `prove` for events that are not in memory.
  package let proveStream: @Sendable (consuming ErasedSource) throws -> EqualityCheck
  package let core: @Sendable ([TraceEvent], CoreExperiment.Options) -> CoreExperiment.Result
  package let path:
    @Sendable ([TraceEvent], PathExperiment.Options) throws(PathExperiment.Failure) ->
      PathExperiment.Result
  /// Nil if the design delivers through an eventfd.
  package let roundTrip:
    @Sendable ([TraceEvent], _ interrupts: Int) throws(WorkerThreadError) -> RoundTrip.Result?
  package let paced:
    @Sendable ([TraceEvent], PacedExperiment.Options) throws(PathExperiment.Failure) -> PacedResult
  package let scale:
    @Sendable ([TraceEvent], ScaleExperiment.Options) throws(WorkerThreadError) ->
      ScaleExperiment.Result
  package let setUp: @Sendable ([TraceEvent], SetUpExperiment.Options) -> SetUpExperiment.Result
  package let pipeline:
    @Sendable (consuming ErasedSource, PipelineExperiment.Options) throws(WorkerThreadError) ->
      PipelineExperiment.Result

  /// Specialised where it is called with a concrete backend type.
  @inline(__always)
  init<Backend: TranslationBackend & ~Copyable>(
    geometry: TableGeometry, _ makeBackend: @escaping @Sendable () -> Backend
  ) {
    prove = { answers in
      var oracle = AnsweredOracle(answers)
      var backend = makeBackend()
      return EqualityCheck(answers.events, oracle: &oracle, backend: &backend)
    }
    proveInHalves = { answers in
      var oracle = AnsweredOracle(answers)
      var backend = makeBackend()
      return EqualityCheck(
        answers.events, oracle: &oracle, backend: &backend, delivery: .inHalves)
    }
    proveStream = { source in
      var source = source
      var oracle = ReferenceOracle(geometry: geometry)
      var backend = makeBackend()
      return try EqualityCheck(reading: &source, oracle: &oracle, backend: &backend)
    }
    core = { events, options in
      CoreExperiment(events).run(options, makeBackend: makeBackend)
    }
    path = { (events, options) throws(PathExperiment.Failure) in
      var backend = makeBackend()
      return try PathExperiment(events, options).run(through: &backend)
    }
    roundTrip = { (events, interrupts) throws(WorkerThreadError) in
      var backend = makeBackend()
      guard !backend.deliversThroughEventfd else { return nil }
      return try RoundTrip(events, interrupts: interrupts).run(through: &backend)
    }
    paced = { (events, options) throws(PathExperiment.Failure) in
      var backend = makeBackend()
      return try PacedExperiment(events, options).run(through: &backend)
    }
    scale = { (events, options) throws(WorkerThreadError) in
      try ScaleExperiment(events, options).run(makeBackend: makeBackend)
    }
    setUp = { events, options in
      SetUpExperiment(events).run(options, makeBackend: makeBackend)
    }
    pipeline = { (source, options) throws(WorkerThreadError) in
      var backend = makeBackend()
      return try PipelineExperiment(options).run(source, through: &backend)
    }
  }
}
