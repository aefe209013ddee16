// A reader of .dbtrace version 1, written from Traces/README.md and nothing else. It proves that the
// page is enough, and it is a start for whoever wants the format in another language.
#ifndef TRACE_FORMAT_IN_C_H
#define TRACE_FORMAT_IN_C_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
  uint64_t time, word0, word1, word2, word3, tail;
} TraceFormatInC_Event;

/// Decodes all events of a trace that lies in memory. The caller frees `*events`.
/// Returns NULL, or what is wrong.
const char *TraceFormatInC_decode(const uint8_t *file, size_t size, TraceFormatInC_Event **events,
                                  size_t *count);

#endif
