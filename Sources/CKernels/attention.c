// Attention over packed sequences: which query rows and heads a task takes. The arithmetic is attention.inc's.
#include <stdio.h>
#include <stdlib.h>

#include "jobs.h"
#include "kernels.h"
#include "pool.h"

/// Query rows that one task takes: their keys stay in the core's cache.
enum { BLOCK_ROWS = 16 };

/// Rows of a segment from `begin` on, key-value heads [first, last).
typedef struct {
  size_t segment, begin, first, last;
} row_block;

typedef struct {
  gk_attention_pass pass;
  const row_block *blocks;
} forward_call;

static void forward_block(void *context, size_t task, int worker) {
  const forward_call *call = context;
  row_block block = call->blocks[task];
  const gk_segment *segment = call->pass.segments + block.segment;
  float *scratch = gk_scratch(
    worker, gk_attention_scratch(&call->pass.shape, gk_attention_length(segment, call->pass.spans)) * sizeof(float));
  gk_active()->attention.forward(
    &call->pass, segment, block.begin, gk_smaller(block.begin + BLOCK_ROWS, (size_t)segment->rows), block.first,
    block.last, scratch);
}

/// Key-value heads of a task where each has few queries: all, so that it reads the keys as they lie, but that there are
/// tasks enough to share.
static size_t heads_together(const gk_attention_shape *shape, size_t segments) {
  size_t tasks = gk_smaller(gk_ceiling(4 * (size_t)gk_threads(), segments), shape->g);
  return gk_ceiling(shape->g, tasks);
}

/// out[T, H * U] and lse[T, H], over blocks of rows of each segment and key-value heads.
void gk_attention(
  const gk_attention_shape *shape, const float *q, const float *k, const float *v, const float *sinks, float *out,
  float *lse, const gk_segment *segments, size_t segment_count, const gk_span *spans) {
  size_t most = 0;
  for (size_t s = 0; s < segment_count; s++) most += gk_ceiling((size_t)segments[s].rows, BLOCK_ROWS) * shape->g;
  if (most == 0) return;
  row_block *blocks = malloc(most * sizeof *blocks);
  if (blocks == NULL) {
    fprintf(stderr, "grao: out of memory (the tasks of attention over %zu segments)\n", segment_count);
    abort();
  }
  size_t together = heads_together(shape, segment_count), count = 0;
  for (size_t s = 0; s < segment_count; s++) {
    size_t rows = (size_t)segments[s].rows, heads = rows * (shape->h / shape->g) <= GK_ATTENTION_FEW ? together : 1;
    for (size_t head = 0; head < shape->g; head += heads) {
      for (size_t begin = 0; begin < rows; begin += BLOCK_ROWS) {
        blocks[count++] = (row_block){s, begin, head, gk_smaller(head + heads, shape->g)};
      }
    }
  }
  forward_call call = {
    .pass = {
      .shape = *shape, .q = q, .k = k, .v = v, .sinks = sinks, .out = out, .lse = lse, .segments = segments,
      .spans = spans},
    .blocks = blocks};
  gk_parallel(count, forward_block, &call);
  free(blocks);
}

typedef struct {
  gk_attention_pass pass;
  const int32_t *trees;
  size_t tree_count;
} gradient_call;

/// Task i: tree i / G, key-value head i % G; segments in order.
static void gradient_tree(void *context, size_t task, int worker) {
  const gradient_call *call = context;
  const gk_attention_pass *pass = &call->pass;
  const int32_t *tree = call->trees + task / pass->shape.g;
  size_t longest = 0;
  for (int32_t s = tree[0]; s < tree[1]; s++) {
    size_t length = gk_attention_length(pass->segments + s, pass->spans);
    if (length > longest) longest = length;
  }
  float *scratch = gk_scratch(worker, gk_attention_scratch(&pass->shape, longest) * sizeof(float));
  for (int32_t s = tree[0]; s < tree[1]; s++) {
    gk_active()->attention.gradient(pass, pass->segments + s, task % pass->shape.g, scratch);
  }
}

static void gradient_of_sink(void *context, size_t head, int worker) {
  (void)worker;
  const gradient_call *call = context;
  gk_active()->attention.sink_gradient(
    &call->pass, (size_t)call->trees[0], (size_t)call->trees[call->tree_count], head);
}

/// dq[T, H * D], dk[S, G * D] and dv[S, G * U], over trees and key-value heads; dsinks[H] over query heads.
void gk_attention_gradient(
  const gk_attention_shape *shape, const float *dout, const float *q, const float *k, const float *v,
  const float *sinks, const float *out, const float *lse, float *dq, float *dk, float *dv, float *dsinks,
  const gk_segment *segments, const gk_span *spans, const int32_t *trees, size_t tree_count) {
  gradient_call call = {
    .pass = {
      .shape = *shape, .q = q, .k = k, .v = v, .sinks = sinks, .out = (float *)out, .lse = (float *)lse, .dout = dout,
      .dq = dq, .dk = dk, .dv = dv, .dsinks = dsinks, .segments = segments, .spans = spans},
    .trees = trees, .tree_count = tree_count};
  gk_parallel(tree_count * shape->g, gradient_tree, &call);
  if (sinks != NULL) gk_parallel(shape->h, gradient_of_sink, &call);
}
