#if defined(__aarch64__)
#include "kernels.h"
#define VW 4
#define GK_BFLOAT16_TABLE gk_bfloat16_neon
#define GK_TABLE gk_kernels_neon
#define GK_NAME "neon"
#include "variant.inc"
#endif
