/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors with context.  Functions that can fail because of the outside world return 0 or -1 and
 * take a last parameter `struct err *err` (may be NULL).  The lowest layer says the cause; each
 * caller may put context before it.  Only cli/ prints.
 */
#ifndef UMS_BASE_ERR_H
#define UMS_BASE_ERR_H

/* What a caller may want to act on; the text says the rest. */
enum err_kind {
	ERR_NONE,
	ERR_OTHER,
	ERR_USAGE,	/* the request makes no sense */
	ERR_NO_DEVICE,	/* no such drive or file */
	ERR_PERMISSION, /* the system refused us */
	ERR_BUSY,	/* mounted, held or claimed by another */
	ERR_NO_MEDIUM,	/* a drive without a medium */
	ERR_GONE,	/* the drive left the bus or does not answer any more */
	ERR_NO_SPACE,	/* the file system of the image is full */
	ERR_NO_IMAGE,	/* a file that is no image */
	ERR_BAD_IMAGE,	/* an image, but damaged or cut */
	ERR_IDENTITY,	/* the image is of another drive */
	ERR_NO_MEMORY,
};

struct err {
	enum err_kind kind;
	/* May have in it whatever bytes a file's name has: shown with text_show() (text.h). */
	char text[1000];
};

/* Sets the cause; all return -1 so that a caller can `return err_set(...)`. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of ERRNUM behind; the kind follows from ERRNUM. */
int err_sys(struct err *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts context before what is there ("reading LBA 12: "). */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Out of memory while doing WHAT. */
int err_memory(struct err *err, const char *what);

#endif
