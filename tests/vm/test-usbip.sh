#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Simulated drives in front of a real kernel, over USB/IP: what the kernel reads is what is on them; they
# misbehave on the wire with the kernel's driver in between; and one leaves the bus twice, comes back
# under other nodes, and its capture goes on to its end by itself.
. "$(dirname "$0")/functions.sh"
needs_umsctl
command -v usbip >/dev/null || skip_all "usbip is not installed"

run_machine 500 usbip.sh

# like NAME IMAGE [STATUS]: IMAGE is equal to what the simulated drive NAME has.
like() {
	"$UMSCTL" capture --quiet "sim:$1" "$work/like.ums" &&
		exits 0 "$UMSCTL" export "$work/like.ums" "$work/like" && equal "$work/like" "$2" "${3:-0}"
	local status=$?
	rm -f "$work/like" "$work/like.ums"
	return $status
}
check "4096-byte sectors: equal" like 4k,size=8M 4k.ums
check "the second unit: equal" like text,size=4M,seed=1 unit1.ums
check "broken rules: equal" like noise,size=8M rules.ums
check "stuck, power off and on: equal" like noise,size=8M,seed=4 stuck.ums
check "one of two of a model: equal" like noise,size=16M,seed=1 twin.ums
check "dropped twice: equal" like noise,size=24M,seed=3 dropped.ums

done_testing
