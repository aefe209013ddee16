/// Why a capture cannot be imported. Damage inside single lines is not an error: it is counted in
/// the `ImportReport`.
package enum ImportError: Error, Equatable {
  /// The capture cannot be opened or read. `code` is `errno`.
  case unreadable(name: String, operation: String, code: Int32)
  case empty(name: String)
  /// No line of a QEMU log was found in the first `lines` lines.
  case notAQEMULog(lines: UInt64, bytes: UInt64)
  /// The zstd stream ends inside a frame, after `bytes` compressed bytes.
  case truncatedCompression(name: String, bytes: UInt64)
  /// The zstd decoder refused the data near compressed byte `bytes`.
  case damagedCompression(name: String, bytes: UInt64, reason: String)
  /// The capture contradicts its own format near `byte`.
  case malformed(name: String, byte: UInt64, subject: String, expected: String, found: String)
  /// What describes the data of this format stands behind it, so a pipe is not enough.
  case needsFile(name: String, format: CaptureFormat)
  /// A simpletrace says nothing of its events' arguments, and QEMU's declarations were not found.
  case missingDeclarations(name: String, lookedFor: [String])
  /// No format that is imported starts like this capture.
  case unknownFormat(name: String)
}

extension ImportError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable(let name, let operation, let code):
      "\(name): \(operation) failed with error \(code) (\(Self.text(code))); "
        + "check the path and the permissions"
    case .empty(let name):
      "\(name): the capture holds no bytes; was the recording started with '-D file'?"
    case .notAQEMULog(let lines, let bytes):
      "no QEMU trace line in the first \(lines) lines (\(bytes) bytes): expected "
        + "'PID@SECONDS.MICROS:event text', which QEMU writes with '-msg timestamp=on' "
        + "and '-d trace:…'"
    case .truncatedCompression(let name, let bytes):
      "\(name): the zstd stream ends inside a frame after \(bytes) bytes; copy the file again, "
        + "or recover the text with 'zstd -dc' and import that"
    case .damagedCompression(let name, let bytes, let reason):
      "\(name): the zstd data near byte \(bytes) is damaged (\(reason)); copy the file again"
    case .malformed(let name, let byte, let subject, let expected, let found):
      "\(name): \(subject) at byte \(byte): expected \(expected), found \(found); "
        + "copy the file again, or see whether the tool that wrote it still reads it"
    case .needsFile(let name, let format):
      "\(name): a \(format.rawValue) is read at many places, and a pipe or compressed file has only its "
        + "front; save it to a plain file and import that"
    case .missingDeclarations(let name, let places):
      "\(name): a simpletrace has the values of arguments only; expected QEMU's 'trace-events-all' of "
        + "the build that recorded it, found none at \(places.joined(separator: ", ")); copy it "
        + "beside the capture (QEMU installs it in share/qemu) or name it with '--trace-events'"
    case .unknownFormat(let name):
      "\(name): starts like no capture that is imported; name its format with '--from'"
    }
  }
}
