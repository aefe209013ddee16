// Any bytes as a trace: read, verified, sought in.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: input, count: count))
  ReadEverything.read(bytes)
  return 0
}
