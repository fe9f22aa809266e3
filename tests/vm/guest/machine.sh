#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

echo "$*" >"$share/from-guest"
check "the guest sees what the host wrote" is "$(cat "$share/from-host")" hello
check "the root can be written to" touch /root/here
check "usb-storage's disk has its by-id link" wait_for 15 disk_of UMS1
disk=$(disk_of UMS1)
check "and its by-path link" is "$(readlink -e "$(by_path_of "$disk")")" "$disk"
check "and its partition" wait_for 5 test -b "${disk}1"
check "sg_inq works on the sg node" sg_inq "$(sg_of "$disk")"
interface=$(interface_of "$disk")
check "its driver is usb-storage" has_driver "$interface" usb-storage

check "the filesystem mounts read-only" mount -r "${disk}1" /mnt
check "and has its files" is "$(tail -n 1 /mnt/numbers.txt)" 100000
umount /mnt

check "the driver can be unbound" unbind "$interface"
check "and is gone then" has_driver "$interface" none
check "the disk's by-id link goes" wait_for 5 not disk_of UMS1
check "the driver can be bound again" bind "$interface" usb-storage
check "and the by-id link comes back" wait_for 10 disk_of UMS1
exit 0
