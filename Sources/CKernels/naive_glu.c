#include <math.h>

#include "naive.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/// a(g), and its derivative.
static double activate(const gk_activation *activation, double g, double *slope) {
  double alpha = activation->unit == GK_CLAMPED ? activation->alpha : 1;
  if (activation->unit == GK_GELU) {
    double c = sqrt(2 / acos(-1)), t = tanh(c * (g + 0.044715 * g * g * g));
    *slope = (1 + t) / 2 + g * (1 - t * t) / 2 * c * (1 + 3 * 0.044715 * g * g);
    return g * (1 + t) / 2;
  }
  double s = sigmoid(alpha * g);
  *slope = s + alpha * g * s * (1 - s);
  return g * s;
}

void naive_glu(const gk_activation *activation, const double *gate, const double *up, double *h, size_t count) {
  double slope, limit = activation->limit;
  for (size_t i = 0; i < count; i++) {
    double g = gate[i], u = up[i];
    if (activation->unit == GK_CLAMPED) {
      g = fmin(g, limit);
      u = fmax(fmin(u, limit), -limit) + 1;
    }
    h[i] = activate(activation, g, &slope) * u;
  }
}

void naive_glu_gradient(
  const gk_activation *activation, const double *dh, const double *gate, const double *up, double *dgate, double *dup,
  size_t count) {
  double slope, limit = activation->unit == GK_CLAMPED ? activation->limit : INFINITY;
  for (size_t i = 0; i < count; i++) {
    double a = activate(activation, fmin(gate[i], limit), &slope);
    double u = fmax(fmin(up[i], limit), -limit) + (activation->unit == GK_CLAMPED);
    if (gate[i] <= limit) dgate[i] += dh[i] * u * slope;
    if (fabs(up[i]) <= limit) dup[i] += dh[i] * a;
  }
}

void naive_weighted_glu_gradient(
  const gk_activation *activation, const int32_t *slot, const double *weights, double *dh, double *gate, double *up,
  double *dweights, size_t choices, size_t f) {
  for (size_t choice = 0; choice < choices; choice++) {
    for (size_t i = slot[choice] * f; i < slot[choice] * f + f; i++) {
      double h, dgate = 0, dup = 0, weighted = weights[choice] * dh[i];
      naive_glu(activation, gate + i, up + i, &h, 1);
      naive_glu_gradient(activation, &weighted, gate + i, up + i, &dgate, &dup, 1);
      dweights[choice] += dh[i] * h;
      dh[i] = weights[choice] * h;
      gate[i] = dgate;
      up[i] = dup;
    }
  }
}

void naive_gate_rows(const double *x, const double *gate, double *y, size_t t, size_t c) {
  for (size_t i = 0; i < t * c; i++) y[i] = x[i] / (1 + exp(-gate[i / c]));
}

void naive_gate_rows_gradient(
  const double *dy, const double *x, const double *gate, double *dx, double *dgate, size_t t, size_t c) {
  for (size_t i = 0; i < t * c; i++) {
    double s = 1 / (1 + exp(-gate[i / c]));
    dx[i] += s * dy[i];
    dgate[i / c] += s * (1 - s) * dy[i] * x[i];
  }
}
