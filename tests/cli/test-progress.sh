#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a user sees of a capture on a terminal, and what a program reads of it as NDJSON: true at every moment,
# moving while the drive hangs or is away, and never wider than the terminal.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1
# terminal [OPTION]... COMMAND...: what stood on the screen into "seen".
terminal() {
	python3 "$tree/tests/cli/terminal.py" "$@" >seen 2>&1
}
code() {
	sed -n 's/^exit: //p' seen
}
live() {
	grep '^live: ' seen
}

# --- numbers ---
ok "a drive of which nothing can be read" terminal "$UMSCTL" capture sim:blank,size=256K,delay=2000,bad=0-511 a.ums
is "… all was tried" "$(code)" 3
ok "… is shown" test "$(live | wc -l)" -gt 2
is "… never as more than 0 %" "$(live | grep -c '[1-9][0-9.]* %\|0\.[1-9] %')" 0
ok "… as so many of so many sectors isolated" grep -q '^live: .*isolating [0-9]* of 512 sectors' seen

ok "a drive with a few bad sectors" terminal "$UMSCTL" capture --quirk max-sectors-64 \
	sim:noise,size=4M,delay=8000,bad=100-102:nolba,bad=8191 b.ums
is "… its exit code" "$(code)" 3
ok "… is shown" test "$(live | wc -l)" -gt 2
is "… never as 100 %" "$(live | grep -c '100\.0 %')" 0
is "… each bad sector is told once" "$(grep -c '^line: cannot read LBA 100-102 (3 sectors)' seen)" 1
is "… and no other" "$(grep -c '^line: cannot read' seen)" 2
ok "… with the summary at the end" grep -q '^line: b.ums: .* captured; 4 sectors in 2 areas could not be read' seen

ok "a drive that is well" terminal "$UMSCTL" capture --quirk max-sectors-64 sim:noise,size=4M,delay=8000 c.ums
is "… its exit code" "$(code)" 0
is "… 100 % is only what is all there" "$(live | grep '100\.0 %' | grep -vc '4 MiB of 4 MiB')" 0

# --- waiting ---
ok "while a READ hangs, that is said, and it moves" terminal --when 'waiting for LBA 2496: 0:0[2-9] of 10:00' look \
	--when 'waiting for LBA 2496: ([1-9]|0:[1-9]|0:0[3-9])' kill \
	"$UMSCTL" capture --timeout 600 --quirk max-sectors-64 sim:noise,size=4M,hang=2500 d.ums
ok "while the drive is away as well" terminal --when 'left the bus' look \
	--when 'waiting for the drive: 0:0[2-9] of 10:00' look \
	--when 'waiting for the drive: ([1-9]|0:[1-9]|0:0[3-9])' int \
	"$UMSCTL" capture --reconnect 600 sim:noise,size=4M,fault=drop=0:lba=2500 e.ums
is "… and Ctrl-C ends the waiting" "$(code)" 4
ok "… with what to do" grep -q '^line: to go on: *umsctl capture --reconnect 600 sim:noise,.* e.ums$' seen
ok "one that comes back" terminal --when 'left the bus' look \
	"$UMSCTL" capture --reconnect 600 sim:noise,size=4M,fault=drop=300:lba=2500 f.ums
is "… is captured" "$(code)" 0

# --- Ctrl-C ---
slow=sim:noise,size=4M,rate=100K
ok "Ctrl-C in the middle" terminal --when '[1-9] %' int "$UMSCTL" capture --quirk max-sectors-64 $slow g.ums
is "… ends it" "$(code)" 4
ok "… says so" grep -q '^line: g.ums: stopped early; .* of 4 MiB captured' seen
ok "… with what to do" grep -q "^line: to go on: *umsctl capture --quirk max-sectors-64 $slow g.ums\$" seen
exits "… and the image can be gone on with" 0 "$UMSCTL" capture --quiet sim:noise,size=4M g.ums

# --- narrow terminals ---
drive=sim:noise,size=4M,delay=8000,bad=100-120:nolba,bad=7000
for columns in 20 40 80; do
	rm -f h.ums
	ok "$columns columns" terminal --columns $columns "$UMSCTL" capture --quirk max-sectors-64 $drive h.ums
	is "… are enough" "$(grep -c '^long-live: ' seen)" 0
	ok "… and something is shown" test "$(live | wc -l)" -gt 2
	is "… whole words and numbers" "$(live | grep -vcE '( %|[0-9] (bytes|[KMG]iB)(/s)?| left| bad| sectors|ward|sweep|isolate)$')" 0
done
rm -f h.ums
ok "a terminal whose width changes" terminal --columns 100 --when ' %' columns=40 --when ' %' columns=20 \
	--when '%' columns=90 "$UMSCTL" capture --quirk max-sectors-64 $drive,delay=20000 h.ums
is "… has no line that is too long" "$(grep -c '^long-live: ' seen)" 0
ok "… and narrow and wide ones" test "$(live | awk 'length > 6 + 40' | wc -l)" -gt 0 -a \
	"$(live | awk 'length <= 6 + 40' | wc -l)" -gt 0
ok "waiting, 30 columns" terminal --columns 30 --when 'waiting for LBA 2496: ' kill \
	"$UMSCTL" capture --timeout 600 --quirk max-sectors-64 sim:noise,size=4M,hang=2500 i.ums
is "… fits as well" "$(grep -c '^long-live: ' seen)" 0
ok "… in whole words" grep -qE '^line: waiting for LBA 2496: [0-9:]*$' seen

# --- quiet, and NDJSON ---
ok "--quiet" terminal "$UMSCTL" capture --quiet sim:noise,size=4M,delay=2000,bad=100 j.ums
is "… says nothing" "$(grep -v '^line: $' seen)" "exit: 3"

# events FILTER: of what was seen as NDJSON.
events() {
	sed -n 's/^line: \(.\)/\1/p' seen | jq -r "$1"
}
ok "--json on a terminal" terminal "$UMSCTL" capture --json --quirk max-sectors-64 \
	sim:noise,size=4M,delay=20000,bad=100 k.ums
is "… is JSON, each line an event" "$(events .event | uniq | tr '\n' ' ')" "start progress message end "
is "… and no bar" "$(live | wc -l)" 0
is "… captured bytes never go back" "$(events 'select(.event == "progress") | .captured_bytes' | sort -nc && echo yes)" yes
is "… the message" "$(events 'select(.event == "message") | "\(.kind) \(.lba) \(.sectors) \(.state)"')" \
	"unreadable 100 1 bad"
is "… the end" "$(events 'select(.event == "end") | "\(.result) \(.sectors.bad) \(.missing)"')" "unreadable 1 1"
ok "--json while a READ hangs" terminal --when '"waiting"' look --when '"ms":[3-9][0-9][0-9][0-9]' kill \
	"$UMSCTL" capture --json --timeout 600 --quirk max-sectors-64 sim:noise,size=4M,hang=2500 l.ums
is "… says what is waited for" \
	"$(events 'select(.waiting) | "\(.waiting.for) \(.waiting.lba) \(.waiting.limit_ms)"' | tail -1)" \
	"read 2496 600000"
done_testing
