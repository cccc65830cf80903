// Products of single precision and their gradients over the pool. A single matrix is the group of one expert.
#include "product.h"

#include "gradients.h"
#include "jobs.h"
#include "kernels.h"
#include "pool.h"

size_t gk_packed_count(size_t n, size_t c) { return gk_panels(n) * GK_PANEL * c; }

// ---------------------------------------------------------------- layout

typedef struct {
  const float *from;
  float *to;
  size_t n, c;
} layout;

static void pack_panel(void *context, size_t panel, int worker) {
  (void)worker;
  const layout *l = context;
  size_t first = panel * GK_PANEL, columns = gk_smaller(GK_PANEL, l->n - first);
  float *to = l->to + first * l->c;
  for (size_t k = 0; k < l->c; k++) {
    for (size_t j = 0; j < GK_PANEL; j++) to[k * GK_PANEL + j] = j < columns ? l->from[(first + j) * l->c + k] : 0;
  }
}

void gk_pack(const float *w, float *packed, size_t n, size_t c) {
  layout l = {w, packed, n, c};
  gk_parallel(gk_panels(n), pack_panel, &l);
}

static void unpack_panel(void *context, size_t panel, int worker) {
  (void)worker;
  const layout *l = context;
  size_t first = panel * GK_PANEL, columns = gk_smaller(GK_PANEL, l->n - first);
  const float *from = l->from + first * l->c;
  for (size_t j = 0; j < columns; j++) {
    for (size_t k = 0; k < l->c; k++) l->to[(first + j) * l->c + k] = from[k * GK_PANEL + j];
  }
}

void gk_unpack(const float *packed, float *w, size_t n, size_t c) {
  layout l = {packed, w, n, c};
  gk_parallel(gk_panels(n), unpack_panel, &l);
}

// ---------------------------------------------------------------- forward

static void run_forward(
  const gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker) {
  (void)worker;
  size_t row = (size_t)job->offsets[expert] + begin;
  job->kernels->product.forward(
    (const float *)job->a + row * job->c, (const float *)job->b + expert * gk_packed_count(job->n, job->c),
    job->bias != NULL ? job->bias + expert * job->n : NULL, job->out + row * job->n, end - begin, job->n, job->c, first,
    last);
}

void gk_grouped_product(
  const float *x, const int32_t *x_rows, const gk_factor *factors, size_t count, const int32_t *offsets, size_t experts,
  size_t c) {
  if (count == 0) return;
  if (x_rows != NULL) {
    size_t rows = (size_t)offsets[experts];
    float *sorted = gk_caller_scratch(rows * c * sizeof *sorted);
    gk_gather_rows(x, x_rows, sorted, rows, c);
    x = sorted;
  }
  gk_job jobs[count];
  for (size_t i = 0; i < count; i++) {
    gk_factor of = factors[i];
    jobs[i] = (gk_job){
      .kernels = gk_active(), .a = x, .b = of.w, .bias = of.bias, .out = of.y, .n = of.n, .c = c, .offsets = offsets,
      .panels = gk_panels(of.n), .run = run_forward};
  }
  gk_run_forward(jobs, count, experts);
}

void gk_product(const float *x, const gk_factor *factors, size_t count, size_t t, size_t c) {
  gk_grouped_product(x, NULL, factors, count, (int32_t[]){0, (int32_t)t}, 1, c);
}

// ---------------------------------------------------------------- gradient of the input

static void run_input_gradient(
  const gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker) {
  size_t row = (size_t)job->offsets[expert] + begin;
  gk_input_gradient_kernel *kernel = job->blas ? gk_openblas_input_gradient : job->kernels->product.input_gradient;
  kernel(
    gk_rows_from(job->a, job->a_index, row, job->n), (const float *)job->b + expert * gk_packed_count(job->n, job->c),
    job->out + row * job->c, end - begin, job->n, job->c, first, last, job->accumulate,
    gk_scratch(worker, sizeof(float) * (job->blas ? GK_BLAS_SCRATCH : GK_INPUT_SCRATCH)));
}

void gk_grouped_product_input_gradient(
  const float *dy, const int32_t *dy_rows, const float *w, float *dx, const int32_t *offsets, size_t experts, size_t n,
  size_t c, bool accumulate) {
  size_t rows = (size_t)offsets[experts];
  gk_rows from = {dy, dy_rows}, none = {NULL, NULL};
  if (gk_openblas_active()) gk_openblas_lay_out(&from, n, &none, 0, rows);
  gk_job job = {
    .kernels = gk_active(), .blas = gk_openblas_active(), .a = from.start, .a_index = from.index, .b = w, .out = dx,
    .n = n, .c = c, .accumulate = accumulate, .offsets = offsets, .panels = gk_panels(c), .run = run_input_gradient};
  // OpenBLAS sums in an order of its own, so its blocks depend on nothing but the shape.
  if (job.blas) job.block = GK_BLAS_ROWS, job.grain = GK_TILE_ROWS, job.strip = GK_BLAS_OUTPUTS / GK_PANEL;
  else gk_divide_rows(&job, rows, experts);
  gk_run_jobs(&job, 1, experts);
}

void gk_product_input_gradient(
  const float *dy, const float *w, float *dx, size_t t, size_t n, size_t c, bool accumulate) {
  gk_grouped_product_input_gradient(dy, NULL, w, dx, (int32_t[]){0, (int32_t)t}, 1, n, c, accumulate);
}

// ---------------------------------------------------------------- gradient of the weights

static void run_weight_gradient(
  const gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker) {
  size_t row = (size_t)job->offsets[expert];
  gk_weight_gradient_kernel *kernel = job->blas ? gk_openblas_weight_gradient : job->kernels->product.weight_gradient;
  kernel(
    gk_rows_from(job->a, job->a_index, row, job->n), gk_rows_from(job->b, job->b_index, row, job->c),
    job->out + expert * gk_packed_count(job->n, job->c), gk_rows_of(job, expert), job->n, job->c, begin, end, first, last,
    gk_scratch(worker, sizeof(float) * (job->blas ? GK_BLAS_SCRATCH : GK_WEIGHT_SCRATCH)));
}

void gk_grouped_product_weight_gradient(
  const float *dy, const int32_t *dy_rows, const float *x, const int32_t *x_rows, float *dw, const int32_t *offsets,
  size_t experts, size_t n, size_t c) {
  size_t rows = (size_t)offsets[experts];
  gk_rows a = {dy, dy_rows}, b = {x, x_rows};
  if (gk_openblas_active()) gk_openblas_lay_out(&a, n, &b, c, rows);
  gk_job job = {
    .kernels = gk_active(), .blas = gk_openblas_active(), .a = a.start, .a_index = a.index, .b = b.start,
    .b_index = b.index, .out = dw, .n = n, .c = c, .offsets = offsets, .by_channels = true, .grain = GK_TILE_ROWS,
    .panels = gk_panels(n), .run = run_weight_gradient};
  if (job.blas) job.block = GK_BLAS_CHANNELS, job.strip = GK_BLAS_OUTPUTS / GK_PANEL;
  else gk_divide_gathered(&job, rows, experts);
  gk_run_jobs(&job, 1, experts);
}

void gk_product_weight_gradient(const float *dy, const float *x, float *dw, size_t t, size_t n, size_t c) {
  gk_grouped_product_weight_gradient(dy, NULL, x, NULL, dw, (int32_t[]){0, (int32_t)t}, 1, n, c);
}

// ---------------------------------------------------------------- bias

typedef struct {
  const struct gk_kernels *kernels;
  const float *dy;
  float *db;
  const int32_t *offsets;
  size_t n, block, blocks;
} column_sums;

/// Task i: block i % blocks of expert i / blocks's columns.
static void run_column_sums(void *context, size_t task, int worker) {
  (void)worker;
  const column_sums *s = context;
  size_t expert = task / s->blocks, begin = task % s->blocks * s->block, row = (size_t)s->offsets[expert];
  s->kernels->product.column_sums(
    s->dy + row * s->n, s->db + expert * s->n, (size_t)s->offsets[expert + 1] - row, s->n, begin,
    gk_smaller(begin + s->block, s->n));
}

void gk_grouped_bias_gradient(const float *dy, float *db, const int32_t *offsets, size_t experts, size_t n) {
  size_t block = (size_t)offsets[experts] < 64 * experts ? 4096 : 256;
  column_sums s = {gk_active(), dy, db, offsets, n, block, gk_ceiling(n, block)};
  gk_parallel(experts * s.blocks, run_column_sums, &s);
}

void gk_bias_gradient(const float *dy, float *db, size_t t, size_t n) {
  gk_grouped_bias_gradient(dy, db, (int32_t[]){0, (int32_t)t}, 1, n);
}
