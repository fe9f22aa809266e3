#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Capture through the kernel's own driver, while a filesystem of the stick is mounted.
. "$(dirname "$0")/functions.sh"
needs_umsctl

make_disk "$work/large" 256
make_disk "$work/small" 32
stick LARGE "$work/large"
stick SMALL "$work/small"
run_machine 180 mounted.sh

check "mounted read-only: equal to the stick" equal "$work/large" read-only.ums
check "the partition alone: equal" \
	equal <(tail -c +1048577 "$work/small") partition.ums
check "mounted read-write: the image is whole" "$UMSCTL" verify "$share/live.ums"

says_live() {
	"$UMSCTL" info --json "$share/live.ums" |
		jq -e '.journal[] | select(.event == "session") | .live == true'
}
check "and its journal says that it was live" says_live

done_testing
