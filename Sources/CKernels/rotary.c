// Rotary position embedding: tasks of rows.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

typedef struct {
  gk_rotation rotation;
  float *x;
  const int32_t *positions;
  const float *cosine, *sine;
  bool transposed;
} rope_call;

static void rope_rows(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rope_call *call = context;
  gk_active()->rotary.rotate(
    &call->rotation, call->x + begin * call->rotation.row_stride, call->positions + begin, call->cosine, call->sine,
    end - begin, call->transposed);
}

/// The turned channels of x's heads, in place.
void gk_rope(
  const gk_rotation *rotation, float *x, const int32_t *positions, const float *cosine, const float *sine, size_t t,
  bool transposed) {
  rope_call call = {*rotation, x, positions, cosine, sine, transposed};
  gk_parallel_ranges(t, gk_rows_per_task(rotation->heads * rotation->turned), rope_rows, &call);
}
