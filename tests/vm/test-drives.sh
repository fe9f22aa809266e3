#!/bin/bash
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

for name in protected lun0 lun1 uas card card-bot lun1-bot; do
	check "$name: equal" equal "$work/${name%-bot}" "$name.ums"
done

done_testing
