// AdamW, and the norm that gradients are clipped by.
#include "kernels.h"
#include "pool.h"
#include "tasks.h"

/// Chunks of the sum of squares, whatever the threads: floats in one, and how many at a time.
enum { CHUNK = GK_TASK_FLOATS, CHUNKS = 256 };

typedef struct {
  const float *x;
  double sums[CHUNKS];
} squares_call;

static void square_chunk(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  squares_call *call = context;
  call->sums[begin / CHUNK] = gk_active()->optimizer.sum_of_squares(call->x + begin, end - begin);
}

/// Σ x[count]².
double gk_sum_of_squares(const float *x, size_t count) {
  double sum = 0;
  for (size_t begin = 0; begin < count; begin += CHUNKS * CHUNK) {
    size_t rest = count - begin, n = rest < CHUNKS * CHUNK ? rest : CHUNKS * CHUNK;
    squares_call call = {.x = x + begin};
    gk_parallel_ranges(n, CHUNK, square_chunk, &call);
    for (size_t chunk = 0; chunk * CHUNK < n; chunk++) sum += call.sums[chunk];
  }
  return sum;
}

typedef struct {
  float *w, *m, *v;
  const float *g;
  const gk_adamw_step *step;
} adamw_call;

static void adamw_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const adamw_call *call = context;
  gk_active()->optimizer.adamw(
    call->w + begin, call->g + begin, call->m + begin, call->v + begin, end - begin, call->step);
}

/// One step on w, m, v[count], in place.
void gk_adamw(float *w, const float *g, float *m, float *v, size_t count, const gk_adamw_step *step) {
  adamw_call call = {w, m, v, g, step};
  gk_parallel_ranges(count, GK_TASK_FLOATS, adamw_range, &call);
}
