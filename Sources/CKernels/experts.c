// Routing, sorting by expert and combining: tasks of rows. Rows of a choice belong to one token alone.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

typedef struct {
  gk_routing rule;
  const float *logits, *bias, *dweights, *scores_in, *weights_in;
  float *scores, *weights, *dlogits;
  const int32_t *experts_in;
  int32_t *experts;
} route_call;

static void route_rows(void *context, size_t begin, size_t end, int worker) {
  const route_call *call = context;
  size_t at = begin * call->rule.e, choice = begin * call->rule.k;
  gk_active()->experts.route(
    &call->rule, call->logits + at, call->bias, call->scores + at, call->experts + choice, call->weights + choice,
    end - begin, gk_scratch(worker, gk_route_scratch(&call->rule) * sizeof(float)));
}

/// scores[T, E], experts[T, K] and weights[T, K] of logits[T, E].
void gk_route(
  const gk_routing *rule, const float *logits, const float *bias, float *scores, int32_t *experts, float *weights,
  size_t t) {
  route_call call = {
    .rule = *rule, .logits = logits, .bias = bias, .scores = scores, .experts = experts, .weights = weights};
  gk_parallel_ranges(t, gk_rows_per_task(8 * rule->e), route_rows, &call);
}

static void route_gradient_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const route_call *call = context;
  size_t at = begin * call->rule.e, choice = begin * call->rule.k;
  gk_active()->experts.route_gradient(
    &call->rule, call->dweights + choice, call->scores_in + at, call->experts_in + choice, call->weights_in + choice,
    call->dlogits + at, end - begin);
}

void gk_route_gradient(
  const gk_routing *rule, const float *dweights, const float *scores, const int32_t *experts, const float *weights,
  float *dlogits, size_t t) {
  route_call call = {
    .rule = *rule, .dweights = dweights, .scores_in = scores, .experts_in = experts, .weights_in = weights,
    .dlogits = dlogits};
  gk_parallel_ranges(t, gk_rows_per_task(4 * rule->e), route_gradient_rows, &call);
}

/// A counting sort of experts[T, K]: offsets[E + 1], token[T * K], slot[T, K].
void gk_sort_by_expert(
  const int32_t *experts, int32_t *offsets, int32_t *token, int32_t *slot, size_t t, size_t e, size_t k) {
  for (size_t i = 0; i <= e; i++) offsets[i] = 0;
  for (size_t choice = 0; choice < t * k; choice++) offsets[experts[choice] + 1]++;
  for (size_t i = 0; i < e; i++) offsets[i + 1] += offsets[i];
  // Placing moves each offset on to its expert's end, which is where the next one began.
  for (size_t choice = 0; choice < t * k; choice++) {
    int32_t row = offsets[experts[choice]]++;
    token[row] = (int32_t)(choice / k);
    slot[choice] = row;
  }
  for (size_t i = e; i > 0; i--) offsets[i] = offsets[i - 1];
  offsets[0] = 0;
}

typedef struct {
  const float *x, *weights;
  const int32_t *slot;
  float *y, *dx;
  size_t k, c;
} combine_call;

static void combine_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const combine_call *call = context;
  size_t choice = begin * call->k;
  gk_active()->experts.combine(
    call->x, call->slot + choice, call->weights + choice, call->y + begin * call->c, end - begin, call->k, call->c);
}

/// y[T, C] = Σ_j weights[t, j] · x[slot[t, j], :].
void gk_combine(
  const float *x, const int32_t *slot, const float *weights, float *y, size_t t, size_t k, size_t c) {
  combine_call call = {.x = x, .slot = slot, .weights = weights, .y = y, .k = k, .c = c};
  gk_parallel_ranges(t, gk_rows_per_task(k * c), combine_rows, &call);
}

typedef struct {
  const int32_t *slot, *experts;
  const float *weights, *bias;
  float *dy, *dweights;
  size_t c;
} bias_call;

static void bias_gradient_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const bias_call *call = context;
  gk_active()->experts.bias_gradient(
    call->dy, call->slot + begin, call->experts + begin, call->weights + begin, call->bias, call->dweights + begin,
    end - begin, call->c);
}

void gk_expert_bias_gradient(
  float *dy, const int32_t *slot, const int32_t *experts, const float *weights, const float *bias, float *dweights,
  size_t choices, size_t c) {
  bias_call call = {slot, experts, weights, bias, dy, dweights, c};
  gk_parallel_ranges(choices, gk_rows_per_task(c), bias_gradient_range, &call);
}

static void ungather_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const combine_call *call = context;
  gk_active()->experts.ungather_add(
    call->x, call->slot + begin * call->k, call->dx + begin * call->c, end - begin, call->k, call->c);
}

/// dx[T, C] += Σ_j dsorted[slot[t, j], :].
void gk_ungather_add(const float *dsorted, const int32_t *slot, float *dx, size_t t, size_t k, size_t c) {
  combine_call call = {.x = dsorted, .slot = slot, .dx = dx, .k = k, .c = c};
  gk_parallel_ranges(t, gk_rows_per_task(k * c), ungather_rows, &call);
}
