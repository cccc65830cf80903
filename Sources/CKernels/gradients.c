// OpenBLAS is loaded when it is asked for and not linked: linked, it would start a thread for every CPU in programs
// that never call it. OPENBLAS_CORETYPE, read while it loads, tells it the CPU where it judges wrong.
#include "gradients.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "pool.h"

// cblas.h's numbers.
enum { row_major = 101, as_it_is = 111, transposed = 112 };
typedef void sgemm_function(
  int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
  const float *b, int ldb, float beta, float *c, int ldc);

static sgemm_function *sgemm;

static void load(void) {
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) library = dlopen("libopenblas.so", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return;
  void (*set_threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
  if (set_threads == NULL) return;
  set_threads(1);
  sgemm = (sgemm_function *)dlsym(library, "cblas_sgemm");
}

bool gk_openblas_load(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return sgemm != NULL;
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

void gk_openblas_lay_out(gk_rows *a, size_t n, gk_rows *b, size_t c, size_t rows) {
  if (a->index == NULL && b->index == NULL) return;
  float *to = gk_caller_scratch(rows * (n + c) * sizeof(float));
  if (a->index != NULL) {
    gk_gather_rows(a->start, a->index, to, rows, n);
    *a = (gk_rows){to, NULL};
  }
  if (b->index != NULL) {
    gk_gather_rows(b->start, b->index, to + rows * n, rows, c);
    *b = (gk_rows){to + rows * n, NULL};
  }
}

void gk_openblas_input_gradient(
  gk_rows dy, const float *w, float *dx, size_t rows, size_t n, size_t c, size_t first, size_t last, bool accumulate,
  void *scratch) {
  float *block = scratch;  // [channels][outputs]
  size_t begin = first * GK_PANEL, channels = smaller(last * GK_PANEL, c) - begin;
  for (size_t k = 0; k == 0 || k < n; k += GK_BLAS_OUTPUTS) {
    size_t outputs = smaller(GK_BLAS_OUTPUTS, n - k);
    for (size_t p = 0; p < outputs; p += GK_PANEL) {
      size_t columns = smaller(GK_PANEL, outputs - p);
      for (size_t i = 0; i < channels; i++) {
        memcpy(
          block + i * outputs + p, w + (k + p) * c + (begin + i) * GK_PANEL, columns * sizeof(float));
      }
    }
    sgemm(
      row_major, as_it_is, transposed, (int)rows, (int)channels, (int)outputs, 1, dy.start + k, (int)n, block,
      (int)(outputs > 0 ? outputs : 1), accumulate || k > 0 ? 1 : 0, dx + begin, (int)c);
  }
}

void gk_openblas_weight_gradient(
  gk_rows dy, gk_rows x, float *dw, size_t rows, size_t n, size_t c, size_t begin, size_t end, size_t first,
  size_t last, float *scratch) {
  // scratch[channels][outputs] = xᵀ · dy
  size_t channels = end - begin, from = first * GK_PANEL, outputs = smaller(last * GK_PANEL, n) - from;
  sgemm(
    row_major, transposed, as_it_is, (int)channels, (int)outputs, (int)rows, 1, x.start + begin, (int)c, dy.start + from,
    (int)n, 0, scratch, (int)outputs);
  for (size_t p = 0; p < outputs; p += GK_PANEL) {
    size_t columns = smaller(GK_PANEL, outputs - p);
    for (size_t i = 0; i < channels; i++) {
      float *to = dw + (from + p) * c + (begin + i) * GK_PANEL;
      for (size_t j = 0; j < columns; j++) to[j] += scratch[i * outputs + p + j];
    }
  }
}
