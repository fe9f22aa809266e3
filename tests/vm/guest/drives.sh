#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

# The kernel's mass-storage gadget on a simulated controller: slot 0 with a card, slot 1 without.
make_card_reader() {
	local reader=/sys/kernel/config/usb_gadget/reader here=$PWD
	cp "$share/card" card
	modprobe -a dummy_hcd libcomposite usb_f_mass_storage
	mount -t configfs configfs /sys/kernel/config
	mkdir "$reader"
	cd "$reader" || return
	echo 0x1209 >idVendor
	echo 0x0001 >idProduct
	mkdir strings/0x409 configs/c.1 functions/mass_storage.0 functions/mass_storage.0/lun.1
	echo READER >strings/0x409/serialnumber
	echo "card reader" >strings/0x409/product
	echo 1 >functions/mass_storage.0/lun.0/removable
	echo 1 >functions/mass_storage.0/lun.1/removable
	echo "$here/card" >functions/mass_storage.0/lun.0/file
	ln -s functions/mass_storage.0 configs/c.1
	echo dummy_udc.0 >UDC
	cd "$here" || return
}
make_card_reader

for drive in PROTECTED LUNS UAS READER; do
	wait_for 15 disk_of $drive
done
wait_for 5 disk_of LUNS 1
wait_for 5 disk_of READER 1
udevadm settle

lun0=$(disk_of LUNS)
wait_for 5 test -b "${lun0}1"
mount -r "${lun0}1" /mnt

check "list" exits 0 "$UMSCTL" list
check "list --json" eval '"$UMSCTL" list --json >"$share/list.json"'

# --- through the kernel ---

check "the write-protected stick" \
	exits 0 "$UMSCTL" capture "$(disk_of PROTECTED)" "$share/protected.ums"
check "LUN 0, mounted" exits 0 "$UMSCTL" capture usb:46f4:0001:LUNS,lun=0 "$share/lun0.ums"
check "LUN 1" exits 0 "$UMSCTL" capture "$(sg_of "$(disk_of LUNS 1)")" "$share/lun1.ums"
check "the UAS drive" exits 0 "$UMSCTL" capture "$(disk_of UAS)" "$share/uas.ums"
check "the card" exits 0 "$UMSCTL" capture "$(disk_of READER)" "$share/card.ums"
check "the empty slot: a clear refusal" \
	refuses 2 'medium' "$UMSCTL" capture "$(disk_of READER 1)" empty.ums
check "the empty CD drive: a refusal too" \
	refuses 2 '' "$UMSCTL" capture /dev/sr0 empty.ums

# --- not at all ---

check "no such drive" refuses 2 'dead:beef' "$UMSCTL" capture usb:dead:beef no.ums
check "a keyboard is no drive" refuses 2 'mass.storage' "$UMSCTL" capture usb:0627:0001 no.ums
check "an image of another drive is not gone on with" \
	refuses 2 'same-drive' "$UMSCTL" capture "$(disk_of UAS)" "$share/card.ums"
check "a user without permission is told so" refuses 2 '[Pp]ermission' \
	setpriv --reuid=65534 --regid=65534 --clear-groups "$UMSCTL" capture "$(disk_of UAS)" no.ums
check "LUN 1 through bot while LUN 0 is mounted: refused, naming the mount" \
	refuses 2 /mnt "$UMSCTL" capture --route bot --detach "$(disk_of LUNS 1)" no.ums
check "a UAS drive through bot: it offers none" \
	refuses 2 '[Bb][Oo][Tt]' "$UMSCTL" capture --route bot --detach "$(disk_of UAS)" no.ums
check "which leaves its driver bound" has_driver "$(interface_of "$(disk_of UAS)")" uas
check "none of these left an image" not ls no.ums empty.ums

# --- through libusb ---

umount /mnt
check "LUN 1 through bot" \
	exits 0 "$UMSCTL" capture --route bot --detach "$(disk_of LUNS 1)" "$share/lun1-bot.ums"
check "both LUNs are back" wait_for 15 eval 'disk_of LUNS && disk_of LUNS 1'
check "the card through bot" \
	exits 0 "$UMSCTL" capture --route bot --detach "$(disk_of READER)" "$share/card-bot.ums"
check "the reader is back" wait_for 15 eval 'disk_of READER && disk_of READER 1'
check "the empty slot through bot" \
	refuses 2 'medium' "$UMSCTL" capture --route bot --detach "$(disk_of READER 1)" empty.ums
check "the reader is back again" wait_for 15 eval 'disk_of READER && disk_of READER 1'
exit 0
