// The interface has no code of its own. Here its layout is held fast: a plug-in that was compiled years
// ago relies on every number.
#include "doorbell_backend.h"

#define AT(type, member, place) \
  _Static_assert(offsetof(struct type, member) == (place), #type "." #member " has moved")

_Static_assert(sizeof(struct doorbell_event) == 48, "an event has 48 bytes");
AT(doorbell_event, time, 0);
AT(doorbell_event, word0, 8);
AT(doorbell_event, word3, 32);
AT(doorbell_event, target, 40);
AT(doorbell_event, vector, 42);
AT(doorbell_event, kind, 44);
AT(doorbell_event, flags, 45);
AT(doorbell_event, outcome, 46);
AT(doorbell_event, origin, 47);

_Static_assert(sizeof(struct doorbell_outcome) == 16, "an outcome has 16 bytes");
AT(doorbell_outcome, intid, 8);
AT(doorbell_outcome, target, 12);
AT(doorbell_outcome, outcome, 14);
AT(doorbell_outcome, flags, 15);

_Static_assert(sizeof(struct doorbell_geometry) == 24, "the first version's geometry");
AT(doorbell_geometry, pe_count, 12);
AT(doorbell_geometry, its_translation_page, 16);

_Static_assert(sizeof(void *) != 8 || sizeof(struct doorbell_backend) == 112,
               "the first version's design");
_Static_assert(sizeof(void *) != 8 || offsetof(struct doorbell_backend, create) == 48, "create");
_Static_assert(sizeof(void *) != 8 || offsetof(struct doorbell_backend, inject) == 104, "inject");
