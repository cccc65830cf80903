// What the tiles of every unit share: how large they are.
#ifndef GK_TILE_SIZES_H
#define GK_TILE_SIZES_H

#include "product.h"

// The tallest tile, vectors of a panel's columns that it sums at once: as many as the registers hold, but that taller
// ones than 8 would have rows on the same lines of an 8-way cache. And numbers of the reduction that it takes in one go,
// which saves instructions beside the multiply-adds where there is room for no more of these.
#if VW == 16
enum { TILE_ROWS = 8, TILE_VECTORS = 2, TILE_UNROLLED = 1 };
#elif VW == 8
enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_UNROLLED = 4 };
#elif defined(__aarch64__)
enum { TILE_ROWS = 6, TILE_VECTORS = 4, TILE_UNROLLED = 1 };
#else
enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_UNROLLED = 1 };
#endif
_Static_assert(TILE_ROWS <= GK_TALLEST_TILE, "their scratch holds every tile");
_Static_assert(GK_TILE_ROWS % TILE_ROWS == 0, "blocks of channels hold whole tiles");

enum {
  PANEL_VECTORS = GK_PANEL / VW,
  PASSES = PANEL_VECTORS / TILE_VECTORS,  // of a tile over a panel
  // Of a panel that all tiles take before any takes the next: many beside what it costs to begin and end a tile, and,
  // where a tile reads them twice, few enough for the fastest cache.
  FORWARD_UNITS = 256 / PASSES,
  // The same where rows are few, and it is memory that sets the pace: the next part lies in the fastest cache as well.
  STREAMED_UNITS = 64,
  STREAMED_ROWS = PASSES == 1 ? GK_TILE_ROWS : 0,
};
_Static_assert(GK_INPUT_ROWS % TILE_ROWS == 0, "blocks of rows hold whole tiles");

/// What a tile fetches while it computes: weights to be read soon, into the second cache, as the first has too few places
/// for lines on their way from memory; or weights that are read once, past all but the first, where other data stays.
enum { FETCH_NOTHING, FETCH_SOON, FETCH_ONCE };

GK_INLINE void fetch(const char *line, const int FETCH) {
  if (FETCH == FETCH_SOON) __builtin_prefetch(line, 0, 2);
  if (FETCH == FETCH_ONCE) __builtin_prefetch(line, 0, 0);
}

/// One to three rows make too few sums to keep the multiply-adders busy: a tile of them takes several panels at once.
#if VW == 16
enum { FEW_ROWS = 3, PANELS_OF_1 = 4, PANELS_OF_2 = 4, PANELS_OF_3 = 2 };
#elif VW == 8
enum { FEW_ROWS = 3, PANELS_OF_1 = 2, PANELS_OF_2 = 1, PANELS_OF_3 = 1 };
#else
enum { FEW_ROWS = 1, PANELS_OF_1 = 1 };
#endif
static const size_t few_panels[FEW_ROWS] = {
  PANELS_OF_1,
#if VW >= 8
  PANELS_OF_2, PANELS_OF_3,
#endif
};

/// at[r] = r * row, for rows that far apart. An address holds 1, 2, 4 or 8 times a register: odd multiples get registers of
/// their own, which the compiler is kept from taking apart, as it would add them up anew for each unit.
GK_INLINE void spread_rows(size_t row, size_t at[GK_TALLEST_TILE]) {
  size_t three = 3 * row, five = 5 * row, seven = 7 * row;
  __asm__("" : "+r"(three), "+r"(five), "+r"(seven));
  at[0] = 0, at[1] = row, at[2] = 2 * row, at[3] = three, at[4] = 4 * row, at[5] = five, at[6] = 2 * three, at[7] = seven;
}

static size_t panel_columns(size_t panel, size_t n) {
  return n - panel * GK_PANEL < GK_PANEL ? n - panel * GK_PANEL : GK_PANEL;
}

#endif
