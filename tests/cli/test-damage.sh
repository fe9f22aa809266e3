#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A sealed image whose map or index is damaged: all commands that read go on with what checkpoints and records say,
# and none says that the image is whole.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1
"$UMSCTL" capture --quiet sim:mixed,size=4M,bad=100-102 good.ums 2>err
"$UMSCTL" map good.ums >good.map
"$UMSCTL" export good.ums good.raw
exits "a good one says nothing of damage" 0 "$UMSCTL" info good.ums
ok "… in words" test "$(grep -c '^damage' out)" = 0
is "… in JSON" "$("$UMSCTL" info --json good.ums | jq 'has("damage")')" false

# The last record of a type, a byte of whose payload is turned round.
damage() {
	local at
	cp good.ums bad.ums
	at=$(($(grep -abo "UMSR$1" good.ums | tail -1 | cut -d: -f1) + 64))
	printf '\377' | dd of=bad.ums bs=1 seek=$at conv=notrunc status=none
}

for type in MAPS ROOT INDX; do
	damage $type
	exits "$type damaged: verify, exit 5" 5 "$UMSCTL" verify bad.ums
	ok "… names what it met" grep -q "checkpoints and records" out
	exits "… export" 3 "$UMSCTL" export --force bad.ums bad.raw
	ok "… the same bytes" cmp good.raw bad.raw
	"$UMSCTL" map bad.ums >bad.map
	ok "… the same map" cmp good.map bad.map
done
damage MAPS
exits "info opens it" 0 "$UMSCTL" info bad.ums
ok "… and says so" grep -q "^damage .*MAPS record at offset" out
is "… in JSON too" "$("$UMSCTL" info --json bad.ums | jq 'has("damage")')" true

done_testing
