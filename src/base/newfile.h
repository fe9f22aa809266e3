/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A result file that appears under its name only when it is whole and on the disk.  Until then it
 * is written under a temporary name in the same folder (".NAME.umsctl-XXXXXX"), so that whatever
 * ends the program, no part of a result can be taken for the whole.  For programs of one thread.
 */
#ifndef UMS_BASE_NEWFILE_H
#define UMS_BASE_NEWFILE_H

#include <stdbool.h>

#include "base/err.h"

struct newfile {
	int fd;	    /* for writing; the caller does not close it */
	char *path; /* where it will be: no symbolic link, and one spelling for one place */

	/* The file's own. */
	char *temporary;
	bool replace;
	struct newfile *next;
};

/*
 * Begins the file that is to be at PATH.  REPLACE: it takes the place, the mode and if possible the
 * owner of the regular file that is there, or of the one that a symbolic link there leads to;
 * without it nothing may be there, neither now nor at the end.  -1 and ERR when that cannot be.
 * FILE stays where it is in memory until newfile_finish() or newfile_abandon().
 */
int newfile_begin(struct newfile *file, const char *path, bool replace, struct err *err);

/* The file is complete: to the disk, and under its name.  -1 and ERR when it could not be; then it
 * is abandoned.  Frees what FILE holds. */
int newfile_finish(struct newfile *file, struct err *err);

/* Removes what was written.  Frees what FILE holds. */
void newfile_abandon(struct newfile *file);

/* From now on a signal that ends the program first removes what is not finished.  Signals that are
 * ignored, or that somebody handles, stay as they are. */
void newfile_remove_on_signals(void);

#endif
