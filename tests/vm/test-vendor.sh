#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Vendor commands through the kernel's driver while a stick is mounted and busy; the same answers as sg_raw, sg_inq,
# sg_logs, sg_opcodes, sg_vpd and smartctl get from the same drives; and drives taken from the kernel for commands
# that it would disturb.
. "$(dirname "$0")/functions.sh"
needs_umsctl
for tool in fio smartctl usbip sg_raw; do
	command -v "$tool" >/dev/null || skip_all "$tool is not installed"
done

make_disk "$work/busy" 64
stick BUSY "$work/busy"
run_machine 420 vendor.sh
done_testing
