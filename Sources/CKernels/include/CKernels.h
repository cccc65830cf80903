// The operations of the engine: single precision (products in bfloat16 too), packed rows, no padding.
//
// Shape legend, used everywhere in this library:
//   T  tokens (rows of activations)      C  channels in       N  channels out
//   H  query heads                       G  key-value heads   D  channels of a head
//   U  channels of a head's values: D, but where v is narrower or wider than k
//   F  channels of a feed-forward layer  V  vocabulary        E  experts   K  experts per token
//   S  key-value rows
//
// Activations are row-major and contiguous: x[T, C] has T rows of C floats. Matrices of weights live in one packed
// form alone (see gk_packed_count). An operation runs on the thread pool and returns when it is done; its result
// never depends on the number of threads. Every *forward* operation computes each row by itself, in an order of
// summation fixed by the row's own length: the bits of a row do not depend on which rows are computed beside it.
// That is what makes the sampler and the trainer agree bit for bit.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// ---------------------------------------------------------------- the machine

/// Chooses the kernel variant for this CPU and starts nothing yet. Reads the environment:
///   GRAO_KERNELS    "avx512bf16", "avx512", "avx2", "neon" or "plain" forces a variant
///   GRAO_GRADIENTS  "own" (default) or "openblas": who computes the gradient products
/// Returns NULL, or one static line that says what is wrong (unknown name, or a variant this CPU lacks).
/// Idempotent; every other call works (with the best variant) even if this was never called.
const char *gk_setup(void);

/// The active variant: "avx512bf16" (as "avx512", but for the products of bfloat16), "avx512", "avx2", "neon" or "plain".
const char *gk_variant(void);
/// Switches variant (for tests and benchmarks); false if the name is unknown or the CPU lacks it.
bool gk_use_variant(const char *name);
/// "own" or "openblas".
const char *gk_gradients(void);
bool gk_use_gradients(const char *name);

/// Threads that operations use, the caller's included. At least 1; default: the CPUs this process may run on.
void gk_set_threads(int threads);
int gk_threads(void);

/// Runs body(context, task, worker) once for every task in [0, tasks), over the pool; worker is in [0, gk_threads()).
/// Tasks are claimed in order by whoever is free. Not reentrant from inside a body (runs serially there).
void gk_parallel(size_t tasks, void (*body)(void *context, size_t task, int worker), void *context);

// ---------------------------------------------------------------- products

/// Packed matrix of weights w[N, C] (row n holds the weights of output n, as torch's Linear):
/// panels of 32 outputs, each panel [C][32]; element (n, c) is at (n / 32) * 32 * C + c * 32 + n % 32.
/// Outputs past N in the last panel are 0. The layout is the same for every variant.
/// Returns the count of floats: ceil(N / 32) * 32 * C.
size_t gk_packed_count(size_t n, size_t c);
void gk_pack(const float *w, float *packed, size_t n, size_t c);
void gk_unpack(const float *packed, float *w, size_t n, size_t c);

/// What makes y[T, N] of rows x[T, C]: packed w[N, C], and bias[N], or NULL.
typedef struct {
  const float *w, *bias;
  float *y;
  size_t n;
} gk_factor;

/// y = x · wᵀ + bias of each of `count` factors, as one job over the pool: x[T, C] is theirs in common. Sums over c in
/// ascending order.
void gk_product(const float *x, const gk_factor *factors, size_t count, size_t t, size_t c);
/// dx[T, C] = dy[T, N] · w; added to dx where accumulate.
void gk_product_input_gradient(
  const float *dy, const float *w, float *dx, size_t t, size_t n, size_t c, bool accumulate);
/// dw += dyᵀ · x, dw packed as w. Sums over t in ascending order.
void gk_product_weight_gradient(const float *dy, const float *x, float *dw, size_t t, size_t n, size_t c);
/// db[N] += the column sums of dy[T, N], rows in ascending order.
void gk_bias_gradient(const float *dy, float *db, size_t t, size_t n);

/// Products of experts: rows offsets[e] ..< offsets[e + 1] of x belong to expert e, whose packed matrix starts at
/// w + e * gk_packed_count(n, c); a bias is [E, N]. offsets has E + 1 entries, from 0 up to T. Row i of x is its row
/// x_rows[i], where that is not NULL; so with dy.
void gk_grouped_product(
  const float *x, const int32_t *x_rows, const gk_factor *factors, size_t count, const int32_t *offsets, size_t experts,
  size_t c);
void gk_grouped_product_input_gradient(
  const float *dy, const int32_t *dy_rows, const float *w, float *dx, const int32_t *offsets, size_t experts, size_t n,
  size_t c, bool accumulate);
void gk_grouped_product_weight_gradient(
  const float *dy, const int32_t *dy_rows, const float *x, const int32_t *x_rows, float *dw, const int32_t *offsets,
  size_t experts, size_t n, size_t c);
/// db[E, N] += the column sums of each expert's rows of dy, rows in ascending order.
void gk_grouped_bias_gradient(const float *dy, float *db, const int32_t *offsets, size_t experts, size_t n);

// ---------------------------------------------------------------- products of bfloat16

// The same with both operands in bfloat16 and sums in single precision: x and dy are rounded as they come in (to
// nearest, ties to even), row by row, whatever stands beside them; everything else stays single precision. Of each pair
// of terms the second is added first; see bfloat16.inc.

/// Packed matrix w[N, C] of bfloat16: panels of 32 outputs, each [ceil(C / 2)][32][2]; element (n, c) is at
/// (n / 32) * 64 * ceil(C / 2) + c / 2 * 64 + n % 32 * 2 + c % 2, and what lies outside the matrix is 0. The layout is
/// the same for every variant; aligned to 4 bytes or more. Returns the count of 16-bit numbers.
size_t gk_bfloat16_packed_count(size_t n, size_t c);
/// From w[N, C], rounded, and back.
void gk_bfloat16_pack(const float *w, uint16_t *packed, size_t n, size_t c);
void gk_bfloat16_unpack(const uint16_t *packed, float *w, size_t n, size_t c);
/// From the packed form of single precision (gk_packed_count), rounded, and back.
void gk_bfloat16_narrow(const float *single, uint16_t *packed, size_t n, size_t c);
void gk_bfloat16_widen(const uint16_t *packed, float *single, size_t n, size_t c);

typedef struct {
  const uint16_t *w;
  const float *bias;
  float *y;
  size_t n;
} gk_bfloat16_factor;

/// x is rounded once for all factors.
void gk_bfloat16_product(const float *x, const gk_bfloat16_factor *factors, size_t count, size_t t, size_t c);
void gk_bfloat16_product_input_gradient(
  const float *dy, const uint16_t *w, float *dx, size_t t, size_t n, size_t c, bool accumulate);
/// dw is single precision, packed as gk_packed_count says. Tokens are paired from the first on.
void gk_bfloat16_product_weight_gradient(
  const float *dy, const float *x, float *dw, size_t t, size_t n, size_t c);

/// The matrix of expert e starts at w + e * gk_bfloat16_packed_count(n, c).
void gk_bfloat16_grouped_product(
  const float *x, const int32_t *x_rows, const gk_bfloat16_factor *factors, size_t count, const int32_t *offsets,
  size_t experts, size_t c);
void gk_bfloat16_grouped_product_input_gradient(
  const float *dy, const int32_t *dy_rows, const uint16_t *w, float *dx, const int32_t *offsets, size_t experts,
  size_t n, size_t c, bool accumulate);
void gk_bfloat16_grouped_product_weight_gradient(
  const float *dy, const int32_t *dy_rows, const float *x, const int32_t *x_rows, float *dw, const int32_t *offsets,
  size_t experts, size_t n, size_t c);

/// y[T, C] = the rows `tokens` of the packed table w[V, C].
void gk_bfloat16_embedding(const uint16_t *w, const int32_t *tokens, float *y, size_t t, size_t c);

// ---------------------------------------------------------------- rows

/// y[i] += alpha · x[i].
void gk_add(const float *x, float alpha, float *y, size_t count);
/// y[i] = alpha · x[i]; y may be x.
void gk_scale(const float *x, float alpha, float *y, size_t count);
/// y[i] = 0.
void gk_clear(float *y, size_t count);
/// y[r, :] = x[index[r], :] for r in [0, rows).
void gk_gather_rows(const float *x, const int32_t *index, float *y, size_t rows, size_t c);
/// y[index[r], :] += x[r, :], r ascending. An index may occur more than once.
void gk_scatter_add_rows(const float *x, const int32_t *index, float *y, size_t rows, size_t c);

/// Where element (token, head, channel) lies: token * tokens + head * heads + channel * channels floats on.
typedef struct {
  size_t tokens, heads, channels;
} gk_strides;
/// y[t, h, i] = x[t, h, i] for T tokens, H heads and C channels, each laid out as its strides say.
void gk_copy_heads(const float *x, gk_strides from, float *y, gk_strides to, size_t t, size_t h, size_t c);

/// y[T, C] = the rows `tokens` of the packed table w[V, C].
void gk_embedding(const float *w, const int32_t *tokens, float *y, size_t t, size_t c);
/// dw[tokens[t], :] += dy[t, :], t ascending; dw packed [V, C].
void gk_embedding_gradient(const float *dy, const int32_t *tokens, float *dw, size_t t, size_t c);

// ---------------------------------------------------------------- normalisation, rotation, activation

/// y[t, :] = x[t, :] · rstd[t] · (offset + w), rstd[t] = 1 / sqrt(mean(x[t, :]²) + epsilon). rstd may be NULL.
void gk_rms_norm(
  const float *x, const float *w, float offset, float epsilon, float *y, float *rstd, size_t t, size_t c);
/// dx = the gradient of x (added to dx where accumulate); dw[C] += the gradient of w, t ascending.
void gk_rms_norm_gradient(
  const float *dy, const float *x, const float *w, float offset, const float *rstd, float *dx, float *dw, size_t t,
  size_t c, bool accumulate);

/// Which channels turn: `turned` of each head, from x on, heads `head_stride` floats apart, rows `row_stride`.
typedef struct {
  size_t heads, head_stride, row_stride, turned;
  bool interleaved;
} gk_rotation;

/// Rotary position embedding (arXiv 2104.09864) in place. For i < turned / 2, (a, b) = (x[i], x[i + turned / 2]), as
/// Hugging Face's rotate_half, or where interleaved (x[2 i], x[2 i + 1]), becomes (a cos - b sin, b cos + a sin), with
/// cos, sin [positions, turned / 2] at row positions[t]; they may carry a factor. transposed is the gradient: it turns
/// back, and carries the factor too.
void gk_rope(
  const gk_rotation *rotation, float *x, const int32_t *positions, const float *cosine, const float *sine, size_t t,
  bool transposed);

/// Gated linear units (arXiv 2002.05202), g and u standing for gate and up:
///   GK_SILU     h = g · sigmoid(g) · u
///   GK_GELU     h = gelu(g) · u, gelu(g) = g · (1 + tanh(√(2/π) (g + 0.044715 g³))) / 2
///   GK_CLAMPED  h = g · sigmoid(alpha · g) · (u + 1), where g is at most limit and u within ±limit (gpt-oss)
typedef enum { GK_SILU, GK_GELU, GK_CLAMPED } gk_unit;
typedef struct {
  gk_unit unit;
  float alpha, limit;  // of GK_CLAMPED
} gk_activation;

/// h of gate and up, all [T, F] flattened to count.
void gk_glu(const gk_activation *activation, const float *gate, const float *up, float *h, size_t count);
/// dgate and dup may be gate and up.
void gk_glu_gradient(
  const gk_activation *activation, const float *dh, const float *gate, const float *up, float *dgate, float *dup,
  size_t count);
/// The same of the units of experts, where choice i adds weights[i] · W h[slot[i], :] to its token, and its gate and up are
/// rows from[i]. dh[choices, F] comes as the gradient of h without the weights and leaves as weights · h, which the gradient
/// of W takes; rows slot[i] of dgate and dup are written, which may be gate and up where `from` is `slot`;
/// dweights[i] = dh[slot[i], :] · h[slot[i], :].
void gk_weighted_glu_gradient(
  const gk_activation *activation, const int32_t *slot, const float *weights, const float *gate, const float *up,
  const int32_t *from, float *dh, float *dgate, float *dup, float *dweights, size_t choices, size_t f);

/// y[t, :] = sigmoid(gate[t]) · x[t, :]; y may be x.
void gk_gate_rows(const float *x, const float *gate, float *y, size_t t, size_t c);
/// dx[t, :] = sigmoid(gate[t]) · dy[t, :]; dgate[t] = the gradient of gate[t]; dx may be x.
void gk_gate_rows_gradient(
  const float *dy, const float *x, const float *gate, float *dx, float *dgate, size_t t, size_t c);

// ---------------------------------------------------------------- attention

/// Rows of one matrix that follow each other: [row, row + rows).
typedef struct {
  int32_t row, rows;
} gk_span;

/// A run of consecutive tokens of one sequence. Its query rows are [row, row + rows) of q. The keys of query
/// row + i are, in order of position: the rows of spans[span ..< span + spans] of k (all of each; shared prefixes or
/// what the cache holds), then rows [kv, kv + i] of k (its own run, causal).
typedef struct {
  int32_t row, rows;
  int32_t kv;
  int32_t span, spans;
} gk_segment;

/// Rows of x[T, C] and where they go. Where index[T, parts] is not NULL, row t of x is instead the rows index[t, j] of what
/// lies there, one after the other, and those of y are as long.
typedef struct {
  const float *x;
  float *y;
  size_t c;
  const int32_t *index;
  size_t parts;
} gk_placing;

/// Rows [kv, kv + rows) of y = rows [row, row + rows) of x, of every segment and placing; past the caches where y is far:
/// not read again soon.
void gk_place_rows(
  const gk_placing *placings, size_t matrices, const gk_segment *segments, size_t count, bool far);

/// How queries attend. Query head h reads key-value head h / (H / G).
typedef struct {
  size_t h, g, d, u;
  size_t v_stride;  // floats from a row of v to the next: G * U, or more where v lies within wider rows, say k's
  float scale;      // of q · k
  float softcap;    // scores s become softcap · tanh(s / softcap); 0: off (Gemma 2, arXiv 2408.00118)
  size_t window;    // the query at position p sees the keys at positions > p - window; 0: all up to p
} gk_attention_shape;

/// out[T, H * U] = causal attention of q[T, H * D] over k[S, G * D], v[S, G * U]. sinks[H] (may be NULL) are logits
/// that join each query's softmax with a value of 0. lse[T, H] (may be NULL) gets the log of the sum of exponentials,
/// the sink's among them. Each query walks its keys by absolute position, so that the bits do not depend on how they
/// are split into spans.
void gk_attention(
  const gk_attention_shape *shape, const float *q, const float *k, const float *v, const float *sinks, float *out,
  float *lse, const gk_segment *segments, size_t segment_count, const gk_span *spans);

/// Gradients of attention. trees has tree_count + 1 entries: segments trees[i] ..< trees[i + 1] form tree i, and no
/// key-value row is read by two trees. dq, dk, dv must be zero at the rows that segments and spans name; they are
/// added to, as is dsinks[H] (NULL where sinks is), segments in order. dv lies as v does: within dk where v is within
/// k. Scores of a few queries at a time are computed again, and their weights from lse; no T × S buffer is made.
void gk_attention_gradient(
  const gk_attention_shape *shape, const float *dout, const float *q, const float *k, const float *v,
  const float *sinks, const float *out, const float *lse, float *dq, float *dk, float *dv, float *dsinks,
  const gk_segment *segments, const gk_span *spans, const int32_t *trees, size_t tree_count);

// ---------------------------------------------------------------- mixture of experts

/// What turns a router's logits into scores.
typedef enum { GK_SOFTMAX, GK_SIGMOID } gk_scoring;

/// How K of E experts are chosen, and what they weigh.
typedef struct {
  size_t e, k;
  gk_scoring scoring;
  /// Experts in this many groups of equal size; only those of the groups_kept best groups may be chosen (DeepSeek-V2,
  /// arXiv 2405.04434). A group is as good as its best expert, or the sum of its two best where by_two.
  size_t groups, groups_kept;
  bool by_two;
  bool normalize;  // weights: the chosen scores divided by their sum + epsilon
  float epsilon;
  float scale;  // of the weights, at last
} gk_routing;

/// scores[T, E] of logits[T, E]; the K experts of highest score, plus bias[E] where it is not NULL (DeepSeek-V3's
/// correction, arXiv 2408.15664: it takes part in the choice alone), go to experts[T, K] in ascending order of index,
/// with weights[T, K]. A tie, of groups too, takes the lower index.
void gk_route(
  const gk_routing *rule, const float *logits, const float *bias, float *scores, int32_t *experts, float *weights,
  size_t t);
/// dlogits[T, E] from dweights[T, K].
void gk_route_gradient(
  const gk_routing *rule, const float *dweights, const float *scores, const int32_t *experts, const float *weights,
  float *dlogits, size_t t);

/// Sorts the T * K (token, choice) pairs by expert, tokens ascending within an expert.
/// offsets[E + 1]; token[T * K]: the token of each sorted row; slot[T, K]: the sorted row of each choice.
void gk_sort_by_expert(
  const int32_t *experts, int32_t *offsets, int32_t *token, int32_t *slot, size_t t, size_t e, size_t k);

/// y[t, :] = Σ_j weights[t, j] · x[slot[t, j], :], j ascending (so experts add in order of index).
void gk_combine(
  const float *x, const int32_t *slot, const float *weights, float *y, size_t t, size_t k, size_t c);
/// Of experts whose outputs have a bias[E, C]: for choice i of T * K, dweights[i] += dy[slot[i], :] · bias[experts[i], :],
/// then dy[slot[i], :] is multiplied by weights[i], which gives the gradient of the bias.
void gk_expert_bias_gradient(
  float *dy, const int32_t *slot, const int32_t *experts, const float *weights, const float *bias, float *dweights,
  size_t choices, size_t c);
/// dx[t, :] += Σ_j dsorted[slot[t, j], :], j ascending: the gradient of gathering tokens into sorted rows.
void gk_ungather_add(const float *dsorted, const int32_t *slot, float *dx, size_t t, size_t k, size_t c);

/// What a router did with the rows of each of S segments, rows offsets[s] ..< offsets[s + 1] of T: chosen[S, E], how
/// often each expert is in experts[T, K]; probability[S, E], Σ p[t, e]; squares[S], Σ lse[t]². lse[T] is the log of the
/// sum of the logits' exponentials; p are the scores[T, E] of softmax, or those of sigmoid divided by their sum + 1e-20.
void gk_router_sums(
  const gk_routing *rule, const float *scores, const float *lse, const int32_t *experts, const int32_t *offsets,
  int32_t *chosen, double *probability, double *squares, size_t segments);
/// dlogits[T, E] += the gradient of Σ_t Σ_e balance[s, e] · p[t, e] + Σ_t z[s] · lse[t]², where s = segment[t]:
/// balance[S, E], z[S].
void gk_router_loss_gradient(
  const gk_routing *rule, const float *logits, const float *scores, const float *lse, const int32_t *segment,
  const float *balance, const float *z, float *dlogits, size_t t);

// ---------------------------------------------------------------- vocabulary

/// x becomes softcap · tanh(x / softcap) (Gemma 2, arXiv 2408.00118).
void gk_softcap(float *x, float softcap, size_t count);
/// dy becomes the gradient of what gk_softcap made y of: dy · (1 - (y / softcap)²).
void gk_softcap_gradient(const float *y, float softcap, float *dy, size_t count);

/// For each row of logits[T, V], scaled by inverse_temperature: lse[T], logp[T] at targets[T] (both may be NULL),
/// and entropy[T] (may be NULL). Row r is rows[r] of what lies there, where rows is not NULL.
void gk_log_softmax(
  const float *logits, const int32_t *rows, float inverse_temperature, const int32_t *targets, float *logp, float *lse,
  float *entropy, size_t t, size_t v);
/// The gradient of Σ_t dlogp[t] · logp[t], dlogits[T, V], of the same rows:
/// inverse_temperature · dlogp[t] · ([v = targets[t]] - exp(inverse_temperature · logits[t, v] - lse[t])).
/// Where rows is NULL it may take the logits' place.
void gk_log_softmax_gradient(
  const float *logits, const int32_t *rows, float inverse_temperature, const int32_t *targets, const float *lse,
  const float *dlogp, float *dlogits, size_t t, size_t v);

/// Index of the largest of logits[V]; a tie takes the lower index.
int32_t gk_argmax(const float *logits, size_t v);

/// How a token is drawn. The filters apply in transformers' order: temperature, top-k, top-p, min-p.
typedef struct {
  float temperature;  // > 0
  int32_t top_k;      // 0: off
  float top_p;        // 1: off
  float min_p;        // 0: off
} gk_sampling;

/// Draws a token from each row of logits[T, V] with its uniform u[T] in [0, 1): the token at which the cumulative
/// probability, in order of index over the tokens the filters keep, first exceeds u. logp_sampling[T] (may be NULL)
/// gets the log-probabilities of the tokens[T] under the filtered distributions.
void gk_sample(
  const float *logits, const gk_sampling *sampling, const double *u, int32_t *tokens, float *logp_sampling, size_t t,
  size_t v);

// ---------------------------------------------------------------- optimizer

/// Sum of squares in double, over chunks of fixed size.
double gk_sum_of_squares(const float *x, size_t count);

/// One step of torch.optim.AdamW on count elements; gradients are multiplied by gradient_scale first. The constants
/// are double, as torch's are: 1 - 0.999f is 5e-5 off. Returns whether every w is a finite number after it. Where rounded
/// is not NULL, it becomes w in bfloat16: packed as gk_bfloat16_narrow would, w being panels of an even number of inputs.
typedef struct {
  double learning_rate, beta1, beta2, epsilon, weight_decay, gradient_scale;
  double bias_correction1, bias_correction2;  // 1 - beta^step
  uint32_t number;                            // of the step: names the chances of bfloat16's rounding
} gk_adamw_step;
bool gk_adamw(
  float *w, const float *g, float *m, float *v, uint16_t *rounded, size_t count, const gk_adamw_step *step);
/// The same with m and v in bfloat16: widened, stepped in single precision, and rounded stochastically: up in size with the
/// probability of the part that is cut off, by chances that are a function of first + i (its low 32 bits) and the step's
/// number. Nothing else: elements may be cut into calls anywhere.
bool gk_adamw_bfloat16(
  float *w, const float *g, uint16_t *m, uint16_t *v, uint16_t *rounded, size_t first, size_t count,
  const gk_adamw_step *step);

#endif
