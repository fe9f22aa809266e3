/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors with context: see err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static enum err_kind kind_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENXIO:
		return ERR_NO_DEVICE;
	case EACCES:
	case EPERM:
	case EROFS:
		return ERR_PERMISSION;
	case EBUSY:
		return ERR_BUSY;
	case ENOMEDIUM:
		return ERR_NO_MEDIUM;
	case ENODEV:
	case ESHUTDOWN:
		return ERR_GONE;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_NO_SPACE;
	case ENOMEM:
		return ERR_NO_MEMORY;
	default:
		return ERR_OTHER;
	}
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	if (err) {
		va_list ap;

		err->kind = kind;
		va_start(ap, format);
		vsnprintf(err->text, sizeof(err->text), format, ap);
		va_end(ap);
	}
	return -1;
}

int err_sys(struct err *err, int errnum, const char *format, ...)
{
	if (err) {
		va_list ap;
		size_t n;

		err->kind = kind_of_errno(errnum);
		va_start(ap, format);
		vsnprintf(err->text, sizeof(err->text), format, ap);
		va_end(ap);
		n = strlen(err->text);
		snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(errnum));
	}
	return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
	if (err) {
		char cause[sizeof(err->text)];
		va_list ap;
		size_t n;

		memcpy(cause, err->text, sizeof(cause));
		va_start(ap, format);
		vsnprintf(err->text, sizeof(err->text), format, ap);
		va_end(ap);
		n = strlen(err->text);
		snprintf(err->text + n, sizeof(err->text) - n, "%s", cause);
	}
	return -1;
}

int err_memory(struct err *err, const char *what)
{
	return err_set(err, ERR_NO_MEMORY, "out of memory %s", what);
}
