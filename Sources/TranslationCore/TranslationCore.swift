/// The translation core: what a design does to one event, as fast as tables in memory allow.
///
/// **It is** the fast half of a pair. `ReferenceModel` says what the architecture says, slowly and
/// to a reader with the specification in hand; this module gives the same answers from flat tables,
/// caches and walkers, and is proved equal to it by differential tests.
///
/// **It is not** a simulator of time: nothing here waits, and no cycle is charged. It does the work
/// (table reads, cache probes, pending bits) and counts it. It knows no files, designs or threads.
///
/// ```swift
/// var smmu = SMMUCore(geometry: geometry, options: SMMUOptions())
/// smmu.mapStage2(ipa: 0x0809_0000, pa: 0x0809_0000, log2SizeBytes: 16)
/// smmu.configureStream(configuration)        // STE and CD, as stored words
/// smmu.map(mapping)                          // a leaf descriptor in a real table
/// let answer = smmu.translate(streamID: 8, address: 0xFFFF_F040, write: true, read: false)
/// ```
///
/// **Invariants.**
/// - Tables are real: stream table entries, context descriptors and VMSAv8-64 descriptors are
///   64-bit words in an arena, and every walk reads them. A counter counts each such read.
/// - Caches hold only what a walk found, and lose it only by the commands that the architecture has
///   for it (or by eviction). A guest that forgets an invalidation sees the old translation.
/// - No input can read or write outside a table, allocate beyond the limits in the options, or make
///   a loop unbounded. What cannot be stored is refused and counted by reason.
/// - After `init`, no method touches the heap. Tables grow inside address space reserved once.
///
/// **Threads.** Every type here is `~Copyable` and used by one thread at a time; nothing is locked.
/// A core may be handed over between threads, not shared.
