#include "CPeak.h"

#include <string.h>

enum { CHAINS = 12 };

#define PEAK(NAME, WIDTH, TARGET, STEP)                                                  \
  typedef float NAME##_vector __attribute__((vector_size(4 * WIDTH)));                   \
  TARGET static float NAME(size_t rounds) {                                              \
    NAME##_vector sum[CHAINS], half = (NAME##_vector){0} + 0.5f;                         \
    for (int i = 0; i < CHAINS; i++) sum[i] = (NAME##_vector){0} + (float)i;             \
    __asm__ volatile("" ::: "memory");                                                   \
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

size_t peak_chain_floats(const char *variant) {
  return CHAINS * (strcmp(variant, "avx512") == 0 ? 16 : strcmp(variant, "avx2") == 0 ? 8 : 4);
}

float peak_multiply_adds(const char *variant, size_t rounds) {
#if defined(__x86_64__)
  if (strcmp(variant, "avx512") == 0) return avx512(rounds);
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
    for (int j = 0; j < 4; j++) sum[j] += *(const vector *)(p + i + 16 * j);
  }
  float total = 0;
  for (int j = 0; j < 4; j++) {
    for (int k = 0; k < 16; k++) total += sum[j][k];
  }
  return total;
}
