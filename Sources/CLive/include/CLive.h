// What a live run asks of the kernel and Swift cannot call itself: ioctls (a variadic function) on
// /dev/kvm and on a userfaultfd, and structures that hold bit fields or end in a flexible array. No
// policy and no loop is here: those are in the target `Live`.
//
// It keeps no state: who owns a descriptor may call from any thread, within what the kernel allows of it.
// Every function that can fail returns 0 or a result, or a negative errno. Linux 6.12,
// include/uapi/linux/kvm.h and Documentation/virt/kvm/api.rst, says what each ioctl does.
#ifndef DOORBELL_CLIVE_H
#define DOORBELL_CLIVE_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

/// Reads a word that a guest or another thread writes with `CLive_publish` or a plain store of x86:
/// what was written before that store is visible after this load.
static inline uint64_t CLive_observe(const uint64_t *_Nonnull word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/// Writes a word that a guest reads; what was written before is visible to who observes it.
static inline void CLive_publish(uint64_t *_Nonnull word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

// /dev/kvm

/// /dev/kvm, close-on-exec.
int CLive_open(void);
int CLive_apiVersion(int kvm);
int CLive_createVM(int kvm);
/// What KVM_CHECK_EXTENSION answers, 0 for "no".
int CLive_extension(int descriptor, int capability);
int CLive_addMemory(int vm, uint32_t slot, uint64_t address, uint64_t bytes, void *_Nonnull memory);
int CLive_createVCPU(int vm, uint32_t number);
/// Size of the mapping that a vCPU shares with user space.
int CLive_runBytes(int kvm);
/// The longest time for which this VM's vCPUs poll before they sleep in HLT; 0 for not at all.
int CLive_limitHaltPolling(int vm, uint64_t nanoseconds);
/// A descriptor from which this vCPU's counters are read (api.rst, 4.133). Not while the vCPU runs.
int CLive_statistics(int vcpu);

// Interrupts

/// Replaces the VM's whole table of routes by `header` and what follows it.
int CLive_setRoutes(int vm, const struct kvm_irq_routing *_Nonnull header);
/// Ties an eventfd to a GSI, or with `assign` 0 takes it away.
int CLive_irqfd(int vm, int descriptor, uint32_t gsi, int assign);
/// Above 0: delivered. 0: the guest would not take it.
int CLive_signalMSI(int vm, struct kvm_msi message);

// A vCPU that runs

/// What `KVM_RUN` came back with.
typedef struct {
  uint32_t reason;
  /// KVM_EXIT_IO: the port. KVM_EXIT_MMIO: the guest-physical address.
  uint64_t address;
  uint64_t data;
  uint32_t bytes;
  uint8_t is_write;
} CLiveExit;

/// Enters the guest. 0 at an exit for user space; -EINTR after `CLive_requestExit` or a signal.
int CLive_run(int vcpu);
/// Why it came back.
CLiveExit CLive_exit(const void *_Nonnull run);
/// The value that an MMIO read of the guest gets when it is entered again; `bytes` of it are used.
void CLive_answer(void *_Nonnull run, uint64_t value);
/// The next KVM_RUN, or with a signal to its thread the one under way, comes back at once; or, with 0,
/// no longer does.
void CLive_requestExit(void *_Nonnull run, int requested);

/// Lets the calling thread be kicked out of KVM_RUN: a handler that does nothing for SIGUSR1, which is
/// not a signal that queues, and an open mask, which a thread may have inherited closed.
int CLive_acceptKick(void);

#if defined(__x86_64__)
/// LAPIC, IOAPIC and PIC in the kernel. Before any vCPU.
int CLive_createInterruptController(int vm);
/// The processor that KVM supports, with x2APIC. Before the vCPU first runs.
int CLive_setProcessor(int kvm, int vcpu);
/// 64-bit mode on the given tables, interrupts off, x2APIC on and software-enabled.
int CLive_enterLongMode(
    int vcpu, uint64_t page_tables, uint64_t gdt, uint16_t gdt_limit, uint64_t idt,
    uint16_t idt_limit);
/// Where the vCPU goes on: instruction and stack pointer, RDI, RSI and RCX; all else is 0. It is
/// not halted then.
int CLive_setEntry(int vcpu, uint64_t rip, uint64_t rsp, uint64_t rdi, uint64_t rsi, uint64_t rcx);
/// Guest TSC = host TSC + `offset` (Documentation/virt/kvm/devices/vcpu.rst, KVM_VCPU_TSC_OFFSET).
int CLive_setTSCOffset(int vcpu, uint64_t offset);
#elif defined(__aarch64__)
/// A vGICv3 for one vCPU with 64 SPIs, and a vITS. After the vCPU was made.
int CLive_createInterruptController(
    int vm, uint64_t distributor, uint64_t redistributors, uint64_t its);
#endif

// userfaultfd(2), write protection

/// A userfaultfd that takes write-protection faults of user mode, on memory of its own. -EPERM where
/// the system reserves it (vm.unprivileged_userfaultfd), -EOPNOTSUPP where the kernel has no write
/// protection.
int CLive_userfault(void);
/// Asks for write-protection faults of these pages.
int CLive_userfaultRegister(int userfault, void *_Nonnull start, size_t bytes);
/// Protects pages, or opens them and wakes who waits.
int CLive_userfaultProtect(int userfault, void *_Nonnull start, size_t bytes, int protect);
/// Waits up to `milliseconds` for a fault; gives its address. -ETIMEDOUT if there was none.
int CLive_userfaultWait(int userfault, int milliseconds, uint64_t *_Nonnull address);

#endif
