#include "its.h"

#define FIRST_LPI 8192u
#define NO_DOORBELL 1023u
#define VIRTUAL_TARGET 0x8000u
#define VALID (1ull << 63)
#define VIRTUAL (1ull << 62)
/// Priority 0xA0, group 1, enabled: what Linux stores for an LPI in use.
#define DEFAULT_CONFIGURATION 0xA3

enum { MOVI = 0x01, INT = 0x03, CLEAR = 0x04, MAPD = 0x08, MAPC, MAPTI, MAPI, INV, INVALL, MOVALL,
       DISCARD, VMOVI = 0x21, VMAPP = 0x29, VMAPTI, VMAPI, VINVALL = 0x2D };

static bool fits(uint64_t id, unsigned bits) { return bits >= 32 || id >> bits == 0; }

static bool is_lpi(const ITS *its, uint64_t intid) {
  return intid >= FIRST_LPI && fits(intid, its->geometry.intid_bits);
}

static bool target_make(Target *t, uint32_t intids) {
  if (t->intids < intids) {
    free(t->pending);
    free(t->stored);
    free(t->known);
    t->pending = calloc(intids / 8, 1);
    t->stored = calloc(intids, 1);
    t->known = calloc(intids, 1);
    t->intids = t->pending && t->stored && t->known ? intids : 0;
  }
  return t->intids != 0;
}

static void target_free(Target *t) {
  free(t->pending);
  free(t->stored);
  free(t->known);
}

bool its_init(ITS *its, const struct doorbell_geometry *geometry) {
  memset(its, 0, sizeof *its);
  its->geometry = *geometry;
  its->geometry.pe_count = geometry->pe_count ? geometry->pe_count : 1;
  its->enabled = true;
  its->collections = calloc(1u << 16, sizeof *its->collections);
  its->pes = calloc(its->geometry.pe_count, sizeof *its->pes);
  its->vpes = calloc(1u << 15, sizeof *its->vpes);
  if (!its->collections || !its->pes || !its->vpes || geometry->intid_bits > 24) return false;
  for (unsigned pe = 0; pe < its->geometry.pe_count; pe++) {
    if (!target_make(&its->pes[pe], 1u << geometry->intid_bits)) return false;
    its->pes[pe].enabled = true;
  }
  return true;
}

void its_free(ITS *its) {
  for (unsigned pe = 0; its->pes && pe < its->geometry.pe_count; pe++) target_free(&its->pes[pe]);
  for (unsigned vpe = 0; its->vpes && vpe < 1u << 15; vpe++) target_free(&its->vpes[vpe]);
  for (size_t slot = 0; slot < its->slot_count; slot++) free(its->slots[slot].entries);
  free(its->slots);
  free(its->collections);
  free(its->pes);
  free(its->vpes);
  map_free(&its->devices);
}

// MARK: Tables

static Device *device_of(ITS *its, uint64_t id) {
  uint64_t slot;
  return map_get(&its->devices, id, &slot) && slot ? &its->slots[slot - 1] : NULL;
}

/// The entry of a mapped event, or NULL.
static uint64_t *entry_of(ITS *its, uint64_t device, uint64_t event) {
  Device *d = device_of(its, device);
  return d && event < d->count && d->entries[event] & VALID ? &d->entries[event] : NULL;
}

static Target *collection_target(ITS *its, uint32_t icid, uint16_t *number) {
  if (icid > 0xFFFF || !its->collections[icid]) return NULL;
  *number = (uint16_t)(its->collections[icid] - 1);
  return &its->pes[*number];
}

/// The target of an entry; NULL if its collection or vPE is not mapped.
static Target *entry_target(ITS *its, uint64_t entry, uint16_t *number) {
  uint32_t place = entry >> 32 & 0xFFFF;
  if (!(entry & VIRTUAL)) return collection_target(its, place, number);
  *number = (uint16_t)(VIRTUAL_TARGET | place);
  return place < 1u << 15 && its->vpes[place].enabled ? &its->vpes[place] : NULL;
}

// MARK: Pending state

static bool clear_pending(Target *t, uint32_t intid) {
  if (intid < FIRST_LPI || intid >= t->intids || !(t->pending[intid / 8] >> intid % 8 & 1))
    return false;
  t->pending[intid / 8] &= (uint8_t)~(1u << intid % 8);
  return true;
}

/// DELIVERED, COALESCED or MASKED, or how it was lost.
static uint8_t make_pending(ITS *its, Target *t, uint32_t intid) {
  if (!t->enabled) return DOORBELL_LPIS_DISABLED;
  if (intid < FIRST_LPI || intid >= t->intids) return DOORBELL_INTID_OUT_OF_RANGE;
  if (t->pending[intid / 8] >> intid % 8 & 1) return DOORBELL_COALESCED;
  t->pending[intid / 8] |= (uint8_t)(1u << intid % 8);
  its->set++;
  if (!t->known[intid]) t->known[intid] = t->stored[intid] ? t->stored[intid] : DEFAULT_CONFIGURATION;
  return t->known[intid] & 1 ? DOORBELL_DELIVERED : DOORBELL_MASKED;
}

static void move_pending(ITS *its, Target *from, Target *to, uint32_t intid) {
  if (from != to && from->enabled && clear_pending(from, intid)) make_pending(its, to, intid);
}

static void forget_configurations(Target *t) { memset(t->known, 0, t->intids); }

void its_translate(ITS *its, uint32_t device, uint32_t event, struct doorbell_outcome *outcome) {
  its->offered++;
  outcome->intid = 0;
  outcome->target = 0;
  outcome->flags = 0;
  if (!its->enabled) {
    outcome->outcome = DOORBELL_ITS_DISABLED;
    return;
  }
  its->device_reads++;
  Device *d = device_of(its, device);
  if (!d) {
    outcome->outcome = fits(device, its->geometry.device_id_bits) ? DOORBELL_UNMAPPED_DEVICE
                                                                  : DOORBELL_DEVICE_OUT_OF_RANGE;
    return;
  }
  if (event >= d->count) {
    outcome->outcome = DOORBELL_EVENT_OUT_OF_RANGE;
    return;
  }
  its->entry_reads++;
  uint64_t entry = d->entries[event];
  if (!(entry & VALID)) {
    outcome->outcome = DOORBELL_UNMAPPED_EVENT;
    return;
  }
  if (entry & VIRTUAL) its->vpe_reads++;
  else its->collection_reads++;
  uint16_t number = 0;
  Target *t = entry_target(its, entry, &number);
  if (!t) {
    outcome->outcome = entry & VIRTUAL ? DOORBELL_UNMAPPED_VPE : DOORBELL_UNMAPPED_COLLECTION;
    return;
  }
  outcome->outcome = make_pending(its, t, (uint32_t)entry);
  if (outcome->outcome > DOORBELL_MASKED) return;
  outcome->intid = (uint32_t)entry;
  outcome->target = number;
}

void its_acknowledge(ITS *its, const struct doorbell_event *e) {
  uint32_t intid = (uint32_t)(e->word3 >> 32), number = e->target & ~VIRTUAL_TARGET;
  if (e->target & VIRTUAL_TARGET) {
    if (its->vpes[number].enabled) clear_pending(&its->vpes[number], intid);
  } else if (number < its->geometry.pe_count) {
    clear_pending(&its->pes[number], intid);
  }
}

// MARK: Set-up

static void map_device(ITS *its, uint64_t id, unsigned size, bool valid) {
  uint64_t slot = 0;
  if (!fits(id, its->geometry.device_id_bits)) return;
  if (valid && size >= its->geometry.event_id_bits) return;
  map_get(&its->devices, id, &slot);
  if (slot) free(its->slots[slot - 1].entries), its->slots[slot - 1] = (Device){0};
  if (!valid) {
    if (slot) map_set(&its->devices, id, 0), its->slots[slot - 1].count = 0;
    return;
  }
  if (!slot) {
    Device *slots = realloc(its->slots, (its->slot_count + 1) * sizeof *slots);
    if (!slots) return;
    its->slots = slots;
    slots[its->slot_count] = (Device){0};
    slot = ++its->slot_count;
  }
  Device *d = &its->slots[slot - 1];
  d->entries = calloc(2ull << size, sizeof *d->entries);
  d->count = d->entries ? 2u << size : 0;
  if (!map_set(&its->devices, id, slot)) d->count = 0;
}

static void map_event(ITS *its, uint64_t device, uint64_t event, uint64_t entry) {
  Device *d = device_of(its, device);
  if (d && event < d->count) d->entries[event] = entry | VALID;
}

static void map_vpe(ITS *its, uint32_t vpe, uint64_t rdbase, unsigned size, bool valid) {
  if (!fits(vpe, its->geometry.vpe_id_bits) || vpe >= 1u << 15) return;
  if (!valid) {
    its->vpes[vpe].enabled = false;
    return;
  }
  if (rdbase >= its->geometry.pe_count || size >= its->geometry.intid_bits) return;
  its->vpes[vpe].enabled = target_make(&its->vpes[vpe], 2u << size);
}

static void move_event(ITS *its, uint64_t *entry, uint64_t place, bool is_virtual) {
  uint16_t ignored;
  if (!entry || !!(*entry & VIRTUAL) != is_virtual) return;
  uint64_t moved = (*entry & ~(0xFFFFull << 32)) | place << 32;
  Target *from = entry_target(its, *entry, &ignored), *to = entry_target(its, moved, &ignored);
  uint32_t intid = (uint32_t)moved;
  if (!from || !to || (is_virtual && (intid >= from->intids || intid >= to->intids))) return;
  *entry = moved;
  move_pending(its, from, to, intid);
}

static void move_all(ITS *its, uint64_t from, uint64_t to) {
  if (from >= its->geometry.pe_count || to >= its->geometry.pe_count || from == to) return;
  for (uint32_t intid = FIRST_LPI; intid < its->pes[from].intids; intid++)
    move_pending(its, &its->pes[from], &its->pes[to], intid);
}

void its_command(ITS *its, const struct doorbell_event *e) {
  uint64_t device = e->word0 >> 32, event = e->word1 & 0xFFFFFFFF, upper1 = e->word1 >> 32;
  uint64_t icid = e->word2 & 0xFFFF, rdbase = e->word2 >> 16 & 0xFFFFFFFFF, vpe = upper1 & 0xFFFF;
  uint64_t doorbell = e->word2 >> 32;
  bool valid = e->word2 >> 63;
  bool collection_fits = fits(icid, its->geometry.collection_id_bits);
  bool vpe_fits = fits(vpe, its->geometry.vpe_id_bits) && vpe < 1u << 15;
  bool doorbell_fits = doorbell == NO_DOORBELL || is_lpi(its, doorbell);
  uint64_t *entry = entry_of(its, device, event);
  uint16_t number;
  Target *target = entry ? entry_target(its, *entry, &number) : NULL;
  struct doorbell_outcome ignored;
  its->commands++;
  switch (e->word0 & 0xFF) {
  case MAPD: map_device(its, device, e->word1 & 0x1F, valid); break;
  case MAPC:
    if (!collection_fits) break;
    if (!valid) its->collections[icid] = 0;
    else if (rdbase < its->geometry.pe_count) its->collections[icid] = (uint32_t)rdbase + 1;
    break;
  case MAPTI:
    if (collection_fits && is_lpi(its, upper1)) map_event(its, device, event, icid << 32 | upper1);
    break;
  case MAPI:
    if (collection_fits && is_lpi(its, event)) map_event(its, device, event, icid << 32 | event);
    break;
  case MOVI: move_event(its, entry, icid, false); break;
  case MOVALL: move_all(its, rdbase, e->word3 >> 16 & 0xFFFFFFFFF); break;
  case INT:
    its_translate(its, (uint32_t)device, (uint32_t)event, &ignored);
    its->offered--;
    break;
  case CLEAR:
    if (target) clear_pending(target, (uint32_t)*entry);
    break;
  case DISCARD:
    if (target) clear_pending(target, (uint32_t)*entry), *entry = 0;
    break;
  case INV:
    if (target && (uint32_t)*entry < target->intids) target->known[(uint32_t)*entry] = 0;
    break;
  case INVALL:
    if ((target = collection_target(its, (uint32_t)icid, &number))) forget_configurations(target);
    break;
  case VMAPP: map_vpe(its, (uint32_t)vpe, rdbase, e->word3 & 0x1F, valid); break;
  case VMAPTI:
    if (vpe_fits && doorbell_fits && is_lpi(its, e->word2 & 0xFFFFFFFF))
      map_event(its, device, event, VIRTUAL | vpe << 32 | (e->word2 & 0xFFFFFFFF));
    break;
  case VMAPI:
    if (vpe_fits && doorbell_fits && is_lpi(its, event))
      map_event(its, device, event, VIRTUAL | vpe << 32 | event);
    break;
  case VMOVI:
    if (vpe_fits && (!(e->word2 & 1) || doorbell_fits)) move_event(its, entry, vpe, true);
    break;
  case VINVALL:
    if (vpe_fits && its->vpes[vpe].enabled) forget_configurations(&its->vpes[vpe]);
    break;
  }
}

void its_register(ITS *its, const struct doorbell_event *e) {
  if (e->word0 == 0) its->enabled = e->word1 & 1; // GITS_CTLR.Enabled
}

void its_redistributor(ITS *its, const struct doorbell_event *e) {
  if (e->target >= its->geometry.pe_count) return;
  Target *t = &its->pes[e->target];
  uint32_t intid = (uint32_t)e->word1;
  switch (e->word0) {
  case 0x00: // GICR_CTLR.EnableLPIs
    if (e->word1 & 1 && !t->enabled) {
      forget_configurations(t);
      memset(t->pending, 0, t->intids / 8);
    }
    t->enabled = e->word1 & 1;
    break;
  case 0x40: make_pending(its, t, intid); break;  // GICR_SETLPIR
  case 0x48: clear_pending(t, intid); break;      // GICR_CLRLPIR
  case 0xA0:                                      // GICR_INVLPIR
    if (!(e->word1 >> 63) && intid < t->intids) t->known[intid] = 0;
    break;
  case 0xB0: // GICR_INVALLR
    if (!(e->word1 >> 63)) forget_configurations(t);
    break;
  }
}

void its_store_configuration(ITS *its, const struct doorbell_event *e) {
  uint32_t intid = (uint32_t)(e->word3 >> 32), number = e->target & ~VIRTUAL_TARGET;
  if (intid < FIRST_LPI) return;
  if (e->target & VIRTUAL_TARGET) {
    Target *t = &its->vpes[number];
    if (t->enabled && intid < t->intids) t->stored[intid] = (uint8_t)e->word1;
    return;
  }
  // All redistributors share one table.
  for (unsigned pe = 0; pe < its->geometry.pe_count && number < its->geometry.pe_count; pe++)
    if (intid < its->pes[pe].intids) its->pes[pe].stored[intid] = (uint8_t)e->word1;
}
