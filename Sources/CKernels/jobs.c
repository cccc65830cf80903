#include "jobs.h"

/// Rows or channels that an expert's blocks cover. An expert without rows has nothing to do.
static size_t extent(const gk_job *job, size_t expert) {
  size_t rows = gk_rows_of(job, expert);
  return rows > 0 && job->by_channels ? job->c : rows;
}

/// Experts, the first ones, that are put in an order.
enum { ORDERED = 256 };

static void run_task(void *context, size_t task, int worker) {
  const gk_job *job = context;
  while (task >= job->tasks) task -= job++->tasks;
  size_t strips = gk_ceiling(job->panels, job->strip), place = 0, expert, blocks;
  while (expert = place < ORDERED ? job->order[place] : place,
         blocks = gk_ceiling(extent(job, expert), job->block), task >= blocks * strips) {
    task -= blocks * strips;
    place++;
  }
  // Blocks of one strip follow each other: they share its weights. All are about equally long.
  size_t length = gk_ceiling(gk_ceiling(extent(job, expert), blocks), job->grain) * job->grain;
  size_t begin = task % blocks * length, first = task / blocks * job->strip;
  if (begin >= extent(job, expert)) return;
  job->run(
    job, expert, begin, gk_smaller(begin + length, extent(job, expert)), first,
    gk_smaller(first + job->strip, job->panels), worker);
}

void gk_run_jobs(gk_job *jobs, size_t count, size_t experts) {
  // The experts with most rows come first, so that the last tasks, which some threads wait for, are short.
  size_t tasks = 0, order[ORDERED];
  for (size_t e = 0; e < experts && e < ORDERED; e++) {
    size_t rows = gk_rows_of(jobs, e), at = e;
    for (; at > 0 && gk_rows_of(jobs, order[at - 1]) < rows; at--) order[at] = order[at - 1];
    order[at] = e;
  }
  for (gk_job *job = jobs; job < jobs + count; job++) {
    size_t blocks = 0;
    for (size_t e = 0; e < experts; e++) blocks += gk_ceiling(extent(job, e), job->block);
    job->order = order;
    job->tasks = blocks * gk_ceiling(job->panels, job->strip);
    tasks += job->tasks;
  }
  gk_parallel(tasks, run_task, jobs);
}

size_t gk_strip_of(size_t total, size_t unit, size_t least, size_t most) {
  enum { LEAST_WORK = 1 << 17, TASKS_PER_THREAD = 4 };
  size_t work = total / (TASKS_PER_THREAD * (size_t)gk_threads());
  size_t strip = gk_ceiling(work > LEAST_WORK ? work : LEAST_WORK, unit > 0 ? unit : 1);
  return strip < least ? least : strip > most ? most : strip;
}

/// Panels of a strip of forward products, which have so many panels in all.
static size_t forward_strip(size_t panels, size_t block, size_t c, size_t rows, size_t experts) {
  size_t few = gk_typical(rows, experts, block), blocks = gk_ceiling(rows, few > 0 ? few : 1);
  // Fewer rows than a tile has take about as long: they wait for the weights.
  size_t height = few < GK_TALLEST_TILE ? GK_TALLEST_TILE : few, unit = height * c * GK_PANEL;
  // A strip of few rows is whole groups of panels, which the kernels take together.
  size_t least = few < 4 ? 4 : 1;
  // What a strip reads again, sums and inputs, stays in the core's cache; its weights do while several blocks use them.
  size_t most = few <= GK_TILE_ROWS ? 1 << 20 : GK_FORWARD_PANELS;
  return gk_ceiling(gk_strip_of(blocks * panels * unit, unit, least, most), least) * least;
}

void gk_run_forward(gk_job *jobs, size_t count, size_t experts) {
  enum { BLOCK = 4 * GK_TILE_ROWS };
  size_t panels = 0, rows = (size_t)jobs->offsets[experts];
  for (size_t i = 0; i < count; i++) panels += jobs[i].panels;
  size_t strip = forward_strip(panels, BLOCK, jobs->c, rows, experts);
  for (size_t i = 0; i < count; i++) jobs[i].block = BLOCK, jobs[i].grain = GK_TILE_ROWS, jobs[i].strip = strip;
  gk_run_jobs(jobs, count, experts);
}

void gk_divide_rows(gk_job *job, size_t rows, size_t experts) {
  job->block = GK_INPUT_TOGETHER, job->grain = GK_TILE_ROWS;
  size_t unit = gk_typical(rows, experts, job->block) * job->n * GK_PANEL;
  // Few rows wait for the weights, which are fetched while those before them are used: their tasks are long.
  size_t most = gk_typical(rows, experts, job->block) < 128 ? 8 * GK_INPUT_PANELS : GK_INPUT_PANELS;
  size_t strip = gk_strip_of(rows * job->n * job->c, unit, 1, most);
  // About equally long.
  job->strip = job->panels == 0 ? strip : gk_ceiling(job->panels, gk_ceiling(job->panels, strip));
}

void gk_divide_gathered(gk_job *job, size_t rows, size_t experts) {
  job->block = job->strip = 1;
  if (job->panels * job->c * experts == 0) return;
  size_t threads = (size_t)gk_threads(), all = job->panels * experts, blocks = gk_ceiling(job->c, GK_GATHERED_CHANNELS);
  // Threads for which there is no panel take channels.
  if (all * blocks < threads) blocks = gk_ceiling(threads, all);
  job->block = gk_ceiling(gk_ceiling(job->c, blocks), GK_TILE_ROWS) * GK_TILE_ROWS;
  // Gathering channels pays where a few panels share them, but not while threads wait.
  size_t least = gk_smaller(8, gk_ceiling(all * blocks, threads));
  size_t unit = gk_typical(rows, experts, rows) * job->block * GK_PANEL;
  job->strip = gk_strip_of(rows * job->n * job->c, unit, least, 16);
}
