#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# umsctl cdb and usb: what is sent and shown, exit codes, and everything that a user can get wrong.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1
# says NAME CODE PATTERN COMMAND...: exits so, and its message has PATTERN in it; nothing on standard output.
says() {
	local name=$1 code=$2 pattern=$3
	shift 3
	exits "$name" "$code" "$@"
	ok "… and says so" grep -qE -- "$pattern" "$work/err"
	is "… on standard error alone" "$(cat "$work/out")" ""
}
cdb() {
	"$UMSCTL" cdb "$@"
}

# --- what comes back ---

exits "INQUIRY" 0 cdb sim:demo 12 00 00 00 24 00 --in 96
ok "with its name, status, residue and time" grep -qE '^Inquiry: Good, 36 of 96 bytes in, residue 60, [0-9.]+ ms$' out
ok "each transfer" grep -qE '^ +[0-9.]+ ms +CBW +02 out +31 bytes' out
ok "… the halt among them" grep -q 'the endpoint stalled' out
ok "and a dump" grep -q '^00000000  00 80 06 02 1f 00 00 00  75 6d 73 63 74 6c 20 20  |........umsctl  |$' out
for form in 120000002400 "12 00 00 00 24 00" 12:00:00:00:24:00 0x12,0,0,0,0x24,0; do
	# shellcheck disable=SC2086
	is "bytes as $form" "$(cdb sim:demo $form --in 36 --hex 2>/dev/null)" \
		"$(printf '%s\n' '00 80 06 02 1f 00 00 00 75 6d 73 63 74 6c 20 20' \
			'53 69 6d 75 6c 61 74 65 64 20 64 72 69 76 65 20' '30 30 30 31')"
done
cdb sim:demo 120000002400 --in 36 --raw >raw 2>/dev/null
is "raw bytes alone on standard output" "$(wc -c <raw) $(tail -c 4 raw)" "36 0001"
is "data of the medium" "$(cdb sim:demo 28 00 00 00 00 00 00 00 01 00 --in 512 --raw 2>/dev/null | tail -c 2 | od -An -tx1)" " 55 aa"
cdb sim:demo 120000002400 --in 36 --json >json
ok "JSON" jq -e '.status == 0 and .moved == 36 and .residue == 0 and .route == "bot" and (.data | length) == 72 and
	(.phases | length) >= 3 and .name == "Inquiry"' json
cdb sim:demo 000000000000 --repeat 5 --json >json
ok "repeated" jq -e '.times == 5 and .ms_of_all.least <= .ms_of_all.mean and .ms_of_all.mean <= .ms_of_all.most' json
exits "over UAS" 0 cdb sim:uas 120000002400 --in 36
ok "its information units" grep -q 'COMMAND IU' out
exits "a long CDB over UAS" 9 cdb sim:uas "7f00000000000018$(printf %048d 0)" --in 8

exits "the longest" 9 cdb sim:uas "7f000000000000fc$(printf %0504d 0)" --in 8

# --- exit codes, as sg3_utils has them ---

exits "not ready" 2 cdb sim:demo,no-medium 000000000000
exits "medium error" 3 cdb sim:demo 28 00 00 00 12 34 00 00 01 00 --in 512
ok "sense in words and bytes" eval 'grep -q "Medium Error: Unrecovered read error \[3/11/00\]" out &&
	grep -qE "^sense: [f7]0 00 03 00 00 12 34" out'
exits "illegal request" 5 cdb sim:demo 1a 00 3e 00 fc 00 --in 252
exits "unit attention" 6 cdb sim:demo,unit-attention 000000000000
exits "… once" 0 cdb sim:demo,unit-attention 12 00 00 00 24 00 --in 36
exits "unknown operation code" 9 cdb sim:demo c7 00 00 00 00 00
exits "no answer" 33 cdb sim:demo,fault=hang:cmd=1 000000000000 --timeout 1
exits "gone" 69 cdb sim:demo,fault=drop=0:cmd=1 000000000000 --timeout 1
exits "repeated until it fails" 3 cdb sim:demo 28 00 00 00 12 34 00 00 01 00 --in 512 --repeat 9 --json
ok "… the first time" jq -e 'has("times") | not' out

# --- what is not sent ---

says "no such drive" 69 'no such' cdb /dev/nonexistent 000000000000
says "no bytes" 1 wants cdb sim:demo
says "half a byte" 1 hexadecimal cdb sim:demo 123
says "no bytes at all" 1 hexadecimal cdb sim:demo xyzzy
says "too short for its operation code" 1 'Inquiry has 6 bytes, and these are 5' cdb sim:demo 12 00 00 00 24
says "too long for its operation code" 1 'has 10 bytes, and these are 12' cdb sim:demo 280000000000000001000000 --in 512
exits "… but with --force" 5 cdb sim:demo 12 00 00 00 24 --in 36 --force
says "17 bytes over Bulk-Only" 1 'carries up to 16' cdb sim:demo c1 "$(printf %032d 0)"
says "261 bytes" 1 'at most 260' cdb sim:uas "7f$(printf %0520d 0)"
says "more than the route moves" 1 'cannot be moved' cdb sim:demo 28000000000000ffff00 --in 16777216
says "in and out" 1 'one of them' cdb sim:demo 000000000000 --in 4 --out /dev/null
says "in and no data" 1 'one of them' cdb sim:demo 000000000000 --in 4 --no-data
says "two forms of output" 1 'one of them' cdb sim:demo 000000000000 --raw --json
says "no number" 1 'not a number' cdb sim:demo 000000000000 --in many
says "nothing to repeat" 1 'sends nothing' cdb sim:demo 000000000000 --repeat 0
printf 12345678 >eight
says "a file too short" 15 'has 8 bytes, and --out-length says 16' \
	cdb sim:demo 1d 10 00 00 10 00 --out eight --out-length 16 --force
says "an empty file" 15 'nothing in it' cdb sim:demo 1d 10 00 00 10 00 --out /dev/null --force
says "no such file" 15 'No such file' cdb sim:demo 1d 10 00 00 10 00 --out nothing --force
says "a length without a file" 1 'of --out' cdb sim:demo 1d 10 00 00 10 00 --out-length 4
exits "a file as it is" 0 cdb sim:demo 1d 10 00 00 08 00 --out eight --force
exits "from a pipe" 0 bash -c "'$UMSCTL' cdb sim:demo 1d 10 00 00 08 00 --out - --force <eight"

# What writes, formats, unmaps, reserves or loads firmware asks first.
for bytes in 040000000000 0a0000000100 150000000000 1b0000000200 2a000000000000000100 3b050000000000000000 \
	41000000000000000100 42000000000000001800 48000000000000000000 4c000000000000000000 4d01000000000000ff00 \
	55000000000000000000 5f000000000000001800 8500000000000000000000000000ec00 85080e00000001000000000000003000 \
	8506200000000000000000000000f400 8a000000000000000000000000010000 93000000000000000000000000010000 \
	9f110000000000000000000000000000 a1000000000000ec00000000 a40a00000000000000000000 aa0000000000000000010000 \
	b50000000000000000000000 7f00000000000018000b0000000000000000000000000000000000000000000000; do
	says "$bytes asks" 1 '[-]-force' cdb sim:uas $bytes
done
for bytes in 000000000000 85082e0000000100000000000000ec00 85080e00d000010000004f00c200b000; do
	cdb sim:demo $bytes --in 512 >out 2>err
	is "$bytes does not ask" "$(grep force err)" ""
done

# --- control requests ---

exits "Get Max LUN" 0 "$UMSCTL" usb sim:demo,luns=3 get-max-lun
ok "three units: 2" grep -qE '^00000000  02 ' out
exits "a request of one's own" 0 "$UMSCTL" usb sim:demo control 0x80 6 0x0100 0 18
ok "is the device descriptor" grep -q '^00000000  12 01 ' out
"$UMSCTL" usb sim:demo device-descriptor --json >json
ok "as JSON" jq -e '.result == "ok" and .moved == 18 and (.data | startswith("1201"))' json
is "as bytes" "$("$UMSCTL" usb sim:demo config-descriptor --raw 2>/dev/null | head -c 2 | od -An -tx1)" " 09 02"
says "one that writes asks" 1 '[-]-force' "$UMSCTL" usb sim:demo control 0x40 1 0 0
says "so does a reset" 1 '[-]-force' "$UMSCTL" usb sim:demo bot-reset
exits "which is done then" 0 "$UMSCTL" usb sim:demo bot-reset --force
exits "refused by the device: 5" 5 "$UMSCTL" usb sim:demo control 0xc0 0x99 0 0 4
says "no such request" 1 'no request' "$UMSCTL" usb sim:demo get-lucky
says "a number that is none" 1 'bRequest is a number' "$UMSCTL" usb sim:demo control 0x80 256 0 0
says "data that is none" 1 'hexadecimal' "$UMSCTL" usb sim:demo control 0x40 1 0 0 --data xy --force
truncate -s 1M file
says "not on USB" 1 'USB interface' "$UMSCTL" usb ./file get-max-lun
done_testing
