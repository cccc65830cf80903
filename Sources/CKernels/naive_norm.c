#include <math.h>

#include "naive.h"

static double reciprocal_deviation(const double *x, double epsilon, size_t c) {
  double squares = 0;
  for (size_t i = 0; i < c; i++) squares += x[i] * x[i];
  return 1 / sqrt(squares / (double)c + epsilon);
}

void naive_rms_norm(const double *x, const double *w, double epsilon, double *y, size_t t, size_t c) {
  for (size_t r = 0; r < t; r++) {
    double rstd = reciprocal_deviation(x + r * c, epsilon, c);
    for (size_t i = 0; i < c; i++) y[r * c + i] = x[r * c + i] * rstd * w[i];
  }
}

void naive_rms_norm_gradient(
  const double *dy, const double *x, const double *w, double epsilon, double *dx, double *dw, size_t t, size_t c) {
  for (size_t r = 0; r < t; r++) {
    double rstd = reciprocal_deviation(x + r * c, epsilon, c);
    double along = 0;
    for (size_t i = 0; i < c; i++) along += dy[r * c + i] * w[i] * x[r * c + i];
    for (size_t i = 0; i < c; i++) {
      dx[r * c + i] += rstd * dy[r * c + i] * w[i] - rstd * rstd * rstd * along / (double)c * x[r * c + i];
      dw[i] += dy[r * c + i] * x[r * c + i] * rstd;
    }
  }
}

void naive_rope(
  double *x, const int32_t *positions, const double *cosine, const double *sine, size_t t, size_t heads, size_t d,
  bool inverse) {
  for (size_t r = 0; r < t * heads; r++) {
    for (size_t i = 0; i < d / 2; i++) {
      size_t at = positions[r / heads] * (d / 2) + i;
      double a = x[r * d + i], b = x[r * d + i + d / 2];
      double c = cosine[at], s = inverse ? -sine[at] : sine[at];
      x[r * d + i] = a * c - b * s;
      x[r * d + i + d / 2] = b * c + a * s;
    }
  }
}
