#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A drive that is written to while it is captured, and one that is mounted read-write where it cannot be
# seen, by way of a device that lies on it.
. "$(dirname "$0")/functions.sh"
needs_umsctl

make_disk "$work/large" 256
make_disk "$work/small" 32
stick LARGE "$work/large"
stick SMALL "$work/small"
run_machine 180 written.sh
done_testing
