/* SPDX-License-Identifier: BSD-2-Clause */
/* A small image of a known medium, for tests that damage it. */
#ifndef UMS_TESTS_MAKEIMAGE_H
#define UMS_TESTS_MAKEIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

#define MADE_BLOCKS 5000u /* 2.4 MiB: three slots */
#define MADE_BAD    3000u
#define MADE_N_BAD  7u

extern uint8_t made_medium[MADE_BLOCKS * 512];

/* The bytes of the image, freed by the caller: text, noise and zeros, seven bad sectors in the
 * middle, blobs, a journal, checkpoints.  PATH is left behind. */
uint8_t *make_image(const char *path, bool sealed, size_t *len);

/* Writes LEN bytes to PATH. */
void write_file(const char *path, const uint8_t *bytes, size_t len);

/* Goes on with the image at PATH: all that is missing, and the seal.  0, or -1 and ERR. */
int finish_image(const char *path, struct err *err);

/* True when every sector that IMAGE calls good reads as it is on the medium, or not at all. */
bool good_is_good(struct image *image);

#endif
