// The OpenBLAS path of the gradient products: the same jobs as input_gradient and weight_gradient in kernels.h.
#ifndef GK_GRADIENTS_H
#define GK_GRADIENTS_H

#include "kernels.h"
#include "product.h"

enum {
  GK_BLAS_ROWS = 252,
  GK_BLAS_CHANNELS = 264,  // at most this many channels in a block of weights, a multiple of GK_TILE_ROWS
  GK_BLAS_OUTPUTS = 256,   // at most this many outputs, whole panels
  GK_BLAS_SCRATCH = GK_BLAS_OUTPUTS * GK_BLAS_OUTPUTS,  // floats
};

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
