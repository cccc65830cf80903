// What the losses of a router need: sums over segments of rows, and the gradient, by rows.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

typedef struct {
  gk_routing rule;
  const float *scores, *lse;
  const int32_t *experts, *offsets;
  int32_t *chosen;
  double *probability, *squares;
} sums_call;

/// One segment, its rows in order.
static void segment_sums(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const sums_call *call = context;
  size_t e = call->rule.e, k = call->rule.k;
  for (size_t s = begin; s < end; s++) {
    int32_t *chosen = call->chosen + s * e;
    double *probability = call->probability + s * e, squares = 0;
    for (size_t i = 0; i < e; i++) chosen[i] = 0, probability[i] = 0;
    for (size_t r = (size_t)call->offsets[s]; r < (size_t)call->offsets[s + 1]; r++) {
      const float *scores = call->scores + r * e;
      double total = 1;
      if (call->rule.scoring == GK_SIGMOID) {
        total = GK_SCORE_EPSILON;
        for (size_t i = 0; i < e; i++) total += scores[i];
      }
      for (size_t i = 0; i < e; i++) probability[i] += scores[i] / total;
      for (size_t j = 0; j < k; j++) chosen[call->experts[r * k + j]]++;
      squares += (double)call->lse[r] * call->lse[r];
    }
    call->squares[s] = squares;
  }
}

/// chosen[S, E], probability[S, E] and squares[S] of scores[T, E], lse[T] and experts[T, K].
void gk_router_sums(
  const gk_routing *rule, const float *scores, const float *lse, const int32_t *experts, const int32_t *offsets,
  int32_t *chosen, double *probability, double *squares, size_t segments) {
  sums_call call = {
    .rule = *rule, .scores = scores, .lse = lse, .experts = experts, .offsets = offsets, .chosen = chosen,
    .probability = probability, .squares = squares};
  gk_parallel_ranges(segments, 1, segment_sums, &call);
}

typedef struct {
  gk_routing rule;
  const float *logits, *scores, *lse, *balance, *z;
  const int32_t *segment;
  float *dlogits;
} gradient_call;

static void gradient_rows(void *context, size_t begin, size_t end, int worker) {
  const gradient_call *call = context;
  size_t at = begin * call->rule.e;
  gk_active()->router.loss_gradient(
    &call->rule, call->logits + at, call->scores + at, call->lse + begin, call->segment + begin, call->balance, call->z,
    call->dlogits + at, end - begin, gk_scratch(worker, call->rule.e * sizeof(float)));
}

/// dlogits[T, E] is added to.
void gk_router_loss_gradient(
  const gk_routing *rule, const float *logits, const float *scores, const float *lse, const int32_t *segment,
  const float *balance, const float *z, float *dlogits, size_t t) {
  gradient_call call = {
    .rule = *rule, .logits = logits, .scores = scores, .lse = lse, .balance = balance, .z = z, .segment = segment,
    .dlogits = dlogits};
  gk_parallel_ranges(t, gk_rows_per_task(8 * rule->e), gradient_rows, &call);
}
