// What the tiles of every unit share: how large they are.
#ifndef GK_TILE_SIZES_H
#define GK_TILE_SIZES_H

#include "product.h"

// The tallest tile, and vectors of a panel's columns that it sums at once: as many sums as the registers hold. Of the
// units of the reduction a tile takes so many in one go: where it takes two with 24 sums, the compiler spills sums.
#if VW == 16
enum { TILE_ROWS = 12, TILE_VECTORS = 2, TILE_UNROLLED = 1 };
#elif VW == 8
enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_UNROLLED = 2 };
#elif defined(__aarch64__)
enum { TILE_ROWS = 6, TILE_VECTORS = 4, TILE_UNROLLED = 1 };
#else
enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_UNROLLED = 2 };
#endif
_Static_assert(GK_TILE_ROWS % TILE_ROWS == 0, "blocks of channels hold whole tiles");

enum {
  PANEL_VECTORS = GK_PANEL / VW,
  TILE_WIDTH = TILE_VECTORS * VW,
  PASSES = PANEL_VECTORS / TILE_VECTORS,  // of a tile over a panel
  // Of a panel that all tiles take before any takes the next: they fit into the fastest cache, and are many beside what
  // it costs to begin and end a tile.
  FORWARD_UNITS = 128,
  LOW_TILE = 6,  // rows that a tile has at least where it is worth fetching weights for the next
};
_Static_assert(GK_TURNED_ROWS % TILE_WIDTH == 0, "blocks of rows hold whole tiles");

/// One to three rows make too few sums to keep the multiply-adders busy: a tile of them takes several panels at once.
#if VW == 16
enum { FEW_ROWS = 3 };
static const size_t few_panels[FEW_ROWS] = {4, 4, 2};
#elif VW == 8
enum { FEW_ROWS = 3 };
static const size_t few_panels[FEW_ROWS] = {2, 1, 1};
#else
enum { FEW_ROWS = 1 };
static const size_t few_panels[FEW_ROWS] = {1};
#endif

/// Rows of the tallest tile for rows `row` floats apart: where they fall on the same lines of an 8-way cache, 8.
static size_t tile_rows(size_t row) { return row % 1024 == 0 && TILE_ROWS > 8 ? 8 : TILE_ROWS; }

static size_t panel_columns(size_t panel, size_t n) {
  return n - panel * GK_PANEL < GK_PANEL ? n - panel * GK_PANEL : GK_PANEL;
}

#endif
