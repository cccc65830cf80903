// Large pages.
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>

#include "CKernels.h"

void gk_prefer_large_pages(void *start, size_t bytes) {
#if defined(MADV_HUGEPAGE)
  const uintptr_t page = 2 << 20;
  uintptr_t begin = ((uintptr_t)start + page - 1) & ~(page - 1), end = ((uintptr_t)start + bytes) & ~(page - 1);
  // Where the system will not, small pages do as well.
  if (begin < end) (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
  (void)start, (void)bytes;
#endif
}
