#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Exports that are killed: whatever ends them, under the final name is the whole or nothing.  SEED=n repeats
# the random moments.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

kills=64
RANDOM=${SEED:=$(date +%N | sed 's/^0*//')}
echo "# SEED=$SEED" >&2

cd "$work" || exit 1
"$UMSCTL" capture --quiet sim:noise,size=24M,bad=100 a.ums
"$UMSCTL" export --mapfile whole.map a.ums whole.raw 2>err

temporary_names() {
	find . -name '.*.umsctl-*' | wc -l
}

# --- each signal, at a moment when the export cannot go on: nobody reads the mapfile ---
mkfifo fifo
# blocked_export SIGNAL: ends one by SIGNAL; its exit code is in $code.
blocked_export() {
	env --default-signal "$UMSCTL" export --mapfile fifo a.ums one.raw 2>err &
	pid=$!
	until [ "$(temporary_names)" -gt 0 ] || ! kill -0 $pid 2>/dev/null; do
		sleep 0.01
	done
	kill "-$1" $pid
	wait $pid 2>/dev/null
	code=$?
}
for signal in HUP INT QUIT ALRM TERM USR1 USR2 XCPU XFSZ VTALRM PROF; do
	blocked_export $signal
	is "SIG$signal ends it" $code $((128 + $(kill -l $signal)))
	ok "… and nothing of it stays" test ! -e one.raw -a "$(temporary_names)" = 0
done
blocked_export KILL
is "SIGKILL ends it" $code 137
ok "… and nothing stays but the temporary name" test ! -e one.raw -a "$(temporary_names)" = 1
rm -f .one.raw.umsctl-*

# --- SIGKILL at random moments ---
start=$(date +%s%N)
"$UMSCTL" export --mapfile one.map a.ums one.raw 2>err
takes=$((($(date +%s%N) - start) / 1000000 + 1))
partial=0
killed=0
while [ $killed -lt $kills ]; do
	rm -f one.raw one.map .one.*
	"$UMSCTL" export --mapfile one.map a.ums one.raw 2>err &
	sleep "$(printf '%d.%03d' 0 $((RANDOM % (takes + takes / 4 + 1))))"
	if ! kill -KILL $! 2>/dev/null; then
		wait $!
		takes=$((takes > 2 ? takes - 1 : 1))
	else
		wait $! 2>/dev/null
		killed=$((killed + 1))
	fi
	[ ! -e one.raw ] || cmp one.raw whole.raw || partial=$((partial + 1))
	[ ! -e one.map ] || cmp one.map whole.map || partial=$((partial + 1))
done
is "killed at $kills random moments: never a part under the final name" $partial 0

# The same where a file is replaced: the old one or the new one.
killed=0
while [ $killed -lt $((kills / 4)) ]; do
	rm -f .one.*
	echo old >one.raw
	"$UMSCTL" export --force a.ums one.raw 2>err &
	sleep "$(printf '%d.%03d' 0 $((RANDOM % (takes + takes / 4 + 1))))"
	kill -KILL $! 2>/dev/null && killed=$((killed + 1))
	wait $! 2>/dev/null
	[ "$(head -c 4 one.raw | tr -d '\0')" = old ] || cmp one.raw whole.raw || partial=$((partial + 1))
done
is "… and when it replaces one, the old or the new" $partial 0
done_testing
