#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What `capture` does with drives that misbehave, as a user sees it: routes, quirks, transcripts, USB
# traffic for Wireshark, a drive that leaves, one whose texts are hostile.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$work" || exit 1

not() {
	! "$@"
}
sum() {
	"$UMSCTL" export "$1" - 2>/dev/null | sha256sum | cut -d' ' -f1
}
route_of() {
	"$UMSCTL" info --json "$1" | jq -r '[.journal[] | select(.event == "begin")][0].route'
}
"$UMSCTL" capture --quiet sim:noise,size=4M reference.ums
reference=$(sum reference.ums)

# --- routes ---
for route in auto bot uas; do
	exits "over $route" 0 "$UMSCTL" capture --quiet --route $route sim:uas,content=noise,size=4M,seed=0 $route.ums
	is "$route: the same bytes" "$(sum $route.ums)" "$reference"
done
is "auto takes uas where it is offered" "$(route_of auto.ums)" uas
is "bot is bot" "$(route_of bot.ums)" bot
exits "a drive without UAS" 2 "$UMSCTL" capture --quiet --route uas sim:noise,size=4M no.ums
exits "no such route" 1 "$UMSCTL" capture --quiet --route ftp sim:noise,size=4M no.ums
"$UMSCTL" capture --quiet --quirk ignore-uas sim:uas,content=noise,size=4M,seed=0 quirk.ums
is "UAS that is known to be broken is left alone" "$(route_of quirk.ums)" bot

# --- quirks ---
exits "a tag that is always wrong" 3 "$UMSCTL" capture --quiet sim:noise,size=4M,fault=csw-tag:lba=100:always tag.ums
exits "and may be ignored" 0 "$UMSCTL" capture --quiet --quirk ignore-tag sim:noise,size=4M,fault=csw-tag:lba=100:always tag2.ums
is "the same bytes" "$(sum tag2.ums)" "$reference"
exits "small transfers" 0 "$UMSCTL" capture --quiet --quirk max-sectors-64 --record small.txt sim:noise,size=4M small.ums
ok "no READ is larger than 32 KiB" awk '/^cdb=28/ { sub("len=", "", $3); if ($3 + 0 > 32768) exit 1 }' small.txt
is "the same bytes" "$(sum small.ums)" "$reference"
exits "no such quirk" 1 "$UMSCTL" capture --quirk fly sim:noise,size=4M no.ums
ok "help says which there are" grep -q ignore-residue <("$UMSCTL" help quirks)

# --- transcripts ---
exits "recorded" 3 "$UMSCTL" capture --quiet --record demo.txt sim:demo demo.ums
ok "serial numbers are not in it" not grep -qi 354545 demo.txt
"$UMSCTL" capture --quiet replay:demo.txt replayed.ums
is "replayed: the same map" "$("$UMSCTL" map replayed.ums)" "$("$UMSCTL" map demo.ums)"
tally() {
	"$UMSCTL" info --json "$1" | jq -r '.journal[] | select(.event == "commands") | .cdb_sha256'
}
is "the journal proves what was sent: the same commands, the same digest" "$(tally replayed.ums)" "$(tally demo.ums)"
is "which is that of the transcript's CDBs" "$(tally demo.ums)" "$(sed -n 's/^cdb=\([0-9a-f]*\).*/\1/p' demo.txt |
	awk '{ printf "%02x%s", length($0) / 2, $0 }' | perl -ne 'print pack("H*", $_)' | sha256sum | cut -d' ' -f1)"
is "and counts them, beside those that the transport sends by itself" "$("$UMSCTL" info --json demo.ums |
	jq '[.journal[] | select(.event == "commands") | .sent[] | select(.opcode != "03").commands] | add')" \
	"$(grep -c ^cdb= demo.txt)"
is "the REQUEST SENSE of each failed command" "$("$UMSCTL" info --json demo.ums |
	jq '.journal[] | select(.event == "commands") | .sent[] | select(.opcode == "03").commands')" \
	"$(grep -c '^cdb=.* status=02' demo.txt)"
exits "with data" 3 "$UMSCTL" capture --quiet --record full.txt --record-data sim:demo full.ums
"$UMSCTL" capture --quiet replay:full.txt again.ums
is "replayed: the same bytes too" "$(sum again.ums)" "$(sum demo.ums)"
exits "no transcript" 2 "$UMSCTL" capture --quiet replay:nothing.txt no.ums
exits "one that cannot be written" 2 "$UMSCTL" capture --quiet --record /nonexistent/t.txt sim:demo no.ums
exits "data of no transcript" 1 "$UMSCTL" capture --quiet --record-data sim:demo no.ums
ok "none of these left an image" not test -e no.ums

# --- USB traffic ---
if command -v tshark >/dev/null; then
	commands() { tshark -r "$1" -T fields -e scsi_sbc.opcode -e scsi_spc.opcode 2>/dev/null | tr -d '\n'; }
	for name in noise,size=1M uas,content=noise,size=1M; do
		rm -f p.ums
		"$UMSCTL" capture --quiet --pcap "$work/traffic.pcap" "sim:$name" p.ums
		ok "$name: Wireshark opens it" grep -q 'SCSI: Read(10)' <(tshark -r traffic.pcap 2>/dev/null)
		ok "$name: and INQUIRY" grep -q 'SCSI: Inquiry' <(tshark -r traffic.pcap 2>/dev/null)
		ok "$name: nothing in it is malformed" not grep -qi malformed <(tshark -r traffic.pcap 2>/dev/null)
	done
	head -c 1M /dev/urandom >plain
	rm -f p.ums
	"$UMSCTL" capture --quiet --pcap "$work/traffic.pcap" plain p.ums
	ok "a route without USB: as Bulk-Only" grep -q 'USBMS.*SCSI: Read(10)' <(tshark -r traffic.pcap 2>/dev/null)
	rm -f p.ums
	"$UMSCTL" capture --quiet --pcap "$work/traffic.pcap" sim:noise,size=1M,bad=7 p.ums
	ok "a failed READ and its sense data" grep -q 'Check Condition\|Request Sense' <(tshark -r traffic.pcap 2>/dev/null)
else
	skip "USB traffic" "tshark is not installed"
fi
exits "traffic that cannot be written" 2 "$UMSCTL" capture --quiet --pcap /nonexistent/x sim:noise,size=1M no.ums

# --- a drive that leaves ---
leaves=sim:noise,size=4M,fault=drop=400:lba=3000,fault=drop=400:lba=6000
exits "it leaves" 4 "$UMSCTL" capture --quiet "$leaves" left.ums
exits "waited for" 0 "$UMSCTL" capture --quiet --reconnect 30 "$leaves,serial=B" back.ums
is "the same bytes" "$(sum back.ums)" "$reference"
is "the journal has both" "$("$UMSCTL" info --json back.ums | jq '[.journal[] | select(.event == "back")] | length')" 2
# shellcheck disable=SC2016
exits "one that never comes back" 4 "$UMSCTL" capture --quiet --reconnect 9 \
	--on-stuck 'echo "$UMSCTL_DEVICE $UMSCTL_ID" >>stuck.log' sim:noise,size=4M,serial=C,fault=drop=0:lba=3000 never.ums
is "the command for it was run once" "$(cat stuck.log)" "sim:noise,size=4M,serial=C,fault=drop=0:lba=3000 1209:0001"
exits "no number of seconds" 1 "$UMSCTL" capture --reconnect soon sim:noise no.ums
exits "a capacity that changes" 4 "$UMSCTL" capture --quiet sim:noise,size=4M,fault=shrink:lba=3000 shrunk.ums
ok "and says so" grep -q 'capacity of .* has changed from 8192 sectors' \
	<("$UMSCTL" info --json shrunk.ums)

# --- faults made up between us and the drive ---
for seed in 1 2 3; do
	exits "--fault $seed" 0 "$UMSCTL" capture --quiet --retries 3 --fault $seed sim:noise,size=4M fault$seed.ums
	is "--fault $seed: the same bytes" "$(sum fault$seed.ums)" "$reference"
done

# --- hostile texts and descriptors ---
mkdir hostile && cd hostile || exit 1
"$UMSCTL" capture sim:noise,size=1M,hostile,spc=4 >out 2>err
ok "hostile texts: captured" ls ./*.ums
is "in one file, here" "$(find . -name '*.ums' | wc -l) $(find . -newer out -type f | grep -c '/.*/')" "1 0"
for command in "info" "info --json" "map" "verify"; do
	# shellcheck disable=SC2086
	"$UMSCTL" $command ./*.ums >>out 2>>err
done
ok "no control byte is printed" not grep -aqP '[\x00-\x08\x0b-\x1f\x7f-\x9f]' out err
cd .. || exit 1
for word in loop past twice many tiny cut; do
	rm -f d.ums
	"$UMSCTL" capture --quiet "sim:noise,size=1M,descriptors=$word" d.ums >out 2>&1
	ok "descriptors=$word: captured, or refused with a reason" test -s d.ums -o -s out
done
exits "no IN endpoint" 2 "$UMSCTL" capture --quiet sim:noise,size=1M,descriptors=no-in no.ums
exits "UAS without pipes" 2 "$UMSCTL" capture --quiet sim:noise,size=1M,only-uas,descriptors=no-pipes no.ums

done_testing
