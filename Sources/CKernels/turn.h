// Transposes and shuffles.
#ifndef GK_TURN_H
#define GK_TURN_H

#include "product.h"

// Perfect shuffles: the lanes of a and b by turns, from the first half of each, then from the second.
#if VW == 16
#define GK_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define GK_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VW == 8
#define GK_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define GK_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define GK_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define GK_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

// Of each four lanes of a and b: both by turns, from the first half or the second; the first halves of both, or the
// second.
#define GK_QUARTER_LOW(q) 4 * (q), VW + 4 * (q), 4 * (q) + 1, VW + 4 * (q) + 1
#define GK_QUARTER_HIGH(q) 4 * (q) + 2, VW + 4 * (q) + 2, 4 * (q) + 3, VW + 4 * (q) + 3
#define GK_QUARTER_FIRST(q) 4 * (q), 4 * (q) + 1, VW + 4 * (q), VW + 4 * (q) + 1
#define GK_QUARTER_SECOND(q) 4 * (q) + 2, 4 * (q) + 3, VW + 4 * (q) + 2, VW + 4 * (q) + 3
#if VW == 16
#define GK_QUARTERS(a, b, Q) __builtin_shufflevector(a, b, Q(0), Q(1), Q(2), Q(3))
#elif VW == 8
#define GK_QUARTERS(a, b, Q) __builtin_shufflevector(a, b, Q(0), Q(1))
#else
#define GK_QUARTERS(a, b, Q) __builtin_shufflevector(a, b, Q(0))
#endif

/// Four floats of every fourth of VW rows, from column c on.
GK_INLINE gk_vf load_quarters(const float *const *row, size_t c) {
  typedef float quarter __attribute__((vector_size(16), aligned(4), may_alias));
#define GK_QUARTER_AT(i) (*(const quarter *)(row[i] + c))
#if VW == 16
  typedef float half __attribute__((vector_size(32)));
  half low = __builtin_shufflevector(GK_QUARTER_AT(0), GK_QUARTER_AT(4), 0, 1, 2, 3, 4, 5, 6, 7);
  half high = __builtin_shufflevector(GK_QUARTER_AT(8), GK_QUARTER_AT(12), 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#elif VW == 8
  return __builtin_shufflevector(GK_QUARTER_AT(0), GK_QUARTER_AT(4), 0, 1, 2, 3, 4, 5, 6, 7);
#else
  return (gk_vf)GK_QUARTER_AT(0);
#endif
#undef GK_QUARTER_AT
}

/// Each four lanes of a[4], four rows of four floats, are transposed.
GK_INLINE void turn_quarters(gk_vf *a) {
  gk_vf low = GK_QUARTERS(a[0], a[1], GK_QUARTER_LOW), high = GK_QUARTERS(a[0], a[1], GK_QUARTER_HIGH);
  gk_vf next_low = GK_QUARTERS(a[2], a[3], GK_QUARTER_LOW), next_high = GK_QUARTERS(a[2], a[3], GK_QUARTER_HIGH);
  a[0] = GK_QUARTERS(low, next_low, GK_QUARTER_FIRST);
  a[1] = GK_QUARTERS(low, next_low, GK_QUARTER_SECOND);
  a[2] = GK_QUARTERS(high, next_high, GK_QUARTER_FIRST);
  a[3] = GK_QUARTERS(high, next_high, GK_QUARTER_SECOND);
}

/// to[j][i] = from[i][j] for VW rows, `step` floats apart, of VW floats, into rows `out` floats apart.
GK_INLINE void turn_square(const float *from, size_t step, float *to, size_t out) {
#pragma clang loop unroll(full)
  for (size_t c = 0; c < VW; c += 4) {
    gk_vf column[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      const float *row[VW];
#pragma clang loop unroll(full)
      for (int r = 0; r < VW; r++) row[r] = from + (size_t)r * step;
      column[i] = load_quarters(row + i, c);
    }
    turn_quarters(column);
#pragma clang loop unroll(full)
    for (size_t j = 0; j < 4; j++) gk_store(to + (c + j) * out, column[j]);
  }
}

/// The same of `rows` ≤ VW rows of `columns` ≤ VW floats; what is not there counts as 0.
GK_INLINE void turn_block(const float *from, size_t step, size_t rows, size_t columns, float *to, size_t out) {
  if (rows == VW && columns == VW) return turn_square(from, step, to, out);
  float whole[VW * VW];
  for (size_t i = 0; i < VW; i++) {
    for (size_t j = 0; j < VW; j++) whole[i * VW + j] = i < rows && j < columns ? from[i * step + j] : 0;
  }
  turn_square(whole, VW, to, out);
}

#endif
