#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The test machine itself: it passes output and status on, keeps its limit, leaves nothing behind,
# and a stick is in it what a stick is in any Debian.
. "$(dirname "$0")/functions.sh"

make_disk "$work/disk" 64
stick UMS1 "$work/disk"
echo hello >"$share/from-host"
run_machine 60 machine.sh "two words" '*'
check "the host sees what the guest wrote" is "$(cat "$share/from-guest")" "two words *"

cat >"$work/seven.sh" <<<'exit 7'

# Killed with no chance to clean up: the machine, which holds the lock while it lives, ends as well.
killed_outright() {
	local runner lock=$tree/build/vm/vm.lock
	"$here/vm.sh" -t 60 "$work/seven.sh" >/dev/null 2>&1 &
	runner=$!
	while flock -n "$lock" true; do
		sleep 0.1
	done
	sleep 1
	kill -KILL "$runner"
	wait "$runner"
	flock -w 10 "$lock" true
}
check "a machine whose runner was killed ends" killed_outright

check "the guest's exit status is passed on" exits 7 "$here/vm.sh" -t 60 "$work/seven.sh"
check "a machine that takes too long is stopped" \
	refuses 125 'stopped after 1 s' "$here/vm.sh" -t 1 "$work/seven.sh"
check "and none leaves anything behind" not ls -d "$tree"/build/vm/run.*

done_testing
