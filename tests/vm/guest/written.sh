#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

wait_for 15 disk_of LARGE
wait_for 15 disk_of SMALL
large=$(disk_of LARGE)
small=$(disk_of SMALL)
wait_for 5 test -b "${large}1"
wait_for 5 test -b "${small}1"
mkdir -p /mnt/large /mnt/small

# events FILE: kinds of lines in the journal of an image.
events() {
	"$UMSCTL" info --json "$1" | jq -r '.journal[].event' | sort -u | tr '\n' ' '
}

# --- free when it began, mounted and written to in the middle ---

"$UMSCTL" capture --checkpoint 0.05 "$large" "$share/mounted.ums" >out 2>err &
pid=$!
wait_for 20 test -s "$share/mounted.ums"
mount "${large}1" /mnt/large
head -c 1M /dev/zero >/mnt/large/new
sync /mnt/large/new
wait $pid
check "mounted and written to in the middle: exit 6" is $? 6
check "said when it was seen" grep -E 'was free for reading|has written [0-9]+ sectors' err
check "and at the end" grep 'no single moment' out
check "and in the journal" eval '[[ " $(events "$share/mounted.ums")" == *" written "* ]]'
check "the image is whole all the same" "$UMSCTL" verify "$share/mounted.ums"
umount /mnt/large

"$UMSCTL" capture --checkpoint 0.05 "$large" read-only.ums >out 2>err &
pid=$!
wait_for 20 test -s read-only.ums
mount -r -o noload "${large}1" /mnt/large 2>/dev/null || mount -r "${large}1" /mnt/large
wait $pid
check "mounted read-only in the middle: no hindrance" is $? 0
umount /mnt/large

# --- mounted out of sight, by way of what lies on it ---

modprobe loop
losetup /dev/loop5 "${small}1"
mkfifo ready over
unshare -m sh -c 'mount /dev/loop5 /mnt/small && echo >ready && read -r _ <over' &
read -r _ <ready
check "a loop device on it, mounted read-write in another namespace: refused" \
	refuses 2 'out of sight|another namespace.*--live' "$UMSCTL" capture "$small" refused.ums
check "accepted with --live" exits 0 "$UMSCTL" capture --live --quiet "$small" live.ums
echo >over
wait
losetup -d /dev/loop5
losetup -r /dev/loop5 "${small}1"
unshare -m sh -c 'mount -r /dev/loop5 /mnt/small && echo >ready && read -r _ <over' &
read -r _ <ready
check "on a read-only loop device: no hindrance" exits 0 "$UMSCTL" capture --quiet "$small" ro.ums
echo >over
wait
losetup -d /dev/loop5
exit 0
