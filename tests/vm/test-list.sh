#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Who uses a drive, as `umsctl list` says: mounts in our sight and out of it, every device of a file
# system that lies on several, loop devices; and what it says where it cannot look. A CD-ROM unit
# with a disc that udev does not see.
. "$(dirname "$0")/functions.sh"
needs_umsctl
command -v mkfs.btrfs >/dev/null || skip_all "mkfs.btrfs is not installed"

make_disk "$work/one" 128
truncate -s 256M "$work/two" "$work/three"
stick ONE "$work/one"
stick TWO "$work/two"
stick THREE "$work/three"
head -c 2M /dev/urandom >"$share/disc"
run_machine 180 list.sh
done_testing
