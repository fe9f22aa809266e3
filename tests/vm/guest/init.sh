#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Process 1 of the test machine once the root is in place: starts udev, finds the hardware, runs
# the job that vm.sh left in the shared folder, reports its exit status, and switches the machine off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LC_ALL=C.UTF-8
cd /

ln -s /proc/self/fd /dev/fd
mkdir -p /dev/pts /dev/shm /run/lock /run/vm
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
hostname umsctl-vm

share=/run/vm/share
mkdir -p "$share"
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none share "$share"
# shellcheck source=/dev/null
. "$share/job"

# The unpacked package's modules under the name where modprobe and udev look for them.
mkdir -p /lib/modules
ln -sfn "$VM_KERNEL/root/lib/modules/$(uname -r)" "/lib/modules/$(uname -r)"

# udev as on any desktop. Only what the initramfs found needs to be told of again; the drivers of
# the PCI devices bring everything behind them, which then comes as a hot-plugged stick does.
mkdir -p /run/udev
/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add --subsystem-match=pci --subsystem-match=virtio-ports
udevadm settle --timeout=30

port() {
	echo "/dev/virtio-ports/$1"
}
# In a session of its own, as a login would be, so that a job's signals go where they should.
setsid --wait bash "$VM_GUEST" "${VM_ARGS[@]}" </dev/null >"$(port out)" 2>&1
status=$?
[ "$status" -eq 0 ] || dmesg >"$share/dmesg"
echo "$status" >"$(port status)"
sync -f "$share"
# Without the drivers' shutdown; -no-reboot makes it QEMU's end.
echo b >/proc/sysrq-trigger
