#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Words from outside, made to hurt: file names, arguments, what a drive and an image say of themselves,
# definitions.  JSON stays valid, and nothing that a terminal acts on is printed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

export UMSCTL_VENDOR_PATH=$tree/proto/vendor
hostile=$tree/tests/cli/hostile.py
cd "$work" || exit 1

# A quote, a newline, an escape sequence, a C1 control, text turned around, a separator, no UTF-8.
evil=$'it\'s "\n\e[31m\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\xff\xc0\xaf'

# says_json NAME ARGUMENT...: what umsctl prints is JSON, and its messages are harmless.
says_json() {
	"$UMSCTL" "${@:2}" >out 2>err </dev/null
	ok "$1: JSON" "$hostile" json out
	ok "$1: so jq says" jq -e . out
	ok "$1: harmless messages" "$hostile" text err
}

# says_text NAME ARGUMENT...
says_text() {
	"$UMSCTL" "${@:2}" >out 2>err </dev/null
	ok "$1: harmless" "$hostile" text out
	ok "$1: harmless messages" "$hostile" text err
	ok "$1: something was said" test -s out -o -s err
}

# --- names of files that are there ---

image="$evil.ums"
says_json "capture --json into such a file" capture --json sim:blank,size=1M,bad=7 "$image"
is "… which is named so that it can be had back" "$(jq -r 'select(.event == "end").image' out)" \
	"$(printf 'it'\''s "\n\e[31m\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\xef\xbf\xbdff\xef\xbf\xbdc0\xef\xbf\xbdaf.ums')"
for command in info map verify; do
	says_json "$command --json of such a file" $command --json "$image"
	says_text "$command of such a file" $command "$image"
done
says_json "seal --json" seal --json "$image"
says_text "export to such a file" export "$image" "$evil.raw"
says_text "capture into such a file" capture sim:blank,size=1M,bad=7 "$image"
says_text "export once more: refused" export "$image" "$evil.raw"
cp "$evil.raw" "$evil.drive"
says_json "capture --json of such a file" capture --json "$evil.drive" drive.ums
says_json "cdb --json of such a file" cdb --json "$evil.drive" 12 00 00 00 24 00 --in 36

# What is advised can be copied: the shell makes the same words of it.
for name in "$evil" "two words" "-dash" '$(touch here)' "quo'te"; do
	"$UMSCTL" capture --json sim:blank,size=1M,bad=7 -- "./$name.ums" >out 2>err
	"$UMSCTL" capture sim:blank,size=1M,bad=7 -- "$name.ums" >out 2>err
	hint=$(cat out err | sed -n 's/^which ones: *//p')
	ok "a hint about $(printf %q "$name") is harmless" "$hostile" text out
	eval "set -- $hint"
	is "… and names the file" "$*" "umsctl map --bad $([[ $name == -* ]] && echo ./)$name.ums"
done
ok "… and runs nothing" test ! -e here

# --- names of what is not there, and words that mean nothing ---

for command in info map verify seal "capture --json" "export x" "cdb" "usb" "vendor list" "vendor show" \
	"vendor check" "vendor run sim:blank" "sim --usbip" "completion" "list" "help" ""; do
	# shellcheck disable=SC2086
	says_text "umsctl $command, and such a word" $command "$evil"
	# shellcheck disable=SC2086
	says_text "umsctl $command, and such an option" $command "--$evil"
done
for name in "$evil" "/dev/$evil" "sim:$evil" "sim:blank,content=$evil" "replay:$evil" "usb:$evil" \
	"usb:1209:0001:$evil"; do
	says_text "a drive called ${name%%"$evil"}…" cdb "$name" 00
done
for option in route timeout quirk record pcap fault in out out-length repeat; do
	says_text "cdb --$option" cdb sim:blank 00 00 00 00 00 00 "--$option=$evil/$evil"
done
for option in start size retries reconnect hash note; do
	says_text "capture --$option" capture sim:blank x.ums "--$option=$evil"
done

# --- a drive's own words ---

drive=sim:blank,size=1M,hostile,spc=4
says_json "capture --json of a hostile drive" capture --json $drive hostile.ums
says_json "info --json" info --json hostile.ums
says_text "info" info hostile.ums
says_json "info --journal" info --journal hostile.ums
says_json "cdb --json" cdb --json $drive 12 00 00 00 24 00 --in 36
says_text "cdb" cdb $drive 12 00 00 00 24 00 --in 36
says_json "usb --json" usb --json $drive get-max-lun
says_json "vendor list --json" vendor list --json $drive
says_text "vendor list" vendor list $drive
says_json "vendor run --json" vendor run --json $drive scsi.inquiry
says_text "vendor run" vendor run $drive scsi.inquiry

# A backslash that the drive itself has is escaped once.
"$UMSCTL" capture --quiet 'sim:blank,size=1M,serial=A\B' once.ums
is "a backslash of the drive's is escaped once" \
	"$("$UMSCTL" info once.ums | sed -n 's/^usb-serial *//p')" 'A\x5cB'

# --- an image's words ---

"$hostile" image "$tree/tests/image/golden/stopped.ums" words.ums
for form in --json --journal; do
	says_json "info $form" info $form words.ums
	ok "… to the end" test "$("$UMSCTL" info $form words.ums | wc -c)" -gt 3000
done
says_text "info" info words.ums
ok "… to the end" grep -q 'serial *a.x5cb$' out
says_json "map --json" map --json words.ums
says_json "verify --json" verify --json words.ums
says_text "verify" verify words.ums

# --- a definition's words ---

# What is no UTF-8 is refused in a definition, and control bytes are.
mkdir "$evil"
turned=$(printf 'it\x27s "\xe2\x80\xae\xe2\x80\xa8\xd8\x9c')
cat >"$evil/evil.conf" <<END
[family]
name = evil
title = $turned
source = https://example.org/$turned
drives = any

[command hello]
about = $turned
safety = reads
cdb = 12 00 00 00 24 00
in = 36
field.text = 8 ascii 8
field.number = 0 u8 : 0=$turned
END
says_text "vendor check" vendor check "$evil/evil.conf"
export UMSCTL_VENDOR_PATH=$work/$evil
says_text "vendor list" vendor list
says_json "vendor list --json" vendor list --json
says_text "vendor show" vendor show evil.hello
says_json "vendor show --json" vendor show --json evil.hello
says_text "vendor run" vendor run sim:blank evil.hello
says_json "vendor run --json" vendor run --json sim:blank evil.hello
sed -i "s/^cdb.*/cdb = \$$(printf '\xe2\x80\xae\x1b')/" "$evil/evil.conf"
says_text "vendor check of mistakes" vendor check "$evil/evil.conf"
says_text "vendor list where there are mistakes" vendor list
done_testing
