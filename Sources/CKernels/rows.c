// Copies and sums of rows, and the embedding, whose table is packed. Sums over rows belong to tasks that own a range of
// columns and walk the rows in order.
#include <string.h>

#include "kernels.h"
#include "pool.h"
#include "product.h"
#include "tasks.h"

typedef struct {
  const float *x;
  const int32_t *index;
  float *y;
  size_t rows, c;
  float alpha;
} rows_call;

static void add_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  gk_active()->rows.add(call->x + begin, call->alpha, call->y + begin, end - begin);
}

/// y[i] += alpha · x[i].
void gk_add(const float *x, float alpha, float *y, size_t count) {
  rows_call call = {.x = x, .y = y, .alpha = alpha};
  gk_parallel_ranges(count, GK_TASK_FLOATS, add_range, &call);
}

static void scale_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  gk_active()->rows.scale(call->x + begin, call->alpha, call->y + begin, end - begin);
}

/// y[i] = alpha · x[i].
void gk_scale(const float *x, float alpha, float *y, size_t count) {
  rows_call call = {.x = x, .y = y, .alpha = alpha};
  gk_parallel_ranges(count, GK_TASK_FLOATS, scale_range, &call);
}

static void clear_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  memset(call->y + begin, 0, (end - begin) * sizeof(float));
}

void gk_clear(float *y, size_t count) {
  rows_call call = {.y = y};
  gk_parallel_ranges(count, GK_TASK_FLOATS, clear_range, &call);
}

static void gather_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  for (size_t r = begin; r < end; r++) {
    memcpy(call->y + r * call->c, call->x + (size_t)call->index[r] * call->c, call->c * sizeof(float));
  }
}

/// y[R, C] = x[index[r], :].
void gk_gather_rows(const float *x, const int32_t *index, float *y, size_t rows, size_t c) {
  rows_call call = {.x = x, .index = index, .y = y, .rows = rows, .c = c};
  gk_parallel_ranges(rows, gk_rows_per_task(c), gather_range, &call);
}

/// Rows of a task.
enum { PLACED_TOGETHER = 16 };

typedef struct {
  const gk_placing *placings;
  const gk_segment *segments;
  size_t rows, blocks;
  bool far;
} place_call;

/// As memcpy; where y is far, past the caches: neither is it read before it is written, nor does it push out what they
/// hold.
static void copy_floats(float *y, const float *x, size_t count, bool far) {
  typedef float quad __attribute__((vector_size(16)));
  typedef float any_quad __attribute__((vector_size(16), aligned(4), may_alias));
  if (!far || (uintptr_t)y % sizeof(quad) != 0 || count % 4 != 0) {
    memcpy(y, x, count * sizeof(float));
    return;
  }
  for (size_t i = 0; i < count; i += 4) __builtin_nontemporal_store(*(const any_quad *)(x + i), (quad *)(y + i));
}

/// Task i: block i % blocks of the segments' rows, of placing i / blocks.
static void run_place(void *context, size_t task, int worker) {
  (void)worker;
  const place_call *call = context;
  const gk_placing *p = call->placings + task / call->blocks;
  size_t skipped = task % call->blocks * PLACED_TOGETHER, left = call->rows - skipped;
  if (left > PLACED_TOGETHER) left = PLACED_TOGETHER;
  for (const gk_segment *s = call->segments; left > 0; s++) {
    size_t length = (size_t)s->rows;
    if (skipped >= length) {
      skipped -= length;
      continue;
    }
    size_t rows = length - skipped < left ? length - skipped : left;
    size_t from = (size_t)s->row + skipped, to = (size_t)s->kv + skipped;
    if (p->index == NULL) {
      copy_floats(p->y + to * p->c, p->x + from * p->c, rows * p->c, call->far);
    } else {
      const int32_t *index = p->index + from * p->parts;
      float *y = p->y + to * p->parts * p->c;
      for (size_t i = 0; i < rows * p->parts; i++) {
        copy_floats(y + i * p->c, p->x + (size_t)index[i] * p->c, p->c, call->far);
      }
    }
    left -= rows, skipped = 0;
  }
#if defined(__x86_64__)
  // Such stores are seen in order by none but this.
  if (call->far) __builtin_ia32_sfence();
#endif
}

void gk_place_rows(
  const gk_placing *placings, size_t matrices, const gk_segment *segments, size_t count, bool far) {
  size_t rows = 0;
  for (size_t i = 0; i < count; i++) rows += (size_t)segments[i].rows;
  place_call call = {placings, segments, rows, (rows + PLACED_TOGETHER - 1) / PLACED_TOGETHER, far};
  gk_parallel(matrices * call.blocks, run_place, &call);
}

static void scatter_add_columns(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  for (size_t r = 0; r < call->rows; r++) {
    float *y = call->y + (size_t)call->index[r] * call->c;
    gk_active()->rows.add(call->x + r * call->c + begin, 1, y + begin, end - begin);
  }
}

/// y[index[r], :] += x[R, C], r ascending.
void gk_scatter_add_rows(const float *x, const int32_t *index, float *y, size_t rows, size_t c) {
  rows_call call = {.x = x, .index = index, .y = y, .rows = rows, .c = c};
  gk_parallel_ranges(c, gk_columns_per_task(rows), scatter_add_columns, &call);
}

typedef struct {
  const float *x;
  gk_strides from;
  float *y;
  gk_strides to;
  size_t h, c;
} heads_call;

static void copy_heads_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const heads_call *call = context;
  gk_strides from = call->from, to = call->to;
  bool contiguous = from.channels == 1 && to.channels == 1;
  for (size_t t = begin; t < end; t++) {
    for (size_t h = 0; h < call->h; h++) {
      const float *x = call->x + t * from.tokens + h * from.heads;
      float *y = call->y + t * to.tokens + h * to.heads;
      if (contiguous) {
        memcpy(y, x, call->c * sizeof(float));
      } else {
        for (size_t i = 0; i < call->c; i++) y[i * to.channels] = x[i * from.channels];
      }
    }
  }
}

/// y[t, h, i] = x[t, h, i].
void gk_copy_heads(const float *x, gk_strides from, float *y, gk_strides to, size_t t, size_t h, size_t c) {
  heads_call call = {x, from, y, to, h, c};
  gk_parallel_ranges(t, gk_rows_per_task(h * c), copy_heads_range, &call);
}

/// Where row `n` of a packed table [V, C] begins; its channels follow GK_PANEL floats apart.
static size_t packed_row(size_t n, size_t c) { return n / GK_PANEL * GK_PANEL * c + n % GK_PANEL; }

static void embedding_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  size_t c = call->c;
  for (size_t t = begin; t < end; t++) {
    const float *w = call->x + packed_row((size_t)call->index[t], c);
    float *y = call->y + t * c;
    for (size_t i = 0; i < c; i++) y[i] = w[i * GK_PANEL];
  }
}

/// y[T, C] = rows tokens[T] of the packed table w[V, C].
void gk_embedding(const float *w, const int32_t *tokens, float *y, size_t t, size_t c) {
  rows_call call = {.x = w, .index = tokens, .y = y, .rows = t, .c = c};
  // A channel is a cache line of its own.
  gk_parallel_ranges(t, gk_rows_per_task(GK_PANEL / 2 * c), embedding_range, &call);
}

static void embedding_gradient_columns(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rows_call *call = context;
  size_t c = call->c;
  for (size_t t = 0; t < call->rows; t++) {
    const float *dy = call->x + t * c;
    float *dw = call->y + packed_row((size_t)call->index[t], c);
    for (size_t i = begin; i < end; i++) dw[i * GK_PANEL] += dy[i];
  }
}

/// dw[tokens[t], :] += dy[T, C], t ascending; dw packed [V, C].
void gk_embedding_gradient(const float *dy, const int32_t *tokens, float *dw, size_t t, size_t c) {
  rows_call call = {.x = dy, .index = tokens, .y = dw, .rows = t, .c = c};
  gk_parallel_ranges(c, gk_columns_per_task(t), embedding_gradient_columns, &call);
}
