// The OpenBLAS path of the gradient products.
#ifndef GK_GRADIENTS_H
#define GK_GRADIENTS_H

#include <stdbool.h>

/// Loads the library, single-threaded; false if it is missing.
bool gk_openblas_load(void);

#endif
