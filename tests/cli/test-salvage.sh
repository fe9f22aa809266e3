#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What can still be had of a damaged image: all but the units that are hit, and nothing false about them.
# shellcheck source=tests/lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1
"$UMSCTL" capture --quiet sim:noise,size=4M,bad=5000-5002,bad=6000 a.ums 2>err
"$UMSCTL" export --mapfile a.map a.ums a.raw 2>err

# flip FILE OFFSET: changes a byte.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	printf '%b' "\\x$(printf %02x $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# record FILE TYPE: where the last record of it begins.
record() {
	LC_ALL=C grep -abo "UMSR$2" "$1" | tail -1 | cut -d: -f1
}
# named: "FIRST LAST" of the sectors that standard error names.
named() {
	sed -nE 's/.* sectors ([0-9]+)-([0-9]+): written as zeros$/\1 \2/p' err
}

# --- units of data ---
cp a.ums b.ums
first=$(LC_ALL=C grep -abo UMSRDATA b.ums | head -1 | cut -d: -f1)
flip b.ums $((first + 400000))
flip b.ums $((first + 2000000))
exits "without --salvage: exit 5" 5 "$UMSCTL" export --mapfile b.map b.ums b.raw
ok "… names unit, sectors, place in the file and the way on" \
	grep -qE 'chunk [0-9]+ of the run at file offset [0-9]+ is damaged: sectors [0-9]+-[0-9]+; .*--salvage' err
is "… and makes neither file" "$(ls b.raw b.map 2>/dev/null)" ""
exits "with it: exit 5 all the same" 5 "$UMSCTL" export --salvage --mapfile b.map b.ums b.raw
named >places
is "… names two units of 128 KiB" "$(awk '$1 % 256 == 0 && $2 == $1 + 255' places | wc -l)" 2
ok "… and counts them" grep -q '512 sectors in 2 areas' err
cp a.raw wanted
while read -r from to; do
	dd if=/dev/zero of=wanted bs=512 seek="$from" count=$((to - from + 1)) conv=notrunc status=none
done <places
ok "… there are zeros, all else is as it was" cmp b.raw wanted
is "they are not tried in the mapfile" "$(grep '^0x.*  ?$' b.map |
	while read -r at size _; do echo "$((at / 512)) $(((at + size) / 512 - 1))"; done)" "$(cat places)"
is "… and bad ones still bad" "$(grep -- '-$' b.map)" "$(grep -- '-$' a.map)"
exits "through a pipe" 5 bash -c 'set -o pipefail; "$UMSCTL" export --salvage b.ums - | cat'
ok "… the same bytes" cmp out wanted
sum=$(sha256sum <b.ums)
exits "an undamaged image" 3 "$UMSCTL" export --salvage a.ums again.raw
ok "… is exported as ever" cmp again.raw a.raw
is "nothing is changed in the image" "$(sha256sum <b.ums)" "$sum"

# --- what verify says of it ---
exits "verify: exit 5" 5 "$UMSCTL" verify b.ums
ok "digests that could not be computed are not said to be wrong" \
	grep -q 'digests not computed, because not all chunks can be read: NOT GOOD' out
ok "… nor the trailer, which is not damaged" sh -c '! grep -q "UDIF trailer" out'
exits "the same as JSON" 5 "$UMSCTL" verify --json b.ums
is "… three answers" "$(jq -c '[.digests, .digests_why, .digest_checked, .digest_bad]' out)" \
	'["not computed","not all chunks can be read",false,false]'
"$UMSCTL" verify --json a.ums >out
is "… digests that fit" "$(jq -c '[.digests, .digests_why, .digest_checked, .digest_bad]' out)" \
	'["fit",null,true,false]'

# --- the head of a record, what leads to the records ---
cp a.ums c.ums
flip c.ums $((first + 8))
exits "the head of a record: exit 5" 5 "$UMSCTL" export c.ums c.raw
exits "… salvaged: exit 5" 5 "$UMSCTL" export --salvage c.ums c.raw
is "… without the sectors of that run" "$(named)" "0 2047"
for type in INDX ROOT MAPS; do
	cp a.ums c.ums
	flip c.ums $(($(record c.ums $type) + 64 + 9))
	exits "a damaged $type: exported by checkpoints and records" 3 \
		"$UMSCTL" export --force --mapfile c.map c.ums c.raw
	ok "… said to be damaged" grep -q 'checkpoints and records' err
	ok "… with every byte" cmp c.raw a.raw
	rm -f c.map
done
done_testing
