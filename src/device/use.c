/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What uses a block device: see use.h.  Works on names and numbers that the kernel gives in sysfs
 * and proc; nothing is opened but by use_hold().
 */
#include "device/use.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define NODES_MAX 64

/* A disk, a partition of it, or what is stacked on one of these. */
struct node {
	char name[64]; /* in /sys/class/block, which is the name in /dev with ! for / */
	unsigned int major, minor;
};

struct stack {
	const struct use_sources *sources;
	struct use *use;
	struct node node[NODES_MAX];
	size_t n;
};

struct mount {
	unsigned int major, minor;
	char *point, *source;
	bool rw;
};

const struct use_sources use_sources_system = {
	.mountinfo = "/proc/self/mountinfo",
	.swaps = "/proc/swaps",
	.class_block = "/sys/class/block",
};

static __attribute__((format(printf, 2, 3))) void say(struct use *use, const char *format, ...)
{
	size_t n = strlen(use->text);
	va_list ap;

	if (n > 0) {
		snprintf(use->text + n, sizeof(use->text) - n, "; ");
		n = strlen(use->text);
	}
	va_start(ap, format);
	vsnprintf(use->text + n, sizeof(use->text) - n, format, ap);
	va_end(ap);
}

static char *exchange(char *text, char from, char to)
{
	for (char *p = text; *p; p++) {
		if (*p == from)
			*p = to;
	}
	return text;
}

/* One line of a file in a block device's sysfs folder; false when there is none. */
static bool read_attribute(
	const struct stack *stack, const char *name, const char *attribute, char *out, int room)
{
	cleanup_fclose FILE *f = NULL;
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/%s", stack->sources->class_block, name,
		    attribute) >= (int)sizeof(path))
		return false;
	f = fopen(path, "re");
	if (!f || !fgets(out, room, f))
		return false;
	out[strcspn(out, "\n")] = '\0';
	return true;
}

/* Adds NAME unless it is there already (stacks can join again: RAID, LVM). */
static bool add_node(struct stack *stack, const char *name)
{
	struct node *node = &stack->node[stack->n];
	char number[32];

	for (size_t i = 0; i < stack->n; i++) {
		if (strcmp(stack->node[i].name, name) == 0)
			return false;
	}
	if (stack->n == NODES_MAX || strlen(name) >= sizeof(node->name) ||
		!read_attribute(stack, name, "dev", number, sizeof(number)) ||
		sscanf(number, "%u:%u", &node->major, &node->minor) != 2)
		return false;
	memcpy(node->name, name, strlen(name) + 1);
	stack->n++;
	return true;
}

static void add_holder(struct stack *stack, const char *name, const char *below)
{
	char holder[64], lower[64];

	if (strlen(name) >= sizeof(holder) || !add_node(stack, name))
		return;
	snprintf(holder, sizeof(holder), "%s", name);
	snprintf(lower, sizeof(lower), "%s", below);
	say(stack->use, "held by /dev/%s (/dev/%s)", exchange(holder, '!', '/'),
		exchange(lower, '!', '/'));
}

static DIR *open_folder(const struct stack *stack, const char *name, const char *inner)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s%s", stack->sources->class_block, name, inner) >=
		(int)sizeof(path))
		return NULL;
	return opendir(path);
}

static void add_partitions(struct stack *stack, const char *disk)
{
	DIR *dir = open_folder(stack, disk, "");
	const struct dirent *entry;
	char number[32];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
			read_attribute(stack, entry->d_name, "partition", number, sizeof(number)))
			add_node(stack, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

static void add_holders(struct stack *stack, const char *below)
{
	DIR *dir = open_folder(stack, below, "/holders");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			add_holder(stack, entry->d_name, below);
	}
	if (dir)
		closedir(dir);
}

/* The name that a path of /dev has in sysfs, by way of links ("/dev/mapper/x" is dm-0). */
static bool name_of_path(const char *path, char *name, size_t room)
{
	cleanup_free char *real = realpath(path, NULL);
	const char *node = real ? real : path;

	if (strncmp(node, "/dev/", 5) != 0 || strlen(node + 5) >= room)
		return false;
	snprintf(name, room, "%s", node + 5);
	exchange(name, '/', '!');
	return true;
}

/* A loop device on a block device is not among its holders; it names what it was set up on. */
static void add_loops(struct stack *stack, const char *below)
{
	DIR *dir = open_folder(stack, "", "");
	const struct dirent *entry;
	char path[PATH_MAX], name[64];

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4) == 0 &&
			read_attribute(
				stack, entry->d_name, "loop/backing_file", path, sizeof(path)) &&
			name_of_path(path, name, sizeof(name)) && strcmp(name, below) == 0)
			add_holder(stack, entry->d_name, below);
	}
	if (dir)
		closedir(dir);
}

static void build_stack(struct stack *stack, const char *disk)
{
	if (!add_node(stack, disk))
		return;
	for (size_t i = 0; i < stack->n; i++) {
		add_partitions(stack, stack->node[i].name);
		add_holders(stack, stack->node[i].name);
		add_loops(stack, stack->node[i].name);
	}
}

/* proc(5): space, tab, newline and backslash are \ooo. */
static void unescape_octal(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
			p[3] >= '0' && p[3] <= '7') {
			*out++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 3;
		} else {
			*out++ = *p;
		}
	}
	*out = '\0';
}

/* 36 35 98:0 /root /mnt rw,noatime master:1 - ext4 /dev/sdb1 rw,errors=continue */
static bool parse_mount(char *line, struct mount *mount)
{
	char *tail = strstr(line, " - ");
	int point_at = 0;

	if (!tail)
		return false;
	*tail = '\0';
	tail += 3;
	if (sscanf(line, "%*u %*u %u:%u %*s %n", &mount->major, &mount->minor, &point_at) < 2 ||
		point_at == 0)
		return false;
	mount->point = line + point_at;
	mount->point[strcspn(mount->point, " ")] = '\0';
	strsep(&tail, " ");
	mount->source = strsep(&tail, " ");
	if (!tail)
		return false;
	/* The filesystem's own options: a read-only bind mount of a writable one is writable. */
	mount->rw = strncmp(tail, "rw", 2) == 0 && strchr(",\n", tail[2]);
	unescape_octal(mount->point);
	unescape_octal(mount->source);
	return true;
}

/* Btrfs and others mount under a number of no device: there the source's name decides. */
static const struct node *mounted_node(const struct stack *stack, const struct mount *mount)
{
	char name[64] = "";

	if (mount->major == 0 && !name_of_path(mount->source, name, sizeof(name)))
		return NULL;
	for (size_t i = 0; i < stack->n; i++) {
		const struct node *node = &stack->node[i];

		if (mount->major == 0 ? strcmp(node->name, name) == 0
				      : node->major == mount->major && node->minor == mount->minor)
			return node;
	}
	return NULL;
}

static void look_at_mounts(struct stack *stack)
{
	cleanup_fclose FILE *f = fopen(stack->sources->mountinfo, "re");
	cleanup_free char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		const struct node *node;
		struct mount mount;
		char point[256], name[64];

		if (!parse_mount(line, &mount))
			continue;
		node = mounted_node(stack, &mount);
		if (!node)
			continue;
		memcpy(name, node->name, sizeof(name));
		text_escape(mount.point, strlen(mount.point), point, sizeof(point));
		say(stack->use, "mounted %s on %s (/dev/%s)", mount.rw ? "read-write" : "read-only",
			point, exchange(name, '!', '/'));
		stack->use->rw |= mount.rw;
	}
}

static void look_at_swaps(struct stack *stack)
{
	cleanup_fclose FILE *f = fopen(stack->sources->swaps, "re");
	cleanup_free char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		char name[64];

		line[strcspn(line, " \t\n")] = '\0';
		unescape_octal(line);
		if (!name_of_path(line, name, sizeof(name)))
			continue;
		for (size_t i = 0; i < stack->n; i++) {
			if (strcmp(stack->node[i].name, name) != 0)
				continue;
			say(stack->use, "swap on /dev/%s", exchange(name, '!', '/'));
			stack->use->rw = true;
			break;
		}
	}
}

struct use use_read(const char *node, const struct use_sources *sources)
{
	struct use use = {.rw = false};
	struct stack stack = {.sources = sources, .use = &use};
	char name[64];

	if (!name_of_path(node, name, sizeof(name)))
		return use;
	build_stack(&stack, name);
	look_at_mounts(&stack);
	look_at_swaps(&stack);
	return use;
}

int use_hold(const char *node)
{
	/* O_NONBLOCK: a drive without a medium opens too. */
	int flags = O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC;
	int fd = open(node, flags);

	/* Others look in the same way, for a moment: only who stays is a holder. */
	for (int i = 0; i < 3 && fd < 0 && errno == EBUSY; i++) {
		clock_sleep_ms(100);
		fd = open(node, flags);
	}
	return fd;
}
