#include <math.h>
#include <stdlib.h>

#include "naive.h"

/// The rows of k that query row i of the segment sees, in order of position. Returns how many; the caller frees them.
static size_t visible_rows(
  const gk_segment *segment, const gk_span *spans, size_t i, size_t window, int32_t **rows) {
  const gk_span *span = spans + segment->span;
  size_t count = i + 1;
  for (int32_t s = 0; s < segment->spans; s++) count += span[s].rows;
  *rows = malloc(count * sizeof **rows);
  size_t n = 0;
  for (int32_t s = 0; s < segment->spans; s++) {
    for (int32_t r = 0; r < span[s].rows; r++) (*rows)[n++] = span[s].row + r;
  }
  for (size_t r = 0; r <= i; r++) (*rows)[n++] = segment->kv + (int32_t)r;
  if (window == 0 || n <= window) return n;
  for (size_t j = 0; j < window; j++) (*rows)[j] = (*rows)[n - window + j];
  return window;
}

static double dot(const double *a, const double *b, size_t d) {
  double sum = 0;
  for (size_t i = 0; i < d; i++) sum += a[i] * b[i];
  return sum;
}

/// p[n] = softmax of scale · q · k over the rows; returns the log of the sum of exponentials.
static double attend(
  const double *q, const double *k, const int32_t *rows, size_t n, size_t stride, size_t d, double scale, double *p) {
  double largest = -INFINITY, sum = 0;
  for (size_t j = 0; j < n; j++) {
    p[j] = scale * dot(q, k + rows[j] * stride, d);
    largest = fmax(largest, p[j]);
  }
  for (size_t j = 0; j < n; j++) sum += p[j] = exp(p[j] - largest);
  for (size_t j = 0; j < n; j++) p[j] /= sum;
  return largest + log(sum);
}

void naive_attention(
  const double *q, const double *k, const double *v, double *out, double *lse, size_t h, size_t g, size_t d,
  size_t window, double scale, const gk_segment *segments, size_t segment_count, const gk_span *spans) {
  for (const gk_segment *segment = segments; segment < segments + segment_count; segment++) {
    for (int32_t i = 0; i < segment->rows; i++) {
      int32_t *rows;
      size_t n = visible_rows(segment, spans, i, window, &rows);
      double *p = malloc(n * sizeof *p);
      for (size_t head = 0; head < h; head++) {
        size_t query = (segment->row + i) * h + head, shared = head / (h / g) * d;
        lse[query] = attend(q + query * d, k + shared, rows, n, g * d, d, scale, p);
        for (size_t c = 0; c < d; c++) {
          double sum = 0;
          for (size_t j = 0; j < n; j++) sum += p[j] * v[rows[j] * g * d + shared + c];
          out[query * d + c] = sum;
        }
      }
      free(p);
      free(rows);
    }
  }
}

void naive_attention_gradient(
  const double *dout, const double *q, const double *k, const double *v, double *dq, double *dk, double *dv, size_t h,
  size_t g, size_t d, size_t window, double scale, const gk_segment *segments, size_t segment_count, const gk_span *spans) {
  for (const gk_segment *segment = segments; segment < segments + segment_count; segment++) {
    for (int32_t i = 0; i < segment->rows; i++) {
      int32_t *rows;
      size_t n = visible_rows(segment, spans, i, window, &rows);
      double *p = malloc(n * sizeof *p), *dp = malloc(n * sizeof *dp);
      for (size_t head = 0; head < h; head++) {
        size_t query = ((segment->row + i) * h + head) * d, shared = head / (h / g) * d;
        attend(q + query, k + shared, rows, n, g * d, d, scale, p);
        double mean = 0;
        for (size_t j = 0; j < n; j++) {
          dp[j] = dot(dout + query, v + rows[j] * g * d + shared, d);
          mean += p[j] * dp[j];
        }
        for (size_t j = 0; j < n; j++) {
          size_t key = rows[j] * g * d + shared;
          double ds = scale * p[j] * (dp[j] - mean);
          for (size_t c = 0; c < d; c++) {
            dq[query + c] += ds * k[key + c];
            dk[key + c] += ds * q[query + c];
            dv[key + c] += p[j] * dout[query + c];
          }
        }
      }
      free(dp);
      free(p);
      free(rows);
    }
  }
}
