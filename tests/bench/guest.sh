#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# rates.sh READRATE ROUNDS: reads each of the two sticks in every way, ROUNDS times in turn, so that what
# disturbs the machine disturbs all of them.  A line for each reading:
#
#     STICK WAY SECONDS COMMANDS BUSY
#
# SECONDS is what the program says that reading took it, without its start; BUSY is processor seconds of
# the whole guest, start included.
. "$(dirname "$0")/functions.sh"
readrate=$1 rounds=$2

# Processor time so far that was not idle, in hundredths of a second.
busy() {
	local user nice system idle iowait irq softirq
	read -r _ user nice system idle iowait irq softirq _ </proc/stat
	busy=$((user + nice + system + irq + softirq))
}

# SCSI commands that the kernel's driver has carried to DISK.
kernel_commands() {
	commands=$(<"/sys/block/${1#/dev/}/device/iorequest_cnt")
	commands=$((commands))
}

# by_dd, by_sg_dd and by_readrate STICK DISK WAY ARGUMENT...: read it once, and set `seconds` and `commands`.
by_dd() {
	local before
	kernel_commands "$2"
	before=$commands
	dd if="$2" of=/dev/null "${@:4}" 2>out || return
	kernel_commands "$2"
	commands=$((commands - before))
	seconds=$(sed -n 's/.* copied, \([0-9.e+-]*\) s,.*/\1/p' out)
}

by_sg_dd() {
	local before
	kernel_commands "$2"
	before=$commands
	sg_dd if="$(sg_of "$2")" of=/dev/null bs=512 time=1 "${@:4}" >out 2>&1 || return
	kernel_commands "$2"
	commands=$((commands - before))
	seconds=$(sed -n 's/.*time to [^:]*: \([0-9.]*\) secs.*/\1/p' out)
}

by_readrate() {
	"$readrate" "${@:4}" "$2" >out 2>&1 || return
	seconds=$(sed -n 's/.* seconds=\([^ ]*\).*/\1/p' out)
	commands=$(sed -n 's/.* reads=\([^ ]*\).*/\1/p' out)
}

# measure STICK WAY HOW ARGUMENT...
measure() {
	local disk began
	wait_for 15 disk_of "$1" || exit
	udevadm settle
	disk=$(disk_of "$1")
	busy
	began=$busy
	if ! "by_$3" "$1" "$disk" "$2" "${@:4}" || [ -z "$seconds" ]; then
		echo "$1 $2 failed:" >&2
		cat out >&2
		exit 1
	fi
	busy
	echo "$1 $2 $seconds $commands $(((busy - began) * 10))"
}

for ((round = 0; round < rounds; round++)); do
	measure BOT dd-direct-1M dd iflag=direct bs=1M
	measure BOT dd-cached-1M dd bs=1M
	measure BOT sg_dd-64K sg_dd bpt=128
	measure BOT sg_dd-1M sg_dd bpt=2048
	measure BOT sg readrate -r sg
	measure BOT sg-no-ahead readrate -r sg -q 0
	measure BOT sg-120K readrate -r sg -t 122880
	measure BOT bot readrate -r bot -d
	measure BOT bot-no-ahead readrate -r bot -d -q 0
	measure BOT bot-120K readrate -r bot -d -t 122880
	measure UAS dd-direct-1M dd iflag=direct bs=1M
	measure UAS dd-cached-1M dd bs=1M
	measure UAS sg_dd-512K sg_dd bpt=1024
	measure UAS sg readrate -r sg
	measure UAS sg-no-ahead readrate -r sg -q 0
	measure UAS uas readrate -r uas -d
	measure UAS uas-no-ahead readrate -r uas -d -q 0
	measure UAS uas-two readrate -r uas -d -q 2
done
exit 0
