#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Images of the day when the format was frozen read as they did then, with umsctl and with a reader that
# was made from the specification alone.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

golden=$tree/tests/image/golden
sum() {
	sha256sum | cut -d' ' -f1
}
# map_of IMAGE: umsctl's, as "LBA N STATE" lines.
map_of() {
	"$UMSCTL" map --json "$1" | jq -r '.ranges[] | "\(.lba) \(.blocks) \(.state)"' | awk '
		BEGIN { split("untried skipped failed bad good recovered", names)
			for (i in names) number[names[i]] = i - 1 }
		{ s = number[$3]; if (s == last) n += $2; else { if (NR > 1) print at, n, last; at = $1; n = $2; last = s } }
		END { print at, n, last }'
}

while read -r name image_sum plain_sum; do
	image=$golden/$name.ums
	is "$name: the image has not changed" "$(sum <"$image")" "$image_sum"

	status=0
	"$UMSCTL" verify "$image" >/dev/null 2>&1 || status=$?
	is "$name: verify" "$status" "$([ "$name" = stopped ] && echo 5 || echo 0)"
	status=0
	"$UMSCTL" export "$image" "$work/$name.raw" >/dev/null 2>&1 || status=$?
	ok "$name: export" test -s "$work/$name.raw"
	is "$name: its plain bytes" "$(sum <"$work/$name.raw")" "$plain_sum"
	is "$name: its map" "$(map_of "$image")" "$(cat "$golden/$name.map")"

	ok "$name: by the specification alone" \
		python3 "$golden/read.py" "$image" "$work/read.raw" "$work/read.map"
	is "$name: the same bytes" "$(sum <"$work/read.raw")" "$plain_sum"
	is "$name: the same map" "$(cat "$work/read.map")" "$(cat "$golden/$name.map")"
done <"$golden/list"

# The same once torn: cut in its last checkpoint, so that DATA of the seal stands behind the one before; and
# with the first checkpoint damaged as well, so that every record must speak for itself.
whole_sum=$(awk '$1 == "generations" { print $3 }' "$golden/list")
head -c 45100 "$golden/generations.ums" >"$work/torn.ums"
cp "$work/torn.ums" "$work/damaged.ums"
printf '\377' | dd of="$work/damaged.ums" bs=1 seek=17700 conv=notrunc status=none
for name in torn damaged; do
	image=$work/$name.ums
	exits "$name: verify" 5 "$UMSCTL" verify "$image"
	"$UMSCTL" export "$image" "$work/$name.raw" >/dev/null 2>&1
	is "$name: its plain bytes" "$(sum <"$work/$name.raw")" "$whole_sum"
	is "$name: its map" "$(map_of "$image")" "$(cat "$golden/generations.map")"
	ok "$name: by the specification alone" \
		python3 "$golden/read.py" "$image" "$work/read.raw" "$work/read.map"
	is "$name: the same bytes" "$(sum <"$work/read.raw")" "$whole_sum"
	is "$name: the same map" "$(cat "$work/read.map")" "$(cat "$golden/generations.map")"
done

# What is written today is as specified too.
"$UMSCTL" capture --quiet sim:demo,size=64M "$work/today.ums" 2>/dev/null
"$UMSCTL" export "$work/today.ums" "$work/today.raw" >/dev/null
ok "an image of today, by the specification alone" \
	python3 "$golden/read.py" "$work/today.ums" "$work/read.raw" "$work/read.map"
is "the same bytes" "$(sum <"$work/read.raw")" "$(sum <"$work/today.raw")"

done_testing
