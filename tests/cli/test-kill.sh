#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# SIGKILL at 1,000 random moments of captures, of going on with them, of further tries, seals, exports and captures
# into pipes, with a checkpoint every 10 ms: after each the image opens, what it had it still has, and all ends as
# when nobody disturbs it.  SEED=n repeats a run, KILLS=n makes it another number.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

kills=${KILLS:-1000}
RANDOM=${SEED:=$(date +%N | sed 's/^0*//')}
echo "# SEED=$SEED" >&2
cd "$work" || exit 1

drive=sim:mixed,size=6M,delay=300,bad=3000-3002,bad=6000:nolba,bad=6002:nodata,bad=9000-9015,recovered=11000
# The same drive, but for the bad sectors: one more try reads them all.
healed=sim:mixed,size=6M,delay=300,recovered=11000
capture=("$UMSCTL" capture --quiet --checkpoint 0.01 --quirk max-sectors-64)

"${capture[@]}" "$drive" whole.ums
is "undisturbed: all but the bad sectors" $? 3
states whole.ums >whole.map
is "and its map" "$(grep -v good whole.map)" "3000 3 bad
6000 1 bad
6002 1 bad
9000 16 bad
11000 1 recovered"
cp whole.ums retried.ums
"${capture[@]}" --retries 1 "$healed" retried.ums
is "and once more: every sector" $? 0
states retried.ums >retried.map
"${capture[@]}" "$healed,fault=drop=0:lba=7000" stopped.ums 2>err
is "and one whose drive left: stopped" $? 4
states stopped.ums >stopped.map
"$UMSCTL" export whole.ums whole.raw 2>err
"$UMSCTL" export retried.ums retried.raw

done_kills=0
wrong=0
fault() {
	echo "# after $done_kills kills: $*" >&2
	wrong=$((wrong + 1))
}

# killed COMMAND...: kills it at a random moment of the time that it took when it was last left alone, if it still
# runs then.  Its exit code is in $code: 137 when it was killed.
declare -A takes
into=out
killed() {
	local begin=${EPOCHREALTIME/./} pid now
	"$@" >"$into" 2>err &
	pid=$!
	sleep "$(printf '0.%06d' $(((RANDOM * 32768 + RANDOM) % ${takes[$what]:-100000})))"
	if kill -KILL $pid 2>/dev/null; then
		wait $pid 2>/dev/null
		code=$?
	else
		wait $pid
		code=$?
	fi
	now=${EPOCHREALTIME/./}
	if [ $code = 137 ]; then
		done_kills=$((done_kills + 1))
		count[$what]=$((${count[$what]:-0} + 1))
	else
		takes[$what]=$(((now - begin) * 9 / 10 + 1))
	fi
}
declare -A count

# good_of IMAGE: how many sectors it has.  An empty file has none, and is none yet.
good_of() {
	[ -s "$1" ] || { echo 0 && return; }
	"$UMSCTL" map --json "$1" | jq '[.ranges[] | select(.state == "good" or .state == "recovered") | .blocks] | add // 0'
}

# kept IMAGE: it opens, and has no fewer sectors than in $had.
kept() {
	local now
	now=$(good_of "$1")
	[ -n "$now" ] || { fault "$1 does not open" && return; }
	[ "$now" -ge "$had" ] || fault "$1: $now good sectors, there were $had"
	had=$now
}

# until_done CODE IMAGE COMMAND...: killed and called again until it ends by itself.
until_done() {
	local want=$1 image=$2 tries=0
	shift 2
	while :; do
		killed "$@"
		kept "$image"
		[ $code = 137 ] || break
		# It may be killed before it comes any further each time.
		tries=$((tries + 1))
		[ $tries -lt 8 ] || takes[$what]=$((${takes[$what]:-100000} * 5 / 4))
	done
	[ "$code" = "$want" ] || fault "$what: exit $code: $(cat err)"
}

# same IMAGE MAP: it is what the undisturbed one is.
same() {
	"$UMSCTL" verify "$1" >out 2>&1 || fault "$1: $(cat out)"
	states "$1" | cmp - "$2" || fault "$1: another map"
}

# Under the final name is the whole or nothing, or the old one.
export_one() {
	rm -f one.raw .one.*
	what="export"
	killed "$UMSCTL" export image.ums one.raw
	[ ! -e one.raw ] || cmp one.raw retried.raw || fault "a part under the final name"
	echo old >one.raw
	what=export-force
	killed "$UMSCTL" export --force image.ums one.raw
	[ "$(head -c 4 one.raw | tr -d '\0')" = old ] || cmp one.raw retried.raw || fault "neither the old nor the new one"
}


# What came through a pipe before its writer was killed opens as far as it goes.
pipe_one() {
	local reader
	exec 9> >(cat >piped.ums)
	reader=$!
	what=pipe
	into=/dev/fd/9
	killed "${capture[@]}" "$drive" -
	into=out
	exec 9>&-
	wait $reader
	had=0
	kept piped.ums
	if [ $code = 137 ]; then
		what=pipe-resume
		until_done 3 piped.ums "${capture[@]}" "$drive" piped.ums
	fi
	same piped.ums whole.map
}

# One that was stopped, sealed as it is.
seal_one() {
	cp stopped.ums part.ums
	had=$(good_of part.ums)
	what=seal
	until_done 3 part.ums "$UMSCTL" seal part.ums
	same part.ums stopped.map
}

rounds=0
while [ $done_kills -lt "$kills" ]; do
	rm -f image.ums
	had=0
	what=capture
	until_done 3 image.ums "${capture[@]}" "$drive" image.ums
	same image.ums whole.map
	# An export of this one, once a round, must be right to the byte.
	"$UMSCTL" export --force image.ums image.raw 2>err
	cmp image.raw whole.raw || fault "other bytes"

	what=retries
	until_done 0 image.ums "${capture[@]}" --retries 1 "$healed" image.ums
	same image.ums retried.map

	for _ in 1 2 3 4; do
		seal_one
		export_one
	done
	pipe_one
	pipe_one
	rounds=$((rounds + 1))
done
for what in "${!count[@]}"; do
	echo "# ${count[$what]} times killed: $what" >&2
done
echo "# $rounds rounds" >&2
is "after each kill nothing was lost, and nothing was false" $wrong 0
ok "killed as often as it should be" test $done_kills -ge "$kills"
is "in each of the ways" "$(printf '%s\n' "${!count[@]}" | sort | tr '\n' ' ')" \
	"capture export export-force pipe pipe-resume retries seal "
done_testing
