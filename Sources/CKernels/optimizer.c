// AdamW, and the norm that gradients are clipped by.
#include <stdatomic.h>

#include "kernels.h"
#include "pool.h"
#include "product.h"
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
  float *w;
  const float *g;
  void *m, *v;
  uint16_t *rounded;
  size_t first;
  const gk_adamw_step *step;
  atomic_bool broken;
} adamw_call;

/// After the step on a range: while its weights are in the cache they are rounded, two rows of a panel at a time.
static void finish_range(adamw_call *call, size_t begin, size_t end, bool finite) {
  enum { PAIRED = 2 * GK_PANEL };
  _Static_assert(GK_TASK_FLOATS % PAIRED == 0, "ranges hold whole pairs of rows");
  if (!finite) atomic_store_explicit(&call->broken, true, memory_order_relaxed);
  if (call->rounded == NULL) return;
  gk_active()->bfloat16->narrow_panel(
    call->w + begin, (gk_pair *)(call->rounded + begin), (end - begin) / GK_PANEL);
}

static void adamw_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  adamw_call *call = context;
  bool finite = gk_active()->optimizer.adamw(
    call->w + begin, call->g + begin, (float *)call->m + begin, (float *)call->v + begin, end - begin, call->step);
  finish_range(call, begin, end, finite);
}

/// One step on w, m, v[count], in place.
bool gk_adamw(
  float *w, const float *g, float *m, float *v, uint16_t *rounded, size_t count, const gk_adamw_step *step) {
  adamw_call call = {.w = w, .g = g, .m = m, .v = v, .rounded = rounded, .step = step};
  gk_parallel_ranges(count, GK_TASK_FLOATS, adamw_range, &call);
  return !call.broken;
}

static void adamw_bfloat16_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  adamw_call *call = context;
  bool finite = gk_active()->optimizer.adamw_bfloat16(
    call->w + begin, call->g + begin, (uint16_t *)call->m + begin, (uint16_t *)call->v + begin, call->first + begin,
    end - begin, call->step);
  finish_range(call, begin, end, finite);
}

bool gk_adamw_bfloat16(
  float *w, const float *g, uint16_t *m, uint16_t *v, uint16_t *rounded, size_t first, size_t count,
  const gk_adamw_step *step) {
  adamw_call call = {.w = w, .g = g, .m = m, .v = v, .rounded = rounded, .first = first, .step = step};
  gk_parallel_ranges(count, GK_TASK_FLOATS, adamw_bfloat16_range, &call);
  return !call.broken;
}
