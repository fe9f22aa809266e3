#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Capture through libusb: when it is refused, and how the drive is given back on every way out.
. "$(dirname "$0")/functions.sh"
needs_umsctl

make_disk "$work/large" 256
make_disk "$work/slow" 64
stick LARGE "$work/large"
head -c 16M /dev/zero >"$work/swap"
chmod 600 "$work/swap"
mkswap "$work/swap" >/dev/null
stick SWAP "$work/swap"
# Slow enough to be stopped in the middle of a transfer.
stick SLOW "$work/slow" throttling.bps-read=4000000
run_machine 240 bot.sh

check "detached: equal to the stick" equal "$work/large" detached.ums
check "never bound: equal" equal "$work/large" unbound.ums
check "stopped in every way, resumed: equal" equal "$work/slow" stopped.ums

done_testing
