#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"
#define VW 16
#define GK_TABLE gk_kernels_avx512
#define GK_NAME "avx512"
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "variant.inc"
#pragma clang attribute pop
#endif
