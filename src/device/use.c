/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What uses a block device: see use.h.  Works on names and numbers that the kernel gives in sysfs
 * and proc; the device itself is opened only by use_hold().
 */
#include "device/use.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "device/stack.h"

struct mount {
	unsigned int major, minor;
	char *point, *source;
	bool rw;
};

const struct use_sources use_sources_system = {
	.mountinfo = "/proc/self/mountinfo",
	.first_mountinfo = "/proc/1/mountinfo",
	.swaps = "/proc/swaps",
	.class_block = "/sys/class/block",
	.btrfs = "/sys/fs/btrfs",
	.dev = "/dev",
};

static __attribute__((format(printf, 2, 3))) void use_say(struct use *use, const char *format, ...)
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

/* Marks the peers of the file system that NAME is a device of. */
static const struct stack_node *mounted_peer(struct stack *stack, const char *name)
{
	const struct stack_node *node = NULL;

	for (size_t i = 0; i < stack->n_peers && !node; i++) {
		if (strcmp(stack->peer[i].name, name) == 0)
			node = &stack->node[stack->peer[i].node];
	}
	for (size_t i = 0; i < stack->n_peers; i++)
		stack->peer[i].is_mounted |= node == &stack->node[stack->peer[i].node];
	return node;
}

/* Btrfs and others mount under a number of no device: there the source's name decides, which may be
 * that of another device of the same file system. */
static const struct stack_node *mounted_node(struct stack *stack, const struct mount *mount)
{
	char name[STACK_NAME_MAX] = "";
	const struct stack_node *peer;

	if (mount->major == 0) {
		if (!stack_name_of(mount->source, name, sizeof(name)))
			return NULL;
		peer = mounted_peer(stack, name);
		return peer ? peer : stack_find(stack, name);
	}
	for (size_t i = 0; i < stack->n; i++) {
		if (stack->node[i].major == mount->major && stack->node[i].minor == mount->minor)
			return &stack->node[i];
	}
	return NULL;
}

/* The mounts that the file at PATH tells of; what was said before is not said again. */
static void look_at_mounts(struct stack *stack, struct use *use, const char *path)
{
	cleanup_fclose FILE *f = path ? fopen(path, "re") : NULL;
	cleanup_free char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		char name[STACK_NAME_MAX], text[sizeof(use->text)];
		const struct stack_node *node;
		struct mount mount;

		if (!parse_mount(line, &mount))
			continue;
		node = mounted_node(stack, &mount);
		if (!node)
			continue;
		stack->node[node - stack->node].is_seen = true;
		memcpy(name, node->name, sizeof(name));
		snprintf(text, sizeof(text), "mounted %s on %s (/dev/%s)",
			mount.rw ? "read-write" : "read-only", mount.point, stack_dev_name(name));
		if (!strstr(use->text, text))
			use_say(use, "%s", text);
		use->rw |= mount.rw;
	}
}

static void look_at_swaps(struct stack *stack, struct use *use)
{
	cleanup_fclose FILE *f = fopen(stack->sources->swaps, "re");
	cleanup_free char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		char name[STACK_NAME_MAX];

		line[strcspn(line, " \t\n")] = '\0';
		unescape_octal(line);
		const struct stack_node *node;

		if (!stack_name_of(line, name, sizeof(name)) || !(node = stack_find(stack, name)))
			continue;
		stack->node[node - stack->node].is_seen = true;
		use_say(use, "swap on /dev/%s", stack_dev_name(name));
		use->rw = true;
	}
}

/* The kernel has a folder for a btrfs file system only while that is mounted. */
static void look_at_peers(const struct stack *stack, struct use *use)
{
	for (size_t i = 0; i < stack->n_peers; i++) {
		const struct stack_peer *peer = &stack->peer[i];
		char name[STACK_NAME_MAX];

		if (peer->is_mounted || strcmp(peer->name, stack->node[peer->node].name) != 0)
			continue;
		memcpy(name, peer->name, sizeof(name));
		use_say(use, "part of a btrfs file system that is mounted, out of sight (/dev/%s)",
			stack_dev_name(name));
		use->rw |= !stack_is_read_only(stack, &stack->node[peer->node]);
	}
}

static void say_holder(void *context, const char *node, const char *below)
{
	use_say(context, "held by /dev/%s (/dev/%s)", node, below);
}

static bool look_around(struct stack *stack, struct use *use, const char *node)
{
	if (!stack_build(stack, node))
		return false;
	look_at_mounts(stack, use, stack->sources->mountinfo);
	look_at_mounts(stack, use, stack->sources->first_mountinfo);
	look_at_swaps(stack, use);
	look_at_peers(stack, use);
	return true;
}

struct use use_read(const char *node, const struct use_sources *sources)
{
	struct use use = {.rw = false};
	struct stack stack = {.sources = sources, .holder = say_holder, .context = &use};

	look_around(&stack, &use, node);
	return use;
}

/* Is NODE held by somebody who was not seen? */
static bool is_held(const struct stack *stack, const struct stack_node *node)
{
	char name[STACK_NAME_MAX], path[PATH_MAX];
	int fd;

	memcpy(name, node->name, sizeof(name));
	if (snprintf(path, sizeof(path), "%s/%s", stack->sources->dev, stack_dev_name(name)) >=
		(int)sizeof(path))
		return false;
	fd = use_hold(path);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

static void say_unseen(const struct stack *stack, struct use *use, const struct stack_node *node)
{
	char name[STACK_NAME_MAX];

	memcpy(name, node->name, sizeof(name));
	use_say(use, USE_UNSEEN " (/dev/%s)", stack_dev_name(name));
	use->rw |= !stack_is_read_only(stack, node);
}

/* A disk is busy already when one of its partitions is: it tells something only when all of those
 * are free. */
static void look_for_unseen(const struct stack *stack, struct use *use)
{
	bool partition_busy = false;

	for (size_t i = 1; i < stack->n; i++) {
		const struct stack_node *node = &stack->node[i];
		bool known = node->is_seen || node->has_holder;
		bool held = !known && is_held(stack, node);

		if (held)
			say_unseen(stack, use, node);
		partition_busy |= node->is_partition && (known || held);
	}
	if (!partition_busy && !stack->node[0].is_seen && !stack->node[0].has_holder &&
		is_held(stack, &stack->node[0]))
		say_unseen(stack, use, &stack->node[0]);
}

struct use use_look(const char *node, const struct use_sources *sources)
{
	struct use use = {.rw = false};
	struct stack stack = {.sources = sources, .holder = say_holder, .context = &use};

	if (look_around(&stack, &use, node))
		look_for_unseen(&stack, &use);
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
