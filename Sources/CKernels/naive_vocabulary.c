#include <math.h>
#include <stdlib.h>

#include "naive.h"

void naive_softcap(double *x, double softcap, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] = softcap * tanh(x[i] / softcap);
}

void naive_softcap_gradient(const double *dy, const double *x, double softcap, double *dx, size_t count) {
  for (size_t i = 0; i < count; i++) {
    double t = tanh(x[i] / softcap);
    dx[i] += dy[i] * (1 - t * t);
  }
}

void naive_log_softmax(
  const double *logits, double inverse_temperature, const int32_t *targets, double *logp, double *lse, double *entropy,
  size_t t, size_t v) {
  for (size_t r = 0; r < t; r++) {
    const double *row = logits + r * v;
    double largest = -INFINITY, sum = 0, mean = 0;
    for (size_t i = 0; i < v; i++) largest = fmax(largest, inverse_temperature * row[i]);
    for (size_t i = 0; i < v; i++) sum += exp(inverse_temperature * row[i] - largest);
    lse[r] = largest + log(sum);
    for (size_t i = 0; i < v; i++) {
      double p = exp(inverse_temperature * row[i] - lse[r]);
      if (p > 0) mean += p * inverse_temperature * row[i];
    }
    entropy[r] = lse[r] - mean;
    logp[r] = inverse_temperature * row[targets[r]] - lse[r];
  }
}

void naive_log_softmax_gradient(
  const double *logits, double inverse_temperature, const int32_t *targets, const double *dlogp, double *dlogits,
  size_t t, size_t v) {
  for (size_t r = 0; r < t; r++) {
    const double *row = logits + r * v;
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < v; i++) largest = fmax(largest, inverse_temperature * row[i]);
    for (size_t i = 0; i < v; i++) sum += exp(inverse_temperature * row[i] - largest);
    for (size_t i = 0; i < v; i++) {
      double p = exp(inverse_temperature * row[i] - largest) / sum;
      dlogits[r * v + i] += inverse_temperature * dlogp[r] * ((i == (size_t)targets[r]) - p);
    }
  }
}

typedef struct {
  double logit;
  size_t index;
} token;

/// The larger logit first, then the lower index.
static int by_logit(const void *a, const void *b) {
  const token *x = a, *y = b;
  if (x->logit != y->logit) return x->logit > y->logit ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

void naive_sampling(const double *logits, size_t v, const gk_sampling *sampling, double *probabilities) {
  token *tokens = malloc(v * sizeof *tokens);
  for (size_t i = 0; i < v; i++) tokens[i] = (token){logits[i] / sampling->temperature, i};
  qsort(tokens, v, sizeof *tokens, by_logit);

  // Top-k drops what is below the k-th logit; what equals it stays.
  size_t kept = v;
  if (sampling->top_k > 0 && (size_t)sampling->top_k < v) {
    kept = sampling->top_k;
    while (kept < v && tokens[kept].logit == tokens[kept - 1].logit) kept++;
  }

  // Top-p keeps a token while those before it have not reached p together.
  double sum = 0, before = 0;
  for (size_t i = 0; i < kept; i++) sum += exp(tokens[i].logit - tokens[0].logit);
  if (sampling->top_p < 1) {
    size_t reached = 0;
    while (reached < kept && (reached == 0 || before < sampling->top_p * sum)) {
      before += exp(tokens[reached++].logit - tokens[0].logit);
    }
    kept = reached;
  }

  // Min-p is relative to the most probable token.
  while (kept > 1 && exp(tokens[kept - 1].logit - tokens[0].logit) < sampling->min_p) kept--;

  sum = 0;
  for (size_t i = 0; i < kept; i++) sum += exp(tokens[i].logit - tokens[0].logit);
  for (size_t i = 0; i < v; i++) {
    probabilities[tokens[i].index] = i < kept ? exp(tokens[i].logit - tokens[0].logit) / sum : 0;
  }
  free(tokens);
}
