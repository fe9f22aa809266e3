#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGKILL at 200 random moments of captures, each gone on with until it is done: the same bytes and the same
# map as a capture that nobody disturbed.  SEED=n repeats a run.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

kills=200
drive=sim:mixed,size=12M,delay=400,bad=3000-3002,bad=9000:nolba,bad=9002:nodata,bad=15000-15063,recovered=20000
RANDOM=${SEED:=$(date +%N | sed 's/^0*//')}
echo "# SEED=$SEED" >&2

"$UMSCTL" capture --quiet "$drive" "$work/whole.ums"
is "undisturbed: all but the bad sectors" $? 3
"$UMSCTL" export "$work/whole.ums" "$work/whole.raw"
states "$work/whole.ums" >"$work/whole.map"
is "and its map" "$(grep -v good "$work/whole.map")" "3000 3 bad
9000 1 bad
9002 1 bad
15000 64 bad
20000 1 recovered"

# One capture, killed again and again until it comes to its end.
done_kills=0
captures=0
resumes=0
differ=0
while [ "$done_kills" -lt "$kills" ]; do
	rm -f "$work/image.ums"
	while :; do
		"$UMSCTL" capture --quiet "$drive" "$work/image.ums" 2>"$work/err" &
		pid=$!
		# 0 to 0.25 s: a capture takes about that long.
		sleep "0.$(printf %03d $((RANDOM % 250)))"
		if [ "$done_kills" -lt "$kills" ] && kill -KILL $pid 2>/dev/null; then
			done_kills=$((done_kills + 1))
		fi
		wait $pid 2>/dev/null
		code=$?
		[ $code = 3 ] && break
		if [ $code != 137 ]; then
			echo "# exit $code: $(cat "$work/err")"
			differ=$((differ + 1))
			break
		fi
		resumes=$((resumes + 1))
	done
	captures=$((captures + 1))
	"$UMSCTL" export --force "$work/image.ums" "$work/image.raw"
	cmp "$work/whole.raw" "$work/image.raw" || differ=$((differ + 1))
	states "$work/image.ums" | diff "$work/whole.map" - || differ=$((differ + 1))
	"$UMSCTL" verify "$work/image.ums" >"$work/out" || differ=$((differ + 1))
done
echo "# $captures captures, $done_kills killed, $resumes gone on with"
is "every one of them ended like the undisturbed one" $differ 0
is "killed as often as it should be" $done_kills $kills
done_testing
