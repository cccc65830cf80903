// The life of a state, and calls from Swift into Lua.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

static void set_text(glb_text *text, const char *bytes, size_t size) {
  char *copy = malloc(size + 1);
  free(text->bytes);
  *text = (glb_text){.bytes = copy, .size = copy != NULL ? size : 0};
  if (copy == NULL) return;
  memcpy(copy, bytes, size);
  copy[size] = 0;
}

const char *glb_message(const glb_state *state, size_t *size) {
  *size = state->message.size;
  return state->message.bytes != NULL ? state->message.bytes : "";
}

const char *glb_traceback(const glb_state *state, size_t *size) {
  *size = state->traceback.size;
  return state->traceback.bytes != NULL ? state->traceback.bytes : "";
}

// Replaces what short_src cut of long paths in the text on top of the stack.
static void restore_paths(lua_State *L) {
  lua_Debug frame;
  // The walk to a level begins at the top each time, so not too far down.
  for (int level = 1; level < 64 && lua_getstack(L, level, &frame); level++) {
    lua_getinfo(L, "S", &frame);
    if (frame.source[0] != '@' || strncmp(frame.short_src, "...", 3) != 0) continue;
    if (strstr(lua_tostring(L, -1), frame.source + 1) != NULL) continue;
    luaL_gsub(L, lua_tostring(L, -1), frame.short_src, frame.source + 1);
    lua_remove(L, -2);
  }
}

// The message handler of every call from Swift: the error as a string, and where it was raised.
static int describe_error(lua_State *L) {
  glb_state *state = glb_of(L);
  lua_settop(L, 1);
  if (lua_type(L, 1) != LUA_TSTRING) {
    if (lua_type(L, 1) == LUA_TNUMBER) {
      lua_tostring(L, 1);
    } else if (!luaL_callmeta(L, 1, "__tostring") || lua_type(L, -1) != LUA_TSTRING) {
      lua_pushfstring(L, "(the error is a %s value)", luaL_typename(L, 1));
    }
  }
  restore_paths(L);
  luaL_traceback(L, L, NULL, 1);
  restore_paths(L);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  set_text(&state->traceback, text, size);
  lua_pop(L, 1);
  return 1;
}

static void set_failure(glb_state *state, lua_State *L, int status) {
  size_t size = 0;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &size) : NULL;
  if (status == LUA_ERRMEM && state->abort == GLB_TIME) text = "the time limit is over", size = strlen(text);
  if (text == NULL) text = "an error without a message", size = strlen(text);
  set_text(&state->message, text, size);
}

glb_outcome glb_protect(glb_state *state, lua_CFunction body, void *context) {
  lua_State *L = state->L;
  if (!lua_checkstack(L, 4)) {
    set_text(&state->message, "not enough memory", strlen("not enough memory"));
    return GLB_MEMORY;
  }
  set_text(&state->traceback, "", 0);
  if (state->depth++ == 0) {
    state->abort = GLB_OK;
    double nanoseconds = state->options.seconds * 1e9;
    state->deadline = nanoseconds > 0 && nanoseconds < 0x1p60 ? glb_now() + (int64_t)nanoseconds : 0;
  }
  lua_pushcfunction(L, describe_error);
  lua_pushcfunction(L, body);
  lua_pushlightuserdata(L, context);
  int status = lua_pcall(L, 1, 0, -3);
  glb_outcome outcome = GLB_OK;
  if (status != LUA_OK) {
    outcome = state->abort != GLB_OK ? state->abort : status == LUA_ERRMEM ? GLB_MEMORY : GLB_ERROR;
    set_failure(state, L, status);
    lua_pop(L, 1);
  } else if (state->abort != GLB_OK) {
    // Some function kept the abort to itself, as coroutine.close does with errors of what it closes.
    outcome = state->abort;
    const char *text = outcome == GLB_TIME ? "the time limit is over"
                       : outcome == GLB_MEMORY ? "not enough memory" : "interrupted";
    set_text(&state->message, text, strlen(text));
  }
  lua_pop(L, 1);
  if (--state->depth == 0) state->deadline = 0;
  return outcome;
}

void glb_set_context(glb_state *state, void *context) { state->host.context = context; }
void glb_extend_time(glb_state *state, double seconds) {
  if (state->deadline != 0 && seconds > 0 && seconds < 1e9) state->deadline += (int64_t)(seconds * 1e9);
}

bool glb_is_running(const glb_state *state) { return state->depth > 0; }
size_t glb_memory_used(const glb_state *state) { return state->used; }
size_t glb_failures(const glb_state *state) { return state->failures; }

// Calling.

typedef struct call {
  int32_t function;
  glb_tape *arguments, *results;
} call;

static int run_call(lua_State *L) {
  const call *call = lua_touserdata(L, 1);
  glb_push_function(L, call->function);
  lua_call(L, glb_push_all(L, call->arguments), LUA_MULTRET);
  int count = lua_gettop(L);
  for (int i = 2; i <= count; i++) glb_read(L, call->results, i, 0);
  glb_drain_released(L);
  return 0;
}

glb_outcome glb_call(glb_state *state, int32_t function, glb_tape *arguments, glb_tape *results) {
  call call = {.function = function, .arguments = arguments, .results = results};
  glb_outcome outcome = glb_protect(state, run_call, &call);
  glb_tape_free(state, arguments);
  return outcome;
}

// Loading.

typedef struct load {
  const char *text;
  size_t size;
  const char *name;
  glb_tape *result;
} load;

static int run_load(lua_State *L) {
  const load *load = lua_touserdata(L, 1);
  if (luaL_loadbufferx(L, load->text, load->size, load->name, "t") != LUA_OK) {
    // The compiler's messages begin with the path; of one longer than LUA_IDSIZE only "..." and its end.
    const char *message = lua_tostring(L, -1), *path = load->name + 1;
    size_t size = strlen(path), kept = LUA_IDSIZE - 4;
    if (message != NULL && size > kept && strncmp(message, "...", 3) == 0 &&
        strncmp(message + 3, path + size - kept, kept) == 0)
      lua_pushfstring(L, "%s%s", path, message + 3 + kept);
    return lua_error(L);
  }
  glb_read(L, load->result, 2, 0);
  return 0;
}

glb_outcome glb_load(glb_state *state, const void *text, size_t size, const char *name, int32_t *function) {
  glb_tape result = {0};
  load load = {.text = text, .size = size, .name = name, .result = &result};
  glb_outcome outcome = glb_protect(state, run_load, &load);
  *function = 0;
  if (outcome == GLB_OK) {
    *function = result.nodes[0].tag;
    result.nodes[0].tag = 0;
  }
  glb_tape_free(state, &result);
  return outcome;
}

// Making a state.

static void seed_random(lua_State *L, int64_t seed) {
  lua_getglobal(L, LUA_MATHLIBNAME);
  lua_getfield(L, -1, "randomseed");
  lua_pushinteger(L, seed);
  lua_call(L, 1, 0);
  lua_pop(L, 1);
}

// A script's debug library shows where it is. The rest could take our hooks and metatables apart.
static void reduce_debug(lua_State *L) {
  lua_getglobal(L, LUA_DBLIBNAME);
  lua_newtable(L);
  const char *const kept[] = {"traceback", "getinfo"};
  for (int i = 0; i < 2; i++) {
    lua_getfield(L, -2, kept[i]);
    lua_setfield(L, -2, kept[i]);
  }
  lua_pushvalue(L, -1);
  lua_setglobal(L, LUA_DBLIBNAME);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, LUA_DBLIBNAME);
  lua_pop(L, 3);
}

static int open_state(lua_State *L) {
  glb_state *state = lua_touserdata(L, 1);
  glb_open_references(L);
  glb_open_objects(L);
  if (state->options.sandboxed) {
    glb_open_sandbox(L);
  } else {
    luaL_openlibs(L);
    reduce_debug(L);
    glb_open_protected(L);
    glb_open_pairs(L);
  }
  seed_random(L, state->options.seed);
  return 0;
}

glb_state *glb_new(glb_host host, glb_options options) {
  glb_state *state = calloc(1, sizeof(glb_state));
  if (state == NULL) return NULL;
  state->host = host;
  state->options = options;
  pthread_mutex_init(&state->lock, NULL);
  state->main = state->L = lua_newstate(glb_allocate, state);
  if (state->L == NULL) {
    glb_free(state);
    return NULL;
  }
  *(glb_state **)lua_getextraspace(state->L) = state;
  // Before any coroutine, which takes the hook over from the thread that makes it.
  lua_sethook(state->L, glb_hook, LUA_MASKCOUNT, options.sandboxed ? 100 : 1000);
  if (glb_protect(state, open_state, state) != GLB_OK) {
    glb_free(state);
    return NULL;
  }
  return state;
}

void glb_free(glb_state *state) {
  state->is_closing = true;
  if (state->main != NULL) lua_close(state->main);
  if (state->released != NULL)
    glb_allocate(state, state->released, state->released_capacity * sizeof(int32_t), 0);
  free(state->message.bytes);
  free(state->traceback.bytes);
  pthread_mutex_destroy(&state->lock);
  free(state);
}
