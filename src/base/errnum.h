/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The errors that a host's own reading may end with (errno), by the numbers that an image keeps
 * (proto/IMAGE.md, "Block map") and by name, and what each says of the source that was read.
 */
#ifndef UMS_BASE_ERRNUM_H
#define UMS_BASE_ERRNUM_H

#include <stdint.h>

enum errnum_kind {
	ERRNUM_MEDIUM, /* may be the fault of the place that was read; others may be readable */
	ERRNUM_GONE,   /* the source is not there any more: it says nothing of any sector */
	ERRNUM_HOST,   /* neither: the host could not, or the error is not known */
};

/* What host_errno is set to by what has only the name "EOTHER"; no system's errno. */
#define ERRNUM_HOST_OTHER 0x10000

/* The image's number of the errno HOST_ERRNO: 0 for 0, UMS_ERROR_OTHER for one without a number. */
uint8_t errnum_of_host(int host_errno);

/* "EIO", "ENOTCONN" …, "EOTHER" for UMS_ERROR_OTHER; NULL for 0 and for numbers of later versions.
 */
const char *errnum_name(uint8_t number);

/* The errno of this system with that name; 0 when the name is not in the table. */
int errnum_host_of_name(const char *name);

/* What a read that failed with HOST_ERRNO says of the source. */
enum errnum_kind errnum_kind(int host_errno);

#endif
