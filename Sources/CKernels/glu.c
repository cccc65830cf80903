// Gated linear units and gated rows, forward beside gradient.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

typedef struct {
  gk_activation activation;
  const float *dh, *gate, *up;
  float *h, *dgate, *dup;
} glu_call;

static void glu_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const glu_call *call = context;
  gk_active()->glu.forward(&call->activation, call->gate + begin, call->up + begin, call->h + begin, end - begin);
}

/// h = a(gate) · up.
void gk_glu(const gk_activation *activation, const float *gate, const float *up, float *h, size_t count) {
  glu_call call = {.activation = *activation, .gate = gate, .up = up, .h = h};
  gk_parallel_ranges(count, GK_TASK_FLOATS / 2, glu_range, &call);
}

static void glu_gradient_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const glu_call *call = context;
  gk_active()->glu.gradient(
    &call->activation, call->dh + begin, call->gate + begin, call->up + begin, call->dgate + begin, call->dup + begin,
    end - begin);
}

void gk_glu_gradient(
  const gk_activation *activation, const float *dh, const float *gate, const float *up, float *dgate, float *dup,
  size_t count) {
  glu_call call = {.activation = *activation, .dh = dh, .gate = gate, .up = up, .dgate = dgate, .dup = dup};
  gk_parallel_ranges(count, GK_TASK_FLOATS / 2, glu_gradient_range, &call);
}

typedef struct {
  gk_activation activation;
  const int32_t *slot, *from;
  const float *weights, *gate, *up;
  float *dh, *dgate, *dup, *dweights;
  size_t f;
} weighted_glu_call;

static void weighted_glu_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const weighted_glu_call *call = context;
  gk_active()->glu.weighted_gradient(
    &call->activation, call->slot + begin, call->weights + begin, call->gate, call->up, call->from + begin, call->dh,
    call->dgate, call->dup, call->dweights + begin, end - begin, call->f);
}

void gk_weighted_glu_gradient(
  const gk_activation *activation, const int32_t *slot, const float *weights, const float *gate, const float *up,
  const int32_t *from, float *dh, float *dgate, float *dup, float *dweights, size_t choices, size_t f) {
  weighted_glu_call call = {
    .activation = *activation, .slot = slot, .from = from, .weights = weights, .gate = gate, .up = up, .dh = dh,
    .dgate = dgate, .dup = dup, .dweights = dweights, .f = f};
  gk_parallel_ranges(choices, gk_rows_per_task(2 * f), weighted_glu_range, &call);
}

typedef struct {
  const float *dy, *x, *gate;
  float *y, *dx, *dgate;
  size_t c;
} gate_call;

static void gate_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const gate_call *call = context;
  size_t at = begin * call->c;
  gk_active()->glu.gate_rows(call->x + at, call->gate + begin, call->y + at, end - begin, call->c);
}

/// y[T, C] = sigmoid(gate[T]) · x.
void gk_gate_rows(const float *x, const float *gate, float *y, size_t t, size_t c) {
  gate_call call = {.x = x, .gate = gate, .y = y, .c = c};
  gk_parallel_ranges(t, gk_rows_per_task(c), gate_range, &call);
}

static void gate_gradient_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const gate_call *call = context;
  size_t at = begin * call->c;
  gk_active()->glu.gate_rows_gradient(
    call->dy + at, call->x + at, call->gate + begin, call->dx + at, call->dgate + begin, end - begin, call->c);
}

void gk_gate_rows_gradient(
  const float *dy, const float *x, const float *gate, float *dx, float *dgate, size_t t, size_t c) {
  gate_call call = {.dy = dy, .x = x, .gate = gate, .dx = dx, .dgate = dgate, .c = c};
  gk_parallel_ranges(t, gk_rows_per_task(2 * c), gate_gradient_range, &call);
}
