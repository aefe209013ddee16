import Glibc

/// Reserved address space that reads as zero; the kernel backs a page when it is first touched.
///
/// One allocation at start-up instead of many in the loop: what is never used costs no memory.
@safe
struct ZeroedPages: ~Copyable {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  /// - Parameter isHuge: asks for pages of 2 MiB (madvise(2), MADV_HUGEPAGE), for tables that are read
  ///   here and there: fewer misses of the TLB for coarser memory. Without them in the system, it
  ///   changes nothing.
  init(byteCount: Int, isHuge: Bool = false) {
    let rounded = max(4096, (byteCount + 4095) & ~4095)
    // Safety: a fresh private mapping, owned by this value alone and unmapped by its deinit.
    let mapping = unsafe mmap(
      nil, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
      fatalError("cannot reserve \(rounded) bytes of address space")
    }
    if isHuge { _ = unsafe madvise(mapping, rounded, MADV_HUGEPAGE) }
    unsafe base = mapping
    self.byteCount = rounded
  }

  deinit {
    // Safety: `base` and `byteCount` are those of the mapping made in `init`; no pointer outlives
    // the owner of this value.
    let result = unsafe munmap(base, byteCount)
    precondition(result == 0)
  }

  /// The first element of a table of `Element` that fills the pages.
  func table<Element: BitwiseCopyable>(of: Element.Type) -> UnsafeMutablePointer<Element> {
    // Safety: pages are aligned to 4096 bytes and zero, and every `Element` used is valid as zero.
    unsafe base.bindMemory(to: Element.self, capacity: byteCount / MemoryLayout<Element>.stride)
  }
}
