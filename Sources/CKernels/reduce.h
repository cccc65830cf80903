// Reductions of one row, in an order fixed by its length, for the kernel templates.
#ifndef GK_REDUCE_H
#define GK_REDUCE_H

#include "simd.h"

// Lanes of two vectors that hold their sums in groups of 2h lanes, for a vector that holds them in groups of h: the
// lower half of each group of a, then of b. The upper halves stand h lanes on.
#define GK_LANE(l, h) ((l) / (VW / 2) * VW + (l) % (VW / 2) / (h) * 2 * (h) + (l) % (h))
#if VW == 16
#define GK_LANES(h, o) \
  GK_LANE(0, h) + o, GK_LANE(1, h) + o, GK_LANE(2, h) + o, GK_LANE(3, h) + o, GK_LANE(4, h) + o, \
    GK_LANE(5, h) + o, GK_LANE(6, h) + o, GK_LANE(7, h) + o, GK_LANE(8, h) + o, GK_LANE(9, h) + o, \
    GK_LANE(10, h) + o, GK_LANE(11, h) + o, GK_LANE(12, h) + o, GK_LANE(13, h) + o, GK_LANE(14, h) + o, \
    GK_LANE(15, h) + o
#elif VW == 8
#define GK_LANES(h, o) \
  GK_LANE(0, h) + o, GK_LANE(1, h) + o, GK_LANE(2, h) + o, GK_LANE(3, h) + o, GK_LANE(4, h) + o, \
    GK_LANE(5, h) + o, GK_LANE(6, h) + o, GK_LANE(7, h) + o
#else
#define GK_LANES(h, o) GK_LANE(0, h) + o, GK_LANE(1, h) + o, GK_LANE(2, h) + o, GK_LANE(3, h) + o
#endif
#define GK_FOLD(h) \
  for (int i = 0; i < h; i++) { \
    gk_vf a = v[2 * i], b = v[2 * i + 1]; \
    v[i] = __builtin_shufflevector(a, b, GK_LANES(h, 0)) + __builtin_shufflevector(a, b, GK_LANES(h, h)); \
  }

/// Lane i of the result is gk_reduce_add(v[i]), the same bits. v[VW] is used up.
GK_INLINE gk_vf gk_reduce_add_each(gk_vf *v) {
#if VW == 16
  _Pragma("clang loop unroll(full)") GK_FOLD(8)
#endif
#if VW >= 8
  _Pragma("clang loop unroll(full)") GK_FOLD(4)
#endif
  _Pragma("clang loop unroll(full)") GK_FOLD(2)
  GK_FOLD(1)
  return v[0];
}

/// Σ a[i] · b[i]: four chains of vectors, one for what is left of those, folded at the end.
GK_INLINE float gk_dot(const float *a, const float *b, size_t n) {
  gk_vf sum[4] = {gk_zero(), gk_zero(), gk_zero(), gk_zero()};
  size_t i = 0;
  for (; i + 4 * VW <= n; i += 4 * VW) {
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) sum[j] = gk_fma(gk_load(a + i + j * VW), gk_load(b + i + j * VW), sum[j]);
  }
  for (; i + VW <= n; i += VW) sum[0] = gk_fma(gk_load(a + i), gk_load(b + i), sum[0]);
  if (i < n) sum[0] = gk_fma(gk_load_tail(a + i, n - i), gk_load_tail(b + i, n - i), sum[0]);
  return gk_reduce_add((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

/// The largest of x[n]; a NaN is passed over, and -INFINITY is the largest of nothing.
GK_INLINE float gk_largest(const float *x, size_t n) {
  gk_vf most[4];
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) most[j] = gk_set1(-INFINITY);
  size_t i = 0;
  for (; i + 4 * VW <= n; i += 4 * VW) {
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) most[j] = gk_max(gk_load(x + i + j * VW), most[j]);
  }
  for (; i + VW <= n; i += VW) most[0] = gk_max(gk_load(x + i), most[0]);
  if (i < n) most[0] = gk_max(gk_load_tail_or(x + i, n - i, -INFINITY), most[0]);
  return gk_reduce_max(gk_max(gk_max(most[0], most[1]), gk_max(most[2], most[3])));
}

/// y[i] = exp(x[i] - largest), y may be x; returns their sum: lanes of i % VW, folded at the end.
GK_INLINE float gk_exponentials(const float *x, float largest, float *y, size_t n) {
  gk_vf shift = gk_set1(largest), sum = gk_zero();
  size_t i = 0;
  for (; i + VW <= n; i += VW) {
    gk_vf e = gk_exp(gk_load(x + i) - shift);
    gk_store(y + i, e);
    sum += e;
  }
  if (i < n) {
    gk_vf e = gk_exp(gk_load_tail_or(x + i, n - i, -INFINITY) - shift);
    gk_store_tail(y + i, e, n - i);
    sum += e;
  }
  return gk_reduce_add(sum);
}

#endif
