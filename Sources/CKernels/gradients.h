// The OpenBLAS path of the gradient products: the same jobs as input_gradient and weight_gradient in kernels.h.
#ifndef GK_GRADIENTS_H
#define GK_GRADIENTS_H

#include "kernels.h"
#include "product.h"

enum {
  // Of a block, at most: rows, and channels of the gradient of weights, multiples of GK_TILE_ROWS; outputs, or channels of
  // the gradient of the input, whole panels.
  GK_BLAS_ROWS = 264,
  GK_BLAS_CHANNELS = 264,
  GK_BLAS_OUTPUTS = 256,
  // Floats: a block of weights, or of their gradient.
  GK_BLAS_SCRATCH = GK_BLAS_CHANNELS * GK_BLAS_OUTPUTS,
};
_Static_assert(GK_BLAS_ROWS % GK_TILE_ROWS == 0 && GK_BLAS_CHANNELS % GK_TILE_ROWS == 0, "blocks are whole grains");
_Static_assert(GK_BLAS_CHANNELS >= GK_BLAS_OUTPUTS, "the scratch holds the input gradient's block of weights too");

/// Loads the library, single-threaded; false if it is missing.
bool gk_openblas_load(void);
/// Whether gradients go there.
bool gk_openblas_active(void);

/// The library knows no index: rows of a[·, N] and b[·, C] that one names are gathered, in memory that is this thread's
/// until its next call.
void gk_openblas_lay_out(gk_rows *a, size_t n, gk_rows *b, size_t c, size_t rows);

gk_input_gradient_kernel gk_openblas_input_gradient;
gk_weight_gradient_kernel gk_openblas_weight_gradient;

#endif
