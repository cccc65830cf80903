// Transposes within packed weights.
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

/// to[j][i] = from[i][j] of a VW × VW block, rows 32 floats apart: log2 VW perfect shuffles of the block's floats.
GK_INLINE void turn_block(const float *from, float *to) {
  gk_vf a[VW], b[VW];
#pragma clang loop unroll(full)
  for (int i = 0; i < VW; i++) a[i] = gk_load(from + i * GK_PANEL);
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
  for (int i = 0; i < VW; i++) gk_store(to + i * GK_PANEL, a[i]);
}

#endif
