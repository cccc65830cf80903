#include "CPeak.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Sums at once: more than the multiply-adders take to answer, of pairs of bfloat16 longer.
enum { CHAINS = 12, DOT_CHAINS = 16 };

#define PEAK(NAME, WIDTH, TARGET, STEP)                                                  \
  typedef float NAME##_vector __attribute__((vector_size(4 * WIDTH)));                   \
  TARGET static float NAME(size_t rounds) {                                              \
    NAME##_vector sum[CHAINS], half = (NAME##_vector){0} + 0.5f;                         \
    for (int i = 0; i < CHAINS; i++) sum[i] = (NAME##_vector){0} + (float)i;             \
    /* Not known to the compiler, which would leave out a chain that stands still. */    \
    __asm__ volatile("" : "+m"(half) : : "memory");                                      \
    for (size_t round = 0; round < rounds; round++) {                                    \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) {              \
        NAME##_vector s = sum[i];                                                        \
        sum[i] = STEP;                                                                   \
      }                                                                                  \
    }                                                                                    \
    float total = 0;                                                                     \
    for (int i = 0; i < CHAINS; i++) {                                                   \
      for (int j = 0; j < WIDTH; j++) total += sum[i][j];                                \
    }                                                                                    \
    return total;                                                                        \
  }

#define FUSED __builtin_elementwise_fma(s, half, half)
#if defined(__x86_64__)
PEAK(avx512, 16, __attribute__((target("avx512f"))), FUSED)
PEAK(avx2, 8, __attribute__((target("avx2,fma"))), FUSED)
#elif defined(__aarch64__)
PEAK(neon, 4, , FUSED)
#endif
#pragma clang fp contract(off)
PEAK(plain, 4, , s *half + half)

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512bf16"))) static float dots(size_t rounds) {
  __m512 sum[DOT_CHAINS];
  __m512bh half = (__m512bh)_mm512_set1_epi16(0x3F00);
  for (int i = 0; i < DOT_CHAINS; i++) sum[i] = _mm512_set1_ps((float)i);
  __asm__ volatile("" : "+m"(half) : : "memory");
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < DOT_CHAINS; i++) sum[i] = _mm512_dpbf16_ps(sum[i], half, half);
  }
  float total = 0;
  for (int i = 0; i < DOT_CHAINS; i++) total += sum[i][0];
  return total;
}
#endif

/// The CPU's products of bfloat16 are twice as wide.
static int has_dots(const char *variant, int bfloat16) { return bfloat16 && strcmp(variant, "avx512bf16") == 0; }

size_t peak_chain_terms(const char *variant, int bfloat16) {
  if (has_dots(variant, bfloat16)) return DOT_CHAINS * 32;
  return CHAINS * (strncmp(variant, "avx512", 6) == 0 ? 16 : strcmp(variant, "avx2") == 0 ? 8 : 4);
}

float peak_multiply_adds(const char *variant, int bfloat16, size_t rounds) {
#if defined(__x86_64__)
  if (has_dots(variant, bfloat16)) return dots(rounds);
  if (strncmp(variant, "avx512", 6) == 0) return avx512(rounds);
  if (strcmp(variant, "avx2") == 0) return avx2(rounds);
#elif defined(__aarch64__)
  if (strcmp(variant, "neon") == 0) return neon(rounds);
#endif
  return plain(rounds);
}

float peak_read(const float *p, size_t count) {
  typedef float vector __attribute__((vector_size(64), aligned(4)));
  vector sum[4] = {0};
  for (size_t i = 0; i + 64 <= count; i += 64) {
    // 8 kB ahead, past the caches that keep what is read again.
    for (int j = 0; j < 4; j++) __builtin_prefetch(p + i + 2048 + 16 * j, 0, 0);
    for (int j = 0; j < 4; j++) sum[j] += *(const vector *)(p + i + 16 * j);
  }
  float total = 0;
  for (int j = 0; j < 4; j++) {
    for (int k = 0; k < 16; k++) total += sum[j][k];
  }
  return total;
}
