/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole acquisitions of a simulated drive whose medium the test knows, and checks of what each of
 * them leaves behind.
 */
#ifndef UMS_TESTS_AID_TRIP_H
#define UMS_TESTS_AID_TRIP_H

#include "acquire/acquire.h"

#define TRIP_BLOCKS 8492u /* 4.1 MiB: four slots, and a short one */

extern uint8_t trip_medium[TRIP_BLOCKS * 512];
extern char trip_image[]; /* where the image is; the whole folder goes with trip_end() */

struct trip {
	struct acquire_options options;
	struct acquire_result result;
	struct err err;
	atomic_bool stop;
	unsigned int notices; /* so far */
	unsigned int stop_at; /* at this one the user asks to stop; 0: at none */
	uint64_t read_back;   /* bytes that were read back of the image, as the observer was told */
};

/* The medium, and a folder for it and the image.  Once, before all else. */
void trip_begin(void);
void trip_end(void);

/* A path in that folder, in a buffer that the next call overwrites. */
const char *trip_path(const char *name);

/* No image any more. */
void trip_no_image(void);

/* A trip with the drive of the known medium, "sim:blank" with SETTINGS (",delay=100", or "") more;
 * into trip_image.  The caller may change trip->options before trip_run(). */
void trip_plan(struct trip *trip, const char *settings);

/* Carries it out, into a file or, if options.image is "-", through a pipe into trip_image. */
enum acquire_end trip_run(struct trip *trip);

/* Fails the test when there is anything wrong with what is in trip_image: damage, digests that do
 * not fit, good sectors that are not those of the medium.  Returns how many are good. */
uint64_t trip_check(void);

/* The SHA-256 of the whole medium. */
const uint8_t *trip_sha256(void);

/* How many lines of the journal in trip_image are of EVENT; the last of them is copied to LINE
 * (ROOM bytes, may be NULL). */
unsigned int trip_journal(const char *event, char *line, size_t room);

#endif
