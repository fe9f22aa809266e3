/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk, its partitions, and the block devices that are made of them: LVM, RAID, loop, … */
#ifndef UMS_DEVICE_STACK_H
#define UMS_DEVICE_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "device/use.h"

#define STACK_NODES_MAX 64
#define STACK_PEERS_MAX 64
#define STACK_NAME_MAX	64

struct stack_node {
	char name[STACK_NAME_MAX]; /* in /sys/class/block: the name in /dev with ! for / */
	unsigned int major, minor;
	bool is_partition; /* of the disk */
	bool has_holder;   /* another node lies on it */
	bool is_seen;	   /* for who looks: what uses it is known */
};

/* A device of a btrfs file system that is mounted somewhere, and of which one of our nodes is a
 * part: the file system is used even where only another of its devices is named. */
struct stack_peer {
	char name[STACK_NAME_MAX];
	size_t node;	 /* ours */
	bool is_mounted; /* where we can see it */
};

struct stack {
	const struct use_sources *sources;
	struct stack_node node[STACK_NODES_MAX];
	size_t n;
	struct stack_peer peer[STACK_PEERS_MAX];
	size_t n_peers;
	/* Is told of each node that lies on another: "held by …". */
	void (*holder)(void *context, const char *node, const char *below);
	void *context;
};

/* Fills STACK, whose sources and holder are set, from NODE ("/dev/sdb") on.  False when it is no
 * block device that sysfs knows. */
bool stack_build(struct stack *stack, const char *node);

/* The name that the path of a device node has in sysfs, by way of links ("/dev/mapper/x" is dm-0).
 * False when it is none, or does not fit. */
bool stack_name_of(const char *path, char *name, size_t room);

/* The node called NAME, or NULL. */
const struct stack_node *stack_find(const struct stack *stack, const char *name);

/* NAME as it is in /dev, in place; returns NAME. */
char *stack_dev_name(char *name);

/* Whether the kernel takes NODE for read-only. */
bool stack_is_read_only(const struct stack *stack, const struct stack_node *node);

#endif
