// The thread pool. A job is announced by one 64-bit word: its generation in the high half, the next task in the low
// half. Whoever is free claims a task by advancing the word, so a worker that comes late finds either tasks of the
// job it has read or a word that has moved on, and the caller never waits for a worker that has claimed nothing.
// Before the fields of the next job are written, the word is closed: no claim can succeed on a mixture of two jobs.
#define _GNU_SOURCE
#include "pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__x86_64__)
#define pause_cpu() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define pause_cpu() __asm__ volatile("yield")
#else
#define pause_cpu() ((void)0)
#endif

enum { max_threads = 1024, spins = 2000 };

typedef void (*task_body)(void *, size_t, int);

static struct {
  // Held by the thread whose job runs: one job at a time.
  pthread_mutex_t caller;
  int threads;  // wanted, the caller's included; 0: not known yet
  int started;  // workers running
  pthread_t worker[max_threads];

  _Alignas(64) _Atomic uint64_t word;
  _Atomic(task_body) body;
  _Atomic(void *) context;
  atomic_size_t base;
  _Atomic uint32_t tasks;
  _Alignas(64) _Atomic uint32_t done;

  _Alignas(64) pthread_mutex_t lock;
  pthread_cond_t work, finished;
  atomic_int asleep;
  atomic_bool waiting, stop;
} pool = {
  .caller = PTHREAD_MUTEX_INITIALIZER,
  .lock = PTHREAD_MUTEX_INITIALIZER,
  .work = PTHREAD_COND_INITIALIZER,
  .finished = PTHREAD_COND_INITIALIZER,
};

/// Which worker this thread is inside a body; -1 outside.
static _Thread_local int current = -1;

static uint32_t generation(uint64_t word) { return (uint32_t)(word >> 32); }

/// Runs tasks of the job that `word` announced until none is left to claim.
static void work_on(uint64_t word, int worker) {
  uint32_t job = generation(word);
  for (;;) {
    // Read before the claim: if these belong to a later job, the word has been closed, and the claim fails.
    task_body body = atomic_load_explicit(&pool.body, memory_order_acquire);
    void *context = atomic_load_explicit(&pool.context, memory_order_acquire);
    size_t base = atomic_load_explicit(&pool.base, memory_order_acquire);
    uint32_t tasks = atomic_load_explicit(&pool.tasks, memory_order_acquire);
    uint32_t task = (uint32_t)word;
    if (task >= tasks) return;
    if (!atomic_compare_exchange_strong(&pool.word, &word, word + 1)) {
      if (generation(word) != job) return;
      continue;
    }
    body(context, base + task, worker);
    word = atomic_load(&pool.word);  // before it counts as done: still this job's
    if (atomic_fetch_add(&pool.done, 1) + 1 == tasks && atomic_load(&pool.waiting)) {
      pthread_mutex_lock(&pool.lock);
      pthread_cond_signal(&pool.finished);
      pthread_mutex_unlock(&pool.lock);
    }
  }
}

static void *worker_main(void *argument) {
  int worker = (int)(intptr_t)argument;
  current = worker;
  uint32_t seen = 0;
  for (;;) {
    uint64_t word = atomic_load(&pool.word);
    for (int i = 0; i < spins && generation(word) == seen; i++) {
      pause_cpu();
      word = atomic_load(&pool.word);
    }
    if (generation(word) == seen) {
      pthread_mutex_lock(&pool.lock);
      atomic_fetch_add(&pool.asleep, 1);
      while (word = atomic_load(&pool.word), generation(word) == seen) pthread_cond_wait(&pool.work, &pool.lock);
      atomic_fetch_sub(&pool.asleep, 1);
      pthread_mutex_unlock(&pool.lock);
    }
    seen = generation(word);
    if (atomic_load(&pool.stop)) return NULL;
    work_on(word, worker);
  }
}

/// Opens a job of `tasks` tasks to the workers. Generation 0 is never used: workers start there.
static uint64_t announce(task_body body, void *context, size_t base, uint32_t tasks) {
  uint64_t word = atomic_load(&pool.word);
  atomic_store(&pool.word, word | UINT32_MAX);
  atomic_store_explicit(&pool.body, body, memory_order_release);
  atomic_store_explicit(&pool.context, context, memory_order_release);
  atomic_store_explicit(&pool.base, base, memory_order_release);
  atomic_store_explicit(&pool.tasks, tasks, memory_order_release);
  atomic_store_explicit(&pool.done, 0, memory_order_release);
  uint32_t next = generation(word) + 1;
  word = (uint64_t)(next == 0 ? 1 : next) << 32;
  atomic_store(&pool.word, word);
  if (atomic_load(&pool.asleep) > 0) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
  }
  return word;
}

static int default_threads(void) {
  int count = 0;
#if defined(__linux__)
  cpu_set_t cpus;
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) count = CPU_COUNT(&cpus);
#endif
  if (count < 1) count = (int)sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : count > max_threads ? max_threads : count;
}

static void start_workers(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the program's own affair
  while (pool.started < pool.threads - 1) {
    intptr_t worker = pool.started + 1;
    if (pthread_create(&pool.worker[pool.started], NULL, worker_main, (void *)worker) != 0) break;
    pool.started++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void stop_workers(void) {
  if (pool.started == 0) return;
  atomic_store(&pool.stop, true);
  announce(NULL, NULL, 0, 0);
  for (int i = 0; i < pool.started; i++) pthread_join(pool.worker[i], NULL);
  pool.started = 0;
  atomic_store(&pool.stop, false);
  // The next workers start from generation 0 and must find nothing new.
  atomic_store(&pool.word, 0);
}

void gk_set_threads(int threads) {
  if (current >= 0) return;
  pthread_mutex_lock(&pool.caller);
  int wanted = threads < 1 ? 1 : threads > max_threads ? max_threads : threads;
  if (wanted != pool.threads) stop_workers();
  pool.threads = wanted;
  pthread_mutex_unlock(&pool.caller);
}

int gk_threads(void) {
  if (current >= 0) return pool.threads;
  pthread_mutex_lock(&pool.caller);
  if (pool.threads == 0) pool.threads = default_threads();
  int threads = pool.threads;
  pthread_mutex_unlock(&pool.caller);
  return threads;
}

/// Waits until every task of the job is done: a short spin, then sleep.
static void wait_for(uint32_t tasks) {
  for (int i = 0; i < spins; i++) {
    if (atomic_load(&pool.done) == tasks) return;
    pause_cpu();
  }
  pthread_mutex_lock(&pool.lock);
  atomic_store(&pool.waiting, true);
  while (atomic_load(&pool.done) != tasks) pthread_cond_wait(&pool.finished, &pool.lock);
  atomic_store(&pool.waiting, false);
  pthread_mutex_unlock(&pool.lock);
}

void gk_parallel(size_t tasks, void (*body)(void *context, size_t task, int worker), void *context) {
  if (tasks == 0) return;
  if (current >= 0) {
    for (size_t task = 0; task < tasks; task++) body(context, task, current);
    return;
  }
  pthread_mutex_lock(&pool.caller);
  if (pool.threads == 0) pool.threads = default_threads();
  current = 0;
  if (pool.threads == 1 || tasks == 1) {
    for (size_t task = 0; task < tasks; task++) body(context, task, 0);
  } else {
    if (pool.started < pool.threads - 1) start_workers();
    // The low half of the word counts the tasks of one round.
    for (size_t base = 0; base < tasks; base += UINT32_MAX) {
      uint32_t round = tasks - base < UINT32_MAX ? (uint32_t)(tasks - base) : UINT32_MAX;
      work_on(announce(body, context, base, round), 0);
      wait_for(round);
    }
  }
  current = -1;
  pthread_mutex_unlock(&pool.caller);
}

typedef struct {
  size_t count, grain;
  void (*body)(void *, size_t, size_t, int);
  void *context;
} ranges;

static void run_range(void *context, size_t task, int worker) {
  const ranges *r = context;
  size_t begin = task * r->grain, rest = r->count - begin;
  r->body(r->context, begin, begin + (rest < r->grain ? rest : r->grain), worker);
}

void gk_parallel_ranges(
  size_t count, size_t grain, void (*body)(void *context, size_t begin, size_t end, int worker), void *context) {
  ranges r = {count, grain, body, context};
  gk_parallel(count / grain + (count % grain != 0), run_range, &r);
}

typedef struct {
  void *start;
  size_t bytes;
} memory;

static void *grown(memory *m, size_t bytes) {
  if (m->bytes < bytes) {
    free(m->start);
    size_t size = (bytes + bytes / 4 + 4095) & ~(size_t)4095;
    m->start = aligned_alloc(64, size);
    if (m->start == NULL) {
      fprintf(stderr, "grao: out of memory (%zu bytes of scratch for kernels)\n", size);
      abort();
    }
    m->bytes = size;
  }
  return m->start;
}

static memory scratch[max_threads];

void *gk_scratch(int worker, size_t bytes) { return grown(&scratch[worker], bytes); }

static pthread_key_t caller_key;
static pthread_once_t caller_once = PTHREAD_ONCE_INIT;

static void free_caller(void *of) {
  memory *m = of;
  free(m->start);
  free(m);
}

static void make_caller_key(void) {
  if (pthread_key_create(&caller_key, free_caller) != 0) abort();
}

void *gk_caller_scratch(size_t bytes) {
  pthread_once(&caller_once, make_caller_key);
  memory *m = pthread_getspecific(caller_key);
  if (m == NULL) {
    m = calloc(1, sizeof *m);
    if (m == NULL || pthread_setspecific(caller_key, m) != 0) abort();
  }
  return grown(m, bytes);
}
