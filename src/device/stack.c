/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies on a disk: see stack.h.  Names and numbers are the kernel's, from sysfs; no drive is
 * opened, only loop devices are. */
#include "device/stack.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "base/mem.h"

static char *exchange_characters(char *text, char from, char to)
{
	for (char *p = text; *p; p++) {
		if (*p == from)
			*p = to;
	}
	return text;
}

/* One line of a file in a block device's sysfs folder; false when there is none. */
static bool read_attribute(
	const struct stack *stack, const char *name, const char *attribute, char *out, size_t room)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/%s/%s", stack->sources->class_block, name,
		       attribute) < (int)sizeof(path) &&
	       file_read_line(path, out, room);
}

char *stack_dev_name(char *name)
{
	return exchange_characters(name, '!', '/');
}

const struct stack_node *stack_find(const struct stack *stack, const char *name)
{
	for (size_t i = 0; i < stack->n; i++) {
		if (strcmp(stack->node[i].name, name) == 0)
			return &stack->node[i];
	}
	return NULL;
}

/* Adds NAME unless it is there already (stacks can join again: RAID, LVM). */
static bool stack_add(struct stack *stack, const char *name)
{
	struct stack_node *node = &stack->node[stack->n];
	char number[32];

	if (stack_find(stack, name) || stack->n == STACK_NODES_MAX ||
		strlen(name) >= sizeof(node->name) ||
		!read_attribute(stack, name, "dev", number, sizeof(number)) ||
		sscanf(number, "%u:%u", &node->major, &node->minor) != 2)
		return false;
	memcpy(node->name, name, strlen(name) + 1);
	node->is_partition = node->has_holder = node->is_seen = false;
	stack->n++;
	return true;
}

static void add_holder(struct stack *stack, const char *name, const char *below)
{
	char holder[STACK_NAME_MAX], lower[STACK_NAME_MAX];

	for (size_t i = 0; i < stack->n; i++)
		stack->node[i].has_holder |= strcmp(stack->node[i].name, below) == 0;
	if (strlen(name) >= sizeof(holder) || !stack_add(stack, name))
		return;
	snprintf(holder, sizeof(holder), "%s", name);
	snprintf(lower, sizeof(lower), "%s", below);
	stack->holder(stack->context, stack_dev_name(holder), stack_dev_name(lower));
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
			read_attribute(stack, entry->d_name, "partition", number, sizeof(number)) &&
			stack_add(stack, entry->d_name))
			stack->node[stack->n - 1].is_partition =
				strcmp(disk, stack->node[0].name) == 0;
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

bool stack_name_of(const char *path, char *name, size_t room)
{
	cleanup_free char *real = realpath(path, NULL);
	const char *node = real ? real : path;

	if (strncmp(node, "/dev/", 5) != 0 || strlen(node + 5) >= room)
		return false;
	snprintf(name, room, "%s", node + 5);
	exchange_characters(name, '/', '!');
	return true;
}

/*
 * Does LOOP get its sectors from NODE, or from a file on it?  The name that sysfs has for what it
 * was set up on is one of the mount namespace where that was done, so the device is asked as well,
 * where that is allowed: it knows the numbers.
 */
static bool loop_is_on(const struct stack *stack, const char *loop, const struct stack_node *node)
{
	cleanup_close int fd = -1;
	struct loop_info64 info;
	char path[PATH_MAX], name[STACK_NAME_MAX];

	if (!read_attribute(stack, loop, "loop/backing_file", path, sizeof(path)))
		return false;
	if (stack_name_of(path, name, sizeof(name)) && strcmp(name, node->name) == 0)
		return true;
	if (!stack->sources->dev || snprintf(path, sizeof(path), "%s/%s", stack->sources->dev,
					    loop) >= (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
		return false;
	return info.lo_rdevice == makedev(node->major, node->minor) ||
	       info.lo_device == makedev(node->major, node->minor);
}

/* A loop device on a block device is not among its holders. */
static void add_loops(struct stack *stack, const struct stack_node *below)
{
	DIR *dir = open_folder(stack, "", "");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4) == 0 &&
			loop_is_on(stack, entry->d_name, below))
			add_holder(stack, entry->d_name, below->name);
	}
	if (dir)
		closedir(dir);
}

static void add_peer(struct stack *stack, const char *name, size_t node)
{
	struct stack_peer *peer = &stack->peer[stack->n_peers];

	if (stack->n_peers == STACK_PEERS_MAX || strlen(name) >= sizeof(peer->name))
		return;
	*peer = (struct stack_peer){.node = node};
	memcpy(peer->name, name, strlen(name) + 1);
	stack->n_peers++;
}

/* The folder of a btrfs file system has a link for each of its devices. */
static void add_peers_of(struct stack *stack, const char *folder)
{
	DIR *dir = opendir(folder);
	const struct stack_node *ours = NULL;
	const struct dirent *entry;

	while (dir && !ours && (entry = readdir(dir)))
		ours = stack_find(stack, entry->d_name);
	if (ours)
		rewinddir(dir);
	while (ours && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			add_peer(stack, entry->d_name, (size_t)(ours - stack->node));
	}
	if (dir)
		closedir(dir);
}

static void add_btrfs_peers(struct stack *stack)
{
	DIR *dir = stack->sources->btrfs ? opendir(stack->sources->btrfs) : NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' &&
			snprintf(path, sizeof(path), "%s/%s/devices", stack->sources->btrfs,
				entry->d_name) < (int)sizeof(path))
			add_peers_of(stack, path);
	}
	if (dir)
		closedir(dir);
}

bool stack_build(struct stack *stack, const char *node)
{
	char name[STACK_NAME_MAX];

	if (!stack_name_of(node, name, sizeof(name)) || !stack_add(stack, name))
		return false;
	for (size_t i = 0; i < stack->n; i++) {
		struct stack_node below = stack->node[i];

		add_partitions(stack, below.name);
		add_holders(stack, below.name);
		add_loops(stack, &below);
	}
	add_btrfs_peers(stack);
	return true;
}

bool stack_is_read_only(const struct stack *stack, const struct stack_node *node)
{
	char text[8];

	return read_attribute(stack, node->name, "ro", text, sizeof(text)) && text[0] == '1';
}
