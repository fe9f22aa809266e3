#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every command of the library against the simulated drive that knows it, over Bulk-Only, UAS with streams and UAS
# without: what is decoded is what library.txt says.  "## SETTINGS COMMAND [ARGUMENT...]" begins an entry; settings
# with a speed are for that speed alone.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

export UMSCTL_VENDOR_PATH=$tree/proto/vendor
wanted=$tree/tests/vendor/library.txt

# over HOW SETTINGS COMMAND [ARGUMENT...]
over() {
	local how=$1 settings=$2
	shift 2
	"$UMSCTL" vendor run "sim:blank,size=64M,vendor=$settings$how" "$@" 2>&1
}

entry() {
	local settings=$1 got how
	shift
	sed -e "0,/^## $settings $*\$/d" -e '/^## /,$d' "$wanted" >"$work/wanted"
	got=
	for how in ,speed=high ,speed=super,uas ,speed=high,only-uas; do
		case $settings:$how in
		*speed=*:,speed=high) how= ;;
		*speed=*:*) continue ;;
		esac
		over "$how" "$settings" "$@" >"$work/got" || got="$got exit $? with $how;"
		diff "$work/wanted" "$work/got" >"$work/diff" || got="$got $how: $(cat "$work/diff")"
	done
	is "$* of $settings" "$got" ""
}

for file in "$tree"/proto/vendor/*.conf; do
	ok "${file##*/} is good" "$UMSCTL" vendor check "$file"
done

while read -r _ settings command arguments; do
	# shellcheck disable=SC2086
	entry "$settings" "$command" $arguments
done < <(grep '^## ' "$wanted")

"$UMSCTL" vendor list --json >"$work/list"
is "all of the library's commands are there" \
	"$(jq -r '.[].name' "$work/list" | sort -u)" \
	"$(sed -n 's/^## [^ ]* \([^ ]*\).*/\1/p' "$wanted" | sort -u)"
is "all of them read, and say from where that is known" \
	"$(jq -r '.[] | select(.safety != "reads" or .source == null) | .name' "$work/list")" ""
ok "there are 40 of them at least" test "$(jq length "$work/list")" -ge 40
ok "… of 10 families" test "$(jq -r '[.[].family] | unique | length' "$work/list")" -ge 10

# Bound to drives: each set's drive is offered its own family, and no drive that is nobody's.
is "a drive that nobody knows is offered standard commands alone" \
	"$("$UMSCTL" vendor list sim:blank --json | jq -r '.[].name' | grep -v '^scsi\.')" ""
is "a Sunplus bridge is offered its own beside them" \
	"$("$UMSCTL" vendor list sim:blank,vendor=sunplus --json | jq -r '.[].name' | sed 's/\..*//' | sort -u | xargs)" \
	"scsi sunplus"
done_testing
