// A table's keys in an order that does not change from process to process, and the pairs made of it.
//
// The order: false, true; numbers ascending; strings by their bytes; then all other keys in Lua's own order.
#include <stdlib.h>
#include <string.h>

#include "state.h"

enum { RANK_BOOLEAN, RANK_NUMBER, RANK_STRING, RANK_OTHER };

static glb_key describe(lua_State *L, int at, lua_Integer index) {
  glb_key key = {.index = index};
  switch (lua_type(L, at)) {
    case LUA_TBOOLEAN:
      key.rank = RANK_BOOLEAN;
      key.integer = lua_toboolean(L, at);
      break;
    case LUA_TNUMBER:
      key.rank = RANK_NUMBER;
      key.is_integer = lua_isinteger(L, at);
      if (key.is_integer) key.integer = lua_tointeger(L, at);
      else key.number = lua_tonumber(L, at);
      break;
    case LUA_TSTRING:
      key.rank = RANK_STRING;
      key.bytes = lua_tolstring(L, at, &key.size);
      break;
    default: key.rank = RANK_OTHER;
  }
  return key;
}

static int compare(const void *left, const void *right) {
  const glb_key *a = left, *b = right;
  if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
  switch (a->rank) {
    case RANK_NUMBER:
      // A float key is no integer, or beyond all of them: comparing as floats errs for no pair.
      if (!a->is_integer || !b->is_integer) {
        lua_Number x = a->is_integer ? (lua_Number)a->integer : a->number;
        lua_Number y = b->is_integer ? (lua_Number)b->integer : b->number;
        return x < y ? -1 : x > y;
      }  // fallthrough
    case RANK_BOOLEAN: return a->integer < b->integer ? -1 : a->integer > b->integer;
    case RANK_STRING: {
      int order = memcmp(a->bytes, b->bytes, a->size < b->size ? a->size : b->size);
      return order != 0 ? order : a->size < b->size ? -1 : a->size > b->size;
    }
    default: return a->index < b->index ? -1 : a->index > b->index;
  }
}

glb_keys *glb_push_sorted_keys(lua_State *L, int table, size_t count) {
  luaL_checkstack(L, 6, NULL);
  // The array keeps the strings alive, whatever happens to the table.
  lua_createtable(L, (int)(count < INT32_MAX ? count : INT32_MAX), 0);
  int array = lua_gettop(L);
  glb_keys *sorted = lua_newuserdatauv(L, sizeof(glb_keys) + count * sizeof(glb_key), 0);
  sorted->count = sorted->position = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (sorted->count == count) {  // a finalizer has added to the table since it was counted
      lua_pop(L, 1);
      break;
    }
    sorted->keys[sorted->count] = describe(L, -1, (lua_Integer)sorted->count + 1);
    sorted->count++;
    lua_pushvalue(L, -1);
    lua_rawseti(L, array, (lua_Integer)sorted->count);
  }
  qsort(sorted->keys, sorted->count, sizeof(glb_key), compare);
  return sorted;
}

// pairs: upvalues are the table, its keys and their order.
static int next_pair(lua_State *L) {
  glb_keys *sorted = lua_touserdata(L, lua_upvalueindex(3));
  while (sorted->position < sorted->count) {
    lua_rawgeti(L, lua_upvalueindex(2), sorted->keys[sorted->position++].index);
    lua_pushvalue(L, -1);
    // A field removed meanwhile is passed over.
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 2;
    lua_pop(L, 2);
  }
  lua_pushnil(L);
  return 1;
}

/// The same for keys that are exactly 1 to n: upvalues are the table, n, and the last key given.
static int next_element(lua_State *L) {
  lua_Integer count = lua_tointeger(L, lua_upvalueindex(2));
  for (lua_Integer i = lua_tointeger(L, lua_upvalueindex(3)) + 1; i <= count; i++) {
    lua_pushinteger(L, i);
    lua_copy(L, -1, lua_upvalueindex(3));
    if (lua_rawgeti(L, lua_upvalueindex(1), i) != LUA_TNIL) return 2;
    lua_pop(L, 2);
  }
  lua_pushnil(L);
  return 1;
}

static int finish_pairs(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

static int pairs(lua_State *L) {
  glb_check(L);
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, finish_pairs);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  size_t count = 0, elements = lua_rawlen(L, 1);
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    count++;
  }
  lua_pushvalue(L, 1);
  // n keys, of which 1 to n are some: but lua_rawlen may answer with any border.
  bool is_array = count == elements;
  for (size_t i = 1; is_array && i <= elements; i++) {
    is_array = lua_rawgeti(L, 1, (lua_Integer)i) != LUA_TNIL;
    lua_pop(L, 1);
  }
  if (is_array) {
    lua_pushinteger(L, (lua_Integer)elements);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_element, 3);
  } else {
    glb_push_sorted_keys(L, 1, count);
    lua_pushcclosure(L, next_pair, 3);
  }
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

void glb_open_pairs(lua_State *L) { lua_register(L, "pairs", pairs); }
