/// The guest's program: three things to do, an interrupt handler, and stubs that tell it the vector.
///
/// It has no start-up code: the vCPU begins in 64-bit mode with its tables loaded (`GuestMachine`), at
/// the entry that says what to do.
struct GuestCode {
  let lines: [GuestAssembler.Line]
  /// Interrupts on, then HLT for ever.
  let halt: UInt32
  /// Interrupts on, then PAUSE for ever: the vCPU stays in guest mode.
  let spin: UInt32
  /// Programs RCX entries of the MSI-X table at RDI, with data RSI and up, as Linux does
  /// (drivers/pci/msi/msi.c, pci_write_msg_msix and pci_msix_unmask): address, data, a read that waits
  /// for the writes, and the mask bit. Five accesses an entry.
  let program: UInt32
  /// One store of ESI to RDI.
  let store: UInt32
  /// Stub of exception n at `exceptions + 16 n`, of interrupt n at `interrupts + 16 n`.
  let exceptions: UInt32
  let interrupts: UInt32

  init() {
    var code = GuestAssembler(at: GuestLayout.code)
    Self.emitPrograms(&code)
    Self.emitHandler(&code)
    Self.emitStubs(&code)
    lines = code.assembled()
    halt = code["halt"]
    spin = code["spin"]
    program = code["program"]
    store = code["store"]
    exceptions = code["exceptions"]
    interrupts = code["interrupts"]
  }

  private static func hex(_ value: UInt32) -> String { "0x\(String(value, radix: 16))" }

  private static func emitPrograms(_ code: inout GuestAssembler) {
    code.label("halt")
    code.emit("sti", 0xFB)
    code.label("halt again")
    code.emit("hlt", 0xF4)
    code.jump(to: "halt again")

    code.align(16)
    code.label("spin")
    code.emit("sti", 0xFB)
    code.label("spin again")
    code.emit("pause", 0xF3, 0x90)
    code.jump(to: "spin again")

    let stamps = GuestLayout.programmingStamps
    code.align(16)
    code.label("program")
    code.emit("mov ebx,\(hex(stamps))", 0xBB, word: stamps)
    code.label("next entry")
    emitStamp(&code)
    code.emit("mov QWORD PTR [rbx],rax", 0x48, 0x89, 0x03)
    code.emit("mov eax,0xfee00000", 0xB8, word: 0xFEE0_0000)
    code.emit("mov DWORD PTR [rdi],eax", 0x89, 0x07)
    code.emit("xor eax,eax", 0x31, 0xC0)
    code.emit("mov DWORD PTR [rdi+0x4],eax", 0x89, 0x47, 0x04)
    code.emit("mov DWORD PTR [rdi+0x8],esi", 0x89, 0x77, 0x08)
    code.emit("mov eax,DWORD PTR [rdi+0x8]", 0x8B, 0x47, 0x08)
    code.emit("xor eax,eax", 0x31, 0xC0)
    code.emit("mov DWORD PTR [rdi+0xc],eax", 0x89, 0x47, 0x0C)
    emitStamp(&code)
    code.emit("mov QWORD PTR [rbx+0x8],rax", 0x48, 0x89, 0x43, 0x08)
    code.emit("add rbx,0x10", 0x48, 0x83, 0xC3, 0x10)
    code.emit("add rdi,0x10", 0x48, 0x83, 0xC7, 0x10)
    code.emit("inc esi", 0xFF, 0xC6)
    code.emit("dec ecx", 0xFF, 0xC9)
    code.jump("jne", [0x0F, 0x85], to: "next entry")
    emitEnd(&code)

    code.align(16)
    code.label("store")
    code.emit("mov DWORD PTR [rdi],esi", 0x89, 0x37)
    emitEnd(&code)
  }

  /// RAX = TSC; RDX is lost.
  private static func emitStamp(_ code: inout GuestAssembler) {
    code.emit("rdtsc", 0x0F, 0x31)
    code.emit("shl rdx,0x20", 0x48, 0xC1, 0xE2, 0x20)
    code.emit("or rax,rdx", 0x48, 0x09, 0xD0)
  }

  /// Tells the host, and never goes on.
  private static func emitEnd(_ code: inout GuestAssembler) {
    code.emit("out 0xe0,al", 0xE6, UInt8(GuestLayout.endPort))
    code.jump(to: "halt again")
  }

  /// The stamp comes first. The record is complete before `delivered` counts it: stores of x86 are seen
  /// in order (Intel SDM volume 3A, 9.2.2). EOI is a store of 0 to MSR 80Bh in x2APIC mode.
  private static func emitHandler(_ code: inout GuestAssembler) {
    let (offered, delivered) = (GuestLayout.offered, GuestLayout.delivered)
    let (records, last) = (GuestLayout.records, GuestLayout.recordCount - 1)
    code.align(16)
    code.label("handler")
    code.emit("push rax", 0x50)
    code.emit("push rcx", 0x51)
    code.emit("push rdx", 0x52)
    code.emit("push rbx", 0x53)
    emitStamp(&code)
    code.emit("mov rbx,QWORD PTR ds:\(hex(delivered))", 0x48, 0x8B, 0x1C, 0x25, word: delivered)
    code.emit("mov ecx,ebx", 0x89, 0xD9)
    code.emit("and ecx,\(hex(last))", 0x81, 0xE1, word: last)
    code.emit("shl ecx,0x5", 0xC1, 0xE1, 0x05)
    code.emit("add ecx,\(hex(records))", 0x81, 0xC1, word: records)
    code.emit("mov QWORD PTR [rcx],rax", 0x48, 0x89, 0x01)
    code.emit("mov rax,QWORD PTR ds:\(hex(offered))", 0x48, 0x8B, 0x04, 0x25, word: offered)
    code.emit("mov QWORD PTR [rcx+0x8],rax", 0x48, 0x89, 0x41, 0x08)
    code.emit("mov rax,QWORD PTR [rsp+0x20]", 0x48, 0x8B, 0x44, 0x24, 0x20)
    code.emit("mov QWORD PTR [rcx+0x10],rax", 0x48, 0x89, 0x41, 0x10)
    code.emit("inc rbx", 0x48, 0xFF, 0xC3)
    code.emit("mov QWORD PTR [rcx+0x18],rbx", 0x48, 0x89, 0x59, 0x18)
    code.emit("mov QWORD PTR ds:\(hex(delivered)),rbx", 0x48, 0x89, 0x1C, 0x25, word: delivered)
    code.emit("mov ecx,0x80b", 0xB9, word: 0x80B)
    code.emit("xor eax,eax", 0x31, 0xC0)
    code.emit("xor edx,edx", 0x31, 0xD2)
    code.emit("wrmsr", 0x0F, 0x30)
    code.emit("pop rbx", 0x5B)
    code.emit("pop rdx", 0x5A)
    code.emit("pop rcx", 0x59)
    code.emit("pop rax", 0x58)
    code.emit("add rsp,0x8", 0x48, 0x83, 0xC4, 0x08)
    code.emit("iretq", 0x48, 0xCF)
  }

  private static func emitStubs(_ code: inout GuestAssembler) {
    code.align(16)
    code.label("exceptions")
    for number in UInt8(0)..<32 {
      code.align(16)
      code.emit("mov al,\(hex(UInt32(number)))", 0xB0, number)
      code.emit("out 0xe1,al", 0xE6, UInt8(GuestLayout.exceptionPort))
      code.jump(to: "halt again")
    }
    code.align(16)
    code.label("interrupts")
    for index in 0..<GuestLayout.vectorCount {
      let vector = GuestLayout.firstVector + index
      code.align(16)
      code.emit("push \(hex(vector))", 0x68, word: vector)
      code.jump(to: "handler")
    }
  }
}
