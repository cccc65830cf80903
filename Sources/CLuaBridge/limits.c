// What ends Lua code that should not go on: interrupts and the time limit, and a pcall that does not catch them.
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "state.h"

static atomic_bool interrupted;

void glb_interrupt(void) { atomic_store(&interrupted, true); }
bool glb_is_interrupted(void) { return atomic_load(&interrupted); }
void glb_clear_interrupt(void) { atomic_store(&interrupted, false); }

static bool must_end(glb_state *state) {
  if (atomic_load_explicit(&interrupted, memory_order_relaxed)) state->abort = GLB_INTERRUPTED;
  if (state->abort == GLB_OK && state->deadline != 0 && glb_now() > state->deadline) state->abort = GLB_TIME;
  return state->abort != GLB_OK;
}

static _Noreturn void raise_abort(lua_State *L, int level) {
  glb_state *state = glb_of(L);
  switch (state->abort) {
    case GLB_MEMORY: glb_raise_memory(L);
    case GLB_TIME:
      glb_push_position(L, level);
      lua_pushfstring(L, "the time limit of %f s is over", state->options.seconds);
      break;
    default:
      glb_push_position(L, level);
      lua_pushliteral(L, "interrupted");
  }
  lua_concat(L, 2);
  lua_error(L);
  __builtin_unreachable();
}

void glb_check(lua_State *L) {
  if (must_end(glb_of(L))) raise_abort(L, 1);
}

void glb_hook(lua_State *L, lua_Debug *where) {
  (void)where;
  if (must_end(glb_of(L))) raise_abort(L, 0);
}

void glb_raise_memory(lua_State *L) {
  // Lua's own memory error is this very string.
  lua_pushliteral(L, "not enough memory");
  lua_error(L);
  __builtin_unreachable();
}

void glb_push_position(lua_State *L, int level) {
  lua_Debug frame;
  while (lua_getstack(L, level++, &frame) && lua_getinfo(L, "Sl", &frame)) {
    if (strcmp(frame.source, "=grao") == 0) continue;  // the engine's own Lua code
    if (frame.currentline <= 0) break;
    // short_src cuts long paths.
    const char *path = frame.source[0] == '@' ? frame.source + 1 : frame.short_src;
    lua_pushfstring(L, "%s:%d: ", path, frame.currentline);
    return;
  }
  lua_pushliteral(L, "");
}

void glb_rethrow_abort(lua_State *L, int status) {
  glb_state *state = glb_of(L);
  // Past its limit, a plugin has no say in what happens; a script may handle a failed allocation.
  if (status == LUA_ERRMEM && state->options.sandboxed && state->abort == GLB_OK) state->abort = GLB_MEMORY;
  if (state->abort != GLB_OK) lua_error(L);
}

// pcall and xpcall, as in Lua's manual but for glb_rethrow_abort.

static int finish_call(lua_State *L, int status, lua_KContext below) {
  if (status != LUA_OK && status != LUA_YIELD) {
    glb_rethrow_abort(L, status);
    lua_pushboolean(L, false);
    lua_insert(L, -2);
    return 2;
  }
  return lua_gettop(L) - (int)below;
}

static int protected_call(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, true);
  lua_insert(L, 1);
  return finish_call(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish_call), 0);
}

// Lua calls the handler of a hook's error with hooks off, where nothing could stop it.
static int handle(lua_State *L) {
  if (glb_of(L)->abort != GLB_OK) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int protected_call_with_handler(lua_State *L) {
  int arguments = lua_gettop(L) - 2;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, handle, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);  // function, handler, true, function, arguments…
  return finish_call(L, lua_pcallk(L, arguments, LUA_MULTRET, 2, 2, finish_call), 2);
}

// coroutine.resume and coroutine.wrap.

/// Resumes with the top `arguments` values: how many values it moved back, or -1 with the error on top.
static int resume(lua_State *L, lua_State *thread, int arguments) {
  if (!lua_checkstack(thread, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, thread, arguments);
  int results = 0;
  int status = lua_resume(thread, L, arguments, &results);
  if (status == LUA_OK || status == LUA_YIELD) {
    if (lua_checkstack(L, results + 1)) {
      lua_xmove(thread, L, results);
      return results;
    }
    lua_pop(thread, results);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(thread, L, 1);
  glb_rethrow_abort(L, status);
  return -1;
}

static int coroutine_resume(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTHREAD);
  int count = resume(L, lua_tothread(L, 1), lua_gettop(L) - 1);
  lua_pushboolean(L, count >= 0);
  if (count < 0) count = 1;
  lua_insert(L, -(count + 1));
  return count + 1;
}

static int call_wrapped(lua_State *L) {
  lua_State *thread = lua_tothread(L, lua_upvalueindex(1));
  int count = resume(L, thread, lua_gettop(L));
  if (count >= 0) return count;
  int status = lua_status(thread);
  if (status != LUA_OK && status != LUA_YIELD) {
    // Run what the coroutine left to close; that may replace the error.
    if (lua_resetthread(thread) != LUA_OK) {
      lua_pop(L, 1);
      lua_xmove(thread, L, 1);
    }
    glb_rethrow_abort(L, status);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    glb_push_position(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int coroutine_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *thread = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, thread, 1);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

void glb_open_protected(lua_State *L) {
  lua_register(L, "pcall", protected_call);
  lua_register(L, "xpcall", protected_call_with_handler);
  lua_getglobal(L, LUA_COLIBNAME);
  lua_pushcfunction(L, coroutine_resume);
  lua_setfield(L, -2, "resume");
  lua_pushcfunction(L, coroutine_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pop(L, 1);
}
