// Where the benchmark's two threads run. A C file because the affinity calls are GNU extensions
// that Swift's Glibc module does not show; the peers use the same one.
#ifndef CRING_PINNING_H
#define CRING_PINNING_H

#ifdef __cplusplus
extern "C" {
#endif

/// Remembers which processors this process may use, and says how many. Call it first, once.
int CRingPinning_init(void);

/// Keeps the calling thread on the wanted one of them, counted from 0. Does nothing when there are
/// fewer than two: then the scheduler shares the one.
void CRingPinning_pin(int wanted);

#ifdef __cplusplus
}
#endif

#endif
