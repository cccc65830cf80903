// Swift objects as userdata, and host functions as Lua functions. Both are boxes: a userdata that owns one reference.
#include "state.h"

typedef struct box {
  void *object;  // null when closed
  int32_t number;
} box;

static char classes_key;  // in the registry: metatables by class number; 0 is that of host functions' boxes
static char mark_key;     // in metatables of boxes

static box *new_box(lua_State *L, int32_t number) {
  box *made = lua_newuserdatauv(L, sizeof(box), 0);
  *made = (box){.object = NULL, .number = number};
  lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
  lua_rawgeti(L, -1, number);
  lua_setmetatable(L, -3);
  lua_pop(L, 1);
  return made;
}

static box *to_box(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
  bool ours = lua_rawgetp(L, -1, &mark_key) == LUA_TBOOLEAN;
  lua_pop(L, 2);
  return ours ? lua_touserdata(L, index) : NULL;
}

bool glb_is_object(lua_State *L, int index, void **object, int32_t *number) {
  const box *found = to_box(L, index);
  if (found == NULL || found->object == NULL) return false;
  *object = found->object;
  *number = found->number;
  return true;
}

bool glb_is_closed(lua_State *L, int index) {
  const box *found = to_box(L, index);
  return found != NULL && found->object == NULL;
}

void glb_push_object(lua_State *L, glb_node *node) {
  box *made = new_box(L, node->tag);
  // Only now does the box own the object: had its creation raised, the tape would release it.
  made->object = node->object;
  node->object = NULL;
}

static int release_box(lua_State *L) {
  box *found = to_box(L, 1);
  if (found == NULL || found->object == NULL) return 0;
  void *object = found->object;
  found->object = NULL;
  glb_of(L)->host.release(object);
  return 0;
}

// Calling Swift.

static int read_arguments(lua_State *L) {
  glb_tape *tape = lua_touserdata(L, 1);
  int count = lua_gettop(L);
  for (int i = 2; i <= count; i++) glb_read(L, tape, i, i - 1);
  return 0;
}

typedef struct reply {
  glb_tape *tape;
  glb_outcome outcome;
} reply;

static int push_reply(lua_State *L) {
  const reply *reply = lua_touserdata(L, 1);
  lua_settop(L, 0);
  switch (reply->outcome) {
    case GLB_OK: return glb_push_all(L, reply->tape);
    case GLB_MEMORY: glb_raise_memory(L);
    case GLB_ERROR: glb_push_position(L, 2); break;  // of the function that called call_host
    default: lua_pushliteral(L, "");
  }
  glb_push_all(L, reply->tape);
  lua_concat(L, lua_gettop(L));
  return lua_error(L);
}

// The body of every host function. What may raise runs under a pcall of its own, so that the tapes, which are plain
// memory, are freed on every way out.
static int call_host(lua_State *L) {
  glb_check(L);
  glb_state *state = glb_of(L);
  if (state->is_closing) return luaL_error(L, "the Lua state is being closed");
  const box *function = lua_touserdata(L, lua_upvalueindex(1));
  glb_tape arguments = {0}, results = {0};
  luaL_checkstack(L, 4, NULL);
  int count = lua_gettop(L);
  lua_pushcfunction(L, read_arguments);
  lua_pushlightuserdata(L, &arguments);
  lua_rotate(L, 1, 2);
  int status = lua_pcall(L, count + 1, 0, 0);
  if (status == LUA_OK) {
    lua_State *caller = state->L;
    state->L = L;
    reply reply = {.tape = &results};
    reply.outcome = state->host.call(state->host.context, function->object, &arguments, &results);
    state->L = caller;
    if (reply.outcome >= GLB_TIME) state->abort = reply.outcome;
    lua_pushcfunction(L, push_reply);
    lua_pushlightuserdata(L, &reply);
    status = lua_pcall(L, 1, LUA_MULTRET, 0);
  }
  glb_tape_free(state, &arguments);
  glb_tape_free(state, &results);
  return status == LUA_OK ? lua_gettop(L) : lua_error(L);
}

void glb_push_host_function(lua_State *L, glb_node *node) {
  box *made = new_box(L, 0);
  made->object = node->object;
  node->object = NULL;
  lua_pushcclosure(L, call_host, 1);
}

// Metamethods. Upvalues of index: methods, fields, the element function or nil.

static int index(lua_State *L) {
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TNUMBER && !lua_isnil(L, lua_upvalueindex(3))) {
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
  }
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) return 1;
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int refuse_change(lua_State *L) {
  luaL_getmetafield(L, 1, "__name");
  return luaL_error(L, "a %s cannot be changed", lua_tostring(L, -1));
}

static int equal(lua_State *L) {
  const box *left = to_box(L, 1), *right = to_box(L, 2);
  lua_pushboolean(L, left != NULL && right != NULL && left->object == right->object);
  return 1;
}

/// Without a description: the class's name, and no address, which would differ from run to run.
static int describe(lua_State *L) {
  luaL_getmetafield(L, 1, "__name");
  return 1;
}

typedef struct definition {
  int32_t number;
  glb_tape *tape;
} definition;

enum { NAME = 2, METHODS, FIELDS, LENGTH, ELEMENT, DESCRIPTION, CLOSE, OPERATORS, METATABLE };

static void set_metamethod(lua_State *L, const char *name, int value, lua_CFunction otherwise) {
  if (!lua_isnil(L, value)) lua_pushvalue(L, value);
  else if (otherwise != NULL) lua_pushcfunction(L, otherwise);
  else return;
  lua_setfield(L, METATABLE, name);
}

static int define_class(lua_State *L) {
  definition *given = lua_touserdata(L, 1);
  glb_push_all(L, given->tape);
  lua_settop(L, OPERATORS);
  lua_newtable(L);
  lua_pushnil(L);
  while (lua_next(L, OPERATORS) != 0) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_settable(L, METATABLE);
  }
  lua_pushboolean(L, true);
  lua_rawsetp(L, METATABLE, &mark_key);
  lua_pushvalue(L, NAME);
  lua_setfield(L, METATABLE, "__name");
  lua_pushvalue(L, NAME);
  lua_setfield(L, METATABLE, "__metatable");
  lua_pushvalue(L, METHODS);
  lua_pushvalue(L, FIELDS);
  lua_pushvalue(L, ELEMENT);
  lua_pushcclosure(L, index, 3);
  lua_setfield(L, METATABLE, "__index");
  lua_pushcfunction(L, refuse_change);
  lua_setfield(L, METATABLE, "__newindex");
  lua_pushcfunction(L, release_box);
  lua_setfield(L, METATABLE, "__gc");
  set_metamethod(L, "__len", LENGTH, NULL);
  set_metamethod(L, "__tostring", DESCRIPTION, describe);
  set_metamethod(L, "__close", CLOSE, release_box);
  lua_pushcfunction(L, equal);
  lua_setfield(L, METATABLE, "__eq");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &classes_key);
  lua_pushvalue(L, METATABLE);
  lua_rawseti(L, -2, given->number);
  return 0;
}

glb_outcome glb_define_class(glb_state *state, int32_t number, glb_tape *tape) {
  definition given = {.number = number, .tape = tape};
  glb_outcome outcome = glb_protect(state, define_class, &given);
  glb_tape_free(state, tape);
  return outcome;
}

void glb_open_objects(lua_State *L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushboolean(L, true);
  lua_rawsetp(L, -2, &mark_key);
  lua_pushcfunction(L, release_box);
  lua_setfield(L, -2, "__gc");
  lua_rawseti(L, -2, 0);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &classes_key);
}
