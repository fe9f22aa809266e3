#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

for name in STREAMS PLAIN; do
	wait_for 15 disk_of $name
	disk=$(disk_of $name)
	interface=$(interface_of "$disk")
	image=$share/${name,,}
	check "$name: the kernel's driver is uas" has_driver "$interface" uas

	check "$name: through the kernel" exits 0 "$UMSCTL" capture "$disk" "$image-sg.ums"
	check "$name: uas needs --detach" refuses 2 --detach \
		"$UMSCTL" capture --route uas "$disk" no.ums
	check "$name: bot is not offered" refuses 2 'no Bulk-Only' \
		"$UMSCTL" capture --route bot --detach "$disk" no.ums
	check "$name: detached, through uas" exits 0 \
		"$UMSCTL" capture --route uas --detach --pcap "$name.pcap" "$disk" "$image-uas.ums"
	check "$name: the driver is bound again" wait_for 15 has_driver "$interface" uas
	check "$name: the disk is back" wait_for 15 disk_of $name

	unbind "$interface"
	check "$name: unbound, the route would be uas" jq -e \
		".[] | select(.serial == \"$name\") | .driver == null and .route == \"uas\" and .bytes > 0" \
		<("$UMSCTL" list --json)
	check "$name: unbound, captured" exits 0 \
		"$UMSCTL" capture "usb:${interface%:*}" "$image-unbound.ums"
	check "$name: and left unbound" has_driver "$interface" none
done
exit 0
