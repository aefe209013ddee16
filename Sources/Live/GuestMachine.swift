import CLive
import CPlatform
import Glibc
import Measurement

/// A VM of one vCPU with our guest in it. Closing is by `deinit`: nothing stays open.
///
/// The vCPU runs on one thread at a time, by `run`; that thread alone touches the vCPU while it runs,
/// but for `requestExit`. The memory is shared with the guest: see `SharedWords`.
@safe final class GuestMachine: @unchecked Sendable {
  // Safety: descriptors do not change; the mappings live as long as this object. The run page belongs
  // to the thread that runs the vCPU, but for the byte that `requestExit` stores atomically; memory is
  // read and written by the rule at `SharedWords`.
  let vm: Descriptor
  let vCPU: Descriptor
  let statistics: VCPUStatistics?
  private let kvm: Descriptor
  private let memory: Mapping
  private let runPage: Mapping
  private let code: GuestCode

  /// - Parameter haltPollNanoseconds: how long KVM may poll before this vCPU sleeps in HLT; nil leaves
  ///   the host's setting.
  init(haltPollNanoseconds: UInt64? = nil) throws(LiveError) {
    let image = GuestImage()
    code = image.code
    kvm = Descriptor(try checked("open /dev/kvm", CLive_open()))
    vm = Descriptor(try checked("KVM_CREATE_VM", CLive_createVM(kvm.number)))
    memory = try Mapping(anonymous: GuestLayout.memoryBytes)
    // Safety: the image has the size of the memory, which nobody else has yet.
    unsafe memory.start.copyMemory(from: image.bytes, byteCount: image.bytes.count)
    #if arch(x86_64)
      // Before the vCPU, which gets its LAPIC by it.
      try checked("KVM_CREATE_IRQCHIP", CLive_createInterruptController(vm.number))
    #endif
    // Safety: the memory outlives the VM, which is closed first or together with it.
    try checked(
      "KVM_SET_USER_MEMORY_REGION",
      unsafe CLive_addMemory(vm.number, 0, 0, UInt64(memory.bytes), memory.start))
    if let haltPollNanoseconds {
      try checked(
        "KVM_ENABLE_CAP(KVM_CAP_HALT_POLL)",
        CLive_limitHaltPolling(vm.number, haltPollNanoseconds))
    }
    vCPU = Descriptor(try checked("KVM_CREATE_VCPU", CLive_createVCPU(vm.number, 0)))
    let runBytes = try checked("KVM_GET_VCPU_MMAP_SIZE", CLive_runBytes(kvm.number))
    runPage = try Mapping(of: vCPU.number, bytes: Int(runBytes))
    statistics = VCPUStatistics(vCPU: vCPU.number)
    try prepareProcessor()
  }

  #if arch(x86_64)
    private func prepareProcessor() throws(LiveError) {
      try checked("KVM_SET_CPUID2", CLive_setProcessor(kvm.number, vCPU.number))
      try checked(
        "KVM_SET_SREGS and KVM_SET_LAPIC",
        CLive_enterLongMode(
          vCPU.number, GuestLayout.pageTables, GuestLayout.gdt, GuestImage.gdtLimit,
          GuestLayout.idt, GuestImage.idtLimit))
      // So that the guest's stamps and the host's are of one clock. KVM before 5.16 does not know it;
      // then each stamp is still checked against the host's, and counted when it does not fit.
      _ = CLive_setTSCOffset(vCPU.number, 0)
    }
  #elseif arch(arm64)
    /// vGICv3 and vITS, as `Sources/Manual/Explanation/LiveOnArm.md` says how a guest would use them. No guest
    /// is assembled for arm64 yet, so `LiveHost.open` refuses before this is reached.
    private func prepareProcessor() throws(LiveError) {
      try checked(
        "KVM_CREATE_DEVICE(vgic-v3, vgic-its)",
        CLive_createInterruptController(vm.number, 0x0800_0000, 0x080A_0000, 0x0808_0000))
      throw .absent(LiveHost.armAbsence)
    }
  #else
    private func prepareProcessor() throws(LiveError) {
      throw .absent(LiveAbsence("live", "no live guest is known for this architecture"))
    }
  #endif

  /// What the vCPU does when it next runs.
  enum Entry {
    case halt
    case spin
    /// Programs the first entries of the MSI-X table, with vectors from `GuestLayout.firstVector` up.
    case program(entries: UInt32)
    /// Stores a word to a guest-physical address.
    case store(UInt32, at: UInt64)
  }

  /// Sets where the vCPU goes on. It must not be running.
  func enter(_ entry: Entry) throws(LiveError) {
    // What the last exit left unfinished is finished first (api.rst, 5: "re-enter the kernel").
    unsafe CLive_requestExit(runPage.start, 1)
    _ = CLive_run(vCPU.number)
    unsafe CLive_requestExit(runPage.start, 0)
    var (rip, rdi, rsi, rcx) = (code.halt, UInt64(0), UInt64(0), UInt64(0))
    switch entry {
    case .halt: break
    case .spin: rip = code.spin
    case .program(let entries):
      rip = code.program
      rdi = GuestLayout.msixTable
      rsi = UInt64(GuestLayout.firstVector)
      rcx = UInt64(entries)
    case .store(let value, let address):
      rip = code.store
      rdi = address
      rsi = UInt64(value)
    }
    #if arch(x86_64)
      try checked(
        "KVM_SET_REGS",
        CLive_setEntry(vCPU.number, UInt64(rip), GuestLayout.stackTop, rdi, rsi, rcx))
    #else
      _ = (rip, rdi, rsi, rcx)
    #endif
  }

  /// Runs the vCPU until it comes back to user space. Nil when it was kicked.
  @inline(__always)
  func run() throws(LiveError) -> CLiveExit? {
    let result = CLive_run(vCPU.number)
    if result == -EINTR { return nil }
    guard result == 0 else { throw .system(call: "KVM_RUN", code: -result) }
    // Safety: the page is mapped, and the vCPU is not running.
    return unsafe CLive_exit(runPage.start)
  }

  /// The value that the guest's MMIO read gets.
  @inline(__always)
  func answer(_ value: UInt32) { unsafe CLive_answer(runPage.start, UInt64(value)) }

  /// Lets `run` come back at once, now or when it is next called. From any thread.
  func requestExit() { unsafe CLive_requestExit(runPage.start, 1) }

  /// Why this exit cannot be: an exception, or something that the guest has no instruction for.
  static func failure(at exit: CLiveExit) -> LiveError {
    if exit.reason == UInt32(KVM_EXIT_IO), exit.address == UInt64(GuestLayout.exceptionPort) {
      return .guestException(number: UInt8(truncatingIfNeeded: exit.data))
    }
    return .unexpectedExit(reason: exit.reason, address: exit.address, data: exit.data)
  }

  var words: SharedWords { unsafe SharedWords(memory: memory.start, owner: self) }

  /// For the loops in C, which run the vCPU themselves.
  var runPagePointer: UnsafeMutableRawPointer { unsafe runPage.start }
}
