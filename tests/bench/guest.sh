#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guest's half of bench.sh: guest.sh READRATE ROUNDS.  Reads each stick in every way, ROUNDS times in turn, each
# time right behind a reading by dd.  A line for each pair:
#
#     STICK WAY DD-SECONDS SECONDS COMMANDS
#
# Seconds are what the program says that the reading took it, without its start.
# shellcheck source=tests/vm/guest/functions.sh
. "$(dirname "$0")/../vm/guest/functions.sh"
readrate=$1 rounds=$2

# Sets `carried`: SCSI commands that the kernel's driver has carried to DISK.
count_carried() {
	carried=$(($(<"/sys/block/${1#/dev/}/device/iorequest_cnt")))
}

# by_dd, by_sg_dd, by_readrate DISK ARGUMENT...: read it once, and set `seconds` and `commands`.
by_dd() {
	count_carried "$1"
	commands=$carried
	dd if="$1" of=/dev/null "${@:2}" 2>out || return
	count_carried "$1"
	commands=$((carried - commands))
	seconds=$(sed -n 's/.* copied, \([0-9.e+-]*\) s,.*/\1/p' out)
}

by_sg_dd() {
	count_carried "$1"
	commands=$carried
	sg_dd if="$(sg_of "$1")" of=/dev/null bs=512 time=1 "${@:2}" >out 2>&1 || return
	count_carried "$1"
	commands=$((carried - commands))
	seconds=$(sed -n 's/.*time to [^:]*: \([0-9.]*\) secs.*/\1/p' out)
}

by_readrate() {
	"$readrate" "${@:2}" "$1" >out 2>&1 || return
	seconds=$(sed -n 's/.* seconds=\([^ ]*\).*/\1/p' out)
	commands=$(sed -n 's/.* reads=\([^ ]*\).*/\1/p' out)
}

# measure STICK HOW ARGUMENT...
measure() {
	wait_for 60 disk_of "$1" || exit 1
	udevadm settle
	seconds=
	if ! "by_$2" "$(disk_of "$1")" "${@:3}" || [ -z "$seconds" ]; then
		echo "$* failed:" >&2
		cat out >&2
		exit 1
	fi
}

# pair STICK WAY HOW ARGUMENT...
pair() {
	local dd_seconds
	measure "$1" dd iflag=direct bs=1M
	dd_seconds=$seconds
	measure "$1" "${@:3}"
	echo "$1 $2 $dd_seconds $seconds $commands"
}

for ((round = 0; round < rounds; round++)); do
	# dd beside itself says how far two readings of the same kind are apart here.
	pair BOT dd dd iflag=direct bs=1M
	pair BOT sg_dd sg_dd bpt=2048
	pair BOT sg readrate -r sg
	pair BOT sg,no-ahead readrate -r sg -q 0
	pair BOT bot readrate -r bot -d
	pair BOT bot,no-ahead readrate -r bot -d -q 0
	pair HIGH dd dd iflag=direct bs=1M
	pair HIGH sg_dd sg_dd bpt=240
	pair HIGH sg readrate -r sg
	pair HIGH bot readrate -r bot -d
	pair UAS dd dd iflag=direct bs=1M
	pair UAS sg_dd sg_dd bpt=1024
	pair UAS sg readrate -r sg
	pair UAS sg,no-ahead readrate -r sg -q 0
	pair UAS uas readrate -r uas -d
	pair UAS uas,no-ahead readrate -r uas -d -q 0
	pair SLOW dd dd iflag=direct bs=1M
	pair SLOW sg_dd sg_dd bpt=2048
	pair SLOW sg readrate -r sg
	pair SLOW bot readrate -r bot -d
done
exit 0
