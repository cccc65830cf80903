// What the variants export: one table of single-threaded kernels each. The public functions thread over the pool and
// call the active table. Each template file (*.inc) fills the sub-table that carries its name.
#ifndef GK_KERNELS_H
#define GK_KERNELS_H

#include "CKernels.h"

/// x[rows, C], y[rows, N], dy and dx likewise; panels [first, last) of 32 outputs, in input_gradient of 32 channels.
typedef void gk_input_gradient_kernel(
  const float *dy, const float *w, float *dx, size_t rows, size_t n, size_t c, size_t first, size_t last,
  bool accumulate, float *scratch);
typedef void gk_weight_gradient_kernel(
  const float *dy, const float *x, float *dw, size_t rows, size_t n, size_t c, size_t begin, size_t end, size_t first,
  size_t last, float *scratch);

/// product.inc
typedef struct {
  void (*forward)(
    const float *x, const float *w, const float *bias, float *y, size_t rows, size_t n, size_t c, size_t first,
    size_t last);
  /// scratch: GK_INPUT_SCRATCH floats.
  gk_input_gradient_kernel *input_gradient;
  /// Channels [begin, end), at most GK_GATHERED_CHANNELS. scratch: GK_WEIGHT_SCRATCH floats.
  gk_weight_gradient_kernel *weight_gradient;
  /// db[j] += the sum of dy[T, N]'s column j, for j in [begin, end).
  void (*column_sums)(const float *dy, float *db, size_t t, size_t n, size_t begin, size_t end);
} gk_product_kernels;

/// rows.inc
typedef struct {
} gk_rows_kernels;

/// norm.inc
typedef struct {
} gk_norm_kernels;

/// attention.inc
typedef struct {
} gk_attention_kernels;

/// experts.inc
typedef struct {
} gk_experts_kernels;

/// vocabulary.inc
typedef struct {
} gk_vocabulary_kernels;

/// optimizer.inc
typedef struct {
} gk_optimizer_kernels;

struct gk_kernels {
  const char *name;
  gk_product_kernels product;
  gk_rows_kernels rows;
  gk_norm_kernels norm;
  gk_attention_kernels attention;
  gk_experts_kernels experts;
  gk_vocabulary_kernels vocabulary;
  gk_optimizer_kernels optimizer;
};

#if defined(__x86_64__)
extern const struct gk_kernels gk_kernels_avx512, gk_kernels_avx2;
#endif
#if defined(__aarch64__)
extern const struct gk_kernels gk_kernels_neon;
#endif
extern const struct gk_kernels gk_kernels_plain;

/// The table in use: the best this CPU can run, or what was asked for.
const struct gk_kernels *gk_active(void);

#endif
