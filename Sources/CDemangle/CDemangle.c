#include "CDemangle.h"

#include <stdint.h>

extern char *swift_demangle(
    const char *mangled, size_t length, char *output, size_t *output_size, uint32_t flags);

char *doorbell_demangled(const char *symbol, size_t length) {
  return swift_demangle(symbol, length, NULL, NULL, 0);
}
