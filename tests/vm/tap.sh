# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# TAP for both halves of a test, on the host and in the guest. Lines are not numbered, since the
# guest's stand between the host's.

n_checks=0
n_failed=0

# check WHAT COMMAND...: ok if COMMAND succeeds; what it printed explains a failure.
check() {
	local what=$1 output
	shift
	n_checks=$((n_checks + 1))
	if output=$("$@" 2>&1); then
		echo "ok - $what"
		return
	fi
	n_failed=$((n_failed + 1))
	echo "not ok - $what"
	printf '%s\n' "command: $*" "$output" | tail -n 25 | sed 's/^/# /'
	return 1
}

# skip WHAT REASON
skip() {
	n_checks=$((n_checks + 1))
	echo "ok - $1 # SKIP $2"
}

# is GOT WANTED
is() {
	[ "$1" = "$2" ] && return
	printf 'got:    %s\nwanted: %s\n' "$1" "$2"
	return 1
}

# not COMMAND...
not() {
	! "$@"
}

# exits STATUS COMMAND...
exits() {
	local want=$1 status=0
	shift
	"$@" || status=$?
	[ "$status" -eq "$want" ] && return
	echo "exit status $status, not $want"
	return 1
}

# refuses STATUS PATTERN COMMAND...: it exits so, and its message has PATTERN (grep -E) in it.
refuses() {
	local want=$1 pattern=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	[ "$status" -eq "$want" ] && grep -qE -- "$pattern" <<<"$output" && return
	echo "exit status $status (wanted $want), and no \"$pattern\" in: $output"
	return 1
}
