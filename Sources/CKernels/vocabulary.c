// Log-softmax over the vocabulary: a task takes one row or a few. The largest logit of one row. The soft cap of logits.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

typedef struct {
  gk_rows logits;
  const float *dlogp, *lse_in;
  float *gradient, *logp, *lse, *entropy;
  const int32_t *targets;
  float inverse_temperature;
  size_t v;
} softmax_call;

static void log_softmax_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const softmax_call *call = context;
  for (size_t r = begin; r < end; r++) {
    gk_active()->vocabulary.log_softmax(
      gk_row(call->logits, r, call->v), call->inverse_temperature, call->targets != NULL ? call->targets + r : NULL,
      call->logp != NULL ? call->logp + r : NULL, call->lse != NULL ? call->lse + r : NULL,
      call->entropy != NULL ? call->entropy + r : NULL, call->v);
  }
}

/// logp[T], lse[T] and entropy[T] of logits[T, V].
void gk_log_softmax(
  const float *logits, const int32_t *rows, float inverse_temperature, const int32_t *targets, float *logp, float *lse,
  float *entropy, size_t t, size_t v) {
  softmax_call call = {
    .logits = {logits, rows}, .inverse_temperature = inverse_temperature, .targets = targets, .logp = logp, .lse = lse,
    .entropy = entropy, .v = v};
  gk_parallel_ranges(t, gk_rows_per_task(v), log_softmax_rows, &call);
}

static void gradient_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const softmax_call *call = context;
  for (size_t r = begin; r < end; r++) {
    gk_active()->vocabulary.log_softmax_gradient(
      gk_row(call->logits, r, call->v), call->inverse_temperature, call->targets[r], call->lse_in[r], call->dlogp[r],
      call->gradient + r * call->v, call->v);
  }
}

/// dlogits[T, V] of logits[T, V].
void gk_log_softmax_gradient(
  const float *logits, const int32_t *rows, float inverse_temperature, const int32_t *targets, const float *lse,
  const float *dlogp, float *dlogits, size_t t, size_t v) {
  softmax_call call = {
    .logits = {logits, rows}, .gradient = dlogits, .inverse_temperature = inverse_temperature, .targets = targets,
    .lse_in = lse, .dlogp = dlogp, .v = v};
  gk_parallel_ranges(t, gk_rows_per_task(v), gradient_rows, &call);
}

int32_t gk_argmax(const float *logits, size_t v) {
  // Which block holds the largest, then where in it.
  enum { BLOCK = 1024 };
  float largest = -__builtin_inff();
  size_t at = 0;
  for (size_t begin = 0; begin < v; begin += BLOCK) {
    float most = gk_active()->vocabulary.largest(logits + begin, v - begin < BLOCK ? v - begin : BLOCK);
    if (most > largest) {
      largest = most;
      at = begin;
    }
  }
  for (size_t i = at; i < v; i++) {
    if (logits[i] == largest) return (int32_t)i;
  }
  return 0;
}

typedef struct {
  const float *y;
  float *x, softcap;
} softcap_call;

static void softcap_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const softcap_call *call = context;
  gk_active()->softcap.forward(call->x + begin, call->softcap, end - begin);
}

/// x becomes softcap · tanh(x / softcap).
void gk_softcap(float *x, float softcap, size_t count) {
  softcap_call call = {.x = x, .softcap = softcap};
  gk_parallel_ranges(count, GK_TASK_FLOATS, softcap_range, &call);
}

static void softcap_gradient_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const softcap_call *call = context;
  gk_active()->softcap.gradient(call->y + begin, call->softcap, call->x + begin, end - begin);
}

/// dy becomes dy · (1 - (y / softcap)²).
void gk_softcap_gradient(const float *y, float softcap, float *dy, size_t count) {
  softcap_call call = {.y = y, .x = dy, .softcap = softcap};
  gk_parallel_ranges(count, GK_TASK_FLOATS, softcap_gradient_range, &call);
}
