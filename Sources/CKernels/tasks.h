// How much work a task is. None of this shows in any result: a row, or a column's walk over the rows, is never cut.
#ifndef GK_TASKS_H
#define GK_TASKS_H

#include <stddef.h>

enum { GK_TASK_FLOATS = 16384 };  // of an operation that reads and writes

/// Rows of c floats.
static inline size_t gk_rows_per_task(size_t c) { return 1 + GK_TASK_FLOATS / (c + 1); }

/// Columns walked over `rows` rows: whole cache lines.
static inline size_t gk_columns_per_task(size_t rows) { return (1 + GK_TASK_FLOATS / (rows + 1) / 32) * 32; }

#endif
