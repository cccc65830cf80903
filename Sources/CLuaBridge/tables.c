// The table functions whose C loops could go on for long: over a length that __len made up, or a range of nils.
#include "state.h"

enum { MOST_ELEMENTS = 1 << 24 };

/// Over the elements of the first argument. Upvalue: the library's function, which has none of its own.
static int without_length(lua_State *L) {
  glb_check(L);
  if (luaL_getmetafield(L, 1, "__len") != LUA_TNIL)
    return luaL_error(L, "a plugin cannot use this on a table with a __len metamethod");
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/// Comparing long strings takes long, so the clock is read at each.
static int less(lua_State *L) {
  glb_check(L);
  lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
  return 1;
}

static int sort(lua_State *L) {
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pushcfunction(L, less);
    lua_replace(L, 2);
  }
  return without_length(L);
}

static int move(lua_State *L) {
  glb_check(L);
  lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3);
  if (last >= first && (lua_Unsigned)last - (lua_Unsigned)first >= MOST_ELEMENTS)
    return luaL_error(L, "a plugin can move at most %d elements at once", (int)MOST_ELEMENTS);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void glb_open_bounded_tables(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"insert", without_length}, {"remove", without_length}, {"sort", sort}, {"move", move}, {NULL, NULL}};
  lua_pushcfunction(L, luaopen_table);
  lua_call(L, 0, 1);
  lua_getglobal(L, LUA_TABLIBNAME);
  for (const luaL_Reg *entry = functions; entry->name != NULL; entry++) {
    lua_getfield(L, -2, entry->name);
    lua_pushcclosure(L, entry->func, 1);
    lua_setfield(L, -2, entry->name);
  }
  lua_pop(L, 2);
}
