#include <math.h>
#include <stdlib.h>

#include "naive.h"

/// The rows of k that query row i of the segment sees, in order of position. Returns how many; the caller frees them.
static size_t visible_rows(
  const gk_attention_shape *shape, const gk_segment *segment, const gk_span *spans, size_t i, int32_t **rows) {
  const gk_span *span = spans + segment->span;
  size_t count = i + 1;
  for (int32_t s = 0; s < segment->spans; s++) count += span[s].rows;
  *rows = malloc(count * sizeof **rows);
  size_t n = 0, position = 0, own = count - 1;
  for (int32_t s = 0; s <= segment->spans; s++) {
    gk_span run = s < segment->spans ? span[s] : (gk_span){segment->kv, (int32_t)i + 1};
    for (int32_t r = 0; r < run.rows; r++, position++) {
      if (shape->window == 0 || position + shape->window > own) (*rows)[n++] = run.row + r;
    }
  }
  return n;
}

static double dot(const double *a, const double *b, size_t d) {
  double sum = 0;
  for (size_t i = 0; i < d; i++) sum += a[i] * b[i];
  return sum;
}

/// p[n] = softmax of the scores over the rows and the sink, slope[n] = the scores' derivatives with respect to q · k,
/// and the sink's share of the softmax. Returns the log of the sum of exponentials.
static double attend(
  const gk_attention_shape *shape, const double *q, const double *k, const double *sink, const int32_t *rows, size_t n,
  double *p, double *slope, double *sink_share) {
  double cap = shape->softcap, scale = shape->scale, largest = sink != NULL ? *sink : -INFINITY, sum = 0;
  for (size_t j = 0; j < n; j++) {
    p[j] = scale * dot(q, k + rows[j] * shape->g * shape->d, shape->d);
    slope[j] = scale;
    if (cap > 0) {
      slope[j] *= 1 - tanh(p[j] / cap) * tanh(p[j] / cap);
      p[j] = cap * tanh(p[j] / cap);
    }
    largest = fmax(largest, p[j]);
  }
  for (size_t j = 0; j < n; j++) sum += p[j] = exp(p[j] - largest);
  *sink_share = sink != NULL ? exp(*sink - largest) : 0;
  sum += *sink_share;
  for (size_t j = 0; j < n; j++) p[j] /= sum;
  *sink_share /= sum;
  return largest + log(sum);
}

void naive_attention(
  const gk_attention_shape *shape, const double *q, const double *k, const double *v, const double *sinks, double *out,
  double *lse, const gk_segment *segments, size_t segment_count, const gk_span *spans) {
  for (const gk_segment *segment = segments; segment < segments + segment_count; segment++) {
    for (int32_t i = 0; i < segment->rows; i++) {
      int32_t *rows;
      size_t n = visible_rows(shape, segment, spans, i, &rows);
      double *p = malloc(2 * n * sizeof *p), share;
      for (size_t head = 0; head < shape->h; head++) {
        size_t query = (segment->row + i) * shape->h + head, shared = head / (shape->h / shape->g);
        lse[query] = attend(
          shape, q + query * shape->d, k + shared * shape->d, sinks != NULL ? sinks + head : NULL, rows, n, p, p + n,
          &share);
        for (size_t c = 0; c < shape->u; c++) {
          double sum = 0;
          for (size_t j = 0; j < n; j++) sum += p[j] * v[rows[j] * shape->v_stride + shared * shape->u + c];
          out[query * shape->u + c] = sum;
        }
      }
      free(p);
      free(rows);
    }
  }
}

void naive_attention_gradient(
  const gk_attention_shape *shape, const double *dout, const double *q, const double *k, const double *v,
  const double *sinks, double *dq, double *dk, double *dv, double *dsinks, const gk_segment *segments,
  size_t segment_count, const gk_span *spans) {
  size_t d = shape->d, u = shape->u;
  for (const gk_segment *segment = segments; segment < segments + segment_count; segment++) {
    for (int32_t i = 0; i < segment->rows; i++) {
      int32_t *rows;
      size_t n = visible_rows(shape, segment, spans, i, &rows);
      double *p = malloc(3 * n * sizeof *p), *slope = p + n, *dp = p + 2 * n, share;
      for (size_t head = 0; head < shape->h; head++) {
        size_t query = (segment->row + i) * shape->h + head, shared = head / (shape->h / shape->g);
        attend(
          shape, q + query * d, k + shared * d, sinks != NULL ? sinks + head : NULL, rows, n, p, slope, &share);
        double mean = 0;
        for (size_t j = 0; j < n; j++) {
          dp[j] = dot(dout + query * u, v + rows[j] * shape->v_stride + shared * u, u);
          mean += p[j] * dp[j];
        }
        if (sinks != NULL) dsinks[head] -= share * mean;
        for (size_t j = 0; j < n; j++) {
          size_t key = rows[j] * shape->g * d + shared * d, value = rows[j] * shape->v_stride + shared * u;
          double ds = slope[j] * p[j] * (dp[j] - mean);
          for (size_t c = 0; c < d; c++) {
            dq[query * d + c] += ds * k[key + c];
            dk[key + c] += ds * q[query * d + c];
          }
          for (size_t c = 0; c < u; c++) dv[value + c] += p[j] * dout[query * u + c];
        }
      }
      free(p);
      free(rows);
    }
  }
}
