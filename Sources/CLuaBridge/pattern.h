// Lua's patterns (manual §6.4.1), compiled once and matched with a bounded number of steps between looks at the clock.
// Unlike Lua's own, a malformed pattern is an error even where the subject would not reach the malformed part.
#ifndef GLB_PATTERN_H
#define GLB_PATTERN_H

#include "state.h"

enum { GLB_MOST_CAPTURES = 32 };

typedef struct glb_pattern glb_pattern;

typedef struct glb_match {
  const char *start, *end;
  struct {
    const char *start;
    ptrdiff_t size;  // -1: a position capture
  } captures[GLB_MOST_CAPTURES];
} glb_match;

/// Pushes the compiled pattern as a userdata. `anchors`: a leading '^' binds to the start of the search.
const glb_pattern *glb_compile_pattern(lua_State *L, const char *text, size_t size, bool anchors);
bool glb_pattern_is_anchored(const glb_pattern *pattern);
int glb_pattern_captures(const glb_pattern *pattern);
/// Matches at exactly `at`, in the subject from `start` to `end`.
bool glb_match_at(
    lua_State *L, const glb_pattern *pattern, const char *start, const char *end, const char *at, glb_match *match);

#endif
