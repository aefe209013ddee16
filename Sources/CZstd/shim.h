// The system's zstd as it is; who may use it, and how, is the matter of `TraceFormat` and `TraceImport`.
#include <zstd.h>
#include <zstd_errors.h>
