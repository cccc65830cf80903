// What every CPU runs: no fused multiply-add.
#include "kernels.h"
#define VW 4
#define GK_NO_FMA
#define GK_BFLOAT16_TABLE gk_bfloat16_plain
#define GK_TABLE gk_kernels_plain
#define GK_NAME "plain"
#include "variant.inc"
