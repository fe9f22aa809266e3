#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Drives of every kind side by side: what `umsctl list` says of them, and how each is captured. A
# write-protected stick at high speed, two LUNs and an empty CD drive behind one BOT interface, a UAS
# drive, a keyboard, and the kernel's own gadget as a card reader: one card, one empty slot, stalls.
. "$(dirname "$0")/functions.sh"
needs_umsctl

for name in protected lun1 uas card; do
	head -c 8M /dev/urandom >"$work/$name"
done
make_disk "$work/lun0" 16
cp "$work/card" "$share"

# drive ID OPTION DEVICE: for QEMU, over the file of that name.
drive() {
	qemu+=(-drive "if=none,id=$1,format=raw,file=$work/$1,$2" -device "$3,drive=$1")
}
drive protected readonly=on usb-storage,bus=ehci.0,serial=PROTECTED
qemu+=(-device "usb-bot,id=bot,bus=xhci.0,serial=LUNS")
drive lun0 snapshot=on scsi-hd,bus=bot.0,lun=0,removable=on
drive lun1 snapshot=on scsi-hd,bus=bot.0,lun=1
qemu+=(-device "scsi-cd,bus=bot.0,lun=2" -device "usb-uas,id=uas,bus=xhci.0,serial=UAS")
drive uas snapshot=on scsi-hd,bus=uas.0
qemu+=(-device "usb-kbd,bus=xhci.0")
run_machine 180 drives.sh

# lists SERIAL LUN CONDITION: of that LUN's object in `umsctl list --json`, in jq's language.
lists() {
	local one
	one=$(jq ".[] | select(.serial == \"$1\" and .lun == $2)" "$share/list.json")
	echo "$one"
	jq -e "$3" <<<"$one"
}
check "list: six LUNs, the CD drive and the keyboard not counted" is \
	"$(jq -c 'map(select(.product != "QEMU CD-ROM") | "\(.serial)\(.lun)") | sort' "$share/list.json")" \
	'["LUNS0","LUNS1","PROTECTED0","READER0","READER1","UAS0"]'
check "list: the stick, its nodes and names" lists PROTECTED 0 \
	'(.block | test("^/dev/sd")) and (.sg | test("^/dev/sg")) and
	(.by_path | test("^/dev/disk/by-path/")) and .vid == "46f4" and .pid == "0001" and
	.vendor == "QEMU" and .product == "QEMU HARDDISK" and .bytes == 8388608'
check "list: it is write-protected" lists PROTECTED 0 .read_only
check "list: its driver, protocol and route" lists PROTECTED 0 \
	'.driver == "usb-storage" and .protocols == ["bot"] and .route == "sg" and .why != ""'
check "list: LUN 0 is mounted, and where" lists LUNS 0 '.in_use | test("/mnt")'
check "list: LUN 1 is not" lists LUNS 1 '.in_use == null and .bytes == 8388608'
check "list: the UAS drive" lists UAS 0 '.driver == "uas" and .protocols == ["uas"]'
check "list: the empty slot has no size" lists READER 1 '.bytes == 0 or .bytes == null'
check "list: the empty CD drive has none either" lists LUNS 2 '.bytes == 0 or .bytes == null'

for name in protected lun0 lun1 uas card card-bot lun1-bot; do
	check "$name: equal" equal "$work/${name%-bot}" "$name.ums"
done

done_testing
