#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The guest's half of bench.sh: guest.sh READRATE MIB ROUNDS
# shellcheck source=tests/vm/guest/functions.sh
. "$(dirname "$0")/../vm/guest/functions.sh"
readrate=$1 mib=$2 rounds=$3

# rate COMMAND...: MiB/s of one run.
rate() {
	local from=${EPOCHREALTIME/./}
	# A command that the driver refuses (larger than it takes) has no rate.
	"$@" >/dev/null 2>&1 || {
		echo 0
		return
	}
	awk -v us=$((${EPOCHREALTIME/./} - from)) -v mib="$mib" 'BEGIN { printf "%.1f\n", mib * 1e6 / us }'
}
median() {
	sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}
# several COMMAND...: the median of some runs of what prints a rate.
several() {
	local i
	for ((i = 0; i < rounds; i++)); do "$@"; done | median
}

printf '%-10s %-28s %8s %6s\n' stick command MiB/s "/ dd"
for serial in BOTSUPER BOTHIGH UASSUPER; do
	wait_for 20 disk_of $serial
	disk=$(disk_of $serial)
	sg=$(sg_of "$disk")
	interface=$(interface_of "$disk")
	driver=$(driver_of "$interface")
	own=bot
	[ "$driver" = uas ] && own=uas
	dd=$(several rate dd if="$disk" of=/dev/null iflag=direct bs=1M)
	row() {
		awk -v s=$serial -v n="$1" -v r="$2" -v d="$dd" \
			'BEGIN { printf "%-10s %-28s %8.1f %6.2f\n", s, n, r, r / d }'
	}
	row "dd iflag=direct bs=1M" "$dd"
	row "sg_dd bpt=240" "$(several rate sg_dd if="$sg" of=/dev/null bs=512 bpt=240)"
	row "sg_dd bpt=1024" "$(several rate sg_dd if="$sg" of=/dev/null bs=512 bpt=1024)"
	row "umsctl, route sg" "$(several "$readrate" sg "$disk")"
	unbind "$interface"
	row "umsctl, route $own" "$(several "$readrate" $own "usb:${interface%:*}")"
	bind "$interface" "$driver"
done
exit 0
