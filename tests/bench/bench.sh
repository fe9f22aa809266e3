#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The benchmark: tests/bench/run READRATE.  Two sticks in one machine, one Bulk-Only, one UAS, are read by dd,
# by sg_dd, and the way a capture reads them through each route, into nothing; the table has the median of
# BENCH_ROUNDS (3) readings and its ratio to dd of the same boot.  Then a plain file here, beside dd and
# ddrescue.  Nothing here passes or fails by what it measures.
set -euo pipefail
readrate=$(realpath "$1")
rounds=${BENCH_ROUNDS:-3}
mib=${BENCH_MIB:-512}

# shellcheck source=tests/vm/functions.sh
. "$(dirname "$0")/../vm/functions.sh"
set -e

# Lines "STICK WAY SECONDS COMMANDS BUSY" as a table, in the order in which ways first come.
table() {
	sort -s -k1,2 -k3,3g | awk -v mib="$mib" '
		{ key = $1 " " $2; n[key]++; seconds[key, n[key]] = $3; commands[key] = $4; busy[key, n[key]] = $5 }
		END { for (key in n) { m = int((n[key] + 1) / 2); split(key, name)
			base = seconds[name[1] " dd-direct-1M", int((n[name[1] " dd-direct-1M"] + 1) / 2)]
			printf "| %s | %s | %.1f | %.2f | %.2f–%.2f | %d | %s | %.2f |\n", name[1], name[2],
				mib / seconds[key, m], base / seconds[key, m], base / seconds[key, n[key]],
				base / seconds[key, 1], commands[key],
				commands[key] ? sprintf("%.0f", mib * 1024 / commands[key]) : "-",
				busy[key, m] / 1000 } }' >"$work/rows"
	echo "| stick | way | MiB/s | × dd | range | commands | KiB each | CPU s |"
	echo "|---|---|---:|---:|---:|---:|---:|---:|"
	awk '!seen[$1 " " $2]++ { print $1, $2 }' "$1" | while read -r stick way; do
		grep -F "| $stick | $way |" "$work/rows"
	done
}

in_machine() {
	head -c "${mib}M" /dev/urandom >"$work/disk"
	stick BOT "$work/disk"
	qemu+=(-device usb-uas,id=uas,bus=xhci.0,serial=UAS
		-drive "if=none,id=disk-uas,format=raw,file=$work/disk,snapshot=on"
		-device scsi-hd,bus=uas.0,drive=disk-uas)
	"$tree/tests/vm/vm.sh" -t $((300 * rounds)) -s "$share" "$tree/tests/vm/guest/rates.sh" \
		"$readrate" "$rounds" -- "${qemu[@]}" >"$work/rates"
	echo "In the machine: $mib MiB, median of $rounds, $(qemu-system-x86_64 --version | head -1), guest Linux" \
		"$(cat "$tree"/build/vm/kernel-*/release), host Linux $(uname -r)"
	echo
	table "$work/rates" <"$work/rates"
}

# here WAY COMMAND...: `seconds` that COMMAND took, its start included.
here() {
	local began=${EPOCHREALTIME/./} way=$1
	shift
	"$@" >/dev/null 2>&1
	echo "FILE $way $(awk -v us=$((${EPOCHREALTIME/./} - began)) 'BEGIN { print us / 1e6 }') 0 0"
}

on_a_file() {
	local round
	for ((round = 0; round < rounds; round++)); do
		here dd-direct-1M dd if="$work/disk" of=/dev/null iflag=direct bs=1M
		here dd-cached-1M dd if="$work/disk" of=/dev/null bs=1M
		here ddrescue ddrescue -f -q -c 2048 "$work/disk" /dev/null
		here ddrescue-direct ddrescue -f -q -d -c 2048 "$work/disk" /dev/null
		here readrate "$readrate" "$work/disk"
		here readrate-no-ahead "$readrate" -q 0 "$work/disk"
	done >"$work/here"
	echo
	echo "A plain file on this machine, $mib MiB, in the page cache but for what reads directly:"
	echo
	table "$work/here" <"$work/here"
}

in_machine
on_a_file
