#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

usbip_ready

show 4k,size=8M,serial=FOURK text,size=4M,luns=2,serial=UNITS big,size=3T,serial=BIG \
	'noise,size=8M,serial=RULES,fault=csw-tag:cmd=40,fault=stall-in-data:cmd=60,fault=phase-error:cmd=70,fault=csw-missing:cmd=80'
for busid in 1-1 1-2 1-3 1-4; do
	check "attached $busid" attach $busid
done
wait_for 20 disk_of FOURK
wait_for 20 disk_of UNITS 1
wait_for 20 disk_of BIG
check "4096-byte sectors" exits 0 "$UMSCTL" capture "$(disk_of FOURK)" "$share/4k.ums"
check "the second unit" exits 0 "$UMSCTL" capture "$(disk_of UNITS 1)" "$share/unit1.ums"
check "past 2 TiB: the kernel sees all of it" is \
	"$(cat "/sys/class/block/$(basename "$(disk_of BIG)")/size")" $((3 << 31))
check "past 2 TiB: its last megabyte" exits 0 \
	"$UMSCTL" capture --start $(((3 << 31) - 2048)) "$(disk_of BIG)" end.ums

# The kernel's driver meets most of these, resets the drive, and may pass an error on to us; either way
# it ends well.
wait_for 30 disk_of RULES
check "broken rules" exits 0 "$UMSCTL" capture --retries 2 --timeout 20 "$(disk_of RULES)" "$share/rules.ums"
unshow

# --- a drive that leaves twice ---

show noise,size=24M,seed=3,serial=LEAVES,rate=3M,fault=drop=500:lba=12000,fault=drop=500:lba=30000
attach 1-1
wait_for 20 disk_of LEAVES
first=$(disk_of LEAVES)
# Comes back each time; its old nodes are held open, so that it gets others.
come_back() {
	local times=1
	exec 5<"$first"
	while kill -0 "$server" 2>/dev/null; do
		if [ "$(grep -c 'left the bus' sim.log)" -ge $times ]; then
			until attach 1-1; do sleep 0.2; done
			wait_for 10 disk_of LEAVES
			echo "back as $(disk_of LEAVES)" >>back.log
			exec 6<"$(disk_of LEAVES)"
			times=$((times + 1))
		fi
		sleep 0.3
	done
}
come_back >/dev/null 2>&1 &
check "left twice, came back, captured" \
	exits 0 "$UMSCTL" capture --reconnect 120 "$first" "$share/dropped.ums"
check "it did leave twice" is "$(grep -c 'left the bus' sim.log)" 2
check "the journal has it" eval \
	'"$UMSCTL" info --json "$share/dropped.ums" | jq -e "[.journal[] | select(.event == \"back\")] | length == 2"'
check "under other nodes" eval 'grep . back.log && not grep "$first" back.log'
unshow

# --- two of one model, without serial numbers ---

# disk_at PORT-NUMBER: the disk of the virtual controller's port, "sda".
disk_at() {
	local path
	for path in /sys/block/sd*; do
		case $(readlink -f "$path") in */usb?/?-"$1"/*) echo "/dev/${path##*/}" ;; esac
	done
}
# 1-1 leaves; on its old port 1-2 is plugged in before it comes back.
twins() {
	show "noise,size=16M,seed=1,serial=none,rate=3M,fault=drop=300:lba=9000" \
		"noise,size=16M,seed=$1,serial=none" "text,size=1M,serial=OTHER"
	attach 1-1
	# shellcheck disable=SC2016
	wait_for 20 eval 'test -b "$(disk_at 1)"'
	(
		until grep -q 'left the bus' sim.log; do sleep 0.1; done
		# Two others first, so that the old port is taken by what is not it.
		until attach 1-3; do sleep 0.2; done
		until attach 1-2; do sleep 0.2; done
		until attach 1-1; do sleep 0.2; done
	) >/dev/null 2>&1 &
}
twins 2
check "two of one model: the right one is found by what is on it" exits 0 \
	"$UMSCTL" capture --reconnect 60 "$(disk_at 1)" "$share/twin.ums"
unshow
# shellcheck disable=SC2016
wait_for 10 eval '[ -z "$(disk_at 1)" ]'
twins 1
check "two that nothing tells apart: it stops and asks" refuses 4 'drives may be .* unplug all but' \
	"$UMSCTL" capture --reconnect 60 "$(disk_at 1)" clone.ums
unshow

# --- one that does not answer any more, until its power is turned off and on ---

show noise,size=8M,seed=4,serial=STUCK,fault=dead:lba=9000
attach 1-1
wait_for 20 disk_of STUCK
cat >power-cycle <<'END'
echo "for $UMSCTL_DEVICE at $UMSCTL_PORT" >>power.log
for port in 0 1 2 3 4 5 6 7; do echo $port >/sys/devices/platform/vhci_hcd.0/detach; done
until usbip attach -r 127.0.0.1 -b 1-1; do sleep 1; done
END
check "stuck: the user's command brings it back, and the capture goes on" exits 0 \
	"$UMSCTL" capture --timeout 2 --reconnect 120 --on-stuck 'sh ./power-cycle' \
	"$(disk_of STUCK)" "$share/stuck.ums"
check "it was run, knowing the drive" grep 'for /dev/sd. at [0-9]' power.log
unshow
exit 0
