// The machine's own limits, measured without memory or without arithmetic.
#ifndef CPEAK_H
#define CPEAK_H

#include <stddef.h>

/// Multiply-adds of one round of peak_multiply_adds, whose chains in registers are independent: of single precision, or of
/// pairs of bfloat16 with sums in single precision.
size_t peak_chain_terms(const char *variant, int bfloat16);

/// Runs `rounds` rounds of multiply-adds that touch registers alone, with the vectors of `variant`; returns a number that
/// depends on all of them.
float peak_multiply_adds(const char *variant, int bfloat16, size_t rounds);

/// Reads count floats (a multiple of 64) once; returns their sum.
float peak_read(const float *p, size_t count);

#endif
