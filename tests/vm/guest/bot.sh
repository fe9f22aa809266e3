#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

wait_for 15 disk_of LARGE
wait_for 15 disk_of SLOW
wait_for 15 disk_of SWAP
large=$(disk_of LARGE)
large_interface=$(interface_of "$large")
slow=/dev/disk/by-id/usb-QEMU_QEMU_HARDDISK_SLOW-0:0
slow_interface=$(interface_of "$(disk_of SLOW)")
slow_link=$(by_path_of "$(disk_of SLOW)")
wait_for 5 test -b "${large}1"

# refused WHY PATTERN DISK: --route bot is, even with --detach, with PATTERN in the message.
refused() {
	check "$1: refused" refuses 2 "$2" "$UMSCTL" capture --route bot "$3" x.ums
	check "$1: refused with --detach too" \
		refuses 2 "$2" "$UMSCTL" capture --route bot --detach "$3" x.ums
	check "$1: the driver stays" has_driver "$(interface_of "$3")" usb-storage
}
in_use="in use|busy|held"

mount -r "${large}1" /mnt
refused "mounted" /mnt "$large"
umount /mnt

swapon "$(disk_of SWAP)"
refused "swapped on" swap "$(disk_of SWAP)"
swapoff "$(disk_of SWAP)"

# can_be_held DISK: opens it with O_EXCL for a moment.
can_be_held() {
	perl -MFcntl -e 'sysopen(my $disk, $ARGV[0], O_RDONLY | O_EXCL) or exit 1' "$1"
}
# hold_exclusively DISK: keeps it; the look below may have it at the very moment of a first try.
hold_exclusively() {
	exec perl -MFcntl -e 'my $disk;
		select(undef, undef, undef, 0.05) until sysopen($disk, $ARGV[0], O_RDONLY | O_EXCL);
		sleep' "$1"
}
hold_exclusively "$large" &
holder=$!
wait_for 5 not can_be_held "$large"
refused "held with O_EXCL" "$in_use" "$large"
kill "$holder"
wait "$holder"

# Where our own /proc/self/mountinfo does not show it.
mkfifo mounted
unshare -m sh -c "mount -r ${large}1 /mnt && echo >mounted && exec sleep 60" &
holder=$!
read -r <mounted
refused "mounted in another namespace" "$in_use" "$large"
kill "$holder"
wait "$holder"

check "free, but without --detach: refused, naming it" \
	refuses 2 --detach "$UMSCTL" capture --route bot "$large" x.ums
check "no refusal left an image" test ! -e x.ums

# --- the driver is detached and given back ---

# given_back WHEN INTERFACE LINK: it may take the drive a moment to be found again.
given_back() {
	local since=${EPOCHREALTIME/./}
	check "$1: the driver is bound again" wait_for 15 has_driver "$2" usb-storage
	check "$1: the by-path link is back" wait_for 15 test -b "$3"
	echo "# after $(((${EPOCHREALTIME/./} - since) / 1000)) ms"
}

large_link=$(by_path_of "$large")
check "free, with --detach: captured" \
	exits 0 "$UMSCTL" capture --route bot --detach "$large_link" "$share/detached.ums"
given_back "captured" "$large_interface" "$large_link"

# start_capture [ROUTE]: of the slow stick in the background, in a process group of its own, as a
# shell would.
start_capture() {
	env --default-signal=INT setsid "$UMSCTL" capture --route "${1:-bot}" --detach "$slow" \
		stopped.ums >capture.log 2>&1 &
	capture=$!
}

# It says so when drive and image are open.
captures() {
	wait_for 30 grep -E '^(capturing|resuming) ' capture.log
}

# One image, stopped in every way and gone on with after each. 4 is umsctl's own status; the others
# are the shell's for who died of a signal.
for stop in KILL:137 SEGV:139 TERM:4 HUP:4 INT:4; do
	signal=${stop%:*}
	start_capture
	check "SIG$signal: in the middle of a capture" captures
	check "SIG$signal: with the drive taken" has_driver "$slow_interface" usbfs
	kill "-$signal" -- "-$capture"
	wait "$capture" 2>/dev/null
	check "SIG$signal: the exit status" is $? "${stop#*:}"
	given_back "SIG$signal" "$slow_interface" "$slow_link"
done
check "it says how to go on" grep 'to go on' capture.log

# Also while it is taking the drive.
RANDOM=$VM_SEED
echo "# VM_SEED=$VM_SEED"
for ((n = 1; n <= 6; n++)); do
	start_capture
	sleep "0.$(printf %03d $((RANDOM % 700)))"
	# There may be no group of its own yet.
	kill -KILL -- "-$capture" 2>/dev/null || kill -KILL "$capture"
	wait "$capture" 2>/dev/null
	given_back "killed at a random moment, $n" "$slow_interface" "$slow_link"
done

# To the kernel and to us, a device without authorisation is one that was pulled out.
authorise=/sys/bus/usb/devices/${slow_interface%:*}/authorized
for route in sg bot; do
	start_capture $route
	check "in the middle of a capture through $route" captures
	echo 0 >"$authorise"
	wait "$capture"
	check "pulled out while captured through $route: status 4" is $? 4
	check "and it says so" grep -i 'left the bus' capture.log
	echo 1 >"$authorise"
	given_back "plugged in again" "$slow_interface" "$slow_link"
done

check "in all this it was never complete" exits 5 "$UMSCTL" verify stopped.ums
check "resumed to the end by the other route" exits 0 "$UMSCTL" capture "$slow" stopped.ums

# --- never bound ---

unbind "$large_interface"
check "unbound: listed, with size and route" jq -e '.[] | select(.serial == "LARGE") |
	.driver == null and .block == null and .bytes == 268435456 and .route == "bot"' \
	<("$UMSCTL" list --json)
check "unbound: captured by itself through bot" \
	exits 0 "$UMSCTL" capture usb:46f4:0001:LARGE "$share/unbound.ums"
check "and the interface is left unbound" has_driver "$large_interface" none
check "named by its port: the same drive, already complete" \
	exits 0 "$UMSCTL" capture "usb:${large_interface%:*}" "$share/unbound.ums"
check "nothing of umsctl still runs" wait_for 5 not busybox pgrep -x umsctl
cp stopped.ums "$share"
exit 0
