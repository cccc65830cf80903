// Vectors of VW floats for the kernel templates (*.inc). Each variant_*.c sets VW and includes the templates, so every
// kernel is written once. Everything is always_inline: it takes the target of the function it lands in.
#ifndef GK_SIMD_H
#define GK_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef VW
#error "a variant sets VW, the number of floats in a vector, before it includes the templates"
#endif

// Sums are contracted nowhere but in gk_fma: a full vector, a tail and every compiler give the same bits.
#pragma clang fp contract(off)

#define GK_INLINE static inline __attribute__((always_inline, unused))

typedef float gk_vf __attribute__((vector_size(4 * VW)));
typedef int32_t gk_vi __attribute__((vector_size(4 * VW)));
typedef uint32_t gk_vu __attribute__((vector_size(4 * VW)));
typedef float gk_vf_unaligned __attribute__((vector_size(4 * VW), aligned(4), may_alias));

GK_INLINE gk_vf gk_load(const float *p) { return *(const gk_vf_unaligned *)p; }
GK_INLINE void gk_store(float *p, gk_vf v) { *(gk_vf_unaligned *)p = v; }
GK_INLINE gk_vf gk_set1(float s) {
  typedef float splat __attribute__((ext_vector_type(VW)));
  return (gk_vf)(splat)s;
}
GK_INLINE gk_vf gk_zero(void) { return (gk_vf){0}; }

/// a * b + c: rounded once, but by the plain variant, which has no such instruction.
GK_INLINE gk_vf gk_fma(gk_vf a, gk_vf b, gk_vf c) {
#if defined(GK_NO_FMA)
  return a * b + c;
#else
  return __builtin_elementwise_fma(a, b, c);
#endif
}

/// The compiler moves no load across this, nor what makes these two sums. Costs no instruction.
GK_INLINE void gk_keep_order(gk_vf *a, gk_vf *b) {
#if VW == 16
  __asm__ volatile("" : "+v"(*a), "+v"(*b)::"memory");
#elif VW == 8
  __asm__ volatile("" : "+x"(*a), "+x"(*b)::"memory");
#elif defined(__aarch64__)
  __asm__ volatile("" : "+w"(*a), "+w"(*b)::"memory");
#else
  (void)a, (void)b;
#endif
}

GK_INLINE gk_vf gk_max(gk_vf a, gk_vf b) {
  gk_vi greater = a > b;
  return (gk_vf)((greater & (gk_vi)a) | (~greater & (gk_vi)b));
}

GK_INLINE gk_vf gk_min(gk_vf a, gk_vf b) {
  gk_vi less = a < b;
  return (gk_vf)((less & (gk_vi)a) | (~less & (gk_vi)b));
}

/// a where the mask's lanes are all ones, b where they are 0. Comparisons of vectors give such masks.
GK_INLINE gk_vf gk_select(gk_vi mask, gk_vf a, gk_vf b) { return (gk_vf)((mask & (gk_vi)a) | (~mask & (gk_vi)b)); }

/// A mask of the first n lanes.
GK_INLINE gk_vi gk_first(size_t n) {
  static const int32_t edge[2 * VW] = {
#if VW == 16
    -1, -1, -1, -1, -1, -1, -1, -1,
#endif
#if VW >= 8
    -1, -1, -1, -1,
#endif
    -1, -1, -1, -1};
  typedef int32_t unaligned __attribute__((vector_size(4 * VW), aligned(4), may_alias));
  return *(const unaligned *)(edge + VW - n);
}

/// The first n (0 ..< VW) floats at p, `other` in the lanes past them; nothing past p + n is read.
GK_INLINE gk_vf gk_load_tail_or(const float *p, size_t n, float other) {
#if VW == 16
  return (gk_vf)_mm512_mask_loadu_ps((__m512)gk_set1(other), (__mmask16)((1u << n) - 1), p);
#elif VW == 8
  gk_vi mask = gk_first(n);
  return gk_select(mask, (gk_vf)_mm256_maskload_ps(p, (__m256i)mask), gk_set1(other));
#else
  gk_vf v = gk_set1(other);
#pragma clang loop unroll(full)
  for (size_t i = 0; i < VW - 1; i++) {
    if (i < n) v[i] = p[i];
  }
  return v;
#endif
}
GK_INLINE gk_vf gk_load_tail(const float *p, size_t n) { return gk_load_tail_or(p, n, 0); }

/// Writes the first n (0 ..< VW) lanes.
GK_INLINE void gk_store_tail(float *p, gk_vf v, size_t n) {
#if VW == 16
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif VW == 8
  _mm256_maskstore_ps(p, (__m256i)gk_first(n), (__m256)v);
#else
#pragma clang loop unroll(full)
  for (size_t i = 0; i < VW - 1; i++) {
    if (i < n) p[i] = v[i];
  }
#endif
}

/// The lanes' sum, always in the same order: halves are folded onto each other.
GK_INLINE float gk_reduce_add(gk_vf v) {
  float lane[VW];
  gk_store(lane, v);
#pragma clang loop unroll(full)
  for (int half = VW / 2; half > 0; half /= 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < half; i++) lane[i] += lane[i + half];
  }
  return lane[0];
}

GK_INLINE float gk_reduce_max(gk_vf v) {
  float lane[VW];
  gk_store(lane, v);
#pragma clang loop unroll(full)
  for (int half = VW / 2; half > 0; half /= 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < half; i++) lane[i] = lane[i] > lane[i + half] ? lane[i] : lane[i + half];
  }
  return lane[0];
}

/// exp of each lane within 1.1 ulp: 0 below -104 (and at -inf), inf above 88.73, NaN for NaN.
GK_INLINE gk_vf gk_exp(gk_vf x) {
  // Past these ends the result is 0 or inf all the same, and n stays small enough for the two scales below.
  gk_vf clamped = gk_min(gk_max(x, gk_set1(-105)), gk_set1(90));
  // n = x / ln 2 rounded to even: 1.5 · 2²³ pushes the fraction off the end of the mantissa.
  const gk_vf shift = gk_set1(12582912);
  gk_vf shifted = gk_fma(clamped, gk_set1(1.44269504f), shift);
  gk_vf n = shifted - shift;
  gk_vf r = gk_fma(n, gk_set1(-0.693359375f), clamped);
  r = gk_fma(n, gk_set1(2.12194440e-4f), r);
  // exp(r) = 1 + r + r² p(r) on [-ln 2 / 2, ln 2 / 2].
  gk_vf p = gk_set1(1.9875691500e-4f);
  p = gk_fma(p, r, gk_set1(1.3981999507e-3f));
  p = gk_fma(p, r, gk_set1(8.3334519073e-3f));
  p = gk_fma(p, r, gk_set1(4.1665795894e-2f));
  p = gk_fma(p, r, gk_set1(1.6666665459e-1f));
  p = gk_fma(p, r, gk_set1(5.0000001201e-1f));
  gk_vf y = gk_fma(p, r * r, r) + 1;
  // 2ⁿ in two factors, as n reaches past the exponents of normal floats at both ends.
  gk_vi exponent = (gk_vi)shifted - (gk_vi)shift;
  gk_vi half = exponent >> 1;
  gk_vf low = (gk_vf)((half + 127) << 23), high = (gk_vf)((exponent - half + 127) << 23);
  y = y * low * high;
  return gk_select(x == x, y, x);
}

/// 1 / (1 + exp(-x)) of each lane.
GK_INLINE gk_vf gk_sigmoid(gk_vf x) { return 1 / (1 + gk_exp(-x)); }

/// tanh of each lane within 2 ulp: the polynomial of Cephes near 0, 1 - 2 / (exp(2 |x|) + 1) past it.
GK_INLINE gk_vf gk_tanh(gk_vf x) {
  gk_vf size = gk_max(x, -x), square = x * x;
  gk_vf p = gk_set1(-5.70498872745e-3f);
  p = gk_fma(p, square, gk_set1(2.06390887954e-2f));
  p = gk_fma(p, square, gk_set1(-5.37397155531e-2f));
  p = gk_fma(p, square, gk_set1(1.33314422036e-1f));
  p = gk_fma(p, square, gk_set1(-3.33332819422e-1f));
  gk_vf near = gk_fma(p * square, x, x), far = 1 - 2 / (gk_exp(size + size) + 1);
  return gk_select(size < 0.625f, near, gk_select(x < 0, -far, far));
}

#endif
