#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Captures as a user makes them, on simulated drives: ends, exit codes, going on, refusals.
# shellcheck source=tests/lib.sh disable=SC2016,SC2317
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1

bad() {
	states "$1" | grep -v ' good$'
}

equal_raw() {
	"$UMSCTL" export --force "$1" "$1.raw"
	cmp "$1.raw" "$2"
}

# --- the ends of a capture ---
exits "a good drive: exit 0" 0 "$UMSCTL" capture sim:text,size=8M good.ums
ok "… and its digest is said" grep -q '^sha256 ' out
exits "a bad one: exit 3" 3 "$UMSCTL" capture sim:mixed,size=8M,bad=100-102,bad=4000:nolba,bad=4002:nodata,bad=9000-9009:descriptor,bad=12000:junk bad.ums
is "… whose map names exactly those" "$(bad bad.ums)" "100 3 bad
4000 1 bad
4002 1 bad
9000 10 bad
12000 1 bad"
exits "the same without them" 0 "$UMSCTL" capture sim:mixed,size=8M whole.ums
"$UMSCTL" export whole.ums whole.raw
cp whole.raw holes.raw
for area in 100:3 4000:1 4002:1 9000:10 12000:1; do
	dd if=/dev/zero of=holes.raw bs=512 seek="${area%:*}" count="${area#*:}" conv=notrunc status=none
done
ok "nothing else is lost" equal_raw bad.ums holes.raw

exits "a sector that hangs: exit 3" 3 "$UMSCTL" capture --timeout 1 sim:mixed,size=4M,bad=100,hang=3000 both.ums
is "… each that is counted is told of" "$(grep -cE '^(cannot read LBA 100|failed, and not known to be bad: LBA 3000): ' err)" 2

sums_before=$(sha256sum bad.ums)
exits "again: nothing to do, exit 3" 3 "$UMSCTL" capture sim:mixed,size=8M,bad=100-102 bad.ums
is "… and the file is the same" "$(sha256sum bad.ums)" "$sums_before"

exits "healed sectors by --retries: exit 0" 0 "$UMSCTL" capture --retries 2 sim:mixed,size=8M bad.ums
ok "… all of it now" equal_raw bad.ums whole.raw
is "… as a second generation" "$("$UMSCTL" info --json bad.ums | jq .generation)" 2
ok "… that verifies" "$UMSCTL" verify bad.ums

exits "sectors that heal at the second try" 3 "$UMSCTL" capture sim:mixed,size=8M,healing=500-503:9 heal.ums
exits "… by enough of them: exit 0" 0 "$UMSCTL" capture --retries 9 sim:mixed,size=8M,healing=500-503:9 heal.ums
ok "… come as they are" equal_raw heal.ums whole.raw

# --- in part ---
exits "a part: exit 0" 0 "$UMSCTL" capture --start 4096 --size 2048s sim:mixed,size=8M part.ums
is "… and only that" "$(states part.ums)" "0 4096 untried
4096 2048 good
6144 10240 untried"
exits "then the rest" 0 "$UMSCTL" capture sim:mixed,size=8M part.ums
ok "… is the whole" equal_raw part.ums whole.raw

# --- through a pipe ---
exits "to a pipe" 3 bash -c 'set -o pipefail; "$UMSCTL" capture sim:mixed,size=8M,bad=100-102,bad=4000:nolba - | cat >pipe.ums'
is "… with its map" "$(bad pipe.ums)" "100 3 bad
4000 1 bad"
ok "… verifies" "$UMSCTL" verify pipe.ums
ok "… sealed, so other readers take it" qemu-img convert -f dmg -O raw pipe.ums pipe.raw

# --- what goes into it ---
exits "notes and digests" 0 "$UMSCTL" capture --hash md5,sha1 --note case=117 --note 'place=Bern, left drawer' sim:text,size=2M notes.ums
"$UMSCTL" info --json notes.ums >notes.json
"$UMSCTL" export notes.ums notes.raw
is "the notes are there" "$(jq -r '.journal[] | select(.event == "note") | "\(.key) \(.text)"' notes.json)" "case 117
place Bern, left drawer"
is "sha256, md5, sha1 are those of the export" \
	"$(jq -r '.digests | .sha256, .md5, .sha1' notes.json)" \
	"$(for sum in sha256sum md5sum sha1sum; do $sum <notes.raw | cut -d' ' -f1; done)"
is "INQUIRY, capacity and descriptors are there" \
	"$(jq -r '.blobs | has("inquiry") and has("capacity-10") and has("usb-device") and has("usb-config") and has("mode-6-3f")' notes.json)" true
ok "… as raw bytes too" test "$("$UMSCTL" info --blob inquiry notes.ums | wc -c)" = 36
"$UMSCTL" capture --quiet --json sim:mixed,size=8M,bad=100 json.ums >events 2>/dev/null
ok "--json is one object a line" jq -e . events
is "… with the end last" "$(tail -1 events | jq -r '.event, .result, .sectors.bad')" "end
unreadable
1"
exits "a digest that the complete image does not have yet" 0 "$UMSCTL" capture --hash sha1 sim:mixed,size=8M whole.ums
is "… is taken of what it has" "$("$UMSCTL" info --json whole.ums | jq -r .digests.sha1)" \
	"$(sha1sum <whole.raw | cut -d' ' -f1)"
sums_before=$(sha256sum whole.ums)
exits "… once" 0 "$UMSCTL" capture --hash sha1 sim:mixed,size=8M whole.ums
is "… and then the file stays the same" "$(sha256sum whole.ums)" "$sums_before"
exits "--no-udif" 0 "$UMSCTL" capture --no-udif sim:text,size=2M plain.ums
is "… leaves the trailer out" "$(tail -c 512 plain.ums | head -c 4 | tr -d '\0')" "UMSR"
ok "… and verifies" "$UMSCTL" verify plain.ums

# --- quirks that every stick shows ---
for quirk in no-cap16 ro unit-attention=3 becoming-ready=2 no-mode-sense spc=2 capacity-plus-one; do
	exits "a drive with $quirk" 0 "$UMSCTL" capture "sim:text,size=2M,$quirk" "$quirk.ums"
done
is "one sector too many is found out" "$("$UMSCTL" info --json capacity-plus-one.ums | jq .blocks)" 4096
exits "over 2 TiB" 0 "$UMSCTL" capture --start 8000000000 --size 1M sim:big big.ums
ok "… stays small" test "$(stat -c %s big.ums)" -lt 1000000

# --- stopped ---
# The beginning is read at once, the rest takes the better part of a minute: it is stopped there.
slowly=sim:mixed,size=8M,slow=4096-16383:800
stop() { # stop IMAGE SIGNAL BYTES ARGUMENT...: a capture is stopped when its image is longer than BYTES
	local image=$1 signal=$2 bytes=$3
	shift 3
	"$UMSCTL" capture "$@" $slowly "$image" >out 2>err &
	grown "$image" "$bytes"
	kill "-$signal" $!
	wait $!
}
stop int.ums INT 300000 --quiet
is "Ctrl-C: exit 4" $? 4
ok "… leaves an image that opens" "$UMSCTL" info int.ums
exits "… that verify calls unfinished" 5 "$UMSCTL" verify int.ums
ok "… in one finding" test "$(wc -l <out)" = 2
ok "… of which something is there" sh -c '[ "$("$UMSCTL" info --json int.ums | jq .sectors.good)" -gt 100 ]'
stop int.ums INT "$(stat -c %s int.ums)" --no-udif --hash md5 --timeout 9
is "stopped again, with options" $? 4
is "… which are said for going on" "$(sed -n 's/^to go on: *//p' out)" \
	"umsctl capture --timeout 9 --hash md5 --no-udif $slowly int.ums"
exits "going on" 0 "$UMSCTL" capture sim:mixed,size=8M int.ums
ok "… ends with the whole" equal_raw int.ums whole.raw
stop term.ums TERM 300000 --quiet
is "SIGTERM: exit 4" $? 4
cp term.ums hurt.ums
printf '\377\376\375' | dd of=hurt.ums bs=1 seek=$(($(stat -c %s hurt.ums) / 2)) conv=notrunc status=none
exits "seal ends an image whose drive is gone" 3 "$UMSCTL" seal term.ums
exits "… one that is damaged too" 3 "$UMSCTL" seal hurt.ums
ok "… which is said" grep -q 'sectors are damaged in the image' err
ok "… and is whole as far as it goes" "$UMSCTL" verify hurt.ums
ok "… so that it verifies" "$UMSCTL" verify term.ums
ok "… and other readers take it" qemu-img convert -f dmg -O raw term.ums term.raw
exits "should the drive come back" 0 "$UMSCTL" capture sim:mixed,size=8M term.ums
ok "… it is gone on with" equal_raw term.ums whole.raw

exits "a drive that dies: exit 4" 4 "$UMSCTL" capture sim:mixed,size=8M,dies=20 dies.ums
ok "… is said" grep -qi 'sim:mixed' err
is "… turns nothing bad" "$(states dies.ums | grep -c ' bad$')" 0
exits "… and can be gone on with" 0 "$UMSCTL" capture sim:mixed,size=8M dies.ums
ok "… to the whole" equal_raw dies.ums whole.raw

exits "a drive that leaves the bus: exit 4" 4 "$UMSCTL" capture sim:mixed,size=8M,dies=20:gone gone.ums
is "… turns nothing bad" "$(states gone.ums | grep -cE ' (bad|failed)$')" 0
exits "… and can be gone on with" 0 "$UMSCTL" capture sim:mixed,size=8M gone.ums
ok "… to the whole" equal_raw gone.ums whole.raw

exits "a sector whose read never ends: exit 3" 3 "$UMSCTL" capture --timeout 1 sim:mixed,size=8M,hang=5000 hang.ums
is "… has failed, not gone bad" "$(bad hang.ums)" "5000 1 failed"
exits "… and is tried again without being asked" 0 "$UMSCTL" capture sim:mixed,size=8M hang.ums
ok "… to the whole" equal_raw hang.ums whole.raw

# --- refused, and nothing overwritten ---
# refuses NAME TEXT ARGUMENT...: exit 2, TEXT in the message, and no file none.ums.
refuses() {
	exits "$1: exit 2" 2 "$UMSCTL" capture "${@:3}"
	ok "$1: said" grep -qiE "$2" err
	ok "$1: nothing was made" test ! -e none.ums
}
refuses "no such device" 'no such' /dev/nothing none.ums
refuses "no such USB drive" 'no such' usb:dead:beef none.ums
refuses "no such simulated drive" 'there is no simulated drive' sim:none none.ums
refuses "no medium" 'no medium' sim:demo,no-medium none.ums
refuses "a drive that is never ready" 'not become ready' --timeout 1 sim:text,becoming-ready=1000 none.ums
refuses "no drive at all" 'no SCSI|character' /dev/null none.ums
refuses "a folder" 'neither' / none.ums
refuses "an empty file" 'empty|no medium' "$work/err" none.ums
refuses "a folder that is not there" 'No such file' sim:text,size=1M nowhere/none.ums
echo 'dear diary' >diary
refuses "a file that is no image" 'not a umsctl image' sim:text,size=1M diary
is "… is as it was" "$(cat diary)" "dear diary"
sums_before=$(sha256sum whole.ums)
refuses "an image of another drive" 'another drive|is of a drive' sim:mixed,size=8M,serial=other whole.ums
refuses "an image of a larger drive" 'is of a drive' sim:mixed,size=4M whole.ums
is "… is as it was" "$(sha256sum whole.ums)" "$sums_before"
stop same.ums INT 300000 --quiet
exits "--same-drive goes on all the same" 0 "$UMSCTL" capture --same-drive sim:mixed,size=8M,serial=other same.ums
exits "a terminal gets no image" 1 script -qec "'$UMSCTL' capture sim:text,size=1M -" /dev/null
if [ "$(id -u)" = 0 ]; then
	chmod 700 .
	chmod 755 "$work"
	cp "$UMSCTL" umsctl-copy
	touch secret
	chmod 600 secret
	echo x >secret
	exits "no permission: exit 2" 2 setpriv --reuid 65534 --regid 65534 --clear-groups ./umsctl-copy capture "$work/secret" /tmp/none.ums
	ok "… is said" grep -qi 'permission denied' err
else
	exits "no permission: exit 2" 2 "$UMSCTL" capture /root/none none.ums
fi

# Two at once on one image.
"$UMSCTL" capture --quiet $slowly twice.ums 2>/dev/null &
grown twice.ums 0
exits "an image that another umsctl writes: exit 2" 2 "$UMSCTL" capture sim:mixed,size=8M twice.ums
ok "… is said" grep -q 'another umsctl' err
kill -INT $!
wait

# --- where messages go ---
# Started with standard error closed, the image must not become it.
for closed in '>&-' '2>&-' '<&- >&- 2>&-'; do
	{
		bash -c "\"\$UMSCTL\" capture --json sim:mixed,size=8M,bad=77,dies=20 closed.ums $closed"
		bash -c "\"\$UMSCTL\" capture sim:mixed,size=8M,bad=77,dies=20 closed.ums $closed"
		bash -c "\"\$UMSCTL\" capture sim:mixed,size=8M closed.ums $closed"
	} >out 2>err
	ok "captured with $closed: the image is whole" "$UMSCTL" verify closed.ums
	ok "… with every byte" equal_raw closed.ums whole.raw
	rm -f closed.ums
done
exits "a full disk behind standard output: exit 2" 2 bash -c '"$UMSCTL" capture sim:mixed,size=8M - >/dev/full'
ok "… is said" grep -qi 'no space left' err

# --- a full disk ---
full_disk() {
	mkdir full
	mount -t tmpfs -o size=3M tmpfs full || return 1
	"$UMSCTL" capture sim:noise,size=8M full/image.ums >full.out 2>full.err
	echo "code $?"
	"$UMSCTL" info --json full/image.ums | jq '.sectors.good > 2000'
	mount -o remount,size=20M full
	"$UMSCTL" capture sim:noise,size=8M full/image.ums >full.out 2>>full.err
	echo "then $?"
	"$UMSCTL" export full/image.ums full.raw
	"$UMSCTL" verify full/image.ums >/dev/null && echo verified
	umount full
}
export -f full_disk
if unshare -m true 2>/dev/null; then
	is "a full disk stops it; with room again it goes on" "$(unshare -m bash -c full_disk)" "code 4
true
then 0
verified"
	ok "… which is said" grep -qi 'no space left' full.err
	"$UMSCTL" capture --quiet sim:noise,size=8M noise.ums
	ok "… and nothing is lost" equal_raw noise.ums full.raw
else
	skip "a full disk" "unshare -m is not allowed here"
fi

# --- generations ---
"$UMSCTL" capture --quiet --hash md5 sim:mixed,size=8M,bad=100-102,bad=4000 grow.ums 2>/dev/null
sum_before=$(sha256sum <grow.ums)
"$UMSCTL" capture --quiet --retries 1 sim:mixed,size=8M,bad=100-102,bad=4000 grow.ums 2>/dev/null
is "a further try that recovers nothing leaves the image as it was" \
	"$(sha256sum <grow.ums)" "$sum_before"
"$UMSCTL" capture --quiet --retries 1 --hash sha1 sim:mixed,size=8M,bad=100-102,bad=4000 grow.ums 2>/dev/null
is "a later generation has the digests of the one before" \
	"$("$UMSCTL" info --json grow.ums | jq -c '.generation, (.digests | keys)')" '2
["md5","sha1","sha256"]'
: >empty.ums
exits "an empty file is filled" 0 "$UMSCTL" capture --quiet sim:text,size=2M empty.ums
ok "… with an image" "$UMSCTL" verify empty.ums
done_testing
