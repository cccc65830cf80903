// A Lua 5.4 state behind plain C structs.
//
// Lua reports errors by longjmp, which must never cross a Swift frame. So Swift sees no lua_* function: it writes
// values to a tape, calls one of the functions below, and reads values from a tape. Every lua_* call that can raise
// is made by C code that runs inside lua_pcall, with no Swift frame in between:
//
//     Swift  →  glb_call  →  lua_pcall  →  Lua code  →  call_host  →  Swift (a host function)
//               copies the tape in                      copies the arguments to a tape; Swift fills another with the
//               and the results out                     results and returns; then C pushes them, or raises
//
// None of the functions here raises. A failed allocation, also of a tape, comes out as GLB_MEMORY.
#ifndef CLUABRIDGE_H
#define CLUABRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct glb_state glb_state;

// Values on a tape, in preorder.

typedef enum glb_kind {
  GLB_NIL,
  GLB_BOOLEAN,        // integer: 0 or 1
  GLB_INTEGER,        // integer
  GLB_NUMBER,         // number
  GLB_STRING,         // `size` bytes at `offset` of the tape's bytes
  GLB_ARRAY,          // `size` values follow
  GLB_TABLE,          // `size` pairs of a string and a value follow
  GLB_OBJECT,         // object: a Swift object of the class `tag`
  GLB_HOST_FUNCTION,  // object: a Swift object that the host can call (Swift to Lua only)
  GLB_LUA_FUNCTION,   // tag: its reference; object: a Swift object to keep until the tape is freed, or null
} glb_kind;

typedef struct glb_node {
  glb_kind kind;
  int32_t tag;
  union {
    int64_t integer;
    double number;
    size_t offset;
    void *object;
  };
  size_t size;
} glb_node;

/// Owns one reference to every object and Lua function on it; a reader that takes one sets `object` to null or `tag`
/// to 0. Zero-initialised, it is empty.
typedef struct glb_tape {
  glb_node *nodes;
  size_t count, capacity;
  char *bytes;
  size_t used, room;
  /// An allocation failed: what was added after that is missing.
  bool failed;
} glb_tape;

void glb_add(glb_state *state, glb_tape *tape, glb_node node);
void glb_add_integers(glb_state *state, glb_tape *tape, const int64_t *integers, size_t count);
void glb_add_string(glb_state *state, glb_tape *tape, const void *bytes, size_t size);
/// Releases what the tape owns, and its memory.
void glb_tape_free(glb_state *state, glb_tape *tape);

// The state.

typedef enum glb_outcome {
  GLB_OK,
  GLB_ERROR,            // a Lua error; from a host function: raise the result, a string, with the caller's position
  GLB_ERROR_POSITIONED, // from a host function only: the message already starts with its position
  GLB_MEMORY,           // the memory limit, or the machine's
  GLB_TIME,             // the time limit
  GLB_INTERRUPTED,      // glb_interrupt
} glb_outcome;

/// What C calls in Swift. None of these may run Lua code in this state, except `call`.
typedef struct glb_host {
  void *context;
  /// Runs a host function: reads (and takes) the arguments, fills the results. On failure the results are one string.
  glb_outcome (*call)(void *context, void *function, glb_tape *arguments, glb_tape *results);
  void (*retain)(void *object);
  void (*release)(void *object);
} glb_host;

typedef struct glb_options {
  /// Only the libraries and functions of a plugin (sandbox.c), else all of Lua's.
  bool sandboxed;
  /// Bytes, and seconds of wall time for each outermost glb_call; 0: no limit.
  size_t memory;
  double seconds;
  /// Seeds math.random.
  int64_t seed;
  /// For tests: of the allocations from now on (counted from 1), those in first ..< first + count fail.
  size_t failures_first, failures_count;
} glb_options;

/// A new state, or null where its memory did not suffice.
glb_state *glb_new(glb_host host, glb_options options);
/// Sets the context that the host's functions get, for a host that needs the state first.
void glb_set_context(glb_state *state, void *context);
/// Closes the state. Not during a call.
void glb_free(glb_state *state);

/// Compiles a text chunk, never a binary one, and gives a reference to its function. `name` is Lua's chunk name:
/// "@path", or "=grao" for code of the engine, to which no error is ascribed.
glb_outcome glb_load(glb_state *state, const void *text, size_t size, const char *name, int32_t *function);
/// Calls a Lua function. Takes what the arguments own.
glb_outcome glb_call(glb_state *state, int32_t function, glb_tape *arguments, glb_tape *results);
/// Whether a call is under way.
bool glb_is_running(const glb_state *state);
/// Puts the time limit of the call under way off, from within a host function: for time that is not the Lua code's.
void glb_extend_time(glb_state *state, double seconds);
/// Gives a reference back, from any thread and at any time: it is queued, and Lua's table is changed by a later call.
void glb_release_function(glb_state *state, int32_t function);
/// Of the last call or load that failed. Valid until the next.
const char *glb_message(const glb_state *state, size_t *size);
const char *glb_traceback(const glb_state *state, size_t *size);
size_t glb_memory_used(const glb_state *state);
/// Allocations that failed because failures_first and failures_count said so.
size_t glb_failures(const glb_state *state);

/// Makes a class of userdata under a number of the host's choice. The tape holds eight values: its name, a table of
/// methods, a table of fields (host functions of the object), a host function or nil each for #object,
/// object[integer], tostring(object) and closing, and a table of operators ("__add", …), host functions of both operands.
glb_outcome glb_define_class(glb_state *state, int32_t number, glb_tape *description);

// Interruption, for all states of the process.

/// Stops Lua code soon, with GLB_INTERRUPTED. Safe in a signal handler.
void glb_interrupt(void);
bool glb_is_interrupted(void);
void glb_clear_interrupt(void);

#endif
