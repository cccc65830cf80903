// A pattern is a row of items; single-character items carry the set of bytes that they match. Only a repeated item
// recurses (to the rest of the row), so the depth is bounded by the pattern.
#include <ctype.h>
#include <string.h>

#include "pattern.h"

typedef enum item_kind {
  ITEM_ONE,
  ITEM_OPTIONAL,  // ?
  ITEM_GREEDY,    // * and +
  ITEM_LAZY,      // -
  ITEM_OPEN,      // (
  ITEM_CLOSE,     // )
  ITEM_POSITION,  // ()
  ITEM_SAME,      // %1
  ITEM_BALANCED,  // %bxy
  ITEM_FRONTIER,  // %f[set]
  ITEM_END,       // $ at the end of the pattern
  ITEM_MATCHED,
} item_kind;

typedef struct item {
  item_kind kind;
  int number;  // of a capture; of GREEDY the least repetitions; of BALANCED the two bytes
  uint64_t set[4];
} item;

struct glb_pattern {
  bool is_anchored;
  int captures;
  item items[];
};

enum { MOST_DEPTH = 200, STEPS_PER_CHECK = 1 << 14 };

static bool contains(const item *item, unsigned char byte) { return item->set[byte >> 6] >> (byte & 63) & 1; }

// Compiling.

typedef struct compiler {
  lua_State *L;
  const unsigned char *at, *end;
} compiler;

static void insert(item *item, int byte) { item->set[byte >> 6] |= (uint64_t)1 << (byte & 63); }

static bool is_in_class(int class, int byte) {
  bool is;
  switch (tolower(class)) {
    case 'a': is = isalpha(byte); break;
    case 'c': is = iscntrl(byte); break;
    case 'd': is = isdigit(byte); break;
    case 'g': is = isgraph(byte); break;
    case 'l': is = islower(byte); break;
    case 'p': is = ispunct(byte); break;
    case 's': is = isspace(byte); break;
    case 'u': is = isupper(byte); break;
    case 'w': is = isalnum(byte); break;
    case 'x': is = isxdigit(byte); break;
    case 'z': is = byte == 0; break;  // undocumented since 5.2, but there
    default: return byte == class;
  }
  return is != (isupper(class) != 0);
}

static void insert_class(item *item, int class) {
  for (int byte = 0; byte < 256; byte++)
    if (is_in_class(class, byte)) insert(item, byte);
}

static int escaped(compiler *c) {
  if (c->at == c->end) luaL_error(c->L, "malformed pattern (ends with '%%')");
  return *c->at++;
}

/// The rest of a set, after its '['. A ']' at its start is a member.
static void compile_set(compiler *c, item *item) {
  bool is_complement = c->at < c->end && *c->at == '^';
  if (is_complement) c->at++;
  for (bool is_first = true;; is_first = false) {
    if (c->at == c->end) luaL_error(c->L, "malformed pattern (missing ']')");
    int byte = *c->at++;
    if (byte == ']' && !is_first) break;
    if (byte == '%') {
      if (c->at == c->end) luaL_error(c->L, "malformed pattern (missing ']')");
      insert_class(item, *c->at++);
    } else if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
      for (int member = byte; member <= c->at[1]; member++) insert(item, member);
      c->at += 2;
    } else {
      insert(item, byte);
    }
  }
  if (is_complement)
    for (int i = 0; i < 4; i++) item->set[i] = ~item->set[i];
}

/// A single-character class, whose first byte has been read, with the repetition that may follow.
static void compile_single(compiler *c, item *item, int byte) {
  item->kind = ITEM_ONE;
  switch (byte) {
    case '.': memset(item->set, 0xFF, sizeof item->set); break;
    case '[': compile_set(c, item); break;
    case '%': insert_class(item, escaped(c)); break;
    default: insert(item, byte);
  }
  if (c->at == c->end) return;
  switch (*c->at) {
    case '?': item->kind = ITEM_OPTIONAL; break;
    case '-': item->kind = ITEM_LAZY; break;
    case '*': item->kind = ITEM_GREEDY; break;
    case '+':
      item->kind = ITEM_GREEDY;
      item->number = 1;
      break;
    default: return;
  }
  c->at++;
}

const glb_pattern *glb_compile_pattern(lua_State *L, const char *text, size_t size, bool anchors) {
  glb_pattern *pattern = lua_newuserdatauv(L, sizeof(glb_pattern) + (size + 1) * sizeof(item), 0);
  compiler c = {.L = L, .at = (const unsigned char *)text, .end = (const unsigned char *)text + size};
  pattern->is_anchored = anchors && size > 0 && text[0] == '^';
  if (pattern->is_anchored) c.at++;
  pattern->captures = 0;
  int open[GLB_MOST_CAPTURES], depth = 0;
  bool is_closed[GLB_MOST_CAPTURES] = {false};
  item *item = pattern->items;
  for (; c.at < c.end; item++) {
    *item = (struct item){0};
    int byte = *c.at++;
    int next = c.at < c.end ? *c.at : -1;
    if (byte == '(') {
      if (pattern->captures == GLB_MOST_CAPTURES) luaL_error(L, "too many captures");
      item->number = pattern->captures++;
      item->kind = next == ')' ? ITEM_POSITION : ITEM_OPEN;
      if (next == ')') {
        is_closed[item->number] = true;
        c.at++;
      } else {
        open[depth++] = item->number;
      }
    } else if (byte == ')') {
      if (depth == 0) luaL_error(L, "invalid pattern capture");
      item->kind = ITEM_CLOSE;
      item->number = open[--depth];
      is_closed[item->number] = true;
    } else if (byte == '$' && c.at == c.end) {
      item->kind = ITEM_END;
    } else if (byte == '%' && next >= '0' && next <= '9') {
      item->kind = ITEM_SAME;
      item->number = next - '1';
      if (next == '0' || item->number >= pattern->captures || !is_closed[item->number])
        luaL_error(L, "invalid capture index %%%d in pattern", next - '0');
      c.at++;
    } else if (byte == '%' && next == 'b') {
      if (c.end - c.at < 3) luaL_error(L, "malformed pattern (missing arguments to '%%b')");
      item->kind = ITEM_BALANCED;
      item->number = c.at[1] << 8 | c.at[2];
      c.at += 3;
    } else if (byte == '%' && next == 'f') {
      c.at++;
      if (c.at == c.end || *c.at != '[') luaL_error(L, "missing '[' after '%%f' in pattern");
      c.at++;
      item->kind = ITEM_FRONTIER;
      compile_set(&c, item);
    } else {
      compile_single(&c, item, byte);
    }
  }
  if (depth > 0) luaL_error(L, "unfinished capture");
  *item = (struct item){.kind = ITEM_MATCHED};
  return pattern;
}

bool glb_pattern_is_anchored(const glb_pattern *pattern) { return pattern->is_anchored; }
int glb_pattern_captures(const glb_pattern *pattern) { return pattern->captures; }

// Matching.

typedef struct matcher {
  lua_State *L;
  const char *start, *end;
  glb_match *match;
  int depth;
} matcher;

static void charge(matcher *m, size_t steps) {
  glb_state *state = glb_of(m->L);
  state->pattern_steps += steps;
  if (state->pattern_steps < STEPS_PER_CHECK) return;
  state->pattern_steps = 0;
  glb_check(m->L);
}

/// Past the balanced text that starts at `at`, or null.
static const char *skip_balanced(matcher *m, int delimiters, const char *at) {
  char opening = (char)(delimiters >> 8), closing = (char)delimiters;
  if (at == m->end || *at != opening) return NULL;
  int depth = 1;
  const char *next = at + 1;
  while (next < m->end && depth > 0) {
    char byte = *next++;
    if (byte == closing) depth--;
    else if (byte == opening) depth++;
  }
  charge(m, (size_t)(next - at));
  return depth == 0 ? next : NULL;
}

static bool is_frontier(const matcher *m, const item *item, const char *at) {
  unsigned char before = at == m->start ? 0 : (unsigned char)at[-1];
  unsigned char after = at == m->end ? 0 : (unsigned char)*at;
  return !contains(item, before) && contains(item, after);
}

static const char *match_items(matcher *m, const item *item, const char *at);

static const char *match_rest(matcher *m, const item *item, const char *at) {
  if (++m->depth > MOST_DEPTH) luaL_error(m->L, "pattern too complex");
  const char *end = match_items(m, item + 1, at);
  m->depth--;
  return end;
}

static const char *match_greedy(matcher *m, const item *item, const char *at) {
  const char *last = at;
  while (last < m->end && contains(item, (unsigned char)*last)) last++;
  charge(m, (size_t)(last - at));
  for (; last - at >= item->number; last--) {
    const char *end = match_rest(m, item, last);
    if (end != NULL) return end;
    if (last == at) break;
  }
  return NULL;
}

static const char *match_lazy(matcher *m, const item *item, const char *at) {
  for (;; at++) {
    const char *end = match_rest(m, item, at);
    if (end != NULL) return end;
    if (at == m->end || !contains(item, (unsigned char)*at)) return NULL;
  }
}

/// The end of the match of the row of items at `at`, or null.
static const char *match_items(matcher *m, const item *item, const char *at) {
  for (;; item++) {
    charge(m, 1);
    int number = item->number;
    switch (item->kind) {
      case ITEM_MATCHED: return at;
      case ITEM_END:
        if (at != m->end) return NULL;
        break;
      case ITEM_ONE:
        if (at == m->end || !contains(item, (unsigned char)*at)) return NULL;
        at++;
        break;
      case ITEM_OPTIONAL:
        if (at < m->end && contains(item, (unsigned char)*at)) {
          const char *end = match_rest(m, item, at + 1);
          if (end != NULL) return end;
        }
        break;
      case ITEM_GREEDY: return match_greedy(m, item, at);
      case ITEM_LAZY: return match_lazy(m, item, at);
      case ITEM_OPEN: m->match->captures[number].start = at; break;
      case ITEM_CLOSE: m->match->captures[number].size = at - m->match->captures[number].start; break;
      case ITEM_POSITION:
        m->match->captures[number].start = at;
        m->match->captures[number].size = -1;
        break;
      case ITEM_SAME: {
        ptrdiff_t size = m->match->captures[number].size;
        if (size < 0 || m->end - at < size) return NULL;
        if (memcmp(m->match->captures[number].start, at, (size_t)size) != 0) return NULL;
        charge(m, (size_t)size);
        at += size;
        break;
      }
      case ITEM_BALANCED:
        at = skip_balanced(m, number, at);
        if (at == NULL) return NULL;
        break;
      case ITEM_FRONTIER:
        if (!is_frontier(m, item, at)) return NULL;
        break;
    }
  }
}

bool glb_match_at(
    lua_State *L, const glb_pattern *pattern, const char *start, const char *end, const char *at, glb_match *match) {
  matcher m = {.L = L, .start = start, .end = end, .match = match};
  match->start = at;
  match->end = match_items(&m, pattern->items, at);
  return match->end != NULL;
}
