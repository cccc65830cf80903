// Root-mean-square norm, forward beside gradient.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

typedef struct {
  const float *dy, *x, *w, *rstd;
  float *y, *dx, *dw, *rstd_out;
  float offset, epsilon;
  size_t t, c;
  bool accumulate;
} norm_call;

static void rms_norm_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const norm_call *call = context;
  size_t at = begin * call->c;
  float *rstd = call->rstd_out != NULL ? call->rstd_out + begin : NULL;
  gk_active()->norm.rms_norm(
    call->x + at, call->w, call->offset, call->epsilon, call->y + at, rstd, end - begin, call->c);
}

/// y[T, C] = x · rstd · (offset + w), rstd[T] = 1 / sqrt(mean(x²) + epsilon).
void gk_rms_norm(
  const float *x, const float *w, float offset, float epsilon, float *y, float *rstd, size_t t, size_t c) {
  norm_call call = {.x = x, .w = w, .offset = offset, .epsilon = epsilon, .y = y, .rstd_out = rstd, .c = c};
  gk_parallel_ranges(t, gk_rows_per_task(c), rms_norm_rows, &call);
}

static void input_gradient_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const norm_call *call = context;
  size_t at = begin * call->c;
  gk_active()->norm.input_gradient(
    call->dy + at, call->x + at, call->w, call->offset, call->rstd + begin, call->dx + at, end - begin, call->c,
    call->accumulate);
}

static void weight_gradient_columns(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const norm_call *call = context;
  gk_active()->norm.weight_gradient(call->dy, call->x, call->rstd, call->dw, call->t, call->c, begin, end);
}

/// dx[T, C] over rows, dw[C] over columns.
void gk_rms_norm_gradient(
  const float *dy, const float *x, const float *w, float offset, const float *rstd, float *dx, float *dw, size_t t,
  size_t c, bool accumulate) {
  norm_call call = {
    .dy = dy, .x = x, .w = w, .offset = offset, .rstd = rstd, .dx = dx, .dw = dw, .t = t, .c = c,
    .accumulate = accumulate};
  // First dw: dx may take the place of dy.
  gk_parallel_ranges(c, gk_columns_per_task(t), weight_gradient_columns, &call);
  gk_parallel_ranges(t, gk_rows_per_task(c), input_gradient_rows, &call);
}
