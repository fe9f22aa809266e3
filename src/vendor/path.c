/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where definitions are looked for.  A definition decides which bytes are sent to a drive, so
 * nobody may bring one in who could not have changed the program itself: what is found by the place
 * of the program counts only when it is the program's owner's, or root's, and nobody else can write
 * there. No folder is ever found by way of the current one.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vendor/vendor.h"

#define EXE "/proc/self/exe"

/* Nobody can write to IT who could not write to PROGRAM. */
static bool is_as_safe_as(const struct stat *it, const struct stat *program)
{
	if (!S_ISDIR(it->st_mode) || (it->st_uid != 0 && it->st_uid != program->st_uid))
		return false;
	if (it->st_mode & S_IWGRP &&
		(it->st_gid != program->st_gid || !(program->st_mode & S_IWGRP)))
		return false;
	return !(it->st_mode & S_IWOTH);
}

/* FOLDER, and the one that it is in, which could be filled otherwise. */
static bool is_trusted(const char *folder)
{
	char above[PATH_MAX];
	struct stat program, it;

	if (snprintf(above, sizeof(above), "%s/..", folder) >= (int)sizeof(above) ||
		stat(EXE, &program) != 0)
		return false;
	return stat(folder, &it) == 0 && is_as_safe_as(&it, &program) && stat(above, &it) == 0 &&
	       is_as_safe_as(&it, &program);
}

/* Cuts the last name off PATH; returns that, or "" when there is none. */
static const char *cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return "";
	*slash = '\0';
	return slash + 1;
}

/*
 * The folder of definitions that belongs to this program, or "".  Built in its source tree, it is
 * TREE/build/umsctl, or TREE/build/CONFIG/umsctl, and takes TREE/proto/vendor; installed, it is
 * PREFIX/bin/umsctl, and takes PREFIX/share/umsctl/vendor.
 */
static void own_folder(char *out, size_t room)
{
	char program[PATH_MAX], inner[NAME_MAX + 1], outer[NAME_MAX + 1];
	ssize_t n = readlink(EXE, program, sizeof(program) - 1);
	bool is_built;

	out[0] = '\0';
	if (n <= 0 || program[0] != '/')
		return;
	program[n] = '\0';
	cut_name(program);
	snprintf(inner, sizeof(inner), "%s", cut_name(program));
	snprintf(out, room, "%s/share/umsctl/vendor", program);
	is_built = strcmp(inner, "build") == 0;
	if (!is_built) {
		snprintf(outer, sizeof(outer), "%s", cut_name(program));
		is_built = strcmp(outer, "build") == 0;
	}
	if (is_built)
		snprintf(out, room, "%s/proto/vendor", program);
	if (!is_trusted(out))
		out[0] = '\0';
}

/* The user's own folder, or "".  A relative one would depend on the current folder. */
static void users_folder(char *out, size_t room)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	out[0] = '\0';
	if (config && config[0] == '/')
		snprintf(out, room, "%s/umsctl/vendor", config);
	else if (home && home[0] == '/')
		snprintf(out, room, "%s/.config/umsctl/vendor", home);
}

char *vendor_path(char *out, size_t room)
{
	const char *path = getenv("UMSCTL_VENDOR_PATH");
	char own[PATH_MAX + 32], users[PATH_MAX];

	if (path) {
		snprintf(out, room, "%s", path);
		return out;
	}
	own_folder(own, sizeof(own));
	users_folder(users, sizeof(users));
	snprintf(out, room, "%s%s/etc/umsctl/vendor%s%s", own, own[0] ? ":" : "",
		users[0] ? ":" : "", users);
	return out;
}
