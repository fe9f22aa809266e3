#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The tables of proto/IMAGE.md say the same as proto/ums.h, and an image is laid out as both say.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

spec=$tree/proto/IMAGE.md
header=$tree/proto/ums.h

# "NAME OFFSET" of every row of every table with a prefix.
awk -F'|' '/^\| `[A-Z]+_` \| offset/ { gsub(/[` _]/, "", $2); prefix = $2; next }
	/^\| `[A-Z0-9_]+` \| [0-9]+ \| [0-9]+ \|/ && prefix != "" {
		gsub(/[` ]/, "", $2); gsub(/ /, "", $3); gsub(/ /, "", $4)
		print prefix "_" $2, $3, $4; next }
	/^$/ { prefix = "" }' "$spec" >"$work/spec"
ok "the specification has its tables" test "$(wc -l <"$work/spec")" -gt 75

prefixes='REC|HEAD|DATA|UNIT|BLOB|MAP|INDEX|REF|CKPT|ROOT|PAGE|SEAL'
sed -nE "s/^#define (($prefixes)_[A-Z0-9_]+)[[:space:]]+([0-9]+)([[:space:]].*)?$/\1 \3/p" "$header" |
	sort >"$work/header"
is "the same fields at the same offsets" "$(cut -d' ' -f1,2 "$work/spec" | sort)" "$(cat "$work/header")"

# Within a table each field begins where the one before ends.
is "no gap and no overlap" "$(awk '{ split($1, name, "_")
	if (name[1] == table && $2 != end) print $1 " at " $2 ", not " end
	table = name[1]; end = $2 + $3 }' "$work/spec")" ""

# And the sizes of the structures are what the tables end with.
end_of() {
	grep "^$1_" "$work/spec" | tail -1 | awk '{ print $2 + $3 }'
}
size_of() {
	sed -nE "s/^#define $1[[:space:]]+([0-9]+).*/\1/p" "$header"
}
for pair in REC:UMS_RECORD_HEAD_SIZE HEAD:UMS_HEAD_SIZE DATA:UMS_DATA_HEAD_SIZE UNIT:UMS_UNIT_ENTRY_SIZE \
	BLOB:UMS_BLOB_HEAD_SIZE MAP:UMS_MAP_ENTRY_SIZE INDEX:UMS_INDEX_ENTRY_SIZE REF:UMS_REF_SIZE \
	CKPT:UMS_CKPT_HEAD_SIZE ROOT:UMS_ROOT_HEAD_SIZE PAGE:UMS_ROOT_PAGE_SIZE SEAL:UMS_SEAL_SIZE; do
	is "${pair#*:}" "$(end_of "${pair%:*}")" "$(size_of "${pair#*:}")"
done

# The table of errors says the same as the header.
is "the same errors with the same numbers" \
	"$(sed -nE 's/^\| ([0-9]+) \| `(E[A-Z]+)` \|.*/\2 \1/p' "$spec")" \
	"$(sed -nE 's/^#define UMS_ERROR_(E[A-Z]+)[[:space:]]+([0-9]+)$/\1 \2/p' "$header")"
is "each number once" "$(sed -nE 's/^#define UMS_ERROR_E[A-Z]+[[:space:]]+([0-9]+)$/\1/p' "$header" | sort -n | uniq -d)" ""

# --- an image, read with nothing but the specification ---
image=$work/image.ums
"$UMSCTL" capture --quiet --start 100 --size 300s sim:text,size=8M,bad=200 "$image" 2>/dev/null
"$UMSCTL" seal "$image" >/dev/null

at() { # at OFFSET FIELD SIZE: that field of the structure at OFFSET, as a number
	od -An -v -t u"$3" -j "$(($1 + $(awk -v f="$2" '$1 == f { print $2 }' "$work/spec")))" -N "$3" "$image" | tr -d ' '
}
text() { # text OFFSET LENGTH
	dd if="$image" bs=1 skip="$1" count="$2" status=none
}

is "HEAD at offset 0" "$(text 0 8)" UMSRHEAD
is "its own offset" "$(at 0 REC_OFFSET 8)" 0
is "sectors" "$(at 64 HEAD_N_BLOCKS 8)" 16384
is "of 512 bytes" "$(at 64 HEAD_BLOCK_BYTES 4)" 512
is "runs of 1 MiB" "$(at 64 HEAD_RUN_BYTES 4)" 1048576
is "units of 128 KiB" "$(at 64 HEAD_UNIT_BYTES 4)" 131072

size=$(stat -c %s "$image")
is "koly at the end" "$(text $((size - 512)) 4)" koly
xml=$((16#$(od -An -t x1 -j $((size - 512 + 216)) -N 8 "$image" | tr -d ' ')))
seal=$((xml - 512))
is "the footer before the property list" "$(text $seal 8)" UMSRSEAL
is "the first generation" "$(at $((seal + 64)) SEAL_GENERATION 4)" 1
is "good sectors are counted" "$(od -An -t u8 -j $((seal + 64 + 120 + 8 * 4)) -N 8 "$image" | tr -d ' ')" 299
root=$(at $((seal + 64)) SEAL_ROOT 8)
is "the root is where it says" "$(text "$root" 8)" UMSRROOT
is "one page of index" "$(at $((root + 64)) ROOT_N_PAGES 4)" 1
page=$(od -An -t u8 -j $((root + 64 + 16 + 8)) -N 8 "$image" | tr -d ' ')
is "which is where it says" "$(text "$page" 8)" UMSRINDX
data=$(at $((page + 64)) INDEX_OFFSET 8)
is "its first entry is of a DATA record" "$(text "$data" 8)" UMSRDATA
is "of these sectors" "$(at $((data + 64)) DATA_LBA 8)" "$(at $((page + 64)) INDEX_LBA 8)"
is "as zlib" "$(at $((data + 64)) DATA_ENCODING 1)" 1
body=$((data + 64 + $(at $((data + 64)) DATA_BODY 4)))
"$UMSCTL" export "$image" "$work/raw" 2>/dev/null
n=$(at $((data + 64)) DATA_N_BLOCKS 4)
is "whose stream any zlib inflates to those sectors" \
	"$(dd if="$image" bs=1 skip=$body count="$(at $((data + 64)) DATA_BODY_BYTES 4)" status=none |
		perl -MCompress::Zlib -0777 -ne 'print uncompress($_)' | sha256sum)" \
	"$(dd if="$work/raw" bs=512 skip="$(at $((data + 64)) DATA_LBA 8)" count="$n" status=none | sha256sum)"
map=$(at $((seal + 64)) SEAL_MAP 8)
is "the map is where it says" "$(text "$map" 8)" UMSRMAPS
is "and has its five ranges" "$(at "$map" REC_LENGTH 8)" $((5 * 24))
done_testing
