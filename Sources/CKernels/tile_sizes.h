// What the tiles of every unit share: how large they are.
#ifndef GK_TILE_SIZES_H
#define GK_TILE_SIZES_H

#include "product.h"

// The tallest tile, vectors of a panel's columns that it sums at once, and units of the reduction that it takes in one
// go: as many as the registers hold, but that taller ones than 8 would have rows on the same lines of an 8-way cache.
#if VW == 16
enum { TILE_ROWS = 8, TILE_VECTORS = 2, TILE_UNROLLED = 1 };
#elif VW == 8
enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_UNROLLED = 2 };
#elif defined(__aarch64__)
enum { TILE_ROWS = 6, TILE_VECTORS = 4, TILE_UNROLLED = 1 };
#else
enum { TILE_ROWS = 6, TILE_VECTORS = 2, TILE_UNROLLED = 2 };
#endif
_Static_assert(TILE_ROWS <= GK_TALLEST_TILE, "their scratch holds every tile");
_Static_assert(GK_TILE_ROWS % TILE_ROWS == 0, "blocks of channels hold whole tiles");

enum {
  PANEL_VECTORS = GK_PANEL / VW,
  TILE_WIDTH = TILE_VECTORS * VW,
  PASSES = PANEL_VECTORS / TILE_VECTORS,  // of a tile over a panel
  // Of a panel that all tiles take before any takes the next: many beside what it costs to begin and end a tile, and,
  // where a tile reads them twice, few enough for the fastest cache.
  FORWARD_UNITS = 256 / PASSES,
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

static size_t panel_columns(size_t panel, size_t n) {
  return n - panel * GK_PANEL < GK_PANEL ? n - panel * GK_PANEL : GK_PANEL;
}

#endif
