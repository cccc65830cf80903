// Naive twins: each operation written as its definition, in double precision, on one thread, over unpacked row-major
// weights. Tests compare the kernels with them.
#ifndef GK_NAIVE_H
#define GK_NAIVE_H

#include "CKernels.h"

// ---------------------------------------------------------------- products (naive_product.c)

/// y[T, N] = x[T, C] · w[N, C]ᵀ + bias[N] where it is not NULL.
void naive_product(
  const double *x, const double *w, const double *bias, double *y, size_t t, size_t n, size_t c);
/// dx[T, C] += dy[T, N] · w[N, C].
void naive_product_input_gradient(const double *dy, const double *w, double *dx, size_t t, size_t n, size_t c);
/// dw[N, C] += dy[T, N]ᵀ · x[T, C].
void naive_product_weight_gradient(const double *dy, const double *x, double *dw, size_t t, size_t n, size_t c);
/// db[N] += the column sums of dy[T, N].
void naive_bias_gradient(const double *dy, double *db, size_t t, size_t n);

#endif
