// Any bytes as a trace whose checksums are right.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ input: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: input, count: count))
  let sealed = Seal.seal(bytes)
  ReadEverything.read(sealed)
  ReadEverything.scan(sealed)
  return 0
}
