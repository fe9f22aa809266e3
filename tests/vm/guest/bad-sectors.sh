#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"
first=$1
count=$2

wait_for 30 disk_of BAD
stick=$(disk_of BAD)
sense=$(sg_raw -r 512 "$(sg_of "$stick")" 28 0 0 0 0 0 0 0 1 0 2>&1)
check "the stick says medium error" grep -i 'medium error' <<<"$sense"
check "and does not say where" not grep -i 'info fld' <<<"$sense"

check "captured through sg: status 3" \
	exits 3 "$UMSCTL" capture --route sg "$stick" "$share/sg.ums"
check "captured through bot: status 3" \
	exits 3 "$UMSCTL" capture --route bot --detach "$stick" "$share/bot.ums"

modprobe scsi_debug dev_size_mb=16 delay=0 medium_error_start="$first" medium_error_count="$count"
driver=/sys/bus/pseudo/drivers/scsi_debug
wait_for 10 eval 'grep -l scsi_debug /sys/block/*/device/model'
model=$(grep -l scsi_debug /sys/block/*/device/model)
disk=/dev/$(cut -d/ -f4 <<<"$model")
dd if="$share/pattern" of="$disk" bs=1M oflag=direct status=none
# From now on, reads of those sectors fail.
echo 2 >$driver/opts

for format in fixed descriptor; do
	[ $format = fixed ] || echo 1 >$driver/dsense
	sense=$(sg_raw -r 4096 "$(sg_of "$disk")" 28 0 0 0 "$(printf %x $((first >> 8)))" \
		"$(printf %x $((first & 255)))" 0 0 8 0 2>&1)
	check "scsi_debug answers in $format format" grep -i "$format format" <<<"$sense"
	check "captured with it: status 3" \
		exits 3 "$UMSCTL" capture "$(sg_of "$disk")" "$share/$format.ums"
done
exit 0
