// Which variant runs, and who computes the gradient products.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gradients.h"
#include "kernels.h"

static _Atomic(const struct gk_kernels *) active;
static atomic_bool openblas;

/// The variants that this machine can run, best first.
static size_t runnable(const struct gk_kernels *tables[4]) {
  size_t count = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    if (__builtin_cpu_supports("avx512bf16")) tables[count++] = &gk_kernels_avx512bf16;
    tables[count++] = &gk_kernels_avx512;
  }
  if (avx2) tables[count++] = &gk_kernels_avx2;
#endif
#if defined(__aarch64__)
  tables[count++] = &gk_kernels_neon;
#endif
  tables[count++] = &gk_kernels_plain;
  return count;
}

const struct gk_kernels *gk_active(void) {
  const struct gk_kernels *table = atomic_load_explicit(&active, memory_order_acquire);
  if (table != NULL) return table;
  const struct gk_kernels *tables[4];
  runnable(tables);
  const struct gk_kernels *none = NULL;
  return atomic_compare_exchange_strong(&active, &none, tables[0]) ? tables[0] : none;
}

const char *gk_variant(void) { return gk_active()->name; }

bool gk_use_variant(const char *name) {
  const struct gk_kernels *tables[4];
  size_t count = runnable(tables);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(tables[i]->name, name) == 0) {
      atomic_store_explicit(&active, tables[i], memory_order_release);
      return true;
    }
  }
  return false;
}

bool gk_openblas_active(void) { return atomic_load(&openblas); }

const char *gk_gradients(void) { return gk_openblas_active() ? "openblas" : "own"; }

bool gk_use_gradients(const char *name) {
  bool wanted = strcmp(name, "openblas") == 0;
  if (!wanted && strcmp(name, "own") != 0) return false;
  if (wanted && !gk_openblas_load()) return false;
  atomic_store(&openblas, wanted);
  return true;
}

static const char *problem;

static void read_environment(void) {
  const char *variant = getenv("GRAO_KERNELS");
  if (variant != NULL && *variant != 0 && !gk_use_variant(variant)) {
    const char *known[] = {"avx512bf16", "avx512", "avx2", "neon", "plain"};
    const char *lacking[] = {
      "GRAO_KERNELS: this CPU lacks what \"avx512bf16\" needs (AVX-512 F, BW, DQ, VL and BF16)",
      "GRAO_KERNELS: this CPU lacks what \"avx512\" needs (AVX-512 F, BW, DQ and VL)",
      "GRAO_KERNELS: this CPU lacks what \"avx2\" needs (AVX2 and FMA)",
      "GRAO_KERNELS: \"neon\" needs a 64-bit ARM CPU", NULL};
    problem = "GRAO_KERNELS: expected \"avx512bf16\", \"avx512\", \"avx2\", \"neon\" or \"plain\"";
    for (int i = 0; i < 5; i++) {
      if (strcmp(variant, known[i]) == 0) problem = lacking[i];
    }
    return;
  }
  const char *gradients = getenv("GRAO_GRADIENTS");
  if (gradients != NULL && *gradients != 0 && !gk_use_gradients(gradients)) {
    problem = strcmp(gradients, "openblas") == 0
                ? "GRAO_GRADIENTS: \"openblas\" needs libopenblas.so.0, which could not be loaded"
                : "GRAO_GRADIENTS: expected \"own\" or \"openblas\"";
  }
}

const char *gk_setup(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  gk_active();
  pthread_once(&once, read_environment);
  return problem;
}
