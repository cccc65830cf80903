// Drawing a token. The filters need the largest logits or weights, never their order: a threshold is found digit by
// digit over the bits of the floats, which costs a few passes where a sort would cost many.
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "pool.h"
#include "tasks.h"

/// The tokens still in play, in order of index, with their logits, later their weights exp(logit - largest).
typedef struct {
  float *value;
  int32_t *index;
  size_t count;
} candidates;

/// Digits of a key, most significant first: 11, 11 and 10 bits.
enum { DIGITS = 3, DIGIT_VALUES = 2048 };
static const int digit_shift[DIGITS] = {21, 10, 0};
static const uint32_t digit_mask[DIGITS] = {2047, 2047, 1023};

/// Larger floats have larger keys.
static uint32_t key(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

static float float_of(uint32_t key) {
  uint32_t bits = key >> 31 ? key & ~(UINT32_C(1) << 31) : ~key;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// Neighbours count apart, four by four: one sum after the other into the same place would wait for memory.
enum { APART = 4 };

/// The k-th largest (1 ... count) of x.
static float kth_largest(const float *x, size_t count, size_t k) {
  uint32_t found = 0, found_mask = 0;
  for (int digit = 0; digit < DIGITS; digit++) {
    uint32_t counts[DIGIT_VALUES][APART] = {{0}};
    for (size_t i = 0; i < count; i++) {
      uint32_t bits = key(x[i]);
      if ((bits & found_mask) == found) counts[bits >> digit_shift[digit] & digit_mask[digit]][i % APART]++;
    }
    uint32_t value = digit_mask[digit];
    for (; value > 0; value--) {
      size_t here = (size_t)counts[value][0] + counts[value][1] + counts[value][2] + counts[value][3];
      if (here >= k) break;
      k -= here;
    }
    found |= value << digit_shift[digit];
    found_mask |= digit_mask[digit] << digit_shift[digit];
  }
  return float_of(found);
}

/// Where a walk from the largest weight down reaches a mass.
typedef struct {
  float weight;  // what the last token it takes weighs
  double above;  // mass of all that weigh more
} crossing;

static crossing find_mass(const candidates *c, double mass) {
  uint32_t found = 0, found_mask = 0;
  double above = 0;
  for (int digit = 0; digit < DIGITS; digit++) {
    double masses[DIGIT_VALUES][APART] = {{0}};
    for (size_t i = 0; i < c->count; i++) {
      uint32_t bits = key(c->value[i]);
      if ((bits & found_mask) == found) {
        masses[bits >> digit_shift[digit] & digit_mask[digit]][i % APART] += c->value[i];
      }
    }
    // Should rounding keep the walk short of the mass, it ends at the lowest digit that weighs anything.
    uint32_t last = digit_mask[digit];
    double before_last = above;
    for (uint32_t next = digit_mask[digit] + 1; next-- > 0;) {
      double here = (masses[next][0] + masses[next][1]) + (masses[next][2] + masses[next][3]);
      if (here == 0) continue;
      last = next;
      before_last = above;
      above += here;
      if (above >= mass) break;
    }
    above = before_last;
    found |= last << digit_shift[digit];
    found_mask |= digit_mask[digit] << digit_shift[digit];
  }
  return (crossing){float_of(found), above};
}

/// Keeps the values that are at least `least`.
static void keep_from(candidates *c, float least) {
  size_t kept = 0;
  for (size_t i = 0; i < c->count; i++) {
    c->value[kept] = c->value[i];
    c->index[kept] = c->index[i];
    kept += c->value[i] >= least;
  }
  c->count = kept;
}

/// The tokens that top-k leaves of logits[V]: the k largest and all that equal the k-th.
static void take_top_k(candidates *c, const float *logits, size_t v, int32_t top_k) {
  float least = top_k > 0 && (size_t)top_k < v ? kth_largest(logits, v, (size_t)top_k) : -INFINITY;
  for (size_t i = 0; i < v; i++) {
    c->value[c->count] = logits[i];
    c->index[c->count] = (int32_t)i;
    c->count += logits[i] >= least;
  }
}

enum { SUM_BLOCK = 512 };

/// Σ of up to SUM_BLOCK weights, in four chains.
static double block_mass(const float *weight, size_t count) {
  double sum[4] = {0};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int j = 0; j < 4; j++) sum[j] += weight[i + j];
  }
  for (; i < count; i++) sum[0] += weight[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static double total_mass(const candidates *c) {
  double mass = 0;
  for (size_t begin = 0; begin < c->count; begin += SUM_BLOCK) {
    size_t rest = c->count - begin;
    mass += block_mass(c->value + begin, rest < SUM_BLOCK ? rest : SUM_BLOCK);
  }
  return mass;
}

/// The most probable tokens until their mass reaches p of the whole: one at least; equal weights by index.
static void keep_top_p(candidates *c, float p) {
  double mass = p * total_mass(c);
  crossing last = find_mass(c, mass);
  double before = last.above;
  size_t kept = 0;
  bool any = false;
  for (size_t i = 0; i < c->count; i++) {
    float weight = c->value[i];
    bool keep = weight > last.weight;
    if (weight == last.weight && (!any || before < mass)) {
      keep = any = true;
      before += weight;
    }
    c->value[kept] = weight;
    c->index[kept] = c->index[i];
    kept += keep;
  }
  c->count = kept;
}

/// Place of the first candidate whose cumulative mass exceeds `mass`; the last that weighs anything, should rounding
/// keep the sum short of it.
static size_t find_cumulative(const candidates *c, double mass) {
  double before = 0;
  size_t last = 0;
  for (size_t begin = 0; begin < c->count; begin += SUM_BLOCK) {
    size_t rest = c->count - begin, end = begin + (rest < SUM_BLOCK ? rest : SUM_BLOCK);
    double block = block_mass(c->value + begin, end - begin);
    bool here = before + block > mass;
    double sum = before;
    for (size_t i = begin; (here || end == c->count) && i < end; i++) {
      if (c->value[i] > 0) last = i;
      sum += c->value[i];
      if (sum > mass) return i;
    }
    if (here) return last;
    before += block;
  }
  return last;
}

/// One token of logits[V]; scratch[2, V].
static int32_t draw(
  const float *logits, size_t v, const gk_sampling *sampling, double u, float *logp_sampling, float *scratch) {
  candidates c = {scratch, (int32_t *)(scratch + v), 0};
  float largest = gk_active()->vocabulary.largest(logits, v);
  bool all = (sampling->top_k <= 0 || (size_t)sampling->top_k >= v) && sampling->top_p >= 1 && sampling->min_p <= 0;
  if (all) {  // a candidate's place is its token
    c.count = v;
    memcpy(c.value, logits, v * sizeof *logits);
  } else {
    take_top_k(&c, logits, v, sampling->top_k);
  }
  gk_active()->vocabulary.weigh(c.value, largest, 1 / sampling->temperature, c.count);
  if (sampling->top_p < 1) keep_top_p(&c, sampling->top_p);
  // The most probable token weighs 1.
  if (sampling->min_p > 0) keep_from(&c, sampling->min_p < 1 ? sampling->min_p : 1);

  double mass = total_mass(&c);
  if (!(mass > 0)) {  // no finite logit
    if (logp_sampling != NULL) *logp_sampling = NAN;
    return gk_argmax(logits, v);
  }
  size_t drawn = find_cumulative(&c, u * mass);
  if (logp_sampling != NULL) *logp_sampling = (float)log(c.value[drawn] / mass);
  return all ? (int32_t)drawn : c.index[drawn];
}

typedef struct {
  const float *logits;
  size_t v;
  const gk_sampling *sampling;
  const double *u;
  int32_t *tokens;
  float *logp;
} sample_call;

static void draw_rows(void *context, size_t begin, size_t end, int worker) {
  const sample_call *call = context;
  float *scratch = gk_scratch(worker, 2 * call->v * sizeof *scratch);
  for (size_t row = begin; row < end; row++) {
    float *logp = call->logp != NULL ? call->logp + row : NULL;
    call->tokens[row] = draw(call->logits + row * call->v, call->v, call->sampling, call->u[row], logp, scratch);
  }
}

/// tokens[T] and logp[T] of logits[T, V].
void gk_sample(
  const float *logits, const gk_sampling *sampling, const double *u, int32_t *tokens, float *logp_sampling, size_t t,
  size_t v) {
  sample_call call = {logits, v, sampling, u, tokens, logp_sampling};
  gk_parallel_ranges(t, gk_rows_per_task(v), draw_rows, &call);
}
