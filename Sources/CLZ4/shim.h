// The system's LZ4 as it is; `TraceFormat` uses it.
#include <lz4.h>
#include <lz4hc.h>
#include <lz4frame.h>
