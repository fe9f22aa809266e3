#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

for name in ONE TWO THREE; do
	wait_for 15 disk_of $name
done
one=$(disk_of ONE)
two=$(disk_of TWO)
three=$(disk_of THREE)
wait_for 5 test -b "${one}1"
mkdir -p /mnt/one /mnt/two

# use_of DISK [COMMAND...]: "free null", "in use: mounted …", as COMMAND (umsctl) lists it.
use_of() {
	local disk=$1
	shift
	"$@" "$UMSCTL" list --json | jq -r --arg disk "$disk" \
		'.[] | select(.block == $disk) | if .in_use == null then "\(.use) null" else "\(.use): \(.in_use)" end'
}

# in_use DISK PATTERN
in_use() {
	local says
	says=$(use_of "$1")
	echo "$says"
	[[ $says == "in use: "*$2* ]]
}

check "free" is "$(use_of "$one")" "free null"
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
# shellcheck disable=SC2086
check "without permission it is not called free" \
	is "$(use_of "$one" $nobody)" "unknown: not known: cannot open $one: Permission denied"
check "and the table says so" eval "$nobody \"\$UMSCTL\" list | grep 'whether it is used is not known'"

mount -r "${one}1" /mnt/one
check "mounted" in_use "$one" "mounted read-only on /mnt/one (${one}1)"
# shellcheck disable=SC2086
check "… which shows without permission too" \
	is "$(use_of "$one" $nobody)" "in use: mounted read-only on /mnt/one (${one}1)"

exec 9</mnt/one/numbers.txt
umount -l /mnt/one
check "unmounted lazily, with a file open: in use out of sight" in_use "$one" "held by another program"
exec 9<&-
check "free again" wait_for 5 eval '[ "$(use_of "$one")" = "free null" ]'

# A namespace of its own: neither ours nor process 1's.
mkfifo ready over
unshare -m sh -c 'mount "$1" /mnt/one && echo >ready && read -r _ <over' sh "${one}1" &
read -r _ <ready
check "it is not among our mounts" not mountpoint /mnt/one
check "mounted in another namespace: in use out of sight" in_use "$one" "another namespace"
check "and it may be written to" \
	is "$("$UMSCTL" list --json | jq -r --arg d "$one" '.[] | select(.block == $d).mounted_read_write')" true
echo >over
wait $!
check "free when that has ended" wait_for 5 eval '[ "$(use_of "$one")" = "free null" ]'

# From such a namespace process 1's mounts are seen.
mount "${one}1" /mnt/one
check "mounted where process 1 is" eval "unshare -m sh -c 'umount /mnt/one && \"\$UMSCTL\" list' |
	grep -F 'mounted read-write on /mnt/one (${one}1)'"
umount /mnt/one

modprobe loop
losetup -r /dev/loop6 "${one}1"
check "a loop device on its partition" in_use "$one" "held by /dev/loop6 (${one}1)"
# What a loop device was set up on may have a name that means nothing here.
losetup -d /dev/loop6
mknod odd b "$(stat -c %Hr "${one}1")" "$(stat -c %Lr "${one}1")"
losetup -r /dev/loop6 odd
check "… by another name" in_use "$one" "held by /dev/loop6 (${one}1)"
losetup -d /dev/loop6

modprobe btrfs
mkfs.btrfs -q -f "$two" "$three" 2>/dev/null
udevadm settle
mount -r "$two" /mnt/two
check "btrfs: the device that is named" in_use "$two" "mounted read-only on /mnt/two ($two)"
check "btrfs: the other one" in_use "$three" "mounted read-only on /mnt/two ($three)"
umount /mnt/two

mkswap -q "$three" 2>/dev/null || mkswap "$three"
swapon "$three"
check "swap" in_use "$three" "swap on $three"
swapoff "$three"

# --- a CD-ROM unit ---

# The kernel's gadget, on a simulated controller: a CD-ROM with a disc, and one without.
make_cdrom() {
	local gadget=/sys/kernel/config/usb_gadget/cdrom here=$PWD
	cp "$share/disc" disc
	modprobe -a dummy_hcd libcomposite usb_f_mass_storage sr_mod
	mount -t configfs configfs /sys/kernel/config
	mkdir "$gadget"
	cd "$gadget" || return
	echo 0x1209 >idVendor
	echo 0x0002 >idProduct
	mkdir strings/0x409 configs/c.1 functions/mass_storage.0 functions/mass_storage.0/lun.1
	echo CDROM >strings/0x409/serialnumber
	for lun in 0 1; do
		echo 1 >functions/mass_storage.0/lun.$lun/cdrom
		echo 1 >functions/mass_storage.0/lun.$lun/ro
		echo 1 >functions/mass_storage.0/lun.$lun/removable
	done
	echo "$here/disc" >functions/mass_storage.0/lun.0/file
	ln -s functions/mass_storage.0 configs/c.1
	echo dummy_udc.0 >UDC
	cd "$here" || return
}
make_cdrom
# medium_of LUN: "true 2097152"
medium_of() {
	"$UMSCTL" list --json | jq -r --argjson lun "$1" \
		'.[] | select(.pid == "0002" and .vid == "1209" and .lun == $lun) | "\(.medium) \(.bytes)"'
}
wait_for 15 eval '[ -n "$(medium_of 1)" ]'
udevadm settle
check "a CD-ROM unit with a disc" is "$(medium_of 0)" "true 2097152"
check "… one without" is "$(medium_of 1)" "false 0"
# What udev knows of the disc is no more than what it was told.
rm -f /run/udev/data/b11:*
check "a disc that udev does not know of" is "$(medium_of 0)" "true 2097152"
check "… and none" is "$(medium_of 1)" "false 0"
exit 0
