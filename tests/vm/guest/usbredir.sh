#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

wait_for 30 disk_of GOOD
disk=$(disk_of GOOD)
interface=$(interface_of "$disk")
# alternate: the setting that the interface is in.
alternate() {
	cat "/sys/bus/usb/devices/$interface/bAlternateSetting"
}
check "the kernel's driver is uas, at alternate setting 1" eval \
	'has_driver "$interface" uas && [ "$(alternate)" -eq 1 ]'
check "list shows both" jq -e \
	'.[] | select(.serial == "GOOD") | .protocols == ["bot", "uas"]' <("$UMSCTL" list --json)
check "through the kernel" exits 0 "$UMSCTL" capture "$disk" "$share/sg.ums"
for route in uas bot; do
	check "through $route" exits 0 \
		"$UMSCTL" capture --route $route --detach "usb:1209:0001:GOOD" "$share/$route.ums"
	check "the driver is bound again" wait_for 15 has_driver "$interface" uas
	check "and at alternate setting 1 again" is "$(alternate | tr -d ' ')" 1
	wait_for 15 disk_of GOOD
done

# A command that works over Bulk-Only alone, on a bridge that the kernel drives with UAS.
mkdir own
cat >own/own.conf <<'X'
[family]
name   = own
title  = a bridge
drives = 1209:0001
source = this test

[command bot]
about  = over Bulk-Only alone
safety = reads
transports = bot
cdb    = 12 00 00 00 24 00
in     = 36
field.vendor = 8 ascii 8
X
export UMSCTL_VENDOR_PATH=$PWD/own
check "Bulk-Only alone, and the kernel speaks UAS: it says what to do" \
	refuses 1 'uas speaks UAS.*--route bot --detach' "$UMSCTL" vendor run "$(disk_of GOOD)" own.bot
check "that is done" is "$("$UMSCTL" vendor run --route bot --detach usb:1209:0001:GOOD own.bot)" "vendor  umsctl"
check "and uas is bound again" wait_for 15 has_driver "$interface" uas

wait_for 30 disk_of BAD
bad=$(interface_of "$(disk_of BAD)")
unbind "$bad"
check "one that misbehaves" exits 3 \
	"$UMSCTL" capture --timeout 2 "usb:1209:0001:BAD" "$share/misbehaving.ums"
exit 0
