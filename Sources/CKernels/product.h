// Sizes that the product kernels and those who call them share.
#ifndef GK_PRODUCT_H
#define GK_PRODUCT_H

enum {
  GK_PANEL = 32,      // outputs of a packed panel
  GK_TILE_ROWS = 12,  // a multiple of every variant's tallest tile

  // The input gradient turns this many outputs of a weight panel at a time.
  GK_TURNED_DEPTH = 256,
  GK_INPUT_SCRATCH = GK_TURNED_DEPTH * GK_PANEL,  // floats

  // The weight gradient gathers this many tokens of at most this many channels (a multiple of GK_TILE_ROWS).
  GK_GATHERED_DEPTH = 128,
  GK_GATHERED_CHANNELS = 120,
  GK_WEIGHT_SCRATCH = GK_GATHERED_DEPTH * (GK_GATHERED_CHANNELS + GK_PANEL),  // floats
};

#endif
