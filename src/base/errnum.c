/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of system calls by number and name: see errnum.h. */
#include "base/errnum.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "proto/ums.h"

#define OTHER_NAME "EOTHER"

/* What Linux's block layer makes of a failed request is among these: EIO, EREMOTEIO (the target
 * failed), ENODATA (critical medium error), EILSEQ (protection information), ETIMEDOUT, ENOLINK
 * (transport), ENODEV (offline); see block/blk-core.c.  File systems give EIO, EBADMSG and EUCLEAN
 * when what they read is damaged, FUSE and network ones say that a server is gone. */
static const struct row {
	uint8_t number;
	int host;
	const char *name;
	enum errnum_kind kind;
} rows[] = {
	{UMS_ERROR_EIO, EIO, "EIO", ERRNUM_MEDIUM},
	{UMS_ERROR_EREMOTEIO, EREMOTEIO, "EREMOTEIO", ERRNUM_MEDIUM},
	{UMS_ERROR_ENODATA, ENODATA, "ENODATA", ERRNUM_MEDIUM},
	{UMS_ERROR_EILSEQ, EILSEQ, "EILSEQ", ERRNUM_MEDIUM},
	{UMS_ERROR_EBADMSG, EBADMSG, "EBADMSG", ERRNUM_MEDIUM},
	{UMS_ERROR_EUCLEAN, EUCLEAN, "EUCLEAN", ERRNUM_MEDIUM},
	{UMS_ERROR_ENXIO, ENXIO, "ENXIO", ERRNUM_GONE},
	{UMS_ERROR_ENODEV, ENODEV, "ENODEV", ERRNUM_GONE},
	{UMS_ERROR_ENOTCONN, ENOTCONN, "ENOTCONN", ERRNUM_GONE},
	{UMS_ERROR_ESTALE, ESTALE, "ESTALE", ERRNUM_GONE},
	{UMS_ERROR_ETIMEDOUT, ETIMEDOUT, "ETIMEDOUT", ERRNUM_HOST},
	{UMS_ERROR_ENOMEDIUM, ENOMEDIUM, "ENOMEDIUM", ERRNUM_GONE},
	{UMS_ERROR_EACCES, EACCES, "EACCES", ERRNUM_HOST},
	{UMS_ERROR_EPERM, EPERM, "EPERM", ERRNUM_HOST},
	{UMS_ERROR_EINVAL, EINVAL, "EINVAL", ERRNUM_HOST},
	{UMS_ERROR_ENOMEM, ENOMEM, "ENOMEM", ERRNUM_HOST},
	{UMS_ERROR_EINTR, EINTR, "EINTR", ERRNUM_HOST},
	{UMS_ERROR_EAGAIN, EAGAIN, "EAGAIN", ERRNUM_HOST},
	{UMS_ERROR_EBUSY, EBUSY, "EBUSY", ERRNUM_HOST},
	{UMS_ERROR_EROFS, EROFS, "EROFS", ERRNUM_HOST},
	{UMS_ERROR_EOVERFLOW, EOVERFLOW, "EOVERFLOW", ERRNUM_HOST},
	{UMS_ERROR_ESHUTDOWN, ESHUTDOWN, "ESHUTDOWN", ERRNUM_GONE},
	{UMS_ERROR_EPROTO, EPROTO, "EPROTO", ERRNUM_HOST},
	{UMS_ERROR_EPIPE, EPIPE, "EPIPE", ERRNUM_GONE},
	{UMS_ERROR_ECONNRESET, ECONNRESET, "ECONNRESET", ERRNUM_GONE},
	{UMS_ERROR_EHOSTDOWN, EHOSTDOWN, "EHOSTDOWN", ERRNUM_GONE},
	{UMS_ERROR_ECONNABORTED, ECONNABORTED, "ECONNABORTED", ERRNUM_GONE},
	{UMS_ERROR_ENOLINK, ENOLINK, "ENOLINK", ERRNUM_GONE},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *row_of_host(int host_errno)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].host == host_errno)
			return &rows[i];
	}
	return NULL;
}

uint8_t errnum_of_host(int host_errno)
{
	const struct row *row = row_of_host(host_errno);

	if (host_errno == 0)
		return 0;
	return row ? row->number : UMS_ERROR_OTHER;
}

const char *errnum_name(uint8_t number)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (rows[i].number == number)
			return rows[i].name;
	}
	return number == UMS_ERROR_OTHER ? OTHER_NAME : NULL;
}

int errnum_host_of_name(const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].host;
	}
	return strcmp(name, OTHER_NAME) == 0 ? ERRNUM_HOST_OTHER : 0;
}

enum errnum_kind errnum_kind(int host_errno)
{
	const struct row *row = row_of_host(host_errno);

	return row ? row->kind : ERRNUM_HOST;
}
