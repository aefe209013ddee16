// The design of Benchmarks/Plugin with one flaw, which the environment variable DOORBELL_FLAW names.
// Its own entry point is renamed to `direct_open` when this is built.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doorbell_backend.h"

const struct doorbell_backend *direct_open(uint32_t host_abi_version);

static const struct doorbell_backend *direct;
static const char *flaw = "";
static struct doorbell_backend flawed;
static uint64_t given, pieces;

static int is(const char *name) { return !strcmp(flaw, name); }

static void *crash_in_create(const struct doorbell_geometry *g, char *message, size_t size) {
  (void)g, (void)message, (void)size;
  raise(SIGSEGV);
  return NULL;
}

static void *no_instance(const struct doorbell_geometry *g, char *message, size_t size) {
  (void)g;
  snprintf(message, size, "the moon is not full");
  return NULL;
}

static void crash_in_configure(void *i, const struct doorbell_event *events, size_t count) {
  (void)i, (void)events, (void)count;
  abort();
}

static void crash_in_destroy(void *i) {
  (void)i;
  *(volatile int *)0 = 0;
}

static size_t translate(void *i, const struct doorbell_event *events, size_t count,
                        struct doorbell_outcome *outcomes) {
  size_t answered = direct->translate(i, events, count, outcomes);
  given += count;
  pieces++;
  if (given < 500) return answered;
  if (is("crash")) *(volatile int *)0 = 0;
  if (is("hang")) for (;;) pause();
  if (is("exit")) _exit(0);
  if (is("too-many")) return answered + 1;
  if (is("huge-count")) return SIZE_MAX;
  if (is("overrun")) memset(outcomes + count, 0, sizeof *outcomes);
  for (size_t at = 0; at < count; at++) {
    struct doorbell_outcome *o = &outcomes[at];
    if (events[at].kind != DOORBELL_DMA) continue;
    if (is("wrong-address")) o->address ^= 0x1000;
    if (is("wrong-fault")) *o = (struct doorbell_outcome){.outcome = DOORBELL_SMMU_FAULT | 0x10};
    // Only an event at the end of a batch.
    if (is("batch") && count > 1 && at == count - 1) o->address ^= 8;
    // What another instance did.
    if (is("global-state") && given > 3000) o->address ^= 8;
    if (is("unanswered")) memset(o, 0xFF, sizeof *o);
  }
  return answered;
}

static void count_pieces(void *i, uint64_t *values) {
  direct->read_counters(i, values);
  values[0] += pieces;
}

static uint32_t half_signal(void *i, const struct doorbell_event *event,
                            struct doorbell_outcome *outcome) {
  direct->translate(i, event, 1, outcome);
  if (outcome->outcome > DOORBELL_MASKED) return DOORBELL_NO_ROUTE_TO_SIGNAL;
  // The route carries the answer: INTID, target and class are small in the traces of the test.
  return (outcome->intid - 8192) << 12 | outcome->target << 4 | outcome->outcome;
}

static void inject(void *i, uint32_t route, struct doorbell_outcome *outcome) {
  (void)i;
  *outcome = (struct doorbell_outcome){.intid = (route >> 12) + 8192,
                                       .target = route >> 4 & 0xFF,
                                       .outcome = route & 0xF};
  if (is("wrong-inject")) outcome->target ^= 1;
}

const struct doorbell_backend *doorbell_backend_open(uint32_t host_abi_version) {
  static const char *const counters[] = {"accesses", "wishes"};
  if (getenv("DOORBELL_FLAW")) flaw = getenv("DOORBELL_FLAW");
  direct = direct_open(host_abi_version);
  flawed = *direct;
  flawed.translate = translate;
  if (is("crash-in-open")) raise(SIGBUS);
  if (is("refuses")) return NULL;
  if (is("version")) flawed.abi_version = 2u << 16;
  if (is("newer-minor")) flawed.abi_version = DOORBELL_ABI_VERSION + 7, flawed.struct_size += 64;
  if (is("size")) flawed.struct_size = 64;
  if (is("capability")) flawed.capabilities = 1ull << 40;
  if (is("no-translate")) flawed.translate = NULL;
  if (is("no-signal")) flawed.capabilities = DOORBELL_DELIVERS_BY_EVENTFD;
  if (is("name")) flawed.name = "a design\nof mine";
  if (is("counter")) flawed.counter_names = counters, flawed.counter_count = 2;
  if (is("counters")) flawed.counter_count = 1u << 30;
  if (is("no-instance")) flawed.create = no_instance;
  if (is("crash-in-create")) flawed.create = crash_in_create;
  if (is("crash-in-configure")) flawed.configure = crash_in_configure;
  if (is("crash-in-destroy")) flawed.destroy = crash_in_destroy;
  if (is("drifting-counter")) flawed.read_counters = count_pieces;
  if (is("eventfd") || is("wrong-inject")) {
    flawed.capabilities = DOORBELL_DELIVERS_BY_EVENTFD | DOORBELL_TRAPS_SET_UP;
    flawed.signal = half_signal;
    flawed.inject = inject;
  }
  return &flawed;
}
