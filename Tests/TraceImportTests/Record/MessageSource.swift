import Glibc

/// Sends MSIs whose content the test knows: to a virtual machine without processors, which cannot
/// take them, but whose KVM says that they came.
struct MessageSource: ~Copyable {
  private let kvm: Int32
  private let machine: Int32

  /// linux, include/uapi/linux/kvm.h.
  private static let createMachine: UInt = 0xAE01
  private static let createInterruptController: UInt = 0xAE60
  private static let signalMSI: UInt = 0x4020_AEA5

  /// nil where there is no KVM of an x86 host, or it is not ours to use.
  init?() {
    #if arch(x86_64)
      // Safety: a constant path.
      let kvm = unsafe open("/dev/kvm", O_RDWR | O_CLOEXEC)
      guard kvm >= 0 else { return nil }
      let machine = ioctl(kvm, Self.createMachine, 0)
      guard machine >= 0 else {
        close(kvm)
        return nil
      }
      guard ioctl(machine, Self.createInterruptController, 0) == 0 else {
        close(machine)
        close(kvm)
        return nil
      }
      self.kvm = kvm
      self.machine = machine
    #else
      return nil
    #endif
  }

  deinit {
    close(machine)
    close(kvm)
  }

  func send(address: UInt32, data: UInt32) {
    // struct kvm_msi: address_lo, address_hi, data, flags, devid, 12 bytes of padding.
    var message: [UInt32] = [address, 0, data, 0, 0, 0, 0, 0]
    // Safety: the array has the 32 bytes that the kernel reads. Nobody takes the message: EPERM.
    _ = unsafe ioctl(machine, Self.signalMSI, &message)
  }
}
