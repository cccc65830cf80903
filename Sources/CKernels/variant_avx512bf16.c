#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"
#define VW 16
#define GK_DOT
#define GK_BFLOAT16_TABLE gk_bfloat16_dot
extern const gk_bfloat16_kernels gk_bfloat16_dot;
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), apply_to = function)
#include "simd.h"

#include "bfloat16.inc"
#pragma clang attribute pop
#endif
