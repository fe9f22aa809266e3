#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A simulated SuperSpeed enclosure over usbredir: Bulk-Only at alternate setting 0, UAS with streams at 1.
# The kernel's uas driver drives it; then we do, in either setting, and it misbehaves.
. "$(dirname "$0")/functions.sh"
needs_umsctl
server=$tree/build/tests/vm/usbredir-server
[ -x "$server" ] || skip_all "$server is not built (libusbredirparser-dev)"

# redirect ID NAME: the simulated drive NAME, as a device of the machine.
servers=()
redirect() {
	"$server" "$work/$1.socket" "$2" >"$share/$1.log" 2>&1 &
	servers+=($!)
	for ((i = 0; i < 50; i++)); do
		grep -qs listening "$share/$1.log" && break
		sleep 0.1
	done
	qemu+=(-chardev "socket,id=$1,path=$work/$1.socket"
		-device "usb-redir,chardev=$1,bus=xhci.0")
}
redirect good uas,size=32M,serial=GOOD
redirect bad "uas,size=8M,serial=BAD,fault=uas-tag:lba=1000,fault=hang:lba=5000,fault=uas-no-abort:lba=9000,fault=uas-stall-data:lba=12000,bad=7777"
run_machine 240 usbredir.sh
for pid in "${servers[@]}"; do
	wait "$pid"
done

"$UMSCTL" capture --quiet sim:uas,size=32M "$work/good.ums" &&
	"$UMSCTL" export "$work/good.ums" "$work/good" >/dev/null
"$UMSCTL" capture --quiet sim:uas,size=8M "$work/bad.ums" &&
	"$UMSCTL" export "$work/bad.ums" "$work/bad" >/dev/null
dd if=/dev/zero of="$work/bad" bs=512 seek=7777 count=1 conv=notrunc status=none
for way in sg uas bot; do
	check "$way: equal" equal "$work/good" "$way.ums"
done
check "streams were allocated" grep streams "$share/good.log"
check "misbehaving: equal but for its bad sector" equal "$work/bad" misbehaving.ums 3

done_testing
