// Any bytes as QEMU's declarations of trace events, and their formats printed.

@testable import TraceImport

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: input, count: count), as: UTF8.self)
  var line: [UInt8] = []
  for event in EventDeclarations(text).events {
    precondition(event.format.map { $0.conversionCount == event.arguments.count } ?? true)
    for piece in event.format?.pieces ?? [] {
      guard case .conversion(let conversion) = piece else { continue }
      line.removeAll()
      for bits: UInt64 in [8, 16, 32, 64] {
        for value in [0, 1, UInt64.max, 1 << 63] {
          conversion.print(value, bits: bits, into: &line)
        }
      }
      conversion.print(Array("text".utf8)[...], into: &line)
      // 17 texts of at most the widest column and a prefix.
      precondition(line.count <= 17 * 320)
    }
  }
  return 0
}
