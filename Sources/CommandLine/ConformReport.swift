import Backends
import Foundation
import Replay

/// What `conform` found out about a plug-in.
struct ConformReport: Codable {
  /// Of this document.
  var version = 1
  var plugin: Plugin
  /// Batches in which events were given, each proved.
  var batchSizes = PluginConformance.batchSizes
  var deadlineSeconds: Double
  var traces: [Trace] = []
  var conforms: Bool { traces.allSatisfy { $0.breach == nil } }

  struct Plugin: Codable, Hashable {
    var path: String
    /// Absent if it never lived long enough to say.
    var name: String?
    var version: String?
    var interface: String?
    var design: String?
  }

  struct Trace: Codable {
    var path: String
    var events = 0
    var accesses: UInt64 = 0
    var interrupts: UInt64 = 0
    var agreedWithReference = false
    /// Accesses for which the recording states the outcome.
    var recorded: UInt64 = 0
    var agreedWithRecording = false
    /// differs, crashed, hung, broke the interface, ended the process; absent: it conforms.
    var breach: PluginChild.Breach.Kind?
    /// The first difference, or where it ended.
    var detail: String?
  }

  /// What the child that runs the plug-in on one trace hands over.
  struct Part: Codable {
    var plugin: Plugin
    var trace: Trace
  }
}

extension ConformReport.Plugin {
  init(_ library: PluginLibrary) {
    self.init(
      path: library.path, name: library.name, version: library.version,
      interface: library.interface,
      design: "\(library.design.setUp.rawValue)+\(library.design.delivery.rawValue)")
  }
}

extension ConformReport.Trace {
  init(_ path: String, events: Int, _ proof: PluginConformance) {
    self.init(path: path)
    self.events = events
    accesses = proof.check.accessesCompared
    interrupts = proof.check.interruptsCompared
    agreedWithReference = proof.check.differences == 0
    recorded = proof.check.recordedCompared
    agreedWithRecording = proof.check.recordingDifferences == 0
    detail = proof.flaw
    breach = proof.flaw == nil ? nil : .differs
  }
}
