/* SPDX-License-Identifier: BSD-2-Clause */
/* The inputs of fuzz-image: three bytes, then the file. */
#ifndef UMS_TESTS_FUZZ_IMAGE_H
#define UMS_TESTS_FUZZ_IMAGE_H

/* Bits of the first byte. */
#define IMAGE_INPUT_MEND    1 /* put the CRCs, places and UUIDs of all records right */
#define IMAGE_INPUT_WRITE   2 /* go on with the image and seal it */
#define IMAGE_INPUT_MISSING 4 /* write what is missing before */
#define IMAGE_INPUT_CREATE  8 /* no image: the geometry of a drive, and its sectors */

/* The byte is followed by the number, from 1, of the allocation that fails; 0: none. */
#define IMAGE_INPUT_HEAD 3

#endif
