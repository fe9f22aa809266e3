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

wait_for 30 disk_of BAD
bad=$(interface_of "$(disk_of BAD)")
unbind "$bad"
check "one that misbehaves" exits 3 \
	"$UMSCTL" capture --timeout 2 "usb:1209:0001:BAD" "$share/misbehaving.ums"
exit 0
