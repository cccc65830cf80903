#include <math.h>
#include <stdlib.h>

#include "naive.h"

static void softmax(const double *x, double *p, size_t n) {
  double largest = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++) largest = fmax(largest, x[i]);
  for (size_t i = 0; i < n; i++) sum += p[i] = exp(x[i] - largest);
  for (size_t i = 0; i < n; i++) p[i] /= sum;
}

static void score(const gk_routing *rule, const double *logits, double *scores) {
  if (rule->scoring == GK_SOFTMAX) return softmax(logits, scores, rule->e);
  for (size_t i = 0; i < rule->e; i++) scores[i] = 1 / (1 + exp(-logits[i]));
}

void naive_route_weights(
  const gk_routing *rule, const double *logits, const int32_t *experts, double *scores, double *weights, size_t t) {
  size_t e = rule->e, k = rule->k;
  double *s = malloc(e * sizeof *s);
  for (size_t r = 0; r < t; r++) {
    score(rule, logits + r * e, s);
    double sum = rule->epsilon;
    for (size_t j = 0; j < k; j++) sum += s[experts[r * k + j]];
    for (size_t j = 0; j < k; j++) {
      weights[r * k + j] = rule->scale * s[experts[r * k + j]] / (rule->normalize ? sum : 1);
    }
    for (size_t i = 0; scores != NULL && i < e; i++) scores[r * e + i] = s[i];
  }
  free(s);
}

/// Whether x[i] is among the k largest of x[n], a tie to the lower index.
static bool among(const double *x, size_t n, size_t k, size_t i) {
  size_t better = 0;
  for (size_t j = 0; j < n; j++) better += x[j] > x[i] || (x[j] == x[i] && j < i);
  return better < k;
}

void naive_route_choice(
  const gk_routing *rule, const double *scores, const double *bias, int32_t *experts, size_t t) {
  size_t e = rule->e, size = e / rule->groups;
  double *value = malloc(e * sizeof *value), *merit = malloc(rule->groups * sizeof *merit);
  for (size_t r = 0; r < t; r++) {
    for (size_t i = 0; i < e; i++) value[i] = scores[r * e + i] + (bias != NULL ? bias[i] : 0);
    for (size_t group = 0; group < rule->groups; group++) {
      merit[group] = 0;
      for (size_t i = 0; i < size; i++) {
        if (among(value + group * size, size, rule->by_two ? 2 : 1, i)) merit[group] += value[group * size + i];
      }
    }
    for (size_t i = 0; i < e; i++) {
      if (!among(merit, rule->groups, rule->groups_kept, i / size)) value[i] = -INFINITY;
    }
    size_t chosen = 0;
    for (size_t i = 0; i < e; i++) {
      if (among(value, e, rule->k, i)) experts[r * rule->k + chosen++] = (int32_t)i;
    }
  }
  free(merit);
  free(value);
}

void naive_route_gradient(
  const gk_routing *rule, const double *dweights, const double *logits, const int32_t *experts, double *dlogits,
  size_t t) {
  size_t e = rule->e, k = rule->k;
  double *s = malloc(e * sizeof *s), *ds = malloc(e * sizeof *ds);
  for (size_t r = 0; r < t; r++) {
    const int32_t *chosen = experts + r * k;
    const double *dw = dweights + r * k;
    score(rule, logits + r * e, s);
    for (size_t i = 0; i < e; i++) ds[i] = 0;
    double sum = rule->epsilon, along = 0, mean = 0;
    for (size_t j = 0; j < k; j++) sum += s[chosen[j]];
    for (size_t j = 0; j < k; j++) along += dw[j] * s[chosen[j]] / sum;
    for (size_t j = 0; j < k; j++) ds[chosen[j]] += rule->scale * (rule->normalize ? (dw[j] - along) / sum : dw[j]);
    for (size_t i = 0; i < e; i++) mean += s[i] * ds[i];
    for (size_t i = 0; i < e; i++) {
      dlogits[r * e + i] += s[i] * (rule->scoring == GK_SOFTMAX ? ds[i] - mean : (1 - s[i]) * ds[i]);
    }
  }
  free(ds);
  free(s);
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

void naive_expert_bias_gradient(
  double *dy, const int32_t *slot, const int32_t *experts, const double *weights, const double *bias,
  double *dweights, size_t choices, size_t c) {
  for (size_t choice = 0; choice < choices; choice++) {
    for (size_t i = 0; i < c; i++) {
      double *d = dy + slot[choice] * c + i;
      dweights[choice] += *d * bias[experts[choice] * c + i];
      *d *= weights[choice];
    }
  }
}
