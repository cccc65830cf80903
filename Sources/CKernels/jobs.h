// How products are shared out: each expert's rows, or channels, and panels are cut into tasks, and the kernels' order of
// summation makes every cut give the same bits.
#ifndef GK_JOBS_H
#define GK_JOBS_H

#include "kernels.h"
#include "product.h"

static inline size_t gk_ceiling(size_t count, size_t by) { return count / by + (count % by != 0); }
static inline size_t gk_smaller(size_t a, size_t b) { return a < b ? a : b; }
/// Panels of n outputs.
static inline size_t gk_panels(size_t n) { return gk_ceiling(n, GK_PANEL); }

/// One of the three products for all experts. Its tasks are blocks of rows, or of channels for the gradient of weights,
/// by strips of panels.
typedef struct gk_job {
  const struct gk_kernels *kernels;
  const void *a, *b;  // the operands, in the order of the kernel's arguments
  const int32_t *a_index, *b_index;  // of their rows, in gradients
  const float *bias;
  float *out;
  size_t n, c;
  bool accumulate, blas;
  const int32_t *offsets;  // [experts + 1]

  bool by_channels;
  size_t block, grain;  // at most so many, in multiples of so many
  size_t panels, strip;
  const size_t *order;  // of experts; this and the tasks' number are gk_run_jobs's
  size_t tasks;
  void (*run)(const struct gk_job *job, size_t expert, size_t begin, size_t end, size_t first, size_t last, int worker);
} gk_job;

/// Rows of an expert.
static inline size_t gk_rows_of(const gk_job *job, size_t expert) {
  return (size_t)(job->offsets[expert + 1] - job->offsets[expert]);
}

/// Rows of an operand from `row` on.
static inline gk_rows gk_rows_from(const void *start, const int32_t *index, size_t row, size_t columns) {
  return index != NULL ? (gk_rows){start, index + row} : (gk_rows){(const float *)start + row * columns, NULL};
}

/// Runs the tasks of several jobs, which know nothing of each other, as one of the pool's: those of the first come first.
void gk_run_jobs(gk_job *jobs, size_t count, size_t experts);

/// Cuts and runs forward products of the same rows.
void gk_run_forward(gk_job *jobs, size_t count, size_t experts);

/// Panels of a strip so that a task is neither too short to be worth handing out nor too long to share: `unit`
/// multiply-adds a panel, `total` in all.
size_t gk_strip_of(size_t total, size_t unit, size_t least, size_t most);

/// Blocks and strips of the gradient of the input: each task lays out what it needs of the weights for its rows.
void gk_divide_rows(gk_job *job, size_t rows, size_t experts);

/// Blocks and strips of the gradient of the weights: each task gathers what it needs of x and dy.
void gk_divide_gathered(gk_job *job, size_t rows, size_t experts);

/// Rows that a task is likely to find.
static inline size_t gk_typical(size_t rows, size_t experts, size_t block) {
  return gk_smaller(block, gk_ceiling(rows, experts > 0 ? experts : 1));
}

#endif
