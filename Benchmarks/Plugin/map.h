// A hash map from 64 bits to 64 bits: open addressing, linear probing, at most half full. Removal moves
// later entries of a run up, so that nothing is left in the way of lookups.
#ifndef MAP_H
#define MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  uint64_t key, value;
} MapSlot;

/// Zeroed, it is an empty map.
typedef struct {
  MapSlot *slots; // A key of MAP_FREE: nothing there.
  size_t mask, count;
} Map;

#define MAP_FREE UINT64_MAX

static inline size_t map_place(const Map *m, uint64_t key) {
  return (size_t)((key * 0x9E3779B97F4A7C15ull) >> 20) & m->mask;
}

/// Where the key is, or the free place where it would be. Only with slots.
static inline size_t map_find(const Map *m, uint64_t key) {
  size_t at = map_place(m, key);
  while (m->slots[at].key != key && m->slots[at].key != MAP_FREE) at = (at + 1) & m->mask;
  return at;
}

static inline bool map_get(const Map *m, uint64_t key, uint64_t *value) {
  if (!m->count) return false;
  size_t at = map_find(m, key);
  if (m->slots[at].key != key) return false;
  *value = m->slots[at].value;
  return true;
}

static inline bool map_grow(Map *m) {
  size_t size = m->slots ? (m->mask + 1) * 2 : 64;
  MapSlot *old = m->slots, *slots = malloc(size * sizeof *slots);
  if (!slots) return false;
  size_t old_size = old ? m->mask + 1 : 0;
  for (size_t i = 0; i < size; i++) slots[i].key = MAP_FREE;
  m->slots = slots;
  m->mask = size - 1;
  for (size_t i = 0; i < old_size; i++)
    if (old[i].key != MAP_FREE) m->slots[map_find(m, old[i].key)] = old[i];
  free(old);
  return true;
}

/// False without memory; the key MAP_FREE cannot be stored.
static inline bool map_set(Map *m, uint64_t key, uint64_t value) {
  if (key == MAP_FREE) return false;
  if ((!m->slots || m->count * 2 > m->mask) && !map_grow(m)) return false;
  size_t at = map_find(m, key);
  if (m->slots[at].key == MAP_FREE) m->count++;
  m->slots[at] = (MapSlot){key, value};
  return true;
}

static inline void map_remove(Map *m, uint64_t key) {
  if (!m->count) return;
  size_t hole = map_find(m, key);
  if (m->slots[hole].key != key) return;
  m->count--;
  for (size_t at = (hole + 1) & m->mask; m->slots[at].key != MAP_FREE; at = (at + 1) & m->mask) {
    size_t home = map_place(m, m->slots[at].key);
    // It may move up if its home is not between the hole and where it is.
    if (((at - home) & m->mask) < ((at - hole) & m->mask)) continue;
    m->slots[hole] = m->slots[at];
    hole = at;
  }
  m->slots[hole].key = MAP_FREE;
}

static inline void map_free(Map *m) {
  free(m->slots);
  memset(m, 0, sizeof *m);
}

#endif
