# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
# For shell tests: TAP, a folder of their own, the program.  A test sources this, makes checks, and ends
# with done_testing.
set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
UMSCTL=${UMSCTL:-$tree/build/umsctl}
export UMSCTL
work=$(mktemp -d "${TMPDIR:-/tmp}/umsctl-test.XXXXXX")
cleanup() {
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

n_checks=0
n_failed=0

# ok NAME COMMAND...: the command must succeed; what it prints is shown when it does not.
ok() {
	local name=$1 code
	shift
	n_checks=$((n_checks + 1))
	"$@" >"$work/.output" 2>&1
	code=$?
	if [ $code = 0 ]; then
		echo "ok $n_checks - $name"
	else
		n_failed=$((n_failed + 1))
		echo "not ok $n_checks - $name"
		echo "# exit $code of: $*"
		sed 's/^/# /' "$work/.output" | tail -20
	fi
}

# is NAME GOT WANTED
is() {
	n_checks=$((n_checks + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n_checks - $1"
	else
		n_failed=$((n_failed + 1))
		echo "not ok $n_checks - $1"
		printf 'got:\n%s\nwanted:\n%s\n' "$2" "$3" | sed 's/^/# /' | tail -40
	fi
}

# exits NAME CODE COMMAND...: the exit code; output is left in $work/out and $work/err.
exits() {
	local name=$1 code=$2 got
	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	is "$name" "$got" "$code"
	[ "$got" = "$code" ] || sed 's/^/# /' "$work/err"
}

# skip NAME REASON
skip() {
	n_checks=$((n_checks + 1))
	echo "ok $n_checks - $1 # SKIP $2"
}

# grown FILE BYTES: waits until FILE is longer than that.  It ends at once when the last program that
# was started in the background has ended: then nothing makes it longer any more.
grown() {
	while [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -le "$2" ] && kill -0 $! 2>/dev/null; do
		sleep 0.01
	done
}

# The map as "LBA BLOCKS STATE" lines, neighbours of one state as one.
states() {
	"$UMSCTL" map --json "$1" | jq -r '.ranges[] | "\(.lba) \(.blocks) \(.state)"' |
		awk '$3 == state { n += $2; next }
			state { print lba, n, state }
			{ lba = $1; n = $2; state = $3 }
			END { print lba, n, state }'
}

done_testing() {
	echo "1..$n_checks"
	exit $((n_failed > 0))
}
