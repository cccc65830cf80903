#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"
#define VW 16
#define GK_BFLOAT16_TABLE gk_bfloat16_avx512
#define GK_TABLE gk_kernels_avx512
#define GK_NAME "avx512"
#pragma clang attribute push( \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#include "variant.inc"
#pragma clang attribute pop

// The same with the CPU's own products of bfloat16 (variant_avx512bf16.c).
extern const gk_bfloat16_kernels gk_bfloat16_dot;
const struct gk_kernels gk_kernels_avx512bf16 = GK_KERNELS("avx512bf16", &gk_bfloat16_dot);
#endif
