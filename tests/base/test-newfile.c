/* SPDX-License-Identifier: BSD-2-Clause */
/* A result file is there as a whole or not at all, on file systems of all abilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/newfile.h"

static char folder[64], before[4096];

/* What the file system cannot do. */
static int renameat2_errno, link_errno, fsync_errno;

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int __real_link(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	errno = renameat2_errno;
	return errno ? -1 : __real_renameat2(from_fd, from, to_fd, to, flags);
}

int __wrap_link(const char *from, const char *to)
{
	errno = link_errno;
	return errno ? -1 : __real_link(from, to);
}

int __wrap_fsync(int fd)
{
	errno = fsync_errno;
	return errno ? -1 : __real_fsync(fd);
}

static const struct {
	const char *what;
	int renameat2_errno, link_errno;
} file_systems[] = {
	{"ext4", 0, 0},
	{"NFS: no RENAME_NOREPLACE", EINVAL, 0},
	{"an old kernel", ENOSYS, 0},
	{"FUSE on exFAT: no hard links either", EINVAL, EPERM},
};

static void be_file_system(size_t i)
{
	renameat2_errno = file_systems[i].renameat2_errno;
	link_errno = file_systems[i].link_errno;
}

static unsigned int count_names(void)
{
	DIR *dir = opendir(".");
	unsigned int n = 0;

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_true(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void check_file(const char *name, const char *text)
{
	char have[64] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_true(fread(have, 1, sizeof(have) - 1, f) < sizeof(have));
	fclose(f);
	assert_string_equal(have, text);
}

static int set_up(void **state)
{
	(void)state;
	renameat2_errno = link_errno = fsync_errno = 0;
	strcpy(folder, "/tmp/umsctl-newfile-XXXXXX");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir(before) == 0 && system(command) == 0 ? 0 : -1;
}

static void test_appears_at_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
		struct newfile file;
		struct err err;

		be_file_system(i);
		if (newfile_begin(&file, "result", false, &err) < 0)
			fail_msg("%s: %s", file_systems[i].what, err.text);
		assert_int_equal(write(file.fd, "whole", 5), 5);
		assert_int_equal(access("result", F_OK), -1);
		assert_non_null(strstr(file.temporary, "/.result.umsctl-"));
		if (newfile_finish(&file, &err) < 0)
			fail_msg("%s: %s", file_systems[i].what, err.text);
		check_file("result", "whole");
		assert_int_equal(count_names(), 1);
		unlink("result");
	}
}

static void test_nothing_is_overwritten(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
		struct newfile file;
		struct err err;

		be_file_system(i);
		assert_int_equal(newfile_begin(&file, "result", false, &err), 0);
		put_file("result", "another");
		assert_int_equal(newfile_finish(&file, &err), -1);
		assert_non_null(strstr(err.text, "meanwhile"));
		check_file("result", "another");
		assert_int_equal(newfile_begin(&file, "result", false, &err), -1);
		assert_int_equal(count_names(), 1);
		unlink("result");
	}
}

/* Mode and place are those of the file that is replaced, also through a link. */
static void test_replace(void **state)
{
	struct newfile file;
	struct stat st;
	struct err err;

	(void)state;
	put_file("old", "a secret that is longer");
	assert_int_equal(chmod("old", 0600), 0);
	assert_int_equal(symlink("old", "name"), 0);
	assert_int_equal(newfile_begin(&file, "name", true, &err), 0);
	assert_int_equal(write(file.fd, "new", 3), 3);
	check_file("old", "a secret that is longer");
	assert_int_equal(newfile_finish(&file, &err), 0);
	check_file("old", "new");
	assert_int_equal(lstat("name", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("old", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count_names(), 2);
}

static void test_new_mode(void **state)
{
	mode_t mask = umask(027);
	struct newfile file;
	struct stat st;

	(void)state;
	assert_int_equal(newfile_begin(&file, "result", true, NULL), 0);
	assert_int_equal(newfile_finish(&file, NULL), 0);
	umask(mask);
	assert_int_equal(stat("result", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_failures(void **state)
{
	char longest[256];
	struct newfile file;
	struct err err;

	(void)state;
	assert_int_equal(newfile_begin(&file, "nowhere/result", false, &err), -1);
	assert_int_equal(newfile_begin(&file, "folder/", false, &err), -1);
	assert_int_equal(newfile_begin(&file, ".", true, &err), -1);
	assert_int_equal(newfile_begin(&file, "", false, &err), -1);
	assert_int_equal(newfile_begin(&file, "result", false, &err), 0);
	newfile_abandon(&file);
	assert_int_equal(newfile_begin(&file, "result", false, &err), 0);
	fsync_errno = EIO;
	assert_int_equal(newfile_finish(&file, &err), -1);
	fsync_errno = 0;
	assert_int_equal(count_names(), 0);
	/* As long as a name may be: there is no room for the mark of a temporary one. */
	memset(longest, 'x', 255);
	longest[255] = '\0';
	assert_int_equal(newfile_begin(&file, longest, false, &err), 0);
	assert_int_equal(newfile_finish(&file, &err), 0);
	assert_int_equal(access(longest, F_OK), 0);
	assert_int_equal(count_names(), 1);
}

static void test_one_spelling(void **state)
{
	struct newfile a, b;

	(void)state;
	assert_int_equal(mkdir("sub", 0777), 0);
	assert_int_equal(symlink("sub", "link"), 0);
	assert_int_equal(newfile_begin(&a, "sub/../link/result", false, NULL), 0);
	assert_int_equal(newfile_begin(&b, "./sub//result", false, NULL), 0);
	assert_string_equal(a.path, b.path);
	newfile_abandon(&a);
	newfile_abandon(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_appears_at_the_end),
		TEST(test_nothing_is_overwritten),
		TEST(test_replace),
		TEST(test_new_mode),
		TEST(test_failures),
		TEST(test_one_spelling),
	};

	if (!getcwd(before, sizeof(before)))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
