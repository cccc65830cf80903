#include "naive.h"

void naive_gather_rows(const double *x, const int32_t *index, double *y, size_t rows, size_t c) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < c; i++) y[r * c + i] = x[index[r] * c + i];
  }
}

void naive_scatter_add_rows(const double *x, const int32_t *index, double *y, size_t rows, size_t c) {
  for (size_t r = 0; r < rows; r++) {
    for (size_t i = 0; i < c; i++) y[index[r] * c + i] += x[r * c + i];
  }
}
