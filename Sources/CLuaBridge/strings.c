// string.find, match, gmatch, gsub and rep of a plugin: as in Lua's manual, but under the limits.
#define _GNU_SOURCE  // memmem
#include <string.h>

#include "pattern.h"

/// A position as find's init gives it, from 1, negative from the end: as an offset, which may lie past the end.
static size_t offset(lua_Integer position, size_t size) {
  if (position > 0) return (size_t)position - 1;
  if (position == 0 || position < -(lua_Integer)size) return 0;
  return size - (size_t)-position;
}

/// Pushes a capture. A pattern without any has the whole match as its first.
static void push_capture(lua_State *L, const glb_pattern *pattern, const glb_match *match, int number,
                         const char *subject) {
  if (number == 0 && glb_pattern_captures(pattern) == 0) {
    lua_pushlstring(L, match->start, (size_t)(match->end - match->start));
  } else if (match->captures[number].size < 0) {
    lua_pushinteger(L, match->captures[number].start - subject + 1);
  } else {
    lua_pushlstring(L, match->captures[number].start, (size_t)match->captures[number].size);
  }
}

static int push_captures(lua_State *L, const glb_pattern *pattern, const glb_match *match, const char *subject,
                         bool whole_if_none) {
  int count = glb_pattern_captures(pattern);
  if (count == 0 && whole_if_none) count = 1;
  luaL_checkstack(L, count, "too many captures");
  for (int i = 0; i < count; i++) push_capture(L, pattern, match, i, subject);
  return count;
}

static int find_plain(lua_State *L, const char *subject, size_t size, size_t init, const char *text, size_t length) {
  const char *found = length == 0 ? subject + init : memmem(subject + init, size - init, text, length);
  if (found == NULL) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushinteger(L, found - subject + 1);
  lua_pushinteger(L, found - subject + (lua_Integer)length);
  return 2;
}

static int search(lua_State *L, bool find) {
  glb_check(L);
  size_t size, length;
  const char *subject = luaL_checklstring(L, 1, &size), *text = luaL_checklstring(L, 2, &length);
  size_t init = offset(luaL_optinteger(L, 3, 1), size);
  bool plain = find && lua_toboolean(L, 4);
  if (init > size) {
    lua_pushnil(L);
    return 1;
  }
  if (plain) return find_plain(L, subject, size, init, text, length);
  const glb_pattern *pattern = glb_compile_pattern(L, text, length, true);
  glb_match match;
  for (const char *at = subject + init, *end = subject + size; at <= end; at++) {
    if (glb_match_at(L, pattern, subject, end, at, &match)) {
      if (!find) return push_captures(L, pattern, &match, subject, true);
      lua_pushinteger(L, match.start - subject + 1);
      lua_pushinteger(L, match.end - subject);
      return 2 + push_captures(L, pattern, &match, subject, false);
    }
    if (glb_pattern_is_anchored(pattern)) break;
  }
  lua_pushnil(L);
  return 1;
}

static int find(lua_State *L) { return search(L, true); }
static int match(lua_State *L) { return search(L, false); }

// gmatch: upvalues are the subject, the compiled pattern, the next offset, and where the last match ended (or -1): no
// empty match may follow there.
static int next_match(lua_State *L) {
  glb_check(L);
  size_t size;
  const char *subject = lua_tolstring(L, lua_upvalueindex(1), &size);
  const glb_pattern *pattern = lua_touserdata(L, lua_upvalueindex(2));
  lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
  glb_match match;
  for (lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)); at <= (lua_Integer)size; at++) {
    if (!glb_match_at(L, pattern, subject, subject + size, subject + at, &match)) continue;
    if (match.end - subject == last) continue;
    lua_pushinteger(L, match.end - subject);
    lua_copy(L, -1, lua_upvalueindex(3));
    lua_replace(L, lua_upvalueindex(4));
    return push_captures(L, pattern, &match, subject, true);
  }
  lua_pushinteger(L, (lua_Integer)size + 1);
  lua_replace(L, lua_upvalueindex(3));
  return 0;
}

static int gmatch(lua_State *L) {
  glb_check(L);
  size_t size, length;
  luaL_checklstring(L, 1, &size);
  const char *text = luaL_checklstring(L, 2, &length);
  size_t init = offset(luaL_optinteger(L, 3, 1), size);
  lua_settop(L, 2);
  glb_compile_pattern(L, text, length, false);
  lua_remove(L, 2);
  lua_pushinteger(L, (lua_Integer)(init > size ? size + 1 : init));
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, next_match, 4);
  return 1;
}

/// Adds a replacement string's text, its %0 to %9 replaced by captures.
static void add_template(lua_State *L, luaL_Buffer *result, const glb_pattern *pattern, const glb_match *match,
                         const char *subject, const char *template, size_t size) {
  int captures = glb_pattern_captures(pattern);
  for (size_t i = 0; i < size; i++) {
    if (template[i] != '%') {
      luaL_addchar(result, template[i]);
      continue;
    }
    char next = ++i < size ? template[i] : 0;
    if (next == '%') {
      luaL_addchar(result, '%');
    } else if (next == '0') {
      luaL_addlstring(result, match->start, (size_t)(match->end - match->start));
    } else if (next >= '1' && next <= '9') {
      if (next - '1' >= (captures > 0 ? captures : 1))
        luaL_error(L, "invalid capture index %%%d in replacement string", next - '0');
      push_capture(L, pattern, match, next - '1', subject);
      luaL_tolstring(L, -1, NULL);
      lua_remove(L, -2);
      luaL_addvalue(result);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
}

/// Adds what replaces a match, by argument 3: a string, a table or a function.
static void add_replacement(lua_State *L, luaL_Buffer *result, const glb_pattern *pattern, const glb_match *match,
                            const char *subject) {
  switch (lua_type(L, 3)) {
    case LUA_TTABLE:
      push_capture(L, pattern, match, 0, subject);
      lua_gettable(L, 3);
      break;
    case LUA_TFUNCTION:
      lua_pushvalue(L, 3);
      lua_call(L, push_captures(L, pattern, match, subject, true), 1);
      break;
    default: {
      size_t size;
      const char *template = lua_tolstring(L, 3, &size);
      add_template(L, result, pattern, match, subject, template, size);
      return;
    }
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(result, match->start, (size_t)(match->end - match->start));
  } else if (lua_isstring(L, -1)) {
    luaL_addvalue(result);
  } else {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
}

static int gsub(lua_State *L) {
  glb_check(L);
  size_t size, length;
  const char *subject = luaL_checklstring(L, 1, &size), *end = subject + size;
  const char *text = luaL_checklstring(L, 2, &length);
  int kind = lua_type(L, 3);
  luaL_argexpected(L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE, 3,
                   "string/function/table");
  if (kind == LUA_TNUMBER) lua_tostring(L, 3);
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)size + 1), count = 0;
  const glb_pattern *pattern = glb_compile_pattern(L, text, length, true);
  luaL_Buffer result;
  luaL_buffinit(L, &result);
  glb_match match;
  const char *at = subject, *last = NULL;
  while (count < most) {
    if (glb_match_at(L, pattern, subject, end, at, &match) && match.end != last) {
      count++;
      add_replacement(L, &result, pattern, &match, subject);
      at = last = match.end;
    } else if (at < end) {
      luaL_addchar(&result, *at++);
    } else {
      break;
    }
    if (glb_pattern_is_anchored(pattern)) break;
  }
  luaL_addlstring(&result, at, (size_t)(end - at));
  luaL_pushresult(&result);
  lua_pushinteger(L, count);
  return 2;
}

static int rep(lua_State *L) {
  glb_check(L);
  size_t size, between;
  const char *text = luaL_checklstring(L, 1, &size);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &between);
  if (count <= 0 || size + between == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (size + between > (size_t)(PTRDIFF_MAX / 2) / (size_t)count) return luaL_error(L, "resulting string too large");
  luaL_Buffer result;
  size_t total = size * (size_t)count + between * (size_t)(count - 1);
  char *out = luaL_buffinitsize(L, &result, total);
  for (lua_Integer i = 0; i < count; i++) {
    memcpy(out, text, size);
    out += size;
    if (between == 0 || i == count - 1) continue;
    memcpy(out, separator, between);
    out += between;
  }
  luaL_pushresultsize(&result, total);
  return 1;
}

void glb_open_bounded_strings(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"find", find}, {"match", match}, {"gmatch", gmatch}, {"gsub", gsub}, {"rep", rep}, {NULL, NULL}};
  lua_getglobal(L, LUA_STRLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
}
