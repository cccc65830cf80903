// Products of bfloat16 and their gradients over the pool: as product.c, over operands that are rounded first.
#include "jobs.h"
#include "kernels.h"
#include "pool.h"
#include "product.h"
#include "tasks.h"

/// Pairs of one packed matrix.
static size_t packed_pairs(size_t n, size_t c) { return gk_panels(n) * GK_PANEL * gk_ceiling(c, 2); }

size_t gk_bfloat16_packed_count(size_t n, size_t c) { return 2 * packed_pairs(n, c); }

// ---------------------------------------------------------------- layout

typedef struct {
  const float *single_in;
  float *single_out;
  gk_pair *pairs;
  size_t n, c;
} layout;

/// Panels of whole rows [32][C], turned by hand; then the packed forms of one panel, each from the other.
static void pack_panel(void *context, size_t panel, int worker) {
  const layout *l = context;
  size_t first = panel * GK_PANEL, rows = gk_smaller(GK_PANEL, l->n - first), c = l->c;
  float *single = gk_scratch(worker, GK_PANEL * c * sizeof(float));
  const float *from = l->single_in + first * c;
  for (size_t k = 0; k < c; k++) {
    for (size_t j = 0; j < GK_PANEL; j++) single[k * GK_PANEL + j] = j < rows ? from[j * c + k] : 0;
  }
  gk_active()->bfloat16->narrow_panel(single, l->pairs + panel * packed_pairs(GK_PANEL, c), c);
}

void gk_bfloat16_pack(const float *w, uint16_t *packed, size_t n, size_t c) {
  layout l = {.single_in = w, .pairs = (gk_pair *)packed, .n = n, .c = c};
  gk_parallel(gk_panels(n), pack_panel, &l);
}

static void unpack_panel(void *context, size_t panel, int worker) {
  const layout *l = context;
  size_t first = panel * GK_PANEL, rows = gk_smaller(GK_PANEL, l->n - first), c = l->c;
  float *single = gk_scratch(worker, GK_PANEL * c * sizeof(float));
  gk_active()->bfloat16->widen_panel(l->pairs + panel * packed_pairs(GK_PANEL, c), single, c);
  float *to = l->single_out + first * c;
  for (size_t j = 0; j < rows; j++) {
    for (size_t k = 0; k < c; k++) to[j * c + k] = single[k * GK_PANEL + j];
  }
}

void gk_bfloat16_unpack(const uint16_t *packed, float *w, size_t n, size_t c) {
  layout l = {.single_out = w, .pairs = (gk_pair *)packed, .n = n, .c = c};
  gk_parallel(gk_panels(n), unpack_panel, &l);
}

static void narrow_panel(void *context, size_t panel, int worker) {
  (void)worker;
  const layout *l = context;
  gk_active()->bfloat16->narrow_panel(
    l->single_in + panel * GK_PANEL * l->c, l->pairs + panel * packed_pairs(GK_PANEL, l->c), l->c);
}

void gk_bfloat16_narrow(const float *single, uint16_t *packed, size_t n, size_t c) {
  layout l = {.single_in = single, .pairs = (gk_pair *)packed, .n = n, .c = c};
  gk_parallel(gk_panels(n), narrow_panel, &l);
}

static void widen_panel(void *context, size_t panel, int worker) {
  (void)worker;
  const layout *l = context;
  gk_active()->bfloat16->widen_panel(
    l->pairs + panel * packed_pairs(GK_PANEL, l->c), l->single_out + panel * GK_PANEL * l->c, l->c);
}

void gk_bfloat16_widen(const uint16_t *packed, float *single, size_t n, size_t c) {
  layout l = {.single_out = single, .pairs = (gk_pair *)packed, .n = n, .c = c};
  gk_parallel(gk_panels(n), widen_panel, &l);
}

// ---------------------------------------------------------------- rounding

typedef struct {
  gk_rows x;
  char *units;
  size_t c;
} rounding;

static void round_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const rounding *r = context;
  const gk_bfloat16_kernels *kernels = gk_active()->bfloat16;
  size_t stride = gk_ceiling(r->c, 2) * kernels->unit_bytes, together = r->x.index == NULL ? end - begin : 1;
  for (size_t row = begin; row < end; row += together) {
    kernels->round_rows(gk_row(r->x, row, r->c), r->units + row * stride, together, r->c);
  }
}

/// x[rows, C] rounded, in memory that is this thread's until its next call.
static const char *rounded_rows(gk_rows x, size_t rows, size_t c) {
  size_t unit = gk_active()->bfloat16->unit_bytes;
  rounding r = {x, gk_caller_scratch(rows * gk_ceiling(c, 2) * unit), c};
  gk_parallel_ranges(rows, gk_rows_per_task(c), round_range, &r);
  return r.units;
}

// ---------------------------------------------------------------- forward

static void run_forward(
  const gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker) {
  (void)worker;
  const gk_bfloat16_kernels *kernels = job->kernels->bfloat16;
  size_t row = (size_t)job->offsets[expert] + begin;
  kernels->forward(
    (const char *)job->a + row * gk_ceiling(job->c, 2) * kernels->unit_bytes,
    (const gk_pair *)job->b + expert * packed_pairs(job->n, job->c),
    job->bias != NULL ? job->bias + expert * job->n : NULL, job->out + row * job->n, end - begin, job->n, job->c, first,
    last);
}

void gk_bfloat16_grouped_product(
  const float *x, const int32_t *x_rows, const gk_bfloat16_factor *factors, size_t count, const int32_t *offsets,
  size_t experts, size_t c) {
  if (count == 0) return;
  const char *units = rounded_rows((gk_rows){x, x_rows}, (size_t)offsets[experts], c);
  gk_job jobs[count];
  for (size_t i = 0; i < count; i++) {
    gk_bfloat16_factor of = factors[i];
    jobs[i] = (gk_job){
      .kernels = gk_active(), .a = units, .b = of.w, .bias = of.bias, .out = of.y, .n = of.n, .c = c,
      .offsets = offsets, .panels = gk_panels(of.n), .run = run_forward};
  }
  gk_run_forward(jobs, count, experts);
}

void gk_bfloat16_product(const float *x, const gk_bfloat16_factor *factors, size_t count, size_t t, size_t c) {
  gk_bfloat16_grouped_product(x, NULL, factors, count, (int32_t[]){0, (int32_t)t}, 1, c);
}

// ---------------------------------------------------------------- gradient of the input

static void run_input_gradient(
  const gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker) {
  size_t row = (size_t)job->offsets[expert] + begin;
  job->kernels->bfloat16->input_gradient(
    gk_rows_from(job->a, job->a_index, row, job->n), (const gk_pair *)job->b + expert * packed_pairs(job->n, job->c),
    job->out + row * job->c, end - begin, job->n, job->c, first, last, job->accumulate,
    gk_scratch(worker, sizeof(float) * GK_INPUT_SCRATCH));
}

void gk_bfloat16_grouped_product_input_gradient(
  const float *dy, const int32_t *dy_rows, const uint16_t *w, float *dx, const int32_t *offsets, size_t experts,
  size_t n, size_t c, bool accumulate) {
  size_t rows = (size_t)offsets[experts];
  gk_job job = {
    .kernels = gk_active(), .a = dy, .a_index = dy_rows, .b = w, .out = dx, .n = n, .c = c, .accumulate = accumulate,
    .offsets = offsets, .panels = gk_panels(c), .run = run_input_gradient};
  gk_divide_rows(&job, rows, experts);
  gk_run_jobs(&job, 1, experts);
}

void gk_bfloat16_product_input_gradient(
  const float *dy, const uint16_t *w, float *dx, size_t t, size_t n, size_t c, bool accumulate) {
  gk_bfloat16_grouped_product_input_gradient(dy, NULL, w, dx, (int32_t[]){0, (int32_t)t}, 1, n, c, accumulate);
}

// ---------------------------------------------------------------- gradient of the weights

static void run_weight_gradient(
  const gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker) {
  size_t row = (size_t)job->offsets[expert];
  job->kernels->bfloat16->weight_gradient(
    gk_rows_from(job->a, job->a_index, row, job->n), gk_rows_from(job->b, job->b_index, row, job->c),
    job->out + expert * gk_packed_count(job->n, job->c), gk_rows_of(job, expert), job->n, job->c, begin, end, first,
    last, gk_scratch(worker, 2 * sizeof(float) * GK_WEIGHT_SCRATCH));
}

void gk_bfloat16_grouped_product_weight_gradient(
  const float *dy, const int32_t *dy_rows, const float *x, const int32_t *x_rows, float *dw, const int32_t *offsets,
  size_t experts, size_t n, size_t c) {
  size_t rows = (size_t)offsets[experts];
  gk_job job = {
    .kernels = gk_active(), .a = dy, .a_index = dy_rows, .b = x, .b_index = x_rows, .out = dw, .n = n, .c = c,
    .offsets = offsets, .by_channels = true, .grain = GK_TILE_ROWS, .panels = gk_panels(n), .run = run_weight_gradient};
  gk_divide_gathered(&job, rows, experts);
  gk_run_jobs(&job, 1, experts);
}

void gk_bfloat16_product_weight_gradient(
  const float *dy, const float *x, float *dw, size_t t, size_t n, size_t c) {
  gk_bfloat16_grouped_product_weight_gradient(dy, NULL, x, NULL, dw, (int32_t[]){0, (int32_t)t}, 1, n, c);
}

// ---------------------------------------------------------------- embedding

typedef struct {
  const uint16_t *w;
  const int32_t *tokens;
  float *y;
  size_t c;
} embedding_call;

static void embedding_range(void *context, size_t begin, size_t end, int worker) {
  (void)worker;
  const embedding_call *call = context;
  size_t c = call->c;
  for (size_t t = begin; t < end; t++) {
    size_t row = (size_t)call->tokens[t];
    const gk_pair *w = (const gk_pair *)call->w + row / GK_PANEL * packed_pairs(GK_PANEL, c) + row % GK_PANEL;
    for (size_t i = 0; i < c; i++) {
      union {
        uint32_t bits;
        float number;
      } wide = {i % 2 == 0 ? w[i / 2 * GK_PANEL] << 16 : w[i / 2 * GK_PANEL] & 0xFFFF0000};
      call->y[t * c + i] = wide.number;
    }
  }
}

void gk_bfloat16_embedding(const uint16_t *w, const int32_t *tokens, float *y, size_t t, size_t c) {
  embedding_call call = {w, tokens, y, c};
  // A channel is a cache line of its own.
  gk_parallel_ranges(t, gk_rows_per_task(GK_PANEL / 2 * c), embedding_range, &call);
}
