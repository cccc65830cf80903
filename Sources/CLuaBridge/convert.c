// Lua values to a tape and back.
//
// A table whose keys are exactly 1 to n is an array; one whose keys are strings is a table, in the byte order of its
// keys; the empty table is a table; any other is an error. Metamethods are not asked. The light userdata null (a
// script's json.null) is nil, and in arrays nil is that, to keep the places.
#include <string.h>

#include "state.h"

enum { DEEPEST = 256, MOST_VALUES = 1 << 25, VALUES_PER_CHECK = 1 << 16 };

typedef struct reader {
  lua_State *L;
  glb_state *state;
  glb_tape *tape;
  int argument;
  int depth;
  /// The way to the value being read: for each table its identity, and the key gone by.
  struct {
    const void *table;
    const char *key;
    lua_Integer index;
  } path[DEEPEST];
} reader;

static _Noreturn void fail(reader *r, const char *what) {
  luaL_Buffer text;
  luaL_buffinit(r->L, &text);
  if (r->argument > 0) {
    glb_push_position(r->L, 2);  // of the function that called call_host, which called this
    luaL_addvalue(&text);
    lua_pushfstring(r->L, "argument %d: ", r->argument);
    luaL_addvalue(&text);
  }
  for (int i = 0; i < r->depth; i++) {
    if (r->path[i].key != NULL) {
      if (i > 0) luaL_addchar(&text, '.');
      luaL_addstring(&text, r->path[i].key);
    } else {
      lua_pushfstring(r->L, "[%I]", r->path[i].index);
      luaL_addvalue(&text);
    }
  }
  luaL_addstring(&text, r->depth > 0 ? ": " : "");
  luaL_addstring(&text, what);
  luaL_pushresult(&text);
  lua_error(r->L);
  __builtin_unreachable();
}

/// Whatever may raise before a value is added: what the value owns is taken afterwards.
static void check_room(reader *r) {
  if (r->tape->count % VALUES_PER_CHECK == VALUES_PER_CHECK - 1) glb_check(r->L);
  // Tables in tables, each named twice, are a small value with 2ⁿ copies.
  if (r->tape->count == MOST_VALUES) fail(r, "more than 33554432 values");
}

/// The tape owns the node from here on, even where it has no room for it.
static void append(reader *r, glb_node node) {
  glb_add(r->state, r->tape, node);
  if (r->tape->failed) glb_raise_memory(r->L);
}

static void add(reader *r, glb_node node) {
  check_room(r);
  append(r, node);
}

static void read_value(reader *r, int index);

static void read_array(reader *r, int index, size_t count) {
  add(r, (glb_node){.kind = GLB_ARRAY, .size = count});
  r->path[r->depth - 1].key = NULL;
  for (size_t i = 1; i <= count; i++) {
    r->path[r->depth - 1].index = (lua_Integer)i;
    lua_rawgeti(r->L, index, (lua_Integer)i);
    read_value(r, index + 1);
    lua_pop(r->L, 1);
  }
}

static void read_table(reader *r, int index, size_t count) {
  glb_keys *keys = glb_push_sorted_keys(r->L, index, count);
  add(r, (glb_node){.kind = GLB_TABLE, .size = keys->count});
  for (size_t i = 0; i < keys->count; i++) {
    const glb_key *key = &keys->keys[i];
    r->path[r->depth - 1].key = key->bytes;
    glb_add_string(r->state, r->tape, key->bytes, key->size);
    lua_rawgeti(r->L, index + 1, key->index);
    lua_rawget(r->L, index);
    read_value(r, index + 3);
    lua_pop(r->L, 1);
  }
  lua_pop(r->L, 2);
}

static void read_any_table(reader *r, int index) {
  lua_State *L = r->L;
  const void *identity = lua_topointer(L, index);
  for (int i = 0; i < r->depth; i++)
    if (r->path[i].table == identity) fail(r, "a table that contains itself");
  if (r->depth == DEEPEST) fail(r, "tables nested more than 256 levels deep");
  luaL_checkstack(L, 8, NULL);

  size_t strings = 0, elements = 0;
  lua_Integer highest = 0;
  const char *other = NULL;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      strings++;
      continue;
    }
    lua_Integer key = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (key > 0) elements++;
    else other = luaL_typename(L, -1);
    if (key > highest) highest = key;
  }
  if (other != NULL || (strings > 0 && elements > 0) || (size_t)highest != elements) {
    const char *found = other != NULL ? lua_pushfstring(L, "a %s key", other)
                        : strings > 0 ? "both strings and integers"
                                      : lua_pushfstring(L, "%I of the keys 1 to %I", (lua_Integer)elements, highest);
    fail(r, lua_pushfstring(L, "a table must have the keys 1 to n, or strings; found %s", found));
  }
  r->path[r->depth++].table = identity;
  if (elements > 0) read_array(r, index, elements);
  else read_table(r, index, strings);
  r->depth--;
}

static char references_key;

void glb_open_references(lua_State *L) {
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &references_key);
}

static void read_function(reader *r, int index) {
  glb_state *state = r->state;
  lua_State *L = r->L;
  pthread_mutex_lock(&state->lock);
  bool fits = state->references < state->released_capacity;
  if (!fits) {
    size_t capacity = state->released_capacity * 2 + 16;
    int32_t *larger = glb_allocate(
        state, state->released, state->released_capacity * sizeof(int32_t), capacity * sizeof(int32_t));
    fits = larger != NULL;
    if (fits) {
      state->released = larger;
      state->released_capacity = capacity;
    }
  }
  pthread_mutex_unlock(&state->lock);
  if (!fits) glb_raise_memory(L);
  check_room(r);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &references_key);
  lua_pushvalue(L, index);
  int32_t reference = luaL_ref(L, -2);
  lua_pop(L, 1);
  state->references++;
  append(r, (glb_node){.kind = GLB_LUA_FUNCTION, .tag = reference});
}

static void read_value(reader *r, int index) {
  lua_State *L = r->L;
  switch (lua_type(L, index)) {
    case LUA_TNIL: add(r, (glb_node){.kind = GLB_NIL}); break;
    case LUA_TBOOLEAN: add(r, (glb_node){.kind = GLB_BOOLEAN, .integer = lua_toboolean(L, index)}); break;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) add(r, (glb_node){.kind = GLB_INTEGER, .integer = lua_tointeger(L, index)});
      else add(r, (glb_node){.kind = GLB_NUMBER, .number = lua_tonumber(L, index)});
      break;
    case LUA_TSTRING: {
      size_t size;
      const char *bytes = lua_tolstring(L, index, &size);
      glb_add_string(r->state, r->tape, bytes, size);
      if (r->tape->failed) glb_raise_memory(L);
      break;
    }
    case LUA_TTABLE: read_any_table(r, index); break;
    case LUA_TFUNCTION: read_function(r, index); break;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, index) == NULL) {
        add(r, (glb_node){.kind = GLB_NIL});
        break;
      }  // fallthrough
    default: {
      glb_node node = {.kind = GLB_OBJECT};
      if (!glb_is_object(L, index, &node.object, &node.tag)) {
        const char *closed = glb_is_closed(L, index) ? "closed " : "";
        bool named = luaL_getmetafield(L, index, "__name") == LUA_TSTRING;
        const char *name = named ? lua_tostring(L, -1) : luaL_typename(L, index);
        fail(r, lua_pushfstring(L, "a %s%s cannot be used here", closed, name));
      }
      check_room(r);
      r->state->host.retain(node.object);
      append(r, node);
    }
  }
}

void glb_read(lua_State *L, glb_tape *tape, int index, int argument) {
  reader r;
  r.L = L;
  r.state = glb_of(L);
  r.tape = tape;
  r.argument = argument;
  r.depth = 0;
  luaL_checkstack(L, 8, NULL);
  // A table's parts are pushed right above it, so it has to be on top.
  lua_pushvalue(L, index);
  read_value(&r, lua_gettop(L));
  lua_pop(L, 1);
}

void glb_push_function(lua_State *L, int32_t reference) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &references_key);
  lua_rawgeti(L, -1, reference);
  lua_remove(L, -2);
}

void glb_push(lua_State *L, glb_tape *tape, size_t *at) {
  luaL_checkstack(L, 6, NULL);
  glb_node *node = &tape->nodes[(*at)++];
  switch (node->kind) {
    case GLB_NIL: lua_pushnil(L); break;
    case GLB_BOOLEAN: lua_pushboolean(L, node->integer != 0); break;
    case GLB_INTEGER: lua_pushinteger(L, node->integer); break;
    case GLB_NUMBER: lua_pushnumber(L, node->number); break;
    case GLB_STRING: lua_pushlstring(L, tape->bytes + node->offset, node->size); break;
    case GLB_ARRAY:
      lua_createtable(L, node->size < INT32_MAX ? (int)node->size : INT32_MAX, 0);
      for (size_t i = 1; i <= node->size; i++) {
        const glb_node *element = &tape->nodes[*at];
        if (element->kind == GLB_NIL) {
          lua_pushlightuserdata(L, NULL);
          (*at)++;
        } else if (element->kind == GLB_INTEGER) {  // token ids: most of what a reward gets
          lua_pushinteger(L, element->integer);
          (*at)++;
        } else {
          glb_push(L, tape, at);
        }
        lua_rawseti(L, -2, (lua_Integer)i);
      }
      break;
    case GLB_TABLE:
      lua_createtable(L, 0, node->size < INT32_MAX ? (int)node->size : INT32_MAX);
      for (size_t i = 0; i < node->size; i++) {
        glb_push(L, tape, at);
        glb_push(L, tape, at);
        lua_rawset(L, -3);
      }
      break;
    case GLB_OBJECT: glb_push_object(L, node); break;
    case GLB_HOST_FUNCTION: glb_push_host_function(L, node); break;
    case GLB_LUA_FUNCTION: glb_push_function(L, node->tag); break;
  }
}

int glb_push_all(lua_State *L, glb_tape *tape) {
  if (tape->failed) glb_raise_memory(L);
  int count = 0;
  for (size_t at = 0; at < tape->count; count++) glb_push(L, tape, &at);
  return count;
}

void glb_release_function(glb_state *state, int32_t reference) {
  pthread_mutex_lock(&state->lock);
  state->released[state->released_count++] = reference;
  pthread_mutex_unlock(&state->lock);
}

void glb_drain_released(lua_State *L) {
  glb_state *state = glb_of(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &references_key);
  pthread_mutex_lock(&state->lock);
  // Giving slots back allocates nothing, so nothing can raise while the lock is held.
  while (state->released_count > 0) {
    luaL_unref(L, -1, state->released[--state->released_count]);
    state->references--;
  }
  pthread_mutex_unlock(&state->lock);
  lua_pop(L, 1);
}
