#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

wait_for 15 disk_of LARGE
wait_for 15 disk_of SMALL
large=$(disk_of LARGE)
small=$(disk_of SMALL)
mkdir -p /mnt/large /mnt/small

# With a space, as desktops mount sticks: the kernel writes such names with octal escapes.
mkdir -p "/mnt/my stick"
mount -r "${large}1" "/mnt/my stick"
check "captured while mounted read-only" exits 0 "$UMSCTL" capture "$large" "$share/read-only.ums"
check "the driver is still bound" has_driver "$(interface_of "$large")" usb-storage
check "the mount is still there" mountpoint "/mnt/my stick"
echo 3 >/proc/sys/vm/drop_caches
check "and can be read" is "$(tail -n 1 "/mnt/my stick/numbers.txt")" 100000

check "the partition alone is captured too" \
	exits 0 "$UMSCTL" capture "${small}1" "$share/partition.ums"

mount "${small}1" /mnt/small
check "mounted read-write: refused, naming mount and --live" \
	refuses 2 '/mnt/small.*--live' "$UMSCTL" capture "$small" refused.ums
check "the same by its sg node" \
	refuses 2 '/mnt/small.*--live' "$UMSCTL" capture "$(sg_of "$small")" refused.ums
check "and no image was made" test ! -e refused.ums
check "accepted with --live" exits 0 "$UMSCTL" capture --live "$small" live.ums
check "and still mounted read-write" touch /mnt/small/new
cp live.ums "$share"
exit 0
