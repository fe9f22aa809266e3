/* SPDX-License-Identifier: BSD-2-Clause */
/* What on this machine uses a block device: mounts, swap, and what is stacked on it. */
#ifndef UMS_DEVICE_USE_H
#define UMS_DEVICE_USE_H

#include <stdbool.h>

struct use {
	char text[512]; /* "mounted read-only on /mnt (/dev/sdb1)"; empty when none is seen */
	bool rw;	/* mounted read-write, or swapped on, or that cannot be ruled out */
};

/* Where it is looked up. */
struct use_sources {
	const char *mountinfo;	 /* proc(5), /proc/PID/mountinfo */
	const char *swaps;	 /* proc(5), /proc/swaps */
	const char *class_block; /* /sys/class/block */
	/* NULL, or one that is not there, says nothing. */
	const char *first_mountinfo; /* process 1's, which may live in another mount namespace */
	const char *btrfs;	     /* /sys/fs/btrfs */
	const char *dev;	     /* /dev, for the loop devices */
};

/* This process's own view and, with permission, process 1's.  Other mount namespaces, and what was
 * unmounted lazily and is still open, are not in it: see use_hold(). */
extern const struct use_sources use_sources_system;

/* What uses the disk or partition NODE ("/dev/sdb"), its partitions, and whatever lies on them.
 * A source that cannot be read says nothing. */
struct use use_read(const char *node, const struct use_sources *sources);

/*
 * The same, and who is out of sight: each partition, and what lies on them, is opened exclusively
 * for a moment where nothing is known to use it.  One that is busy then is held by somebody,
 * perhaps a mount of another namespace.  Whether that one writes cannot be told, so it counts as
 * writing unless the kernel takes the node for read-only.
 */
struct use use_look(const char *node, const struct use_sources *sources);

/*
 * Opens NODE for ourselves alone: a descriptor, or -1 and errno.  While it is open nobody can mount
 * or hold NODE or a partition of it; EBUSY says that somebody does.  That sees mounts of every
 * namespace, but not whether they write.
 */
int use_hold(const char *node);

/* For messages: what use_hold() has found when nothing else says who it is. */
#define USE_UNSEEN                                                                                 \
	"held by another program, or mounted where this one cannot see it (another namespace)"

#endif
