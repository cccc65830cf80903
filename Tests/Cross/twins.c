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
      gk_bfloat16_product(x.single, &(gk_bfloat16_factor){half, bias.single, y.single, n}, 1, t, c);
      gk_bfloat16_product_input_gradient(dy.single, half, dx.single, t, n, c, accumulate);
      gk_bfloat16_product_weight_gradient(dy.single, x.single, dw, t, n, c);
    } else {
      gk_product(x.single, &(gk_factor){single, bias.single, y.single, n}, 1, t, c);
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

/// Factors of the same rows, of which the second has no bias: together each must get the bits that it gets alone.
static void together(size_t t, size_t c) {
  enum { FACTORS = 3 };
  numbers x = draw(t * c, false), w[FACTORS], bias[FACTORS], y[FACTORS], half_y[FACTORS];
  gk_factor factors[FACTORS];
  gk_bfloat16_factor half[FACTORS];
  float *single[FACTORS];
  uint16_t *rounded[FACTORS];
  for (size_t i = 0; i < FACTORS; i++) {
    size_t n = 1 + below(300);
    w[i] = draw(n * c, false), bias[i] = draw(n, false), y[i] = draw(t * n, false), half_y[i] = draw(t * n, false);
    single[i] = malloc(gk_packed_count(n, c) * sizeof(float));
    rounded[i] = malloc(gk_bfloat16_packed_count(n, c) * sizeof(uint16_t));
    if (single[i] == NULL || rounded[i] == NULL) abort();
    gk_pack(w[i].single, single[i], n, c);
    gk_bfloat16_pack(w[i].single, rounded[i], n, c);
    factors[i] = (gk_factor){single[i], i == 1 ? NULL : bias[i].single, y[i].single, n};
    half[i] = (gk_bfloat16_factor){rounded[i], factors[i].bias, half_y[i].single, n};
    gk_product(x.single, &factors[i], 1, t, c);
    gk_bfloat16_product(x.single, &half[i], 1, t, c);
    for (size_t j = 0; j < y[i].count; j++) {
      y[i].exact[j] = y[i].single[j], y[i].single[j] = NAN;
      half_y[i].exact[j] = half_y[i].single[j], half_y[i].single[j] = NAN;
    }
  }
  gk_product(x.single, factors, FACTORS, t, c);
  gk_bfloat16_product(x.single, half, FACTORS, t, c);
  for (size_t i = 0; i < FACTORS; i++) {
    check("products together", difference(y[i]), 0, t, factors[i].n, c);
    check("bfloat16 products together", difference(half_y[i]), 0, t, factors[i].n, c);
    release(w[i]), release(bias[i]), release(y[i]), release(half_y[i]);
    free(single[i]), free(rounded[i]);
  }
  release(x);
}

/// One sequence of t tokens whose first `prefix` are a segment of their own, with and without a window; and the last
/// token alone, which must get the same bits.
static void attention(size_t t, size_t prefix, size_t shared, size_t d, size_t u, size_t window) {
  size_t g = 2, h = g * shared;
  gk_attention_shape shape = {h, g, d, u, g * u, 1 / sqrtf((float)d), 0, window};
  numbers q = draw(t * h * d, false), k = draw(t * g * d, false), v = draw(t * g * u, false);
  numbers dout = draw(t * h * u, false), out = draw(t * h * u, false), lse = draw(t * h, false);
  numbers dq = draw(q.count, false), dk = draw(k.count, false), dv = draw(v.count, false), alone = draw(h * u, false);
  numbers sums[] = {dq, dk, dv};
  for (int i = 0; i < 3; i++) {
    for (size_t j = 0; j < sums[i].count; j++) sums[i].single[j] = 0, sums[i].exact[j] = 0;
  }
  int32_t rows = (int32_t)(t - prefix), first = (int32_t)prefix, trees[] = {0, 2};
  gk_span spans[] = {{0, first}, {0, (int32_t)t - 1}};
  gk_segment segments[] = {{0, first, 0, 0, 0}, {first, rows, first, 0, 1}}, last = {0, 1, (int32_t)t - 1, 1, 1};
  gk_attention(&shape, q.single, k.single, v.single, NULL, out.single, lse.single, segments, 2, spans);
  gk_attention_gradient(
    &shape, dout.single, q.single, k.single, v.single, NULL, out.single, lse.single, dq.single, dk.single, dv.single,
    NULL, segments, spans, trees, 1);
  naive_attention(&shape, q.exact, k.exact, v.exact, NULL, out.exact, lse.exact, segments, 2, spans);
  naive_attention_gradient(
    &shape, dout.exact, q.exact, k.exact, v.exact, NULL, dq.exact, dk.exact, dv.exact, NULL, segments, 2, spans);
  gk_attention(
    &shape, q.single + (t - 1) * h * d, k.single, v.single, NULL, alone.single, NULL, &last, 1, spans);
  for (size_t i = 0; i < h * u; i++) alone.exact[i] = out.single[(t - 1) * h * u + i];
  double rounding = 2e-5;
  check("attention", difference(out), rounding, t, h, d);
  check("lse", difference(lse), rounding, t, h, d);
  check("dq", difference(dq), rounding, t, h, d);
  check("dk", difference(dk), rounding, t, h, d);
  check("dv", difference(dv), rounding, t, h, d);
  check("the last token alone", difference(alone), 0, t, h, d);
  release(q), release(k), release(v), release(dout), release(out), release(lse);
  release(dq), release(dk), release(dv), release(alone);
}

int main(int argc, char **argv) {
  const char *problem = gk_setup();
  if (problem != NULL) return fprintf(stderr, "%s\n", problem), 2;
  size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 60;
  for (size_t t = 1; t <= 70; t++) products(t, 1 + below(100), 1 + below(100), true);
  for (size_t i = 0; i < rounds; i++) products(1 + below(300), 1 + below(700), 1 + below(700), i % 2 == 0);
  products(3, 40, 0, true), products(3, 0, 40, true), products(0, 40, 40, true);
  for (size_t t = 1; t <= 24; t++) together(t, 1 + below(700));
  together(200, 300);
  size_t lengths = rounds / 4 + 1;
  for (size_t i = 0; i < lengths; i++) {
    size_t t = i == 0 ? 400 : 2 + below(330), d = 1 + below(70);
    attention(t, 1 + below(t - 1), 1 + below(4), d, i % 2 == 0 ? d : 1 + below(70), i % 3 == 0 ? 1 + below(200) : 0);
  }
  printf(
    "%s: %zu shapes of products, %zu of attention, %d wrong\n", gk_variant(), rounds + 98, lengths, failures);
  return failures > 0;
}
