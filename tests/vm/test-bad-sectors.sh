#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Bad sectors whose place the drive does not say (QEMU's blkdebug below a USB stick, by both
# routes), and ones where it does (scsi_debug, fixed and descriptor sense): the map names exactly
# them, and nothing else is lost.
. "$(dirname "$0")/functions.sh"
needs_umsctl

# The kernel itself reads the first and the last sectors when the stick arrives, and goes on.
sectors=32768
bad="0 1 1000 1001 1002 4095 4096 20480 20487 32767"
head -c $((sectors * 512)) /dev/urandom >"$work/disk"
for sector in $bad; do
	printf '[inject-error]\nevent = "read_aio"\nerrno = "61"\nsector = "%s"\n' "$sector"
done >"$work/errors"
qemu+=(-drive "if=none,id=BAD,format=raw,file=blkdebug:$work/errors:$work/disk,rerror=report"
	-device "usb-storage,bus=xhci.0,drive=BAD,serial=BAD")

# What scsi_debug is told to fail, by the guest's half.
first=5000
count=12
cp "$work/disk" "$share/pattern"
run_machine 240 bad-sectors.sh "$first" "$count"

# names_exactly IMAGE SECTOR...: the mapfile's bad sectors are those, and all others are good.
names_exactly() {
	local image=$share/$1 position size status
	shift
	"$UMSCTL" map --mapfile "$image" >"$work/mapfile" || return
	cat "$work/mapfile"
	# The first line that is no comment is the state, not a range.
	grep -v '^#' "$work/mapfile" | tail -n +2 | while read -r position size status; do
		case $status in
		+) ;;
		-) seq $((position / 512)) $(((position + size) / 512 - 1)) ;;
		*) echo "unexpected: $position $size $status" ;;
		esac
	done >"$work/named"
	diff <(printf '%s\n' "$@") "$work/named"
}

# all_say IMAGE CONDITION: every bad range does, in jq's language.
all_say() {
	"$UMSCTL" map --json "$share/$1" | jq -e '[.ranges[] | select(.state == "bad")] | all('"$2"')'
}

# without SECTOR...: the disk's content with zeros there.
without() {
	local sector
	cp "$work/disk" "$work/expected"
	for sector; do
		dd if=/dev/zero of="$work/expected" bs=512 seek="$sector" count=1 conv=notrunc status=none
	done
}

# shellcheck disable=SC2086
without $bad
for route in sg bot; do
	# shellcheck disable=SC2086
	check "blkdebug, $route: the map names exactly the bad sectors" names_exactly $route.ums $bad
	check "blkdebug, $route: and why" all_say $route.ums '.sense_key == 3 and .asc == 17'
	check "blkdebug, $route: all else is there" equal "$work/expected" $route.ums 3
done

range=$(seq "$first" $((first + count - 1)))
# shellcheck disable=SC2086
without $range
for sense in fixed descriptor; do
	# shellcheck disable=SC2086
	check "scsi_debug, $sense sense: the map names exactly the bad sectors" \
		names_exactly $sense.ums $range
	check "scsi_debug, $sense sense: all else is there" equal "$work/expected" $sense.ums 3
done

done_testing
