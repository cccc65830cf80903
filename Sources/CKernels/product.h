// Sizes that the product kernels and those who call them share.
#ifndef GK_PRODUCT_H
#define GK_PRODUCT_H

enum {
  GK_PANEL = 32,      // outputs of a packed panel
  GK_TALLEST_TILE = 8,  // rows, of any variant
  GK_TILE_ROWS = 24,    // a multiple of every variant's tallest tile

  GK_FORWARD_PANELS = 8,  // of a strip, where blocks have more rows than a tile

  // The input gradient turns this many units (outputs or pairs) of at most this many rows of dy at a time, and sums at
  // most this many channels: whole panels.
  GK_TURNED_UNITS = 128,
  GK_TURNED_ROWS = 128,
  GK_TURNED_CHANNELS = 512,
  // Floats: what is turned, the sums, and a tile's channels where they must be laid out anew.
  GK_INPUT_SCRATCH =
    GK_TURNED_UNITS * GK_TURNED_ROWS + GK_TURNED_ROWS * GK_TURNED_CHANNELS + 2 * GK_TURNED_UNITS * 2 * GK_TALLEST_TILE,

  // The weight gradient gathers this many tokens of at most this many channels (a multiple of GK_TILE_ROWS).
  GK_GATHERED_DEPTH = 256,
  GK_GATHERED_CHANNELS = 264,
  GK_GATHERED_TOGETHER = 16,  // rows whose parts are gathered before the next part of a row: all stay in the fastest cache
  GK_WEIGHT_SCRATCH = GK_GATHERED_DEPTH * (GK_GATHERED_CHANNELS + GK_PANEL),  // floats
};

#endif
