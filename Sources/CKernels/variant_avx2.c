#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels.h"
#define VW 8
#define GK_BFLOAT16_TABLE gk_bfloat16_avx2
#define GK_TABLE gk_kernels_avx2
#define GK_NAME "avx2"
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "variant.inc"
#pragma clang attribute pop
#endif
