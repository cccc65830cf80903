// AVX-512 as plain vectors, so that the templates of 16 lanes run, slowly, where the CPU has no such instructions: what
// variant_avx512.c and variant_avx512bf16.c use, by Intel's names. run.sh includes it behind immintrin.h.
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef float lanes __attribute__((vector_size(64)));
typedef uint32_t units __attribute__((vector_size(64)));
typedef uint16_t words __attribute__((vector_size(64)));
#define EMULATED static inline __attribute__((always_inline, unused))

EMULATED lanes emulated_load(lanes other, uint32_t mask, const float *p) {
  for (int i = 0; i < 16; i++) {
    if (mask >> i & 1) other[i] = p[i];
  }
  return other;
}
EMULATED void emulated_store(float *p, uint32_t mask, lanes v) {
  for (int i = 0; i < 16; i++) {
    if (mask >> i & 1) p[i] = v[i];
  }
}
EMULATED void emulated_store_words(void *p, uint32_t mask, words v) {
  for (int i = 0; i < 32; i++) {
    if (mask >> i & 1) ((uint16_t *)p)[i] = v[i];
  }
}
EMULATED words emulated_load_words(const void *p) {
  words v;
  memcpy(&v, p, sizeof v);
  return v;
}
EMULATED void emulated_store_all(void *p, words v) { memcpy(p, &v, sizeof v); }

/// To nearest, ties to even; numbers below 2⁻¹²⁶ count as 0.
EMULATED uint16_t emulated_round(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (x != x) return (uint16_t)((bits | 0x400000) >> 16);
  if ((bits & 0x7F800000) == 0) return (uint16_t)((bits & 0x80000000) >> 16);
  return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
EMULATED words emulated_narrow(lanes high, lanes low) {
  words v;
  for (int i = 0; i < 16; i++) {
    v[i] = emulated_round(low[i]);
    v[16 + i] = emulated_round(high[i]);
  }
  return v;
}
/// Of each pair the second is added first.
EMULATED lanes emulated_dot(lanes sum, units a, units b) {
  sum = __builtin_elementwise_fma((lanes)(a & 0xFFFF0000), (lanes)(b & 0xFFFF0000), sum);
  return __builtin_elementwise_fma((lanes)(a << 16), (lanes)(b << 16), sum);
}
EMULATED words emulated_permute(words index, words v) {
  words to;
  for (int i = 0; i < 32; i++) to[i] = v[index[i] & 31];
  return to;
}

#define _mm512_mask_loadu_ps(other, mask, p) emulated_load((lanes)(other), mask, p)
#define _mm512_mask_storeu_ps(p, mask, v) emulated_store(p, mask, (lanes)(v))
#define _mm512_mask_storeu_epi16(p, mask, v) emulated_store_words(p, mask, (words)(v))
#define _mm512_loadu_si512(p) emulated_load_words(p)
#define _mm512_storeu_si512(p, v) emulated_store_all(p, (words)(v))
#define _mm512_set1_epi32(x) ((units){0} + (uint32_t)(x))
#define _mm512_cvtne2ps_pbh(high, low) emulated_narrow((lanes)(high), (lanes)(low))
#define _mm512_dpbf16_ps(sum, a, b) emulated_dot((lanes)(sum), (units)(a), (units)(b))
#define _mm512_permutexvar_epi16(index, v) emulated_permute((words)(index), (words)(v))
