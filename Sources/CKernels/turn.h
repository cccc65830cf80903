// Transposes.
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

/// to[j][i] = from[i][j] for `rows` ≤ VW rows of `columns` ≤ VW lanes, `step` floats apart, into VW rows `out` floats
/// apart; what is not there counts as 0. log2 VW perfect shuffles of the block's floats.
GK_INLINE void turn_block(const float *from, size_t step, size_t rows, size_t columns, float *to, size_t out) {
  float whole[VW * VW];
  if (rows < VW || columns < VW) {
    for (size_t i = 0; i < VW; i++) {
      for (size_t j = 0; j < VW; j++) whole[i * VW + j] = i < rows && j < columns ? from[i * step + j] : 0;
    }
    from = whole, step = VW;
  }
  gk_vf a[VW], b[VW];
#pragma clang loop unroll(full)
  for (int i = 0; i < VW; i++) a[i] = gk_load(from + i * step);
#pragma clang loop unroll(full)
  for (int s = 1; s < VW; s *= 2) {
#pragma clang loop unroll(full)
    for (int i = 0; i < VW / 2; i++) {
      b[2 * i] = GK_LOW(a[i], a[i + VW / 2]);
      b[2 * i + 1] = GK_HIGH(a[i], a[i + VW / 2]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < VW; i++) a[i] = b[i];
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < VW; i++) gk_store(to + i * out, a[i]);
}

#endif
