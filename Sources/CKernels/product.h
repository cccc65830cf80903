// Sizes that the product kernels and those who call them share.
#ifndef GK_PRODUCT_H
#define GK_PRODUCT_H

enum {
  GK_PANEL = 32,      // outputs of a packed panel
  GK_TALLEST_TILE = 8,  // rows, of any variant
  GK_TILE_ROWS = 24,    // a multiple of every variant's tallest tile

  GK_FORWARD_PANELS = 8,  // of a strip, where blocks have more rows than a tile

  // The input gradient lays out weights the other way: of at most so many panels of channels and units (outputs or pairs)
  // at a time, so many floats in all; for at most so many rows of dy at a time.
  GK_INPUT_PANELS = 8,
  GK_INPUT_UNITS = 512,
  GK_INPUT_WEIGHTS = 4 * GK_INPUT_UNITS * GK_PANEL,
  GK_INPUT_ROWS = 96,
  GK_INPUT_TOGETHER = 6 * GK_INPUT_ROWS,  // rows of a task
  // Floats: the weights, and the rows, in units of up to 8 bytes.
  GK_INPUT_SCRATCH = GK_INPUT_WEIGHTS + 2 * GK_INPUT_ROWS * GK_INPUT_UNITS,

  // The weight gradient gathers this many tokens of at most this many channels (a multiple of GK_TILE_ROWS).
  GK_GATHERED_DEPTH = 256,
  GK_GATHERED_CHANNELS = 264,
  GK_GATHERED_TOGETHER = 16,  // rows whose parts are gathered before the next part of a row: all stay in the fastest cache
  GK_WEIGHT_SCRATCH = GK_GATHERED_DEPTH * (GK_GATHERED_CHANNELS + GK_PANEL),  // floats
};

#endif
