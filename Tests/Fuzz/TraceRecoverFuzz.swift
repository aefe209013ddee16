// Any bytes as a damaged trace: scanned for whole frames.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: input, count: count))
  ReadEverything.scan(bytes)
  return 0
}
