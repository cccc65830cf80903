#include <math.h>
#include <stdlib.h>

#include "naive.h"

static void softmax(const double *x, double *p, size_t n) {
  double largest = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, x[i]);
  for (size_t i = 0; i < n; i++) sum += p[i] = exp(x[i] - largest);
  for (size_t i = 0; i < n; i++) p[i] /= sum;
}

void naive_route_weights(
  const double *logits, const int32_t *experts, double *probabilities, double *weights, size_t t, size_t e, size_t k,
  bool normalize) {
  double *p = malloc(e * sizeof *p);
  for (size_t r = 0; r < t; r++) {
    softmax(logits + r * e, p, e);
    double sum = 0;
    for (size_t j = 0; j < k; j++) sum += p[experts[r * k + j]];
    for (size_t j = 0; j < k; j++) weights[r * k + j] = p[experts[r * k + j]] / (normalize ? sum : 1);
    for (size_t i = 0; probabilities != NULL && i < e; i++) probabilities[r * e + i] = p[i];
  }
  free(p);
}

void naive_route_choice(const double *probabilities, int32_t *experts, size_t t, size_t e, size_t k) {
  for (size_t r = 0; r < t; r++) {
    const double *p = probabilities + r * e;
    size_t chosen = 0;
    for (size_t i = 0; i < e; i++) {
      size_t better = 0;
      for (size_t j = 0; j < e; j++) better += p[j] > p[i] || (p[j] == p[i] && j < i);
      if (better < k) experts[r * k + chosen++] = (int32_t)i;
    }
  }
}

void naive_route_gradient(
  const double *dweights, const double *dprobabilities, const double *logits, const int32_t *experts, double *dlogits,
  size_t t, size_t e, size_t k, bool normalize) {
  double *p = malloc(e * sizeof *p), *dp = malloc(e * sizeof *dp);
  for (size_t r = 0; r < t; r++) {
    const int32_t *chosen = experts + r * k;
    const double *dw = dweights + r * k;
    softmax(logits + r * e, p, e);
    for (size_t i = 0; i < e; i++) dp[i] = dprobabilities != NULL ? dprobabilities[r * e + i] : 0;
    double sum = 0, along = 0, mean = 0;
    for (size_t j = 0; j < k; j++) sum += p[chosen[j]];
    for (size_t j = 0; j < k; j++) along += dw[j] * p[chosen[j]] / sum;
    for (size_t j = 0; j < k; j++) dp[chosen[j]] += normalize ? (dw[j] - along) / sum : dw[j];
    for (size_t i = 0; i < e; i++) mean += p[i] * dp[i];
    for (size_t i = 0; i < e; i++) dlogits[r * e + i] += p[i] * (dp[i] - mean);
  }
  free(dp);
  free(p);
}

void naive_combine(
  const double *x, const int32_t *slot, const double *weights, double *y, size_t t, size_t k, size_t c) {
  for (size_t r = 0; r < t; r++) {
    for (size_t i = 0; i < c; i++) {
      double sum = 0;
      for (size_t j = 0; j < k; j++) sum += weights[r * k + j] * x[slot[r * k + j] * c + i];
      y[r * c + i] = sum;
    }
  }
}

void naive_combine_gradient(
  const double *dy, const double *x, const int32_t *slot, const double *weights, double *dx, double *dweights,
  size_t t, size_t k, size_t c) {
  for (size_t choice = 0; choice < t * k; choice++) {
    const double *dy_row = dy + choice / k * c, *x_row = x + slot[choice] * c;
    for (size_t i = 0; i < c; i++) {
      dx[slot[choice] * c + i] += weights[choice] * dy_row[i];
      dweights[choice] += dy_row[i] * x_row[i];
    }
  }
}
