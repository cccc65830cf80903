#include <math.h>
#include <stdlib.h>

#include "naive.h"

static double log_sum(const double *x, size_t n) {
  double largest = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, x[i]);
  for (size_t i = 0; i < n; i++) sum += exp(x[i] - largest);
  return largest + log(sum);
}

/// p[E]: softmax of the logits, or their sigmoids divided by the sum.
static void probabilities(const gk_routing *rule, const double *logits, double *p) {
  size_t e = rule->e;
  double sum = 0;
  for (size_t i = 0; i < e; i++) {
    sum += p[i] = rule->scoring == GK_SOFTMAX ? exp(logits[i] - log_sum(logits, e)) : 1 / (1 + exp(-logits[i]));
  }
  for (size_t i = 0; i < e; i++) p[i] /= sum;
}

void naive_router_sums(
  const gk_routing *rule, const double *logits, const int32_t *offsets, double *probability, double *squares,
  size_t segments) {
  size_t e = rule->e;
  double *p = malloc(e * sizeof *p);
  for (size_t s = 0; s < segments; s++) {
    for (int32_t r = offsets[s]; r < offsets[s + 1]; r++) {
      probabilities(rule, logits + (size_t)r * e, p);
      for (size_t i = 0; i < e; i++) probability[s * e + i] += p[i];
      squares[s] += pow(log_sum(logits + (size_t)r * e, e), 2);
    }
  }
  free(p);
}

void naive_router_loss_gradient(
  const gk_routing *rule, const double *logits, const int32_t *segment, const double *balance, const double *z,
  double *dlogits, size_t t) {
  size_t e = rule->e;
  double *p = malloc(e * sizeof *p);
  for (size_t r = 0; r < t; r++) {
    const double *x = logits + r * e, *v = balance + (size_t)segment[r] * e;
    double lse = log_sum(x, e), mean = 0;
    probabilities(rule, x, p);
    for (size_t i = 0; i < e; i++) mean += p[i] * v[i];
    for (size_t i = 0; i < e; i++) {
      double slope = rule->scoring == GK_SOFTMAX ? 1 : 1 / (1 + exp(x[i]));
      dlogits[r * e + i] += p[i] * (v[i] - mean) * slope + 2 * z[segment[r]] * lse * exp(x[i] - lse);
    }
  }
  free(p);
}
