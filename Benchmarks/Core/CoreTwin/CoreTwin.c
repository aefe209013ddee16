#define _GNU_SOURCE
#include "CoreTwin.h"

#include <sys/mman.h>

#include "buffer.h"

enum { KIND_DMA = 1, KIND_MSI, KIND_ACKNOWLEDGE, KIND_MAP = 0x10, KIND_UNMAP, KIND_COMMAND, KIND_STREAM = 0x20 };
// Classes of outcomes, as in `OutcomeClass`.
enum { TRANSLATED = 1, DELIVERED, COALESCED, MASKED, ITS_DISABLED = 0x10, DEVICE_OUT_OF_RANGE,
       UNMAPPED_DEVICE, EVENT_OUT_OF_RANGE, UNMAPPED_EVENT, UNMAPPED_COLLECTION, UNMAPPED_VPE,
       INTID_OUT_OF_RANGE, LPIS_DISABLED, NOT_A_DOORBELL };
enum { BAD_STREAM = 0x02, BAD_STE = 0x04, BAD_CD = 0x0A, TRANSLATION = 0x10, ADDRESS_SIZE,
       ACCESS_FLAG, PERMISSION, ABORTED = 0x40 };
enum { NONE, ABORT, BYPASS, STAGE1, STAGE2, NESTED };

#define ADDRESS_MASK 0x0000FFFFFFFFF000ull
#define HOST_LEAF (0xFull << 2 | 3ull << 6 | 3ull << 8 | 1ull << 10)
#define ARENA_BYTES (512ull << 20)
#define MEMORY_FIRST 0x40000000ull
#define MEMORY_END 0x400000000ull
#define OFFSET 0x4000000000ull
#define STREAMS 65536u
#define SPACES 16384u
#define SLOT_BITS 15
#define OUTPUT_BITS 44

typedef struct {
  uint64_t limit, page_mask, key;
  uint32_t set_shift, salt;
} Lookup;

typedef struct {
  uint8_t granule, start, input;
} Shape;

typedef struct {
  uint8_t kind, output1, output2;
  Shape stage1, stage2;
  uint16_t space, vmid;
  uint64_t root1, root2, limit;
  uint64_t walk_key, walk_salt, stage2_key, stage2_salt;
} Context;

typedef struct {
  uint64_t key, recorded, root, table_base;
  Shape shape;
  uint32_t known_geometry, page_geometry;
  uint8_t leaf_level, leaf_shift, table_shift;
  uint32_t table_mask;
} Space;

/// A last-level table that took a leaf of late.
typedef struct {
  uint64_t tag, table;
} LeafTable;

/// The answer to an access, `Outcome` in 16 bytes.
typedef struct {
  uint64_t address;
  uint32_t intid;
  uint16_t target;
  uint8_t outcome, flags;
} Outcome;

typedef struct {
  uint64_t address, shift, permissions;
  uint8_t fault;
} Result;

typedef struct {
  uint64_t address;
  uint8_t fault;
} Answer;

struct CoreTwin {
  uint64_t accesses;
  Lookup *lookups;
  Buffer tlb, stage2_tlb, walk_cache;
  CoreTwinCounters counters;
  Context *contexts;
  char *arena;
  uint64_t used, physical, stream_table, next_cd;
  unsigned cds_left;
  Space *spaces;
  uint32_t *slots, *live;
  unsigned space_count;
  uint64_t last_key;
  unsigned last_space, host;
  uint32_t first_cached, last_cached;
  bool nested, enabled;
  LeafTable leaf_tables[256];
  CoreTwinInterrupts interrupts;
  bool its_enabled;
  /// On the short way: not pending before, and pending.
  uint64_t raised[2];
  CoreTwinTally tally;
};

static void *zeroed(size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static inline uint64_t load(const CoreTwin *t, uint64_t o) { return *(uint64_t *)(t->arena + o); }
static inline void store(CoreTwin *t, uint64_t o, uint64_t w) { *(uint64_t *)(t->arena + o) = w; }

static uint64_t allocate(CoreTwin *t, unsigned log2) {
  uint64_t size = 1ull << log2, start = (t->used + size - 1) & ~(size - 1);
  if (start + size > ARENA_BYTES) return 0;
  t->used = start + size;
  return start;
}

static inline uint64_t shape_shift(Shape s, unsigned level) {
  return s.granule + (3 - level) * (uint64_t)(s.granule - 3);
}
static inline uint64_t shape_offset(Shape s, uint64_t address, unsigned level) {
  uint64_t mask = level == s.start ? ~0ull : (1ull << (s.granule - 3)) - 1;
  return ((address >> shape_shift(s, level)) & mask) << 3;
}
static inline bool shape_leaf(Shape s, unsigned level) {
  return level == 3 || level == 2 || (level == 1 && s.granule == 12);
}
static Shape stage1_shape(unsigned granule, unsigned input) {
  unsigned bits = granule - 3;
  return (Shape){(uint8_t)granule, (uint8_t)(4 - (input - granule + bits - 1) / bits),
                 (uint8_t)input};
}

// Address spaces.

static unsigned space_search(CoreTwin *t, uint64_t key, uint64_t *slot) {
  *slot = key * 0x9E3779B97F4A7C15ull >> (64 - SLOT_BITS);
  for (;;) {
    unsigned number = t->slots[*slot];
    if (!number || t->spaces[number].key == key) return number;
    *slot = (*slot + 1) & ((1u << SLOT_BITS) - 1);
  }
}
static inline unsigned space_number(CoreTwin *t, uint64_t key) {
  if (key == t->last_key) return t->last_space;
  uint64_t slot;
  unsigned number = space_search(t, key, &slot);
  if (number) t->last_key = key, t->last_space = number;
  return number;
}
static unsigned space_add(CoreTwin *t, uint64_t key) {
  uint64_t slot;
  unsigned number = space_search(t, key, &slot);
  if (number || t->space_count == SPACES) return number;
  number = ++t->space_count;
  t->slots[slot] = number;
  t->spaces[number].key = key;
  t->spaces[number].page_geometry = ~0u;
  return number;
}

// Tables.

static inline LeafTable *leaf_table(CoreTwin *t, uint64_t tag) {
  return &t->leaf_tables[(tag ^ tag >> 48) & 255];
}
static inline uint64_t leaf_tag(const CoreTwin *t, const Space *space, uint64_t address) {
  return address >> space->table_shift | (uint64_t)(space - t->spaces) << 48;
}
/// 0 if it is not known.
static inline uint64_t leaf_find(CoreTwin *t, const Space *space, uint64_t address) {
  uint64_t tag = leaf_tag(t, space, address);
  const LeafTable *found = leaf_table(t, tag);
  return found->tag == tag ? found->table : 0;
}

static __attribute__((noinline)) void descend(CoreTwin *t, uint64_t leaf, uint64_t address,
                                              unsigned level, Space *space) {
  Shape shape = space->shape;
  uint64_t path[4], table = space->root;
  unsigned current = shape.start;
  path[current] = table;
  while (current < level) {
    uint64_t slot = table + shape_offset(shape, address, current), d = load(t, slot);
    if ((d & 3) == 3) {
      table = (d & ADDRESS_MASK) - space->table_base;
    } else {
      uint64_t made = allocate(t, shape.granule);
      if (!made || d) {
        t->counters.refused++;
        return;
      }
      store(t, slot, (space->table_base + made) | 3);
      t->counters.descriptor_writes++;
      table = made;
    }
    path[++current] = table;
  }
  uint64_t slot = table + shape_offset(shape, address, level), old = load(t, slot);
  if (level < 3 && (old & 3) == 3) {
    t->counters.refused++;
    return;
  }
  if (!old)
    for (unsigned l = level; ++t->live[path[l] >> 12] == 1 && l != shape.start; l--) {}
  store(t, slot, leaf);
  t->counters.descriptor_writes++;
  if (level == 3) {
    uint64_t tag = leaf_tag(t, space, address);
    *leaf_table(t, tag) = (LeafTable){tag, table};
  }
}

static inline uint64_t page_offset(const Space *space, uint64_t address) {
  return address >> (space->shape.granule - 3) & space->table_mask;
}

static inline bool store_known(CoreTwin *t, uint64_t leaf, uint64_t address, const Space *space) {
  uint64_t table = leaf_find(t, space, address);
  uint32_t *live = &t->live[table >> 12];
  if (!*live) return false;
  uint64_t slot = table + page_offset(space, address);
  if (!load(t, slot)) ++*live;
  store(t, slot, leaf);
  t->counters.descriptor_writes++;
  return true;
}

static inline void store_leaf(CoreTwin *t, uint64_t leaf, uint64_t address, unsigned level,
                              Space *space) {
  if (level == 3 && store_known(t, leaf, address, space)) return;
  descend(t, leaf, address, level, space);
}

static inline Space *event_space(CoreTwin *t, const CoreTwinEvent *e) {
  if ((e->word3 >> 16 & 3) != 1) return NULL;
  unsigned number = space_number(t, e->word2 >> 32);
  return number && t->spaces[number].root ? &t->spaces[number] : NULL;
}

static inline uint64_t leaf_attributes(uint64_t word3) {
  return (word3 >> 32 & 0xFFF) | (word3 >> 48 & 0x3FFF) << 50;
}

static __attribute__((noinline)) void map_any(CoreTwin *t, const CoreTwinEvent *e) {
  Space *space = event_space(t, e);
  if (!space) {
    t->counters.refused++;
    return;
  }
  uint32_t geometry = (uint32_t)(e->word3 & 0xFFFF) | 1u << 16;
  if (geometry != space->known_geometry) {
    unsigned level = e->word3 >> 8 & 0xF;
    if (level > 3 || level < space->shape.start || !shape_leaf(space->shape, level) ||
        (e->word3 & 0xFF) != shape_shift(space->shape, level) ||
        (e->word3 >> 12 & 0xF) * 2 + 10 != space->shape.granule) {
      t->counters.refused++;
      return;
    }
    space->known_geometry = geometry;
    space->leaf_level = (uint8_t)level;
    space->leaf_shift = (uint8_t)shape_shift(space->shape, level);
    if (level == 3) space->page_geometry = geometry;
  }
  uint64_t attributes = leaf_attributes(e->word3);
  bool backed = !t->nested || e->word1 - MEMORY_FIRST < MEMORY_END - MEMORY_FIRST;
  // The doorbell's page lies outside guest memory, and is mapped already.
  if (!backed && (e->word1 & ~0xFFFFull) == 0x8090000) backed = true;
  if (!attributes || attributes >> 52 & 1 || !backed || e->word1 >> 48 ||
      (e->word0 | e->word1) & ((1ull << space->leaf_shift) - 1) ||
      e->word0 >> space->shape.input) {
    t->counters.refused++;
    return;
  }
  store_leaf(t, e->word1 | (attributes & ~3ull) | (space->leaf_level == 3 ? 3 : 1), e->word0,
             space->leaf_level, space);
}

/// One page in a table that is known, or the general way.
static __attribute__((noinline)) void map(CoreTwin *t, const CoreTwinEvent *e) {
  uint64_t attributes = leaf_attributes(e->word3);
  const Space *space = &t->spaces[t->last_space];
  if (e->word2 >> 32 == t->last_key && (e->word3 & 0x3FFFF) == space->page_geometry &&
      !((e->word0 | e->word1) & ((1ull << space->shape.granule) - 1)) &&
      (!t->nested || e->word1 - MEMORY_FIRST < MEMORY_END - MEMORY_FIRST) && attributes &&
      !(attributes >> 52 & 1) && !(e->word1 >> 48) &&
      store_known(t, e->word1 | attributes | 3, e->word0, space))
    return;
  map_any(t, e);
}

/// True if the table holds no leaf afterwards.
static bool clear(CoreTwin *t, uint64_t table, unsigned level, uint64_t first, uint64_t last,
                  const Space *space) {
  uint64_t shift = shape_shift(space->shape, level), address = first;
  uint64_t slot = table + shape_offset(space->shape, first, level);
  uint32_t *live = &t->live[table >> 12];
  while (*live) {
    uint64_t end = address | ((1ull << shift) - 1);
    if (end > last) end = last;
    uint64_t d = load(t, slot);
    if ((d & 3) == 1 && end - address != (1ull << shift) - 1) {
      t->counters.refused++;
    } else if (level < 3 && (d & 3) == 3) {
      uint64_t child = (d & ADDRESS_MASK) - space->table_base;
      if (t->live[child >> 12] && clear(t, child, level + 1, address, end, space)) --*live;
    } else if (d) {
      store(t, slot, 0);
      t->counters.descriptor_writes++;
      --*live;
    }
    if (end == last) break;
    address = end + 1;
    slot += 8;
  }
  return !*live;
}

static __attribute__((noinline)) void unmap_any(CoreTwin *t, const CoreTwinEvent *e) {
  Space *space = event_space(t, e);
  if (!space || e->word0 >> space->shape.input) {
    t->counters.refused++;
    return;
  }
  unsigned granule = space->shape.granule, log2 = e->word3 & 0xFF;
  if (log2 < granule) log2 = granule;
  uint64_t first = e->word0 & (~0ull << granule);
  uint64_t rest = (1ull << space->shape.input) - 1 - first;
  uint64_t bytes = log2 < 64 ? (1ull << log2) - 1 : ~0ull;
  clear(t, space->root, space->shape.start, first, first + (bytes < rest ? bytes : rest), space);
}

static __attribute__((noinline)) void unmap(CoreTwin *t, const CoreTwinEvent *e) {
  const Space *space = &t->spaces[t->last_space];
  if (e->word2 >> 32 == t->last_key &&
      (e->word3 & 0x300FF) == (1u << 16 | space->shape.granule)) {
    uint64_t table = leaf_find(t, space, e->word0);
    uint32_t *live = &t->live[table >> 12];
    if (*live > 1) {
      uint64_t slot = table + page_offset(space, e->word0);
      if (!load(t, slot)) return;
      --*live;
      store(t, slot, 0);
      t->counters.descriptor_writes++;
      return;
    }
  }
  unmap_any(t, e);
}

static uint64_t make_root(CoreTwin *t, unsigned number, Shape shape, uint64_t recorded,
                          uint64_t base) {
  Space *space = &t->spaces[number];
  if (space->root && !memcmp(&space->shape, &shape, sizeof shape) && space->recorded == recorded)
    return space->root;
  uint64_t top = shape.input - shape_shift(shape, shape.start) + 3;
  if (space->root) t->counters.refused++;
  space->shape = shape;
  space->recorded = recorded;
  space->table_base = base;
  space->table_shift = (uint8_t)(shape.start == 3 ? shape.input : shape_shift(shape, 2));
  space->table_mask = (8u << (space->table_shift - shape.granule)) - 8;
  space->known_geometry = 0;
  space->page_geometry = ~0u;
  return space->root = allocate(t, top > shape.granule ? (unsigned)top : shape.granule);
}

// Configuration.

static __attribute__((noinline)) void configure(CoreTwin *t, const CoreTwinEvent *e) {
  uint32_t stream = (uint32_t)e->word2, fields = (uint32_t)e->word3;
  unsigned config = fields >> 11 & 7;
  if (stream >= STREAMS || (config & 4 && config != 5)) {
    t->counters.refused++;
    return;
  }
  t->enabled = true;
  uint64_t slot = t->stream_table + (stream >> 8) * 8ull, l1 = load(t, slot);
  if (!l1) {
    uint64_t table = allocate(t, 14);
    l1 = (t->physical + table) | 9;
    store(t, slot, l1);
    for (unsigned i = 0; i < 256; i++) store(t, table + i * 64ull, 1);
  }
  uint64_t ste = (l1 & 0x000FFFFFFFFFFFC0ull) - t->physical + (stream & 255) * 64ull;
  uint64_t cd = load(t, ste) & 0x000FFFFFFFFFFFC0ull;
  if (config == 5) {
    unsigned granule = (fields >> 6 & 3) * 2 + 10, t0sz = fields & 0x3F;
    uint64_t owner = e->word2 >> 32;
    unsigned number = space_add(t, owner);
    if (t0sz < 16 || t0sz > 39 || !number) {
      t->counters.refused++;
      return;
    }
    uint64_t root =
        make_root(t, number, stage1_shape(granule, 64 - t0sz), e->word0, MEMORY_END);
    if (!cd) {
      if (!t->cds_left) t->next_cd = allocate(t, 12), t->cds_left = 64;
      cd = MEMORY_END + t->next_cd;
      t->next_cd += 64;
      t->cds_left--;
    }
    uint64_t tg = granule == 12 ? 0 : granule == 16 ? 1 : 2;
    store(t, cd - MEMORY_END + 8, MEMORY_END + root);
    store(t, cd - MEMORY_END,
          t0sz | tg << 6 | 1ull << 30 | 1ull << 31 | (uint64_t)(fields >> 8 & 7) << 32 |
              1ull << 41 | 1ull << 45 | (owner & 0xFFFF) << 48);
    store(t, ste + 16, owner >> 16);
    if (t->nested) {
      Space *host = &t->spaces[t->host];
      space_add(t, 1ull << 32 | owner >> 16);
      store(t, ste + 16,
            owner >> 16 | (uint64_t)(64 - host->shape.input) << 32 |
                (uint64_t)(2 - host->shape.start) << 38 | 4ull << 48 | 1ull << 51 | 1ull << 58);
      store(t, ste + 24, t->physical + host->root);
      config = 7;
    }
  }
  store(t, ste, 1 | (uint64_t)config << 1 | cd);
}

static Result stage2(CoreTwin *t, uint64_t address, const Context *c);

static unsigned output_bits(uint64_t field) {
  static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52, 52};
  return bits[field & 7] < OUTPUT_BITS ? bits[field & 7] : OUTPUT_BITS;
}

static inline void prefer(CoreTwin *t, uint64_t shift, Lookup *lookup, const Context *c) {
  uint64_t key = (uint64_t)c->space << 48 | shift;
  if (lookup->key == key && lookup->limit) return;
  *lookup = (Lookup){c->limit, ~0ull << shift, key, (uint32_t)(shift - t->tlb.set_shift),
                     (uint32_t)buffer_salt(c->space)};
}

static uint8_t fetch(CoreTwin *t, uint32_t stream) {
  t->counters.configuration_misses++;
  t->counters.ste_reads++;
  uint64_t l1 = load(t, t->stream_table + (stream >> 8) * 8ull);
  if (!(l1 & 0x1F)) return BAD_STREAM;
  t->counters.ste_reads++;
  uint64_t ste = (l1 & 0x000FFFFFFFFFFFC0ull) - t->physical + (stream & 255) * 64ull;
  uint64_t d0 = load(t, ste), d2 = load(t, ste + 16);
  if (!(d0 & 1)) return BAD_STE;
  Context c = {.kind = ABORT, .vmid = (uint16_t)d2};
  unsigned config = d0 >> 1 & 7;
  if (config & 4) {
    c.kind = config == 7 ? NESTED : STAGE1;
    uint64_t at = d0 & 0x000FFFFFFFFFFFC0ull;
    if (config == 7) {
      c.stage2 = (Shape){12, (uint8_t)(2 - (d2 >> 38 & 3)), (uint8_t)(64 - (d2 >> 32 & 0x3F))};
      c.output2 = (uint8_t)output_bits(d2 >> 48);
      c.root2 = load(t, ste + 24);
      Result r = stage2(t, at, &c);
      if (r.fault) return r.fault;
      at = r.address;
    }
    t->counters.cd_reads++;
    uint64_t cd0 = load(t, at - t->physical);
    if (!(cd0 >> 31 & 1)) return BAD_CD;
    unsigned tg = cd0 >> 6 & 3;
    c.stage1 = stage1_shape(tg == 0 ? 12 : tg == 1 ? 16 : 14, 64 - (cd0 & 0x3F));
    c.output1 = (uint8_t)output_bits(cd0 >> 32);
    c.root1 = load(t, at - t->physical + 8);
    c.limit = 1ull << c.stage1.input;
    c.space = (uint16_t)space_number(t, (uint64_t)c.vmid << 16 | cd0 >> 48);
  }
  if (c.kind == NESTED && c.stage1.granule == 12) {
    c.walk_key = (uint64_t)c.space << 48 | 21;
    c.walk_salt = buffer_salt(c.space);
    c.stage2_key = (uint64_t)c.vmid << 48 | 21;
    c.stage2_salt = buffer_salt(c.vmid);
  }
  t->contexts[stream] = c;
  if (stream < t->first_cached) t->first_cached = stream;
  if (stream > t->last_cached) t->last_cached = stream;
  if (c.limit) prefer(t, 12, &t->lookups[stream], &c);
  return 0;
}

// Walks.

static inline bool reachable(const CoreTwin *t, uint64_t physical) {
  uint64_t offset = physical - t->physical;
  return !(offset & 7) && offset < ARENA_BYTES;
}

static __attribute__((noinline)) Result stage2_walk(CoreTwin *t, uint64_t address,
                                                    const Context *c) {
  t->counters.stage2_tlb_misses++;
  if (address >> c->stage2.input) return (Result){.fault = TRANSLATION};
  uint64_t table = c->root2;
  for (unsigned level = c->stage2.start;; level++) {
    uint64_t place = table + shape_offset(c->stage2, address, level);
    t->counters.stage2_reads++;
    if (!reachable(t, place)) return (Result){.fault = 0x0B};
    uint64_t d = load(t, place - t->physical);
    if (level < 3 && (d & 3) == 3) {
      table = d & ADDRESS_MASK;
      continue;
    }
    if ((d & 3) != (level == 3 ? 3 : 1) || !shape_leaf(c->stage2, level))
      return (Result){.fault = TRANSLATION};
    uint64_t shift = shape_shift(c->stage2, level), mask = ~0ull << shift;
    uint64_t output = d & ADDRESS_MASK & mask;
    if (output >> c->output2) return (Result){.fault = ADDRESS_SIZE};
    if (!(d >> 10 & 1)) return (Result){.fault = ACCESS_FLAG};
    Result r = {output | (address & ~mask), shift, d >> 6 & 3, 0};
    buffer_insert(&t->stage2_tlb, address, c->vmid, shift, shift, r.address, r.permissions);
    return r;
  }
}

static inline Result stage2(CoreTwin *t, uint64_t address, const Context *c) {
  const Line *hit = buffer_find(&t->stage2_tlb, address, c->vmid);
  if (hit)
    return (Result){address + (hit->data & ~0xFFFull), hit->tag & 0x3F, ~hit->data & 3, 0};
  return stage2_walk(t, address, c);
}

static inline Result stage1_leaf(uint64_t d, uint64_t shift, uint64_t address, unsigned bits) {
  uint64_t mask = ~0ull << shift, output = d & ADDRESS_MASK & mask;
  if (output >> bits) return (Result){.fault = ADDRESS_SIZE};
  if (!(d >> 10 & 1)) return (Result){.fault = ACCESS_FLAG};
  uint64_t readable = d >> 6 & 1, writable = readable & ~(d >> 7);
  return (Result){output | (address & ~mask), shift, readable | writable << 1, 0};
}

static __attribute__((noinline)) Result stage1_from_root(CoreTwin *t, uint64_t address,
                                                         const Context *c) {
  uint64_t table = c->root1;
  for (unsigned level = c->stage1.start;; level++) {
    uint64_t place = table + shape_offset(c->stage1, address, level);
    if (c->kind == NESTED) {
      Result r = stage2(t, place, c);
      if (r.fault) return r;
      if (!(r.permissions & 1)) return (Result){.fault = PERMISSION};
      place = r.address;
    }
    t->counters.stage1_reads++;
    if (!reachable(t, place)) return (Result){.fault = 0x0B};
    uint64_t d = load(t, place - t->physical);
    if (level < 3 && (d & 3) == 3) {
      table = d & ADDRESS_MASK;
      continue;
    }
    if ((d & 3) != (level == 3 ? 3 : 1) || !shape_leaf(c->stage1, level))
      return (Result){.fault = TRANSLATION};
    if (level == 3) {
      uint64_t piece = c->stage1.granule + 9ull, covered = address & (~0ull << piece);
      buffer_insert(&t->walk_cache, covered, c->space, piece, piece, place & ~0xFFFull, 3);
    }
    return stage1_leaf(d, shape_shift(c->stage1, level), address, c->output1);
  }
}

static inline Result stage1(CoreTwin *t, uint64_t address, const Context *c) {
  const Line *table = buffer_find_near(&t->walk_cache, address, c->space);
  if (!table) return stage1_from_root(t, address, c);
  t->counters.stage1_reads++;
  uint64_t place = ((table->tag & 0xFFFFFFFFF000ull) + (table->data & ~0xFFFull)) |
                   (address >> c->stage1.granule & 511) << 3;
  if (!reachable(t, place)) return (Result){.fault = 0x0B};
  uint64_t d = load(t, place - t->physical);
  if ((d & 3) != 3) return (Result){.fault = TRANSLATION};
  return stage1_leaf(d, c->stage1.granule, address, c->output1);
}

static Answer faulted(CoreTwin *t, uint8_t event) {
  t->counters.faults++;
  return (Answer){0, event};
}

static __attribute__((noinline)) Answer resolve_any(CoreTwin *t, uint32_t stream,
                                                    uint64_t address, uint64_t need) {
  if (!t->enabled) return address >> OUTPUT_BITS ? faulted(t, ABORTED) : (Answer){address, 0};
  if (stream >= STREAMS) return faulted(t, BAD_STREAM);
  Context *c = &t->contexts[stream];
  Lookup *lookup = &t->lookups[stream];
  bool tried = c->kind != NONE;
  if (!tried) {
    uint8_t fault = fetch(t, stream);
    if (fault) return faulted(t, fault);
  }
  if (address >= c->limit) return faulted(t, c->kind == ABORT ? ABORTED : TRANSLATION);
  bool only = tried && t->tlb.set_shift == 4 && !(t->tlb.sizes & ~(1ull << (lookup->key & 0x3F)));
  if (!only) {
    const Line *hit = buffer_find(&t->tlb, address, c->space);
    if (hit) {
      if (hit->data & need) return faulted(t, PERMISSION);
      prefer(t, hit->tag & 0x3F, lookup, c);
      return (Answer){address + (hit->data & ~0xFFFull), 0};
    }
  }
  t->counters.tlb_misses++;
  Result r = stage1(t, address, c);
  if (r.fault) return faulted(t, r.fault);
  if (~r.permissions & need) return faulted(t, PERMISSION);
  uint64_t leaf_shift = r.shift;
  if (c->kind == NESTED) {
    Result final = stage2(t, r.address, c);
    if (final.fault) return faulted(t, final.fault);
    r.address = final.address;
    if (final.shift < r.shift) r.shift = final.shift;
    r.permissions &= final.permissions;
    if (~r.permissions & need) return faulted(t, PERMISSION);
  }
  buffer_insert(&t->tlb, address, c->space, r.shift, leaf_shift, r.address, r.permissions);
  prefer(t, r.shift, lookup, c);
  return (Answer){r.address, 0};
}

/// A 4 KiB page of a nested stream with its table and its 2 MiB block known, or the general way.
static __attribute__((noinline)) Answer resolve(CoreTwin *t, uint32_t stream, uint64_t address,
                                                uint64_t need) {
  if (stream >= STREAMS) return resolve_any(t, stream, address, need);
  const Context *c = &t->contexts[stream];
  const Lookup *lookup = &t->lookups[stream];
  if (!c->walk_key || address >= lookup->limit || (lookup->key & 0x3F) != 12 ||
      t->tlb.sizes & ~(1ull << 12))
    return resolve_any(t, stream, address, need);
  uint64_t covered = address & (~0ull << 21);
  const Line *table = buffer_set(&t->walk_cache, address, 21, c->walk_salt);
  if (table->tag != (covered | c->walk_key)) return resolve_any(t, stream, address, need);
  uint64_t place = ((covered + (table->data & ~0xFFFull)) | (address >> 12 & 511) << 3);
  if (!reachable(t, place)) return resolve_any(t, stream, address, need);
  uint64_t d = load(t, place - t->physical), output = d & ADDRESS_MASK;
  const Line *block = buffer_set(&t->stage2_tlb, output, 21, c->stage2_salt);
  if ((d & 0xC03) != 0xC03 || output >> c->output1 ||
      block->tag != ((output & (~0ull << 21)) | c->stage2_key))
    return resolve_any(t, stream, address, need);
  uint64_t readable = d >> 6 & 1, writable = readable & ~(d >> 7);
  uint64_t denied = ((readable | writable << 1) ^ 3) | (block->data & 3);
  if (denied & need) return resolve_any(t, stream, address, need);
  uint64_t physical = output + (block->data & ~0xFFFull), page = address & ~0xFFFull;
  uint64_t at = ((address >> (lookup->set_shift & 63)) ^ lookup->salt) & t->tlb.set_mask;
  *(Line *)((char *)t->tlb.lines + at) =
      (Line){page | lookup->key, (physical - page) | denied | 12 << 4};
  t->tlb.sizes = 1ull << 12;
  t->counters.tlb_misses++;
  t->counters.stage1_reads++;
  return (Answer){physical | (address & 0xFFF), 0};
}

static inline Answer translate(CoreTwin *t, uint32_t stream, uint64_t address, uint64_t need) {
  t->accesses++;
  if (stream < STREAMS) {
    const Lookup *s = &t->lookups[stream];
    if (address < s->limit) {
      uint64_t tag = (address & s->page_mask) | s->key;
      uint64_t offset = ((address >> (s->set_shift & 63)) ^ s->salt) & t->tlb.set_mask;
      const Line *line = (const Line *)((const char *)t->tlb.lines + offset);
      if (line->tag == tag) {
        if (!(line->data & need)) return (Answer){address + (line->data & ~0xFFFull), 0};
        return faulted(t, PERMISSION);
      }
    }
  }
  return resolve(t, stream, address, need);
}

// Commands.

static void forget_stream(CoreTwin *t, uint32_t stream) {
  if (stream >= STREAMS) return;
  t->contexts[stream].kind = NONE;
  t->lookups[stream].limit = 0;
}

static __attribute__((noinline)) void command_any(CoreTwin *t, unsigned opcode, uint64_t d0,
                                                  uint64_t d1) {
  if (opcode == 0x12) {
    uint64_t first = d1 & ~0xFFFull, last = first, granule = d1 >> 10 & 3;
    if (granule) {
      if (!((d0 & 0x1F1F000) | (d1 & 0x300))) {
        t->counters.refused++;
        return;
      }
      last = first + (((d0 >> 12 & 0x1F) + 1) << ((d0 >> 20 & 0x1F) + granule * 2 + 10)) - 1;
      if (last < first) last = ~0ull;
    }
    unsigned number = space_number(t, d0 >> 48 | (d0 >> 16 & 0xFFFF0000));
    if (!number) return;
    buffer_remove(&t->tlb, number, first, last);
    if (!(d1 & 1)) buffer_remove(&t->walk_cache, number, first, last);
    return;
  }
  unsigned number;
  switch (opcode) {
    case 0x11:
      number = space_number(t, d0 >> 48 | (d0 >> 16 & 0xFFFF0000));
      if (!number) return;
      buffer_scan(&t->tlb, number, 0, ~0ull);
      buffer_scan(&t->walk_cache, number, 0, ~0ull);
      return;
    case 0x30:
      buffer_scan(&t->tlb, 0, 0, ~0ull);
      buffer_scan(&t->walk_cache, 0, 0, ~0ull);
      buffer_scan(&t->stage2_tlb, 0, 0, ~0ull);
      return;
    case 0x03: case 0x05: case 0x06:
      forget_stream(t, (uint32_t)(d0 >> 32));
      return;
    case 0x04:
      for (uint32_t s = t->first_cached; s <= t->last_cached; s++) forget_stream(t, s);
      t->first_cached = STREAMS;
      t->last_cached = 0;
      return;
    case 0x01: case 0x02: case 0x40:
      return;
    default:
      t->counters.refused++;
  }
}

static __attribute__((noinline)) void command(CoreTwin *t, uint64_t d0, uint64_t d1) {
  t->counters.commands++;
  unsigned opcode = d0 & 0xFF;
  if (opcode == 0x46) return;
  if (opcode == 0x12 && !(d0 & 0x1F1F000) && (d1 & 0xC01) == 0x401 && d1 & 0x300 &&
      (d0 >> 48 | (d0 >> 16 & 0xFFFF0000)) == t->last_key && !(t->tlb.sizes & ~(1ull << 12)) &&
      !t->tlb.fragments) {
    uint64_t address = d1 & ~0xFFFull;
    Line *line = buffer_set(&t->tlb, address, 12, buffer_salt(t->last_space));
    if (line->tag == buffer_tag(address, 12, t->last_space)) *line = (Line){0, 0};
    return;
  }
  command_any(t, opcode, d0, d1);
}

static __attribute__((noinline)) void maintain(CoreTwin *t, const CoreTwinEvent *e) {
  switch (e->kind) {
    case KIND_COMMAND: command(t, e->word0, e->word1); break;
    case KIND_MAP: map(t, e); break;
    case KIND_UNMAP: unmap(t, e); break;
  }
}

// Interrupts: the tables of `ITSCore`, where virtual entries become pending and physical ones, which
// the host keeps for itself, do not occur.

static inline uint64_t state_place(const CoreTwinInterrupts *i, uint32_t intid, uint16_t target) {
  return (uint64_t)i->interrupt_count * (target >> 15 ? 4 : 2) + (uint64_t)intid * 2;
}

/// The short way: upper word of the `Outcome`, or 0. On a host a physical entry is not for it.
static inline __attribute__((always_inline)) uint64_t follow(const CoreTwinInterrupts *i,
                                                             uint32_t device, uint32_t event,
                                                             uint32_t device_count, bool on_host,
                                                             uint32_t *gate_of_entry) {
  if (device >= device_count) return 0;
  CoreTwinDevice d = i->devices[device];
  if (event >= d.event_count) return 0;
  CoreTwinEntry entry = i->entries[d.first_entry + event];
  *gate_of_entry = entry.gate;
  if (on_host && !(entry.gate >> 21)) return 0;
  const CoreTwinGate *gate = (const CoreTwinGate *)((const char *)i->gates + entry.gate);
  uint8_t *state = i->states + gate->states + (uint64_t)entry.intid * 2;
  uint8_t acknowledged = state[1], change = state[0] ^ acknowledged;
  if (!(change & 2)) return 0;
  state[0] = acknowledged ^ 3;
  return entry.intid | gate->target | (uint64_t)change << 48;
}

/// Read at the first interrupt, as the redistributor does; a byte that was never stored is the default.
static uint8_t read_configuration(const CoreTwinInterrupts *i, uint64_t place) {
  uint8_t *state = i->states + place;
  if (!(*state & 6)) {
    uint8_t stored = i->configurations[place / 2];
    *state |= !stored || stored & 1 ? 2 : 4;
    int64_t *known = i->known_places + (place / 2 < (uint64_t)i->interrupt_count * 2 ? 0 : 2);
    bool is_empty = known[0] == known[1];
    if (is_empty || (int64_t)place < known[0]) known[0] = (int64_t)place;
    if (is_empty || (int64_t)place >= known[1]) known[1] = (int64_t)place + 1;
  }
  return *state & 2 ? DELIVERED : MASKED;
}

/// Asking at each step.
static __attribute__((noinline)) Outcome deliver_by_every_rule(const CoreTwinInterrupts *i,
                                                               uint32_t device_count,
                                                               uint32_t device, uint32_t event,
                                                               bool on_host,
                                                               CoreTwinCounters *counters) {
  Outcome o = {0};
  if (device >= device_count) {
    o.outcome = device_count ? DEVICE_OUT_OF_RANGE : ITS_DISABLED;
    return o;
  }
  counters->device_reads++;
  CoreTwinDevice d = i->devices[device];
  if (event >= d.event_count) {
    o.outcome = d.event_count ? EVENT_OUT_OF_RANGE : UNMAPPED_DEVICE;
    return o;
  }
  counters->entry_reads++;
  CoreTwinEntry entry = i->entries[d.first_entry + event];
  if (!(entry.gate >> 20 & 1)) {
    o.outcome = UNMAPPED_EVENT;
    return o;
  }
  bool is_virtual = entry.gate >> 21;
  if (on_host && !is_virtual) {
    counters->refused++;
    return o;
  }
  if (is_virtual) counters->vpe_reads++;
  CoreTwinPlace place = i->places[entry.gate >> 4];
  if (!(place.bits >> 27 & 1)) {
    o.outcome = is_virtual ? UNMAPPED_VPE : UNMAPPED_COLLECTION;
    return o;
  }
  bool is_taking = place.bits >> 28 & 1;
  if (!is_virtual && !is_taking) {
    o.outcome = LPIS_DISABLED;
    return o;
  }
  if (entry.intid >> (place.bits >> 16 & 0x1F)) {
    o.outcome = INTID_OUT_OF_RANGE;
    return o;
  }
  o.intid = entry.intid;
  o.target = (uint16_t)place.bits;
  uint64_t state = state_place(i, o.intid, o.target);
  if ((i->states[state] ^ i->states[state + 1]) & 1) {
    o.outcome = COALESCED;
    return o;
  }
  i->states[state] ^= 1;
  o.outcome = read_configuration(i, state);
  counters->pending_bits_set++;
  if (is_virtual && !is_taking && place.bits >> 29 & 1) {
    counters->doorbells++;
    o.flags = 1;
  }
  return o;
}

typedef struct {
  size_t count;
  uint64_t is_virtual, classes;
} Run;

/// The first requests, up to one that is for every rule; without a call in the loop.
static __attribute__((noinline)) Run follow_run(const CoreTwinInterrupts *interrupts,
                                                const CoreTwinRequest *requests, size_t count,
                                                CoreTwinOutcome *outcomes) {
  const CoreTwinInterrupts i = *interrupts;
  Run run = {0};
  for (; run.count < count; run.count++) {
    uint32_t gate;
    CoreTwinRequest r = requests[run.count];
    uint64_t end = follow(&i, r.device, r.event, i.device_count, false, &gate);
    if (!end) break;
    run.is_virtual += gate >> 21;
    run.classes += end >> 48;
    outcomes[run.count] = (CoreTwinOutcome){0, end};
  }
  return run;
}

void CoreTwin_translate_batch(const CoreTwinInterrupts *interrupts, const CoreTwinRequest *requests,
                              size_t count, CoreTwinOutcome *outcomes, CoreTwinCounters *counters) {
  for (size_t done = 0; done < count;) {
    Run run = follow_run(interrupts, requests + done, count - done, outcomes + done);
    done += run.count;
    counters->device_reads += run.count;
    counters->entry_reads += run.count;
    counters->vpe_reads += run.is_virtual;
    counters->pending_bits_set += 3 * run.count - run.classes;
    if (done == count) break;
    CoreTwinRequest r = requests[done];
    Outcome o = deliver_by_every_rule(interrupts, interrupts->device_count, r.device, r.event, false,
                                      counters);
    outcomes[done++] = (CoreTwinOutcome){0, o.intid | (uint64_t)o.target << 32 |
                                                (uint64_t)o.outcome << 48 |
                                                (uint64_t)o.flags << 56};
  }
  counters->interrupts_offered += count;
}

void CoreTwin_acknowledge(const CoreTwinInterrupts *interrupts, const CoreTwinOutcome *outcomes,
                          size_t count) {
  const CoreTwinInterrupts i = *interrupts;
  for (size_t n = 0; n < count; n++) {
    uint32_t intid = (uint32_t)outcomes[n].interrupt;
    if (intid >= i.interrupt_count) continue;
    uint64_t place = state_place(&i, intid, (uint16_t)(outcomes[n].interrupt >> 32));
    i.states[place + 1] = i.states[place] & 1;
  }
}

static inline Outcome deliver(CoreTwin *t, const CoreTwinEvent *e) {
  const CoreTwinInterrupts *i = &t->interrupts;
  Answer a = translate(t, (uint32_t)e->word2, e->word0, 2);
  if (a.fault) return (Outcome){.outcome = 0x40 | (a.fault & 0x3F)};
  if (a.address != i->doorbell) return (Outcome){.outcome = NOT_A_DOORBELL};
  uint32_t device = (uint32_t)(e->word2 >> 32), event = (uint32_t)e->word3;
  t->counters.interrupts_offered++;
  uint32_t device_count = t->its_enabled ? i->device_count : 0;
  uint32_t gate;
  uint64_t end = follow(i, device, event, device_count, true, &gate);
  if (!end) {
    Outcome o = deliver_by_every_rule(i, device_count, device, event, true, &t->counters);
    o.address = a.address;
    return o;
  }
  t->raised[end >> 48 & 1]++;
  return (Outcome){a.address, (uint32_t)end, (uint16_t)(end >> 32), (uint8_t)(end >> 48), 0};
}

static inline uint64_t extend(uint64_t digest, Outcome o) {
  uint64_t interrupt = (uint64_t)o.intid << 32 | (uint64_t)o.target << 16 |
                       (uint64_t)o.outcome << 8 | o.flags;
  uint64_t word = o.address ^ interrupt * 0x9E3779B97F4A7C15ull;
  return digest * 0xBF58476D1CE4E5B9ull + (word ^ word >> 32);
}

static __attribute__((noinline)) uint64_t handle(CoreTwin *t, const CoreTwinEvent *e,
                                                 uint64_t digest) {
  if (e->kind == KIND_MSI) {
    Outcome o = deliver(t, e);
    t->tally.interrupts++;
    t->tally.accesses++;
    if (o.outcome == DELIVERED) t->tally.delivered++;
    else if (o.outcome == COALESCED) t->tally.coalesced++;
    else if (o.outcome == MASKED) t->tally.masked++;
    else if (o.outcome >= 0x10) t->tally.lost++;
    return extend(digest, o);
  }
  if (e->kind == KIND_ACKNOWLEDGE) {
    const CoreTwinInterrupts *i = &t->interrupts;
    uint32_t intid = (uint32_t)(e->word3 >> 32);
    t->tally.acknowledges++;
    if (intid < i->interrupt_count) {
      uint64_t place = state_place(i, intid, e->target);
      i->states[place + 1] = i->states[place] & 1;
    }
  } else if (e->kind == KIND_STREAM) {
    configure(t, e);
  }
  return digest;
}

void CoreTwin_run(CoreTwin *t, const CoreTwinEvent *events, size_t count) {
  uint64_t digest = t->tally.digest, accesses = 0;
  for (const CoreTwinEvent *e = events, *end = events + count; e < end; e++) {
    if (e->kind == KIND_DMA) {
      uint64_t stated = e->flags & 3;
      Answer a = translate(t, (uint32_t)e->word2, e->word0, stated ? stated : 1);
      accesses++;
      Outcome o = {.address = a.address,
                   .outcome = a.fault ? 0x40 | (a.fault & 0x3F) : TRANSLATED};
      digest = extend(digest, o);
    } else if ((e->kind & 0xF0) == 0x10) {
      maintain(t, e);
    } else {
      digest = handle(t, e, digest);
    }
  }
  t->tally.digest = digest;
  t->tally.accesses += accesses;
}

CoreTwinTally CoreTwin_tally(const CoreTwin *t) { return t->tally; }
void CoreTwin_enable_interrupts(CoreTwin *t, bool enabled) { t->its_enabled = enabled; }

CoreTwinCounters CoreTwin_counters(const CoreTwin *t) {
  CoreTwinCounters c = t->counters;
  c.accesses = t->accesses;
  uint64_t raised = t->raised[0] + t->raised[1];
  c.device_reads += raised;
  c.entry_reads += raised;
  c.vpe_reads += raised;
  c.pending_bits_set += t->raised[0];
  return c;
}

// Making and ending one.

static void fill_host(CoreTwin *t, uint64_t first, uint64_t end, uint64_t output) {
  for (uint64_t a = first; a < end;) {
    uint64_t target = output + (a - first);
    bool block = !((a | target) & 0x1FFFFF) && a + (1 << 21) <= end;
    store_leaf(t, target | HOST_LEAF | (block ? 1 : 3), a, block ? 2 : 3, &t->spaces[t->host]);
    a += block ? 1 << 21 : 1 << 12;
  }
}

void CoreTwin_map_stage2(CoreTwin *t, uint64_t ipa, uint64_t pa, uint32_t log2) {
  if (!t->nested) {
    t->counters.refused++;
    return;
  }
  for (uint64_t o = 0; o < 1ull << log2; o += 4096)
    store_leaf(t, (pa + o) | HOST_LEAF | 3, ipa + o, 3, &t->spaces[t->host]);
  buffer_scan(&t->stage2_tlb, 0, 0, ~0ull);
  buffer_scan(&t->tlb, 0, 0, ~0ull);
  buffer_scan(&t->walk_cache, 0, 0, ~0ull);
}

CoreTwin *CoreTwin_create(bool nested, CoreTwinInterrupts interrupts) {
  CoreTwin *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->nested = nested;
  t->first_cached = STREAMS;
  t->interrupts = interrupts;
  t->its_enabled = true;
  t->used = 4096;
  t->last_key = ~0ull;
  t->physical = MEMORY_END + (nested ? OFFSET : 0);
  t->arena = zeroed(ARENA_BYTES);
  t->live = zeroed((ARENA_BYTES >> 12) * sizeof *t->live);
  t->lookups = zeroed(STREAMS * sizeof *t->lookups);
  t->contexts = zeroed(STREAMS * sizeof *t->contexts);
  t->spaces = zeroed((SPACES + 1) * sizeof *t->spaces);
  t->slots = zeroed((1u << SLOT_BITS) * sizeof *t->slots);
  bool buffers = buffer_init(&t->tlb, 2048, 0) & buffer_init(&t->stage2_tlb, 256, 0) &
                 buffer_init(&t->walk_cache, 128, 0);
  if (!t->arena || !t->live || !t->lookups || !t->contexts || !t->spaces || !t->slots || !buffers) {
    CoreTwin_destroy(t);
    return NULL;
  }
  t->stream_table = allocate(t, 12);
  if (nested) {
    t->host = space_add(t, 1ull << 33);
    make_root(t, t->host, (Shape){12, 1, 40}, 0, t->physical);
    fill_host(t, MEMORY_FIRST, MEMORY_END + ARENA_BYTES, MEMORY_FIRST + OFFSET);
    t->counters.descriptor_writes = 0;
  }
  return t;
}

static void unmap_pages(void *p, size_t bytes) {
  if (p) munmap(p, bytes);
}

void CoreTwin_destroy(CoreTwin *t) {
  unmap_pages(t->arena, ARENA_BYTES);
  unmap_pages(t->live, (ARENA_BYTES >> 12) * sizeof *t->live);
  unmap_pages(t->lookups, STREAMS * sizeof *t->lookups);
  unmap_pages(t->contexts, STREAMS * sizeof *t->contexts);
  unmap_pages(t->spaces, (SPACES + 1) * sizeof *t->spaces);
  unmap_pages(t->slots, (1u << SLOT_BITS) * sizeof *t->slots);
  free(t->tlb.lines);
  free(t->stage2_tlb.lines);
  free(t->walk_cache.lines);
  free(t);
}
