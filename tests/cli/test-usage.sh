#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is asked wrongly is refused in one clear line; what is asked about is answered.
# shellcheck source=tests/lib.sh disable=SC2016,SC2094
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1

# refused NAME ARGUMENT...: exit 1, one line that begins with our name, nothing on standard output.
refused() {
	exits "$1: exit 1" 1 "$UMSCTL" "${@:2}"
	is "$1: one line" "$(wc -l <err) $(grep -c '^umsctl: ' err) $(wc -c <out)" "1 1 0"
}

exits "no command: exit 1" 1 "$UMSCTL"
ok "… and says what there are" grep -q '^  capture ' err
refused "unknown command" frobnicate
refused "unknown option" list --frobnicate
refused "a short option" list -j
refused "a flag with a value" list --json=yes
refused "a missing value" capture sim:demo x.ums --retries
refused "a missing argument" capture
refused "an argument too many" info a b
refused "no number" capture --retries three sim:demo x.ums
refused "too large a number" capture --retries 99999999999999999999 sim:demo x.ums
refused "a time-out of nothing" capture --timeout 0 sim:demo x.ums
refused "an unknown route" capture --route ip sim:demo x.ums
refused "an unknown digest" capture --hash sha256,crc sim:demo x.ums
refused "a note without a key" capture --note text sim:demo x.ums
refused "an LBA that is none" capture --start first sim:demo x.ums
refused "a start behind the end" capture --start 131072 sim:demo x.ums
refused "half a sector" capture --size 700 sim:demo x.ums
refused "nothing to capture" capture --size 0 sim:demo x.ums
refused "two forms of a map" map --json --mapfile x.ums
refused "an unknown shell" completion fish
is "none of that made a file" "$(ls)" "err
out"

exits "--version" 0 "$UMSCTL" --version
ok "… is a line with a number" grep -qxE 'umsctl [0-9]+\.[0-9]+\.[0-9]+' out
exits "--help" 0 "$UMSCTL" --help
cp out overview
for command in list capture seal info map verify export completion; do
	exits "$command --help" 0 "$UMSCTL" "$command" --help
	ok "… begins with its usage" grep -q "^usage: umsctl $command" out
	exits "help $command" 0 "$UMSCTL" help "$command"
	ok "… and is in the overview" grep -q "^  $command " overview
	is "… fits 100 columns" "$(awk 'length > 100' out)" ""
done
exits "help of nothing" 1 "$UMSCTL" help nothing

exits "list, whatever there is" 0 "$UMSCTL" list
ok "… says something" test -s out
exits "list --json" 0 "$UMSCTL" list --json
ok "… is an array" jq -e 'type == "array"' out

"$UMSCTL" completion bash >completion
ok "the completion is a script" bash -n completion
completes() {
	bash -c '. ./completion
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _umsctl 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' -- "$@"
}
is "it completes commands" "$(completes umsctl ver)" verify
is "and options" "$(completes umsctl capture --same)" --same-drive

exits "a full disk under standard output" 4 sh -c '"$UMSCTL" --help >/dev/full'
ok "… is said" grep -q 'standard output' err
exits "-- ends the options" 2 "$UMSCTL" info -- --json
ok "… so that --json is a file" grep -q -- '--json: cannot open' err
done_testing
