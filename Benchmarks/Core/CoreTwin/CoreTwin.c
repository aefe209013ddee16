#define _GNU_SOURCE
#include "CoreTwin.h"

#include <sys/mman.h>

#include "buffer.h"

enum { KIND_DMA = 1, KIND_MSI, KIND_MAP = 0x10, KIND_UNMAP, KIND_COMMAND, KIND_STREAM = 0x20 };
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
} Context;

typedef struct {
  uint64_t key, recorded, root, table_base;
  Shape shape;
  uint32_t known_geometry;
  uint8_t leaf_level, leaf_shift, last_shift;
  uint32_t last_mask;
  uint64_t last_prefix, last_table;
} Space;

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
  bool nested, enabled;
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
  t->spaces[number].last_prefix = ~0ull;
  return number;
}

// Tables.

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
    space->last_shift = (uint8_t)(shape.start == 3 ? shape.input : shape_shift(shape, 2));
    space->last_mask = (8u << (space->last_shift - shape.granule)) - 8;
    space->last_prefix = address >> space->last_shift;
    space->last_table = table;
  }
}

static inline uint64_t last_slot(const Space *space, uint64_t address) {
  return space->last_table + (address >> (space->shape.granule - 3) & space->last_mask);
}

static inline void store_leaf(CoreTwin *t, uint64_t leaf, uint64_t address, unsigned level,
                              Space *space) {
  if (level == 3 && address >> space->last_shift == space->last_prefix &&
      t->live[space->last_table >> 12]) {
    uint64_t slot = last_slot(space, address);
    if (!load(t, slot)) t->live[space->last_table >> 12]++;
    store(t, slot, leaf);
    t->counters.descriptor_writes++;
    return;
  }
  descend(t, leaf, address, level, space);
}

static inline Space *event_space(CoreTwin *t, const CoreTwinEvent *e) {
  if ((e->word3 >> 16 & 3) != 1) return NULL;
  unsigned number = space_number(t, e->word2 >> 32);
  return number && t->spaces[number].root ? &t->spaces[number] : NULL;
}

static __attribute__((noinline)) void map(CoreTwin *t, const CoreTwinEvent *e) {
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
  }
  uint64_t attributes = (e->word3 >> 32 & 0xFFF) | (e->word3 >> 48 & 0x3FFF) << 50;
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

static __attribute__((noinline)) void unmap(CoreTwin *t, const CoreTwinEvent *e) {
  Space *space = event_space(t, e);
  if (!space || e->word0 >> space->shape.input) {
    t->counters.refused++;
    return;
  }
  unsigned granule = space->shape.granule, log2 = e->word3 & 0xFF;
  if (log2 < granule) log2 = granule;
  if (log2 == granule && e->word0 >> space->last_shift == space->last_prefix) {
    uint64_t slot = last_slot(space, e->word0);
    uint32_t *live = &t->live[space->last_table >> 12];
    if (!load(t, slot)) return;
    if (*live > 1) {
      --*live;
      store(t, slot, 0);
      t->counters.descriptor_writes++;
      return;
    }
  }
  uint64_t first = e->word0 & (~0ull << granule);
  uint64_t rest = (1ull << space->shape.input) - 1 - first;
  uint64_t bytes = log2 < 64 ? (1ull << log2) - 1 : ~0ull;
  clear(t, space->root, space->shape.start, first, first + (bytes < rest ? bytes : rest), space);
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
  space->last_prefix = ~0ull;
  space->known_geometry = 0;
  return space->root = allocate(t, top > shape.granule ? (unsigned)top : shape.granule);
}

// Configuration.

static __attribute__((noinline)) void configure(CoreTwin *t, const CoreTwinEvent *e) {
  if (e->kind != KIND_STREAM) return;
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
  t->contexts[stream] = c;
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

static __attribute__((noinline)) Answer resolve(CoreTwin *t, uint32_t stream, uint64_t address,
                                                uint64_t need) {
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

static __attribute__((noinline)) void command(CoreTwin *t, uint64_t d0, uint64_t d1) {
  t->counters.commands++;
  unsigned opcode = d0 & 0xFF;
  if (opcode == 0x46) return;
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
      for (uint32_t s = 0; s < STREAMS; s++) forget_stream(t, s);
      return;
    case 0x01: case 0x02: case 0x40:
      return;
    default:
      t->counters.refused++;
  }
}

static __attribute__((noinline)) void maintain(CoreTwin *t, const CoreTwinEvent *e) {
  switch (e->kind) {
    case KIND_COMMAND: command(t, e->word0, e->word1); break;
    case KIND_MAP: map(t, e); break;
    case KIND_UNMAP: unmap(t, e); break;
    default: configure(t, e);
  }
}

// The loop. The interrupt controller's half joins where an MSI's address has been found.
uint64_t CoreTwin_run(CoreTwin *t, const CoreTwinEvent *events, size_t count) {
  uint64_t digest = 0;
  for (const CoreTwinEvent *e = events, *end = events + count; e < end; e++) {
    if (e->kind == KIND_DMA || e->kind == KIND_MSI) {
      uint64_t stated = e->flags & 3;
      Answer a = translate(t, (uint32_t)e->word2, e->word0, stated ? stated : 1);
      digest += a.address ^ a.fault;
    } else {
      maintain(t, e);
    }
  }
  return digest;
}

CoreTwinCounters CoreTwin_counters(const CoreTwin *t) {
  CoreTwinCounters c = t->counters;
  c.accesses = t->accesses;
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

CoreTwin *CoreTwin_create(bool nested) {
  CoreTwin *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->nested = nested;
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
