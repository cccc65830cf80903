// What a plugin's state offers, and how what could run long without hooks is bounded.
//
// The count hook stops Lua code. It does not run inside C functions, in finalizers, or in the handler of its own
// error. Hence: no __gc; each library function checks the clock when it is called; those that could loop for long
// within one call are ours (tables.c, strings.c); pcall and the like let an abort through (limits.c).
#include <stdio.h>
#include <string.h>

#include "state.h"

enum { LONGEST_CHUNK = 1 << 18 };  // bytes: compiling is not hooked, and not linear in all that a chunk can hold

/// A library function that checks the limits first. Upvalue: the function, which has none of its own.
static int checked(lua_State *L) {
  glb_check(L);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// Copies the named functions of the table on top of the stack to a new table, checked, and leaves that instead.
static void keep(lua_State *L, const char *const names[]) {
  lua_newtable(L);
  for (; *names != NULL; names++) {
    if (lua_getfield(L, -2, *names) == LUA_TFUNCTION) lua_pushcclosure(L, checked, 1);
    lua_setfield(L, -2, *names);
  }
  lua_remove(L, -2);
}

/// Where tracebacks look for names.
static void remember_library(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

static void open_library(lua_State *L, const char *name, lua_CFunction open, const char *const names[]) {
  lua_pushcfunction(L, open);
  lua_call(L, 0, 1);
  keep(L, names);
  remember_library(L, name);
  lua_setglobal(L, name);
}

static int set_metatable(lua_State *L) {
  int kind = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, kind == LUA_TNIL || kind == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  if (kind == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "a plugin's metatable cannot have __gc");
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

// load(text or function, name, mode, environment): of text only, whatever the mode.
static int load_text(lua_State *L) {
  lua_settop(L, 4);
  luaL_Buffer text;
  if (lua_type(L, 1) == LUA_TFUNCTION) {
    luaL_buffinit(L, &text);
    while (true) {
      lua_pushvalue(L, 1);
      lua_call(L, 0, 1);
      if (!lua_isstring(L, -1) && !lua_isnil(L, -1)) return luaL_error(L, "load's function must return strings");
      bool ends = lua_isnil(L, -1) || lua_rawlen(L, -1) == 0;
      if (ends) lua_pop(L, 1);
      else luaL_addvalue(&text);
      if (ends || luaL_bufflen(&text) > LONGEST_CHUNK) break;
    }
    luaL_pushresult(&text);
    lua_replace(L, 1);
    if (lua_isnil(L, 2)) {
      lua_pushliteral(L, "=(load)");
      lua_replace(L, 2);
    }
  }
  size_t size;
  const char *chunk = luaL_checklstring(L, 1, &size);
  const char *name = luaL_optstring(L, 2, chunk);
  if (size > LONGEST_CHUNK) return luaL_error(L, "a plugin can load at most %d bytes at once", (int)LONGEST_CHUNK);
  if (luaL_loadbufferx(L, chunk, size, name, "t") != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (!lua_isnil(L, 4)) {
    lua_pushvalue(L, 4);
    if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
  }
  return 1;
}

static int collect_garbage(lua_State *L) {
  static const char *const options[] = {"collect", "count", "step", NULL};
  if (luaL_checkoption(L, 1, "collect", options) == 1) {
    lua_pushnumber(L, (lua_Number)lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0);
  } else {
    lua_gc(L, LUA_GCCOLLECT);
    lua_pushinteger(L, 0);
  }
  return 1;
}

/// A plugin's output is a log.
static int print_log(lua_State *L) {
  int count = lua_gettop(L);
  for (int i = 1; i <= count; i++) {
    size_t size;
    const char *text = luaL_tolstring(L, i, &size);
    if (i > 1) fputc('\t', stderr);
    fwrite(text, 1, size, stderr);
    lua_pop(L, 1);
  }
  fputc('\n', stderr);
  return 0;
}

static int random_seed(lua_State *L) {
  // Without arguments Lua would take the time.
  if (lua_gettop(L) == 0) lua_pushinteger(L, glb_of(L)->options.seed);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  return 0;
}

static void open_random(lua_State *L) {
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  lua_getglobal(L, LUA_MATHLIBNAME);
  // These two share an upvalue, so they are kept as they are.
  lua_getfield(L, -2, "random");
  lua_setfield(L, -2, "random");
  lua_getfield(L, -2, "randomseed");
  lua_pushcclosure(L, random_seed, 1);
  lua_setfield(L, -2, "randomseed");
  const char *const constants[] = {"pi", "huge", "maxinteger", "mininteger"};
  for (int i = 0; i < 4; i++) {
    lua_getfield(L, -2, constants[i]);
    lua_setfield(L, -2, constants[i]);
  }
  lua_pop(L, 2);
}

void glb_open_sandbox(lua_State *L) {
  static const char *const base[] = {"assert", "error",  "getmetatable", "ipairs",   "next",     "rawequal", "rawget",
                                     "rawlen", "rawset", "select",       "tonumber", "tostring", "type",     NULL};
  static const char *const coroutine[] = {"close", "create", "isyieldable", "running", "status", "yield", NULL};
  static const char *const string[] = {"byte", "char",     "format",  "len", "lower",  "pack",
                                       "packsize", "reverse", "sub", "unpack", "upper", NULL};
  static const char *const table[] = {"concat", "pack", "unpack", NULL};
  static const char *const utf8[] = {"char", "codepoint", "codes", "len", "offset", NULL};
  static const char *const math[] = {"abs", "acos", "asin", "atan", "ceil", "cos", "deg", "exp", "floor", "fmod", "log",
                                     "max", "min", "modf", "rad", "sin", "sqrt", "tan", "tointeger", "type", "ult",
                                     NULL};
  lua_pushcfunction(L, luaopen_base);
  lua_call(L, 0, 1);
  keep(L, base);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, LUA_GNAME);
  lua_pushliteral(L, LUA_VERSION);
  lua_setfield(L, -2, "_VERSION");
  remember_library(L, LUA_GNAME);
  // From here on, globals are those of the new table.
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);

  open_library(L, LUA_COLIBNAME, luaopen_coroutine, coroutine);
  open_library(L, LUA_STRLIBNAME, luaopen_string, string);
  open_library(L, LUA_TABLIBNAME, luaopen_table, table);
  open_library(L, LUA_UTF8LIBNAME, luaopen_utf8, utf8);
  open_library(L, LUA_MATHLIBNAME, luaopen_math, math);
  open_random(L);
  lua_getglobal(L, LUA_UTF8LIBNAME);
  // Not lua_pushliteral, which would end at the 0.
  static const char pattern[] = "[\0-\x7F\xC2-\xFD][\x80-\xBF]*";
  lua_pushlstring(L, pattern, sizeof pattern - 1);
  lua_setfield(L, -2, "charpattern");
  lua_pop(L, 1);
  glb_open_protected(L);
  glb_open_pairs(L);
  glb_open_bounded_tables(L);
  glb_open_bounded_strings(L);

  static const luaL_Reg own[] = {{"setmetatable", set_metatable}, {"load", load_text},
                                 {"collectgarbage", collect_garbage}, {"print", print_log}, {NULL, NULL}};
  for (const luaL_Reg *entry = own; entry->name != NULL; entry++) {
    lua_pushcfunction(L, entry->func);
    lua_pushcclosure(L, checked, 1);
    lua_setglobal(L, entry->name);
  }

  // Strings index the new string table, through the metatable with Lua's arithmetic of strings, which nobody can get at.
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_getglobal(L, LUA_STRLIBNAME);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}
