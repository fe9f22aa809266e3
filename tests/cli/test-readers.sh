#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The sealed image, the same file, through readers that are not ours: equal to our own export.
# shellcheck source=tests/lib.sh disable=SC2317
. "$(dirname "$0")/../lib.sh"

for tool in qemu-img dmg2img 7z ddrescuelog; do
	command -v $tool >/dev/null || { echo "Bail out! $tool is not installed"; exit 1; }
done

padded() {
	cp "$work/raw" "$work/padded"
	truncate -s %512 "$work/padded"
}

seven() {
	rm -rf "$work/7"
	7z x -tdmg -o"$work/7" "$work/image.ums" >/dev/null && cmp "$work"/7/* "$work/padded"
}

check() {
	local name=$1
	rm -f "$work/raw" "$work/map"
	"$UMSCTL" export --mapfile "$work/map" "$work/image.ums" "$work/raw"
	padded
	ok "$name: qemu-img" qemu-img convert -f dmg -O raw "$work/image.ums" "$work/qemu"
	ok "$name: … gives the same bytes" cmp "$work/qemu" "$work/padded"
	ok "$name: dmg2img" dmg2img -s "$work/image.ums" "$work/dmg2img"
	ok "$name: … gives the same bytes" cmp "$work/dmg2img" "$work/padded"
	ok "$name: 7z gives the same bytes" seven
	ok "$name: ddrescuelog reads the mapfile" ddrescuelog --show-status "$work/map"
	is "$name: sha256 of the export is the image's" "$(sha256sum <"$work/raw" | cut -d' ' -f1)" \
		"$("$UMSCTL" info --json "$work/image.ums" | jq -r .digests.sha256)"
}

# capture NAME DRIVE [OPTION...]: into image.ums, from nothing.
capture() {
	rm -f "$work/image.ums"
	"$UMSCTL" capture --quiet "${@:2}" "$work/image.ums" 2>/dev/null
	check "$1"
}

capture "demo" sim:demo
capture "noise" sim:noise,size=8M
capture "zeros" sim:blank,size=8M
capture "4096-byte sectors" sim:4k,size=8M,bad=100-101
capture "bad first and last sector" sim:text,size=8M,bad=0,bad=16383

head -c 3000001 /dev/urandom >"$work/odd"
capture "a plain file of odd size" "$work/odd"
ok "… which comes out as it was" cmp "$work/odd" "$work/raw"

# An image inside an image, stored raw: its trailer and records must not be taken for ours.
"$UMSCTL" capture --quiet sim:noise,size=3M "$work/inner.ums"
capture "an image of an image" "$work/inner.ums"
ok "… which verifies" "$UMSCTL" verify "$work/image.ums"

# A second generation: sectors that healed.
rm -f "$work/image.ums"
"$UMSCTL" capture --quiet sim:mixed,size=8M,bad=700-720,bad=9000 "$work/image.ums" 2>/dev/null
"$UMSCTL" capture --quiet --retries 1 sim:mixed,size=8M,bad=9000 "$work/image.ums" 2>/dev/null
is "second generation" "$("$UMSCTL" info --json "$work/image.ums" | jq .generation)" 2
check "second generation"

# Through a pipe.
"$UMSCTL" capture --quiet sim:mixed,size=8M,bad=5000-5010:nolba - 2>/dev/null | cat >"$work/image.ums"
check "from a pipe"
done_testing
