#include <math.h>

#include "naive.h"

void naive_product(
  const double *x, const double *w, const double *bias, double *y, size_t t, size_t n, size_t c) {
  for (size_t i = 0; i < t; i++) {
    for (size_t j = 0; j < n; j++) {
      double sum = 0;
      for (size_t k = 0; k < c; k++) sum += x[i * c + k] * w[j * c + k];
      y[i * n + j] = sum + (bias != NULL ? bias[j] : 0);
    }
  }
}

void naive_product_input_gradient(const double *dy, const double *w, double *dx, size_t t, size_t n, size_t c) {
  for (size_t i = 0; i < t; i++) {
    for (size_t j = 0; j < n; j++) {
      for (size_t k = 0; k < c; k++) dx[i * c + k] += dy[i * n + j] * w[j * c + k];
    }
  }
}

void naive_product_weight_gradient(const double *dy, const double *x, double *dw, size_t t, size_t n, size_t c) {
  for (size_t i = 0; i < t; i++) {
    for (size_t j = 0; j < n; j++) {
      for (size_t k = 0; k < c; k++) dw[j * c + k] += dy[i * n + j] * x[i * c + k];
    }
  }
}

void naive_bias_gradient(const double *dy, double *db, size_t t, size_t n) {
  for (size_t i = 0; i < t; i++) {
    for (size_t j = 0; j < n; j++) db[j] += dy[i * n + j];
  }
}

void naive_round_bfloat16(const double *x, double *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    // Eight bits of mantissa: x = m · 2ᵉ with 128 ≤ |m| < 256 before rounding. nearbyint takes ties to even.
    int exponent;
    frexp(x[i], &exponent);
    y[i] = ldexp(nearbyint(ldexp(x[i], 8 - exponent)), exponent - 8);
  }
}
