// Inside the bridge: the state, and what the files share. Functions that take a lua_State may raise, unless said
// otherwise, and are called under lua_pcall only.
#ifndef GLB_STATE_H
#define GLB_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>

#include "CLuaBridge.h"

/// A buffer of malloc, outside the memory limit: error messages must not fail for want of memory.
typedef struct glb_text {
  char *bytes;
  size_t size;
} glb_text;

struct glb_state {
  /// The thread (coroutine) that runs now; calls from Swift go on there.
  lua_State *L;
  lua_State *main;
  glb_host host;
  glb_options options;

  size_t used;
  size_t since_clock;  // bytes allocated since the clock was last read
  size_t pattern_steps;  // likewise
  size_t allocations;
  size_t failures;

  bool is_closing;
  int depth;         // of calls from Swift that are under way
  int64_t deadline;  // nanoseconds of the monotonic clock; 0: none
  /// Why everything must end now: GLB_TIME, GLB_MEMORY, GLB_INTERRUPTED. Set, it stays until the outermost call
  /// returns, and no pcall keeps what it stops.
  glb_outcome abort;

  glb_text message, traceback;

  /// References that Swift gave back. There is room for all that are alive, so giving back never allocates.
  pthread_mutex_t lock;
  int32_t *released;
  size_t released_count, released_capacity, references;
};

static inline glb_state *glb_of(lua_State *L) { return *(glb_state **)lua_getextraspace(L); }

// allocate.c. Neither raises.
void *glb_allocate(void *state, void *old, size_t old_size, size_t size);
int64_t glb_now(void);

// limits.c
/// Raises where the time is over, an interrupt came, or an abort is under way.
void glb_check(lua_State *L);
void glb_hook(lua_State *L, lua_Debug *where);
/// For code that caught an error: raises the value on top of the stack again where nothing may catch it.
void glb_rethrow_abort(lua_State *L, int status);
/// Replaces pcall, xpcall, coroutine.resume and coroutine.wrap by versions that let an abort through.
void glb_open_protected(lua_State *L);

// bridge.c. Does not raise.
/// Runs `body`, which finds `context` as a light userdata at index 1, under lua_pcall.
glb_outcome glb_protect(glb_state *state, lua_CFunction body, void *context);

// convert.c
/// Adds the value at `index` to the tape. `argument` is its number, for messages; 0: a result.
void glb_read(lua_State *L, glb_tape *tape, int index, int argument);
/// Pushes the next value of the tape, from `*at` on.
void glb_push(lua_State *L, glb_tape *tape, size_t *at);
int glb_push_all(lua_State *L, glb_tape *tape);
void glb_open_references(lua_State *L);
void glb_push_function(lua_State *L, int32_t reference);
void glb_drain_released(lua_State *L);

// objects.c
void glb_open_objects(lua_State *L);
void glb_push_object(lua_State *L, glb_node *node);
void glb_push_host_function(lua_State *L, glb_node *node);
/// The Swift object and class number of a userdata of ours that is not closed. Does not raise.
bool glb_is_object(lua_State *L, int index, void **object, int32_t *number);
/// Whether it is one of ours whose object has been released.
bool glb_is_closed(lua_State *L, int index);

// keys.c
typedef struct glb_key {
  int rank;       // booleans, numbers, strings, others
  int is_integer;
  union {
    lua_Integer integer;
    lua_Number number;
    const char *bytes;
  };
  size_t size;
  lua_Integer index;  // in the array of keys
} glb_key;

typedef struct glb_keys {
  size_t count;
  size_t position;
  glb_key keys[];
} glb_keys;

/// Pushes an array of the keys of the table at `table`, then a userdata with their order.
glb_keys *glb_push_sorted_keys(lua_State *L, int table, size_t count);
void glb_open_pairs(lua_State *L);

// sandbox.c, tables.c, strings.c
void glb_open_sandbox(lua_State *L);
void glb_open_bounded_tables(lua_State *L);
void glb_open_bounded_strings(lua_State *L);

/// Raises "not enough memory", as Lua's own allocations do.
_Noreturn void glb_raise_memory(lua_State *L);
/// Pushes "path:line: " of the function at `level`, with the whole path, or "" where that is no Lua function.
void glb_push_position(lua_State *L, int level);

#endif
