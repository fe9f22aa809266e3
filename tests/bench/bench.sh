#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# How fast a capture reads over each route, beside dd and sg_dd on the same stick in the same boot of a
# machine under QEMU: MiB/s, and the ratio to dd.  What matters is the ratio: everything is emulated.
# BENCH_MIB=256, BENCH_ROUNDS=3.
# shellcheck source=tests/vm/functions.sh
. "$(dirname "$0")/../vm/functions.sh"
readrate=$tree/build/tests/bench/readrate
[ -x "$readrate" ] || {
	echo "$readrate is not built" >&2
	exit 1
}
mib=${BENCH_MIB:-256}
head -c "${mib}M" /dev/urandom >"$work/medium"

# stick_on BUS SERIAL, enclosure_on BUS SERIAL
stick_on() {
	qemu+=(-drive "if=none,id=$2,format=raw,file=$work/medium,readonly=on,file.locking=off"
		-device "usb-storage,bus=$1,drive=$2,serial=$2")
}
enclosure_on() {
	qemu+=(-device "usb-uas,id=$2,bus=$1,serial=$2"
		-drive "if=none,id=disk$2,format=raw,file=$work/medium,readonly=on,file.locking=off"
		-device "scsi-hd,bus=$2.0,drive=disk$2")
}
stick_on xhci.0 BOTSUPER
stick_on ehci.0 BOTHIGH
enclosure_on xhci.0 UASSUPER
setpriv --pdeathsig TERM "$here/vm.sh" -t 900 -s "$share" "$tree/tests/bench/guest.sh" \
	"$readrate" "$mib" "${BENCH_ROUNDS:-3}" -- "${qemu[@]}"
