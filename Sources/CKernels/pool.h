// What the pool offers inside this library, besides gk_parallel.
#ifndef GK_POOL_H
#define GK_POOL_H

#include "CKernels.h"

/// At least `bytes` of memory, aligned to 64, that belongs to this worker until the body it was asked for in returns.
/// Contents are whatever was there. One piece per worker: asking again may move it. Aborts when memory is out.
void *gk_scratch(int worker, size_t bytes);

/// At least `bytes` of memory, aligned to 64, of the calling thread: until its next call. Aborts when memory is out.
void *gk_caller_scratch(size_t bytes);

/// body(context, begin, end, worker) over [0, count) cut every `grain` (≥ 1): the cuts never depend on the threads.
void gk_parallel_ranges(
  size_t count, size_t grain, void (*body)(void *context, size_t begin, size_t end, int worker), void *context);

#endif
