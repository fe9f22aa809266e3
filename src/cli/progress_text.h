/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of a capture in words and as JSON: what progress.c shows. */
#ifndef UMS_CLI_PROGRESS_TEXT_H
#define UMS_CLI_PROGRESS_TEXT_H

#include <json-c/json.h>

#include "capture/notice.h"

/* What the capture is waiting for just now. */
struct progress_wait {
	enum { WAIT_NOTHING, WAIT_READ, WAIT_DRIVE, WAIT_CHECK } what;
	uint64_t since_ns;
	uint64_t limit_ms;  /* 0: no limit is known */
	uint64_t lba, n;    /* WAIT_READ */
	uint64_t done, all; /* WAIT_CHECK: bytes read back */
};

/* "57.3 %  36.6 MiB of 64.0 MiB  41.0 MiB/s  0:01 left  3 bad  435 to isolate  forward" */
int progress_describe(
	const struct capture_progress *p, uint32_t block_bytes, char *out, size_t room);

/* "waiting for LBA 4576: 12 s of 30 s", when that has lasted for two seconds or more; else empty.
 * Returns OUT. */
char *progress_describe_wait(
	const struct progress_wait *wait, uint64_t now_ns, char *out, size_t room);

/* How many bytes of TEXT a line of ROOM columns shows: what comes before one of its SEPARATORs, so
 * that no number is cut in the middle; where not even the first part fits, ROOM. */
int progress_fitting(const char *text, const char *separator, int room);

/* Whole tenths of a percent that are captured: 1000 only when nothing is missing. */
unsigned int progress_permille(const struct capture_progress *p);

struct json_object *progress_json(const struct capture_progress *p, uint32_t block_bytes,
	const struct progress_wait *wait, uint64_t now_ns);

#endif
