/* SPDX-License-Identifier: BSD-2-Clause */
/* The files on the demo's file system: names and contents, nothing of how they are stored. */
#ifndef UMS_SIM_DEMOFILES_H
#define UMS_SIM_DEMOFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One pixel of a picture: 0xRRGGBB, Y from the top. */
typedef uint32_t demo_pixel_fn(uint32_t x, uint32_t y);

struct demo_file {
	char name[12]; /* as a directory entry has it: 8 and 3 characters */
	bool in_photos;
	bool deleted;	      /* its entry is freed, its content still there */
	const char *text;     /* or */
	demo_pixel_fn *pixel; /* a picture, or */
	size_t noise_bytes;
};

extern const struct demo_file demo_files[];
extern const size_t n_demo_files;

size_t demo_file_len(const struct demo_file *file);

/* Writes demo_file_len() bytes. */
void demo_file_make(const struct demo_file *file, uint8_t *out);

#endif
