#include <math.h>

#include "naive.h"

static double reciprocal_deviation(const double *x, double epsilon, size_t c) {
  double squares = 0;
  for (size_t i = 0; i < c; i++) squares += x[i] * x[i];
  return 1 / sqrt(squares / (double)c + epsilon);
}

void naive_rms_norm(
  const double *x, const double *w, double offset, double epsilon, double *y, size_t t, size_t c) {
  for (size_t r = 0; r < t; r++) {
    double rstd = reciprocal_deviation(x + r * c, epsilon, c);
    for (size_t i = 0; i < c; i++) y[r * c + i] = x[r * c + i] * rstd * (offset + w[i]);
  }
}

void naive_rms_norm_gradient(
  const double *dy, const double *x, const double *w, double offset, double epsilon, double *dx, double *dw, size_t t,
  size_t c) {
  for (size_t r = 0; r < t; r++) {
    double rstd = reciprocal_deviation(x + r * c, epsilon, c);
    double along = 0;
    for (size_t i = 0; i < c; i++) along += dy[r * c + i] * (offset + w[i]) * x[r * c + i];
    for (size_t i = 0; i < c; i++) {
      dx[r * c + i] += rstd * dy[r * c + i] * (offset + w[i]);
      dx[r * c + i] -= rstd * rstd * rstd * along / (double)c * x[r * c + i];
      dw[i] += dy[r * c + i] * x[r * c + i] * rstd;
    }
  }
}

void naive_rope(
  const gk_rotation *rotation, double *x, const int32_t *positions, const double *cosine, const double *sine, size_t t,
  bool transposed) {
  size_t half = rotation->turned / 2;
  for (size_t r = 0; r < t; r++) {
    for (size_t head = 0; head < rotation->heads; head++) {
      double *y = x + r * rotation->row_stride + head * rotation->head_stride;
      for (size_t i = 0; i < half; i++) {
        size_t first = rotation->interleaved ? 2 * i : i, second = rotation->interleaved ? 2 * i + 1 : i + half;
        size_t at = positions[r] * half + i;
        double a = y[first], b = y[second], c = cosine[at], s = transposed ? -sine[at] : sine[at];
        y[first] = a * c - b * s;
        y[second] = b * c + a * s;
      }
    }
  }
}
