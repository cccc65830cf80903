// The allocator of a state: its limit, its clock, and the failures that tests ask for.
#define _GNU_SOURCE  // clock_gettime
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state.h"

int64_t glb_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool may_grow(glb_state *state, size_t growth) {
  size_t number = ++state->allocations;
  const glb_options *options = &state->options;
  if (number >= options->failures_first && number - options->failures_first < options->failures_count) {
    state->failures++;
    return false;
  }
  if (options->memory > 0 && growth > options->memory - (state->used < options->memory ? state->used : options->memory))
    return false;

  // A C function that builds large strings runs without hooks, but not without allocating.
  state->since_clock += growth;
  if (state->since_clock > (16 << 20)) {
    state->since_clock = 0;
    if (state->deadline != 0 && glb_now() > state->deadline) {
      state->abort = GLB_TIME;
      return false;
    }
  }
  return true;
}

// A lua_Alloc, used for tapes as well: what a plugin hands over counts as its memory.
void *glb_allocate(void *context, void *old, size_t old_size, size_t size) {
  glb_state *state = context;
  // For a new block Lua passes the kind of object as the old size.
  if (old == NULL) old_size = 0;
  if (size == 0) {
    free(old);
    state->used -= old_size;
    return NULL;
  }
  if (size > old_size && !may_grow(state, size - old_size)) return NULL;
  void *block = realloc(old, size);
  if (block == NULL) return size <= old_size ? old : NULL;  // Lua relies on shrinking
  state->used += size - old_size;
  return block;
}

static bool grow(glb_state *state, void **block, size_t *capacity, size_t needed, size_t element) {
  if (needed <= *capacity) return true;
  size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
  if (wanted < needed) wanted = needed;
  if (wanted > SIZE_MAX / 2 / element) return false;
  void *larger = glb_allocate(state, *block, *capacity * element, wanted * element);
  if (larger == NULL) return false;
  *block = larger;
  *capacity = wanted;
  return true;
}

void glb_add(glb_state *state, glb_tape *tape, glb_node node) {
  if (!tape->failed && grow(state, (void **)&tape->nodes, &tape->capacity, tape->count + 1, sizeof(glb_node))) {
    tape->nodes[tape->count++] = node;
    return;
  }
  tape->failed = true;
  if (node.kind == GLB_LUA_FUNCTION && node.object == NULL) glb_release_function(state, node.tag);
  if (node.kind >= GLB_OBJECT && node.object != NULL) state->host.release(node.object);
}

void glb_add_integers(glb_state *state, glb_tape *tape, const int64_t *integers, size_t count) {
  if (tape->failed || count > SIZE_MAX / 4 ||
      !grow(state, (void **)&tape->nodes, &tape->capacity, tape->count + count, sizeof(glb_node))) {
    tape->failed = true;
    return;
  }
  for (size_t i = 0; i < count; i++) {
    tape->nodes[tape->count++] = (glb_node){.kind = GLB_INTEGER, .integer = integers[i]};
  }
}

void glb_add_string(glb_state *state, glb_tape *tape, const void *bytes, size_t size) {
  if (tape->failed || size > SIZE_MAX / 4 ||
      !grow(state, (void **)&tape->bytes, &tape->room, tape->used + size, 1)) {
    tape->failed = true;
    return;
  }
  if (size > 0) memcpy(tape->bytes + tape->used, bytes, size);
  glb_add(state, tape, (glb_node){.kind = GLB_STRING, .offset = tape->used, .size = size});
  tape->used += size;
}

void glb_tape_free(glb_state *state, glb_tape *tape) {
  for (size_t i = 0; i < tape->count; i++) {
    glb_node *node = &tape->nodes[i];
    if (node->kind < GLB_OBJECT) continue;
    if (node->object != NULL) state->host.release(node->object);
    else if (node->kind == GLB_LUA_FUNCTION && node->tag != 0) glb_release_function(state, node->tag);
  }
  if (tape->nodes != NULL) glb_allocate(state, tape->nodes, tape->capacity * sizeof(glb_node), 0);
  if (tape->bytes != NULL) glb_allocate(state, tape->bytes, tape->room, 0);
  *tape = (glb_tape){0};
}
