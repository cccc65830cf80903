// Kernels against their naive twins, in C alone: for CPUs that Swift's tests do not run on here. run.sh builds
// and runs it under an emulator. Prints a line for each kind of kernel; ends with 1 where one is wrong.
//
// Numbers are small integers where sums must be exact whatever their order, else reals, compared within what single
// precision rounds.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "CKernels.h"
#include "naive.h"

static uint64_t state = 1;
static uint32_t next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}
static size_t below(size_t bound) { return next() % bound; }

typedef struct {
  float *single;
  double *exact;
  size_t count;
} numbers;

/// `count` integers from -4 to 4, or reals in [-1, 1); the doubles are the same numbers.
static numbers draw(size_t count, bool integers) {
  numbers a = {malloc((count + 1) * sizeof(float)), malloc((count + 1) * sizeof(double)), count};
  if (a.single == NULL || a.exact == NULL) abort();
  for (size_t i = 0; i < count; i++) {
    a.exact[i] = a.single[i] = integers ? (float)below(9) - 4 : (float)next() / 1073741824 - 1;
  }
  return a;
}

static void release(numbers a) {
  free(a.single);
  free(a.exact);
}

/// The largest difference of the two; infinite for a NaN.
static double difference(numbers a) {
  double largest = 0;
  for (size_t i = 0; i < a.count; i++) {
    double d = fabs((double)a.single[i] - a.exact[i]);
    if (!(d <= largest)) largest = isnan(d) ? INFINITY : d;
  }
  return largest;
}

static int failures;
static void check(const char *what, double found, double allowed, size_t t, size_t n, size_t c) {
  if (found <= allowed) return;
  printf("%s, T %zu N %zu C %zu: off by %g, allowed %g\n", what, t, n, c, found, allowed);
  failures++;
}

/// y, dx and dw of one shape, of single precision and of bfloat16; integers are the same numbers in both.
static void products(size_t t, size_t n, size_t c, bool integers) {
  double rounding = integers ? 0 : 0x1p-23;
  bool accumulate = below(2) == 1;
  numbers x = draw(t * c, integers), w = draw(n * c, integers), bias = draw(n, integers), dy = draw(t * n, integers);
  float *single = malloc(gk_packed_count(n, c) * sizeof(float)), *dw = malloc(gk_packed_count(n, c) * sizeof(float));
  uint16_t *half = malloc(gk_bfloat16_packed_count(n, c) * sizeof(uint16_t));
  if (single == NULL || dw == NULL || half == NULL) abort();
  for (int bfloat16 = 0; bfloat16 < 2; bfloat16++) {
    if (bfloat16 == 1) {
      naive_round_bfloat16(x.exact, x.exact, x.count);
      naive_round_bfloat16(w.exact, w.exact, w.count);
      naive_round_bfloat16(dy.exact, dy.exact, dy.count);
      gk_bfloat16_pack(w.single, half, n, c);
    } else {
      gk_pack(w.single, single, n, c);
    }
    numbers y = draw(t * n, integers), dx = draw(t * c, integers), sums = draw(n * c, integers);
    naive_product(x.exact, w.exact, bias.exact, y.exact, t, n, c);
    if (!accumulate) {
      for (size_t i = 0; i < t * c; i++) dx.exact[i] = 0;
    }
    naive_product_input_gradient(dy.exact, w.exact, dx.exact, t, n, c);
    gk_pack(sums.single, dw, n, c);
    naive_product_weight_gradient(dy.exact, x.exact, sums.exact, t, n, c);
    if (bfloat16 == 1) {
      gk_bfloat16_product(x.single, half, bias.single, y.single, t, n, c);
      gk_bfloat16_product_input_gradient(dy.single, half, dx.single, t, n, c, accumulate);
      gk_bfloat16_product_weight_gradient(dy.single, x.single, dw, t, n, c);
    } else {
      gk_product(x.single, single, bias.single, y.single, t, n, c);
      gk_product_input_gradient(dy.single, single, dx.single, t, n, c, accumulate);
      gk_product_weight_gradient(dy.single, x.single, dw, t, n, c);
    }
    gk_unpack(dw, sums.single, n, c);
    check(bfloat16 ? "bfloat16 product" : "product", difference(y), rounding * (double)(c + 1), t, n, c);
    check(bfloat16 ? "bfloat16 dx" : "dx", difference(dx), rounding * (double)(n + 1), t, n, c);
    check(bfloat16 ? "bfloat16 dw" : "dw", difference(sums), rounding * (double)(t + 1), t, n, c);
    release(y), release(dx), release(sums);
  }
  release(x), release(w), release(bias), release(dy);
  free(single), free(dw), free(half);
}

int main(int argc, char **argv) {
  const char *problem = gk_setup();
  if (problem != NULL) return fprintf(stderr, "%s\n", problem), 2;
  size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 60;
  for (size_t t = 1; t <= 70; t++) products(t, 1 + below(100), 1 + below(100), true);
  for (size_t i = 0; i < rounds; i++) products(1 + below(300), 1 + below(700), 1 + below(700), i % 2 == 0);
  products(3, 40, 0, true), products(3, 0, 40, true), products(0, 40, 40, true);
  printf("%s: %zu shapes of products, %d wrong\n", gk_variant(), rounds + 73, failures);
  return failures > 0;
}
