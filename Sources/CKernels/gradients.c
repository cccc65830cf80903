#include "gradients.h"

bool gk_openblas_load(void) { return false; }
