// What the variants export: one table of single-threaded kernels each. The public functions thread over the pool and
// call the active table. Each template file (*.inc) fills the sub-table that carries its name.
#ifndef GK_KERNELS_H
#define GK_KERNELS_H

#include "CKernels.h"

/// Rows of a matrix, one after the other, or where `index` is not NULL those that it names.
typedef struct {
  const float *start;
  const int32_t *index;
} gk_rows;

static inline const float *gk_row(gk_rows of, size_t row, size_t columns) {
  return of.start + (of.index != NULL ? (size_t)of.index[row] : row) * columns;
}

/// x[rows, C], y[rows, N], dy and dx likewise; panels [first, last) of 32 outputs, in input_gradient of 32 channels.
typedef void gk_input_gradient_kernel(
  gk_rows dy, const float *w, float *dx, size_t rows, size_t n, size_t c, size_t first, size_t last, bool accumulate,
  void *scratch);
typedef void gk_weight_gradient_kernel(
  gk_rows dy, gk_rows x, float *dw, size_t rows, size_t n, size_t c, size_t begin, size_t end, size_t first,
  size_t last, float *scratch);

/// product.inc
typedef struct {
  void (*forward)(
    const float *x, const float *w, const float *bias, float *y, size_t rows, size_t n, size_t c, size_t first,
    size_t last);
  /// scratch: GK_INPUT_SCRATCH floats.
  gk_input_gradient_kernel *input_gradient;
  /// Channels [begin, end), at most GK_GATHERED_CHANNELS. scratch: GK_WEIGHT_SCRATCH floats.
  gk_weight_gradient_kernel *weight_gradient;
  /// db[j] += the sum of dy[T, N]'s column j, for j in [begin, end).
  void (*column_sums)(const float *dy, float *db, size_t t, size_t n, size_t begin, size_t end);
} gk_product_kernels;

/// Two bfloat16, the first in the low half.
typedef uint32_t __attribute__((may_alias)) gk_pair;

/// bfloat16.inc. x, y, dy and the panels as above; w holds pairs of channels.
typedef struct {
  /// Of one pair of a rounded row.
  size_t unit_bytes;
  /// x[rows, C] rounded: ceil(C / 2) units a row.
  void (*round_rows)(const float *x, void *units, size_t rows, size_t c);
  /// x rounded.
  void (*forward)(
    const void *x, const gk_pair *w, const float *bias, float *y, size_t rows, size_t n, size_t c, size_t first,
    size_t last);
  /// dy not rounded. scratch: GK_INPUT_SCRATCH floats.
  void (*input_gradient)(
    gk_rows dy, const gk_pair *w, float *dx, size_t rows, size_t n, size_t c, size_t first, size_t last,
    bool accumulate, void *scratch);
  /// Neither rounded; dw float32. scratch: twice GK_WEIGHT_SCRATCH floats.
  void (*weight_gradient)(
    gk_rows dy, gk_rows x, float *dw, size_t rows, size_t n, size_t c, size_t begin, size_t end, size_t first,
    size_t last, void *scratch);
  /// One panel [C][32] of single precision to pairs [ceil(C / 2)][32], and back.
  void (*narrow_panel)(const float *single, gk_pair *pairs, size_t c);
  void (*widen_panel)(const gk_pair *pairs, float *single, size_t c);
} gk_bfloat16_kernels;

/// rows.inc
typedef struct {
  /// y[i] += alpha · x[i].
  void (*add)(const float *x, float alpha, float *y, size_t count);
  /// y[i] = alpha · x[i].
  void (*scale)(const float *x, float alpha, float *y, size_t count);
} gk_rows_kernels;

/// norm.inc
typedef struct {
  void (*rms_norm)(
    const float *x, const float *w, float offset, float epsilon, float *y, float *rstd, size_t t, size_t c);
  void (*input_gradient)(
    const float *dy, const float *x, const float *w, float offset, const float *rstd, float *dx, size_t t, size_t c,
    bool accumulate);
  /// Columns [begin, end) of dw.
  void (*weight_gradient)(
    const float *dy, const float *x, const float *rstd, float *dw, size_t t, size_t c, size_t begin, size_t end);
} gk_norm_kernels;

/// rotary.inc
typedef struct {
  void (*rotate)(
    const gk_rotation *rotation, float *x, const int32_t *positions, const float *cosine, const float *sine, size_t t,
    bool transposed);
} gk_rotary_kernels;

/// glu.inc
typedef struct {
  void (*forward)(const gk_activation *activation, const float *gate, const float *up, float *h, size_t count);
  void (*gradient)(
    const gk_activation *activation, const float *dh, const float *gate, const float *up, float *dgate, float *dup,
    size_t count);
  void (*weighted_gradient)(
    const gk_activation *activation, const int32_t *slot, const float *weights, const float *gate, const float *up,
    const int32_t *from, float *dh, float *dgate, float *dup, float *dweights, size_t choices, size_t f);
  void (*gate_rows)(const float *x, const float *gate, float *y, size_t t, size_t c);
  void (*gate_rows_gradient)(
    const float *dy, const float *x, const float *gate, float *dx, float *dgate, size_t t, size_t c);
} gk_glu_kernels;

/// The arguments of gk_attention and its gradient, as attention.inc gets them.
typedef struct {
  gk_attention_shape shape;
  const float *q, *k, *v, *sinks;
  float *out, *lse;
  const float *dout;
  float *dq, *dk, *dv, *dsinks;
  const gk_segment *segments;
  const gk_span *spans;
} gk_attention_pass;

/// attention.inc. The first two take scratch of gk_attention_scratch floats.
typedef struct {
  /// Query rows [begin, end) of a segment, key-value heads [first, last).
  void (*forward)(
    const gk_attention_pass *pass, const gk_segment *segment, size_t begin, size_t end, size_t first, size_t last,
    float *scratch);
  /// All of a segment, key-value head `head`.
  void (*gradient)(const gk_attention_pass *pass, const gk_segment *segment, size_t head, float *scratch);
  /// dsinks of query head `head` from segments [begin, end).
  void (*sink_gradient)(const gk_attention_pass *pass, size_t begin, size_t end, size_t head);
} gk_attention_kernels;

/// Keys before a segment's own.
static inline size_t gk_attention_prefix(const gk_segment *segment, const gk_span *spans) {
  size_t count = 0;
  for (int32_t s = 0; s < segment->spans; s++) count += (size_t)spans[segment->span + s].rows;
  return count;
}

/// Keys that the last row of a segment sees: the length that its scratch is for.
static inline size_t gk_attention_length(const gk_segment *segment, const gk_span *spans) {
  return gk_attention_prefix(segment, spans) + (size_t)segment->rows;
}

enum {
  GK_ATTENTION_QUERIES = 32,  // queries that walk the keys together: a block
  GK_ATTENTION_TURNED = 64,   // keys at most that are turned together
  GK_ATTENTION_FEW = 4,       // so many queries of a head join those of other heads in a block
};

/// Floats of a row of scores over at most `length` keys, of which a window (0: none) shows each query some: the kernels
/// write whole vectors past its end. An odd number of cache lines: rows do not fall on the same ones.
static inline size_t gk_attention_stride(size_t length, size_t window) {
  size_t most = window > 0 && window < length ? window + GK_ATTENTION_QUERIES : length;
  return (most + 31) / 16 * 16 | 16;
}

/// Scores and, in the gradient, what becomes of them; queries and gradients of outputs; sums; turned keys.
static inline size_t gk_attention_scratch(const gk_attention_shape *shape, size_t length) {
  size_t stride = gk_attention_stride(length, shape->window);
  return 2 * GK_ATTENTION_QUERIES * stride
    + (2 * GK_ATTENTION_QUERIES + GK_ATTENTION_TURNED) * (shape->d + shape->u + 32);
}

/// What the choice goes by: experts, then groups.
static inline size_t gk_route_scratch(const gk_routing *rule) { return rule->e + rule->groups; }

/// experts.inc
typedef struct {
  /// scratch: gk_route_scratch floats.
  void (*route)(
    const gk_routing *rule, const float *logits, const float *bias, float *scores, int32_t *experts, float *weights,
    size_t t, float *scratch);
  void (*route_gradient)(
    const gk_routing *rule, const float *dweights, const float *scores, const int32_t *experts, const float *weights,
    float *dlogits, size_t t);
  void (*combine)(const float *x, const int32_t *slot, const float *weights, float *y, size_t t, size_t k, size_t c);
  void (*bias_gradient)(
    float *dy, const int32_t *slot, const int32_t *experts, const float *weights, const float *bias, float *dweights,
    size_t choices, size_t c);
  void (*ungather_add)(const float *dsorted, const int32_t *slot, float *dx, size_t t, size_t k, size_t c);
} gk_experts_kernels;

/// router.inc
typedef struct {
  /// scratch: E floats.
  void (*loss_gradient)(
    const gk_routing *rule, const float *logits, const float *scores, const float *lse, const int32_t *segment,
    const float *balance, const float *z, float *dlogits, size_t t, float *scratch);
} gk_router_kernels;

/// Added to a sum of sigmoid scores before they are divided by it.
#define GK_SCORE_EPSILON 1e-20f

/// softcap.inc
typedef struct {
  void (*forward)(float *x, float cap, size_t count);
  void (*gradient)(const float *y, float cap, float *dy, size_t count);
} gk_softcap_kernels;

/// vocabulary.inc
typedef struct {
  /// One row.
  void (*log_softmax)(
    const float *logits, float inverse_temperature, const int32_t *target, float *logp, float *lse, float *entropy,
    size_t v);
  void (*log_softmax_gradient)(
    const float *logits, float inverse_temperature, int32_t target, float lse, float dlogp, float *dlogits, size_t v);
  /// The largest of x, NaN apart; -inf where there is none.
  float (*largest)(const float *x, size_t count);
  /// x[i] becomes exp((x[i] - largest) · inverse_temperature), or 0 where that is NaN.
  void (*weigh)(float *x, float largest, float inverse_temperature, size_t count);
} gk_vocabulary_kernels;

/// optimizer.inc
typedef struct {
  double (*sum_of_squares)(const float *x, size_t count);
  bool (*adamw)(float *w, const float *g, float *m, float *v, size_t count, const gk_adamw_step *step);
  bool (*adamw_bfloat16)(
    float *w, const float *g, uint16_t *m, uint16_t *v, size_t first, size_t count, const gk_adamw_step *step);
} gk_optimizer_kernels;

struct gk_kernels {
  const char *name;
  gk_product_kernels product;
  const gk_bfloat16_kernels *bfloat16;
  gk_rows_kernels rows;
  gk_norm_kernels norm;
  gk_rotary_kernels rotary;
  gk_glu_kernels glu;
  gk_attention_kernels attention;
  gk_experts_kernels experts;
  gk_router_kernels router;
  gk_softcap_kernels softcap;
  gk_vocabulary_kernels vocabulary;
  gk_optimizer_kernels optimizer;
};

#if defined(__x86_64__)
extern const struct gk_kernels gk_kernels_avx512bf16, gk_kernels_avx512, gk_kernels_avx2;
#endif
#if defined(__aarch64__)
extern const struct gk_kernels gk_kernels_neon;
#endif
extern const struct gk_kernels gk_kernels_plain;

/// The table in use: the best this CPU can run, or what was asked for.
const struct gk_kernels *gk_active(void);

#endif
