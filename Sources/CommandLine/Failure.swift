import ArgumentParser
import Foundation

/// Exit codes: what a script or CI reads. 64 (wrong usage) is given by the argument parser.
enum ExitStatus: Int32 {
  case pass = 0
  /// A regression, or a backend that does not conform.
  case regression = 1
  /// The floor of this host is too high for the asked effect.
  case inconclusive = 2
  /// Damaged trace, mismatched fingerprint, lag over budget, missing part.
  case couldNotMeasure = 3
}

/// Ends a verb with one message on stderr and a code, instead of a stack of wrapped errors.
struct Failure: Error, CustomStringConvertible {
  var description: String
  var status: ExitStatus

  init(_ description: String, _ status: ExitStatus = .couldNotMeasure) {
    self.description = description
    self.status = status
  }

  /// A call of the system that failed just now: `errno` says why.
  static func ofSystem(_ operation: String, path: String) -> Failure {
    let code = errno
    // Safety: the text that strerror gives is valid until its next call.
    let reason = unsafe String(cString: strerror(code))
    return Failure("\(path): \(operation) failed with error \(code) (\(reason))")
  }
}

extension ParsableCommand {
  /// Runs `body`; prints what it throws to stderr and exits with the code that belongs to it.
  ///
  /// - Parameter verbosity: what the verb was asked to say, from here on.
  func reportingFailure(_ verbosity: Verbosity, _ body: () throws -> Void) throws {
    Console.level = verbosity.level
    do {
      try body()
    } catch let failure as Failure {
      Console.error(failure.description)
      throw ExitCode(failure.status.rawValue)
    } catch let stopped as Interruption.Stopped {
      Console.error("interrupted; \(stopped.consequence)")
      throw ExitCode(stopped.status)
    } catch let exit as ExitCode {
      throw exit
    } catch let validation as ValidationError {
      throw validation
    } catch {
      Console.error("\(error)")
      throw ExitCode(ExitStatus.couldNotMeasure.rawValue)
    }
  }
}
