// Naive twins: each operation written as its definition, in double precision, on one thread, over unpacked row-major
// weights. Tests compare the kernels with them.
#ifndef GK_NAIVE_H
#define GK_NAIVE_H

#include "CKernels.h"

// ---------------------------------------------------------------- products (naive_product.c)

/// y[T, N] = x[T, C] · w[N, C]ᵀ + bias[N] where it is not NULL.
void naive_product(
  const double *x, const double *w, const double *bias, double *y, size_t t, size_t n, size_t c);
/// dx[T, C] += dy[T, N] · w[N, C].
void naive_product_input_gradient(const double *dy, const double *w, double *dx, size_t t, size_t n, size_t c);
/// dw[N, C] += dy[T, N]ᵀ · x[T, C].
void naive_product_weight_gradient(const double *dy, const double *x, double *dw, size_t t, size_t n, size_t c);
/// x[i] rounded to the nearest bfloat16, ties to even.
void naive_round_bfloat16(const double *x, double *y, size_t count);
/// db[N] += the column sums of dy[T, N].
void naive_bias_gradient(const double *dy, double *db, size_t t, size_t n);

// ---------------------------------------------------------------- rows (naive_rows.c)

/// y[r, :] = x[index[r], :].
void naive_gather_rows(const double *x, const int32_t *index, double *y, size_t rows, size_t c);
/// y[index[r], :] += x[r, :].
void naive_scatter_add_rows(const double *x, const int32_t *index, double *y, size_t rows, size_t c);

// ---------------------------------------------------------------- normalisation, rotation (naive_norm.c)

/// y[t, :] = x[t, :] · rstd[t] · (offset + w), rstd[t] = 1 / sqrt(mean(x[t, :]²) + epsilon).
void naive_rms_norm(
  const double *x, const double *w, double offset, double epsilon, double *y, size_t t, size_t c);
/// dx and dw are added to.
void naive_rms_norm_gradient(
  const double *dy, const double *x, const double *w, double offset, double epsilon, double *dx, double *dw, size_t t,
  size_t c);

/// x turned in place by the angles whose cosines and sines stand at row positions[t].
void naive_rope(
  const gk_rotation *rotation, double *x, const int32_t *positions, const double *cosine, const double *sine, size_t t,
  bool transposed);

// ---------------------------------------------------------------- gates (naive_glu.c)

void naive_glu(const gk_activation *activation, const double *gate, const double *up, double *h, size_t count);
/// dgate and dup are added to.
void naive_glu_gradient(
  const gk_activation *activation, const double *dh, const double *gate, const double *up, double *dgate, double *dup,
  size_t count);
/// dh becomes weight · h, gate and up become their gradients; dweights is added to.
void naive_weighted_glu_gradient(
  const gk_activation *activation, const int32_t *slot, const double *weights, double *dh, double *gate, double *up,
  double *dweights, size_t choices, size_t f);

/// y[t, :] = x[t, :] / (1 + exp(-gate[t])).
void naive_gate_rows(const double *x, const double *gate, double *y, size_t t, size_t c);
/// dx and dgate are added to.
void naive_gate_rows_gradient(
  const double *dy, const double *x, const double *gate, double *dx, double *dgate, size_t t, size_t c);

// ---------------------------------------------------------------- attention (naive_attention.c)

/// out[T, H * U] and lse[T, H] of q[T, H * D] over k[S, G * D], v[S, G * U]; the rest as in gk_attention.
void naive_attention(
  const gk_attention_shape *shape, const double *q, const double *k, const double *v, const double *sinks, double *out,
  double *lse, const gk_segment *segments, size_t segment_count, const gk_span *spans);
/// dq, dk, dv and dsinks are added to.
void naive_attention_gradient(
  const gk_attention_shape *shape, const double *dout, const double *q, const double *k, const double *v,
  const double *sinks, double *dq, double *dk, double *dv, double *dsinks, const gk_segment *segments,
  size_t segment_count, const gk_span *spans);

// ---------------------------------------------------------------- mixture of experts (naive_experts.c)

/// weights[T, K] of the given experts[T, K], and scores[T, E] (may be NULL), of logits[T, E].
void naive_route_weights(
  const gk_routing *rule, const double *logits, const int32_t *experts, double *scores, double *weights, size_t t);
/// The K experts that the rule chooses for each token of scores[T, E], given bias[E] (may be NULL).
void naive_route_choice(
  const gk_routing *rule, const double *scores, const double *bias, int32_t *experts, size_t t);
/// dlogits is added to.
void naive_route_gradient(
  const gk_routing *rule, const double *dweights, const double *logits, const int32_t *experts, double *dlogits,
  size_t t);

/// y[t, :] = Σ_j weights[t, j] · x[slot[t, j], :].
void naive_combine(
  const double *x, const int32_t *slot, const double *weights, double *y, size_t t, size_t k, size_t c);
void naive_expert_bias_gradient(
  double *dy, const int32_t *slot, const int32_t *experts, const double *weights, const double *bias,
  double *dweights, size_t choices, size_t c);

// ---------------------------------------------------------------- losses of routers (naive_router.c)

/// probability[S, E] and squares[S] of gk_router_sums are added to.
void naive_router_sums(
  const gk_routing *rule, const double *logits, const int32_t *offsets, double *probability, double *squares,
  size_t segments);
/// dlogits is added to.
void naive_router_loss_gradient(
  const gk_routing *rule, const double *logits, const int32_t *segment, const double *balance, const double *z,
  double *dlogits, size_t t);

// ---------------------------------------------------------------- vocabulary (naive_vocabulary.c)

/// x becomes softcap · tanh(x / softcap).
void naive_softcap(double *x, double softcap, size_t count);
/// dx, the gradient of x, is added to.
void naive_softcap_gradient(const double *dy, const double *x, double softcap, double *dx, size_t count);

/// lse[T], logp[T] at targets[T] and entropy[T] of softmax(inverse_temperature · logits[T, V]).
void naive_log_softmax(
  const double *logits, double inverse_temperature, const int32_t *targets, double *logp, double *lse, double *entropy,
  size_t t, size_t v);
/// dlogits[T, V], the gradient of Σ_t dlogp[t] · logp[t], is added to.
void naive_log_softmax_gradient(
  const double *logits, double inverse_temperature, const int32_t *targets, const double *dlogp, double *dlogits,
  size_t t, size_t v);

/// probabilities[V] of the distribution that gk_sample draws from: 0 for the tokens that the filters drop.
void naive_sampling(const double *logits, size_t v, const gk_sampling *sampling, double *probabilities);

// ---------------------------------------------------------------- optimizer (naive_optimizer.c)

/// One step of AdamW, as its paper and torch write it.
void naive_adamw(double *w, const double *g, double *m, double *v, size_t count, const gk_adamw_step *step);
/// Moments in bfloat16, as gk_adamw_bfloat16 rounds them in the step of this number.
void naive_round_moments(
  const float *m, const float *v, uint16_t *m_half, uint16_t *v_half, size_t first, size_t count, uint32_t number);

#endif
