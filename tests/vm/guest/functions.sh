# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For the guest's half of a test: finds the test's sticks and what the kernel makes of them.
set -u
# shellcheck source=../tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"

# The folder that the host sees too.
# shellcheck disable=SC2034
share=/run/vm/share
# The host's /tmp shows through, with whatever is in it.
cd "$(mktemp -d)" || exit

# wait_for SECONDS COMMAND...: until COMMAND succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.1
	done
}

# disk_of SERIAL [LUN]: /dev/sdX.
disk_of() {
	readlink -e /dev/disk/by-id/usb-*_"$1-0:${2:-0}"
}

# by_path_of DISK: its link in /dev/disk/by-path.
by_path_of() {
	udevadm info --query=symlink "$1" | tr ' ' '\n' | sed -n 's,^disk/by-path/,/dev/&,p'
}

# sg_of DISK: /dev/sgN.
sg_of() {
	local sg
	for sg in "/sys/block/${1#/dev/}"/device/scsi_generic/*; do
		echo "/dev/${sg##*/}"
	done
}

# interface_of DISK: the USB interface, "1-2:1.0".
interface_of() {
	readlink -f "/sys/block/${1#/dev/}/device" | grep -oE '[0-9]+-[0-9.]+:[0-9.]+' | tail -n 1
}

# driver_of INTERFACE: the kernel's driver for it, or "none".
driver_of() {
	local driver
	driver=$(readlink "/sys/bus/usb/devices/$1/driver") || driver=none
	echo "${driver##*/}"
}

has_driver() {
	is "$(driver_of "$1")" "$2"
}

unbind() {
	echo "$1" >"/sys/bus/usb/devices/$1/driver/unbind"
}

# bind INTERFACE DRIVER
bind() {
	echo "$1" >"/sys/bus/usb/drivers/$2/bind"
}

# --- simulated drives over USB/IP ---

usbip_ready() {
	modprobe vhci-hcd
	ip link set lo up 2>/dev/null || busybox ifconfig lo 127.0.0.1 up
}

# show NAME...: the simulated drives, for USB/IP, until unshow.
show() {
	"$UMSCTL" sim --usbip "$@" >sim.log 2>&1 &
	server=$!
	wait_for 10 grep -q Ctrl-C sim.log
}
unshow() {
	kill "$server"
	wait "$server"
}
attach() {
	usbip attach -r 127.0.0.1 -b "$1"
}
