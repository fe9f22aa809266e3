#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# UAS of our own over libusb, against QEMU's drives: with streams (xHCI) and without (EHCI), the kernel's
# uas driver taken away and given back, and with no driver at all.
. "$(dirname "$0")/functions.sh"
needs_umsctl

make_disk "$work/streams" 64
head -c 24M /dev/urandom >"$work/plain"
# drive NAME BUS: a UAS enclosure with a disk in it.
drive() {
	qemu+=(-device "usb-uas,id=$1,bus=$2,serial=${1^^}"
		-drive "if=none,id=disk-$1,format=raw,file=$work/$1,snapshot=on"
		-device "scsi-hd,bus=$1.0,drive=disk-$1")
}
drive streams xhci.0
drive plain ehci.0
run_machine 240 uas.sh

for name in streams plain; do
	for way in sg uas unbound; do
		check "$name, $way: equal" equal "$work/$name" "$name-$way.ums"
	done
done

done_testing
