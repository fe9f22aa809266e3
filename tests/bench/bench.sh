#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How fast a capture reads over each route, into nothing, beside dd and sg_dd on the same stick in the same boot of a
# machine under QEMU; then a plain file here, beside dd and ddrescue.  BENCH_MIB=256, BENCH_ROUNDS=3.  Everything is
# emulated, and what else the host does changes from second to second: what counts is the ratio to dd a moment before,
# the median of the rounds, and how far dd is from itself.  Nothing passes or fails by what is measured.
set -euo pipefail
rounds=${BENCH_ROUNDS:-3}
mib=${BENCH_MIB:-256}

# shellcheck source=tests/vm/functions.sh
. "$(dirname "$0")/../vm/functions.sh"
set -e
readrate=$tree/build/tests/bench/readrate
[ -x "$readrate" ] || {
	echo "$readrate is not built" >&2
	exit 1
}

# Lines "STICK WAY DD-SECONDS SECONDS COMMANDS" as a table.
table() {
	awk -v bytes=$((mib << 20)) '
		function median(list, n,   i, j, v) {
			for (i = 2; i <= n; i++) {
				v = list[i]
				for (j = i - 1; j > 0 && list[j] > v; j--) list[j + 1] = list[j]
				list[j + 1] = v
			}
			return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
		}
		BEGIN {
			print "| stick | way | × dd | lowest–highest | MiB/s | its dd | commands | KiB each |"
			print "|---|---|---:|---:|---:|---:|---:|---:|"
		}
		{
			key = "| " $1 " | " $2
			if (!n[key]++) order[++keys] = key
			ratio[key, n[key]] = $3 / $4
			rate[key, n[key]] = bytes / 1048576 / $4
			dd[key, n[key]] = bytes / 1048576 / $3
			commands[key] = $5
		}
		END {
			for (k = 1; k <= keys; k++) {
				key = order[k]
				for (i = 1; i <= n[key]; i++) {
					a[i] = ratio[key, i]; b[i] = rate[key, i]; c[i] = dd[key, i]
				}
				m = median(a, n[key])
				printf "%s | %.2f | %.2f–%.2f | %.0f | %.0f | %s | %s |\n", key, m, a[1], a[n[key]],
					median(b, n[key]), median(c, n[key]), commands[key] ? commands[key] : "",
					commands[key] ? sprintf("%.0f", bytes / 1024 / commands[key]) : ""
			}
		}' "$1"
}

in_machine() {
	head -c "${mib}M" /dev/urandom >"$work/disk"
	stick BOT "$work/disk"
	stick SLOW "$work/disk" throttling.bps-read=60000000
	qemu+=(-drive "if=none,id=HIGH,format=raw,file=$work/disk,snapshot=on"
		-device "usb-storage,bus=ehci.0,drive=HIGH,serial=HIGH")
	qemu+=(-device "usb-uas,id=uas,bus=xhci.0,serial=UAS"
		-drive "if=none,id=disk-uas,format=raw,file=$work/disk,snapshot=on"
		-device "scsi-hd,bus=uas.0,drive=disk-uas")
	"$tree/tests/vm/vm.sh" -t $((300 * rounds)) -s "$share" "$tree/tests/bench/guest.sh" \
		"$readrate" "$rounds" -- "${qemu[@]}" >"$work/rates" || {
		cat "$work/rates" >&2
		return 1
	}
	echo "$(date -u +%F), $(qemu-system-x86_64 --version | head -1), guest Linux" \
		"$(cat "$tree"/build/vm/kernel-*/release), host Linux $(uname -r);" \
		"$mib MiB, $rounds rounds, load of the host $(cut -d' ' -f1-3 /proc/loadavg)"
	echo
	table "$work/rates"
}

# Sets `took`: seconds of COMMAND, its start included.
clock() {
	local began=${EPOCHREALTIME/./}
	"$@" >/dev/null 2>&1
	took=$((${EPOCHREALTIME/./} - began))e-6
}

# here WAY COMMAND...
here() {
	local dd
	clock dd if="$work/disk" of=/dev/null bs=1M
	dd=$took
	clock "${@:2}"
	echo "file $1 $dd $took"
}

on_a_file() {
	local round
	for ((round = 0; round < rounds; round++)); do
		here dd dd if="$work/disk" of=/dev/null bs=1M
		here ddrescue ddrescue -f -q -c 2048 "$work/disk" /dev/null
		here readrate "$readrate" "$work/disk"
		here readrate,no-ahead "$readrate" -q 0 "$work/disk"
	done >"$work/here"
	echo
	echo "A plain file on the host, all in its page cache:"
	echo
	table "$work/here"
}

in_machine
on_a_file
