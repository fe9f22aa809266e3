#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Where an export may write, and what it leaves when it cannot: never the image's end, never half a drive.
# shellcheck source=tests/lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1
"$UMSCTL" capture --quiet sim:mixed,size=4M,bad=100-102 a.ums 2>err
"$UMSCTL" export a.ums a.raw
sum_image=$(sha256sum <a.ums)
sum_raw=$(sha256sum <a.raw)
image_is_whole() {
	is "$1: the image is as it was" "$(sha256sum <a.ums)" "$sum_image"
}

exits "unreadable sectors: exit 3" 3 "$UMSCTL" export a.ums again.raw
ok "… all the same the whole size" test "$(stat -c %s again.raw)" = 4194304
is "zeros are holes" "$("$UMSCTL" capture --quiet sim:blank,size=8M zero.ums &&
	"$UMSCTL" export zero.ums zero.raw && stat -c '%s %b' zero.raw)" "8388608 0"
exits "through a pipe the same" 3 "$UMSCTL" export a.ums -
is "… bytes" "$(sha256sum <out)" "$sum_raw"
exits "a mapfile to standard output" 3 "$UMSCTL" export --mapfile - a.ums --force again.raw
is "… is that of map --mapfile" "$(grep -v '^#' out)" "$("$UMSCTL" map --mapfile a.ums | grep -v '^#')"

# --- over what was there: all of it is written, zeros too, from where it stands ---
head -c 6000000 /dev/urandom >noise
cp noise into
exits "onto the beginning of a file (1<>file)" 3 bash -c '"$UMSCTL" export a.ums - 1<>into'
ok "… the drive's bytes" cmp -n 4194304 into a.raw
ok "… and behind them what was there" cmp -i 4194304 into noise
cp noise into
exits "into the middle of it" 3 bash -c '{ head -c 1000; "$UMSCTL" export a.ums -; } <noise 1<>into'
ok "… the drive's bytes" cmp -n 4194304 -i 1000:0 into a.raw
ok "… and around them what was there" cmp <(head -c 1000 into; tail -c +4195305 into) <(head -c 1000 noise; tail -c +4195305 noise)
cp noise into
exits "behind a file (>>file)" 3 bash -c '"$UMSCTL" export a.ums - >>into'
ok "… is both" cmp into <(cat noise a.raw)
exits "behind a header" 3 bash -c '{ echo header; "$UMSCTL" export a.ums -; } >into'
ok "… is both" cmp into <(echo header; cat a.raw)
head -c 8388608 /dev/urandom >into
exits "a drive of zeros over noise" 0 bash -c '"$UMSCTL" export zero.ums - 1<>into'
ok "… is zeros" cmp -n 8388608 into /dev/zero
exits "… through a pipe" 0 bash -c 'set -o pipefail; "$UMSCTL" export zero.ums - | cat'
is "… too" "$(stat -c %s out)" 8388608
exits "… to /dev/null" 0 bash -c '"$UMSCTL" export zero.ums - >/dev/null'
exits "… by its name" 0 "$UMSCTL" export zero.ums /dev/null
ok "… which stays what it is" test -c /dev/null
mkfifo fifo
sha256sum <fifo >sum &
exits "to a named pipe" 3 "$UMSCTL" export a.ums fifo
wait $!
is "… the same bytes" "$(cat sum)" "$sum_raw"

# --- refused ---
exits "a file that exists: exit 2" 2 "$UMSCTL" export a.ums a.raw
is "… is as it was" "$(sha256sum <a.raw)" "$sum_raw"
head -c 5000000 /dev/zero | tr '\0' x >longer
exits "--force writes over it" 3 "$UMSCTL" export --force a.ums longer
is "… and nothing of it stays" "$(sha256sum <longer)" "$sum_raw"

exits "onto the image itself: exit 2" 2 "$UMSCTL" export --force a.ums a.ums
image_is_whole "onto itself"
ln -s a.ums link
ln a.ums hard
exits "by a link: exit 2" 2 "$UMSCTL" export --force a.ums link
exits "by a hard link: exit 2" 2 "$UMSCTL" export --force hard a.ums
exits "the mapfile onto the image: exit 2" 2 "$UMSCTL" export --force --mapfile a.ums a.ums new.raw
image_is_whole "mapfile onto it"
ok "… and nothing was made" test ! -e new.raw
exits "sectors and mapfile in one: exit 2" 2 "$UMSCTL" export --force --mapfile a.raw a.ums a.raw
is "… leaves what was there" "$(sha256sum <a.raw)" "$sum_raw"
exits "a mapfile that cannot be made: exit 2" 2 "$UMSCTL" export --mapfile nowhere/map a.ums new.raw
ok "… before anything was written" test ! -e new.raw
exits "a folder: exit 2" 2 "$UMSCTL" export --force a.ums .
# refuses NAME COMMAND: exit 2 and the image as it was; $file is its name.
refuses() {
	exits "$1: exit 2" 2 bash -c "$2"
	image_is_whole "$1"
}
refuses "standard output into the image" '"$UMSCTL" export a.ums - 1<>a.ums'
refuses "… behind it" '"$UMSCTL" export a.ums - >>a.ums'
refuses "… by a hard link" '"$UMSCTL" export a.ums - >>hard'
refuses "… by a link" '"$UMSCTL" export link - 1<>a.ums'
refuses "the mapfile into it" '"$UMSCTL" export --mapfile - a.ums new.raw >>a.ums'
ok "… and nothing was made" test ! -e new.raw
for command in 'info a.ums' 'map --mapfile a.ums' 'verify a.ums' 'seal a.ums'; do
	refuses "$command >>a.ums" "\"\$UMSCTL\" $command >>a.ums"
done
cp noise into
exits "standard output and mapfile in one: exit 2" 2 bash -c '"$UMSCTL" export --force --mapfile into a.ums - 1<>into'
ok "… leaves what was there" cmp noise into
exits "both to standard output: exit 2" 2 bash -c '"$UMSCTL" export --mapfile - a.ums - >both'
exits "two names of one new file: exit 2" 2 "$UMSCTL" export --mapfile ./new.raw a.ums new.raw
ok "… of which nothing was made" test ! -e new.raw
ln -s nothing dangling
exits "a link to nothing: exit 2" 2 "$UMSCTL" export a.ums dangling
exits "a link to an image's folder is a folder: exit 2" 2 "$UMSCTL" export --force a.ums "$work"
if mknod block b 7 250 2>/dev/null; then
	exits "a block device: exit 2" 2 "$UMSCTL" export --force a.ums block
	ok "… with what to do instead" grep -q 'export IMAGE - >DEVICE' err
else
	skip "a block device" "mknod is not allowed here"
fi

# --- what is replaced ---
cp noise into
chmod 600 into
ln -s into way
exits "--force through a link" 3 "$UMSCTL" export --force a.ums way
is "… replaces the file it leads to" "$(sha256sum <into)" "$sum_raw"
ok "… and the link stays" test -L way
is "… and so does the file's mode" "$(stat -c %a into)" 600
is "a new file has the mode of any new file" "$(umask 027; "$UMSCTL" export a.ums mode.raw 2>err; stat -c %a mode.raw)" 640

# While the sectors wait for somebody to read the pipe, another makes a file of the mapfile's name.
"$UMSCTL" export --mapfile race.map a.ums fifo 2>err &
exec 9<fifo
until ls .race.map.umsctl-* >/dev/null 2>&1 || ! kill -0 $! 2>/dev/null; do
	sleep 0.01
done
ok "until it is complete it has another name" sh -c 'ls .race.map.umsctl-* && test ! -e race.map'
echo mine >race.map
cat <&9 >out
exec 9<&-
wait $!
is "a file that appears meanwhile: exit 4" $? 4
is "… stays" "$(cat race.map)" mine

# --- not finished ---
# By a link, so that not the machine's own is lost should it be removed after all.
ln -s /dev/full full
exits "a full device: exit 4" 4 "$UMSCTL" export --force a.ums full
ok "… is still there" test -c full
exits "a pipe that nobody reads: exit 4" 4 bash -c 'set -o pipefail; "$UMSCTL" export a.ums - | head -c 1 >/dev/null'
# 100 blocks of 1 KiB.
exits "a file that cannot grow: exit 4" 4 bash -c 'trap "" XFSZ; ulimit -f 100; "$UMSCTL" export --mapfile part.map a.ums part.raw'
ok "… half a drive is not left to be taken for the whole" test ! -e part.raw
ok "… nor a map of it" test ! -e part.map

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 .
	mkdir locked
	cp "$UMSCTL" umsctl-copy
	exits "a folder that is not ours: exit 2" 2 setpriv --reuid 65534 --regid 65534 --clear-groups \
		./umsctl-copy export a.ums locked/a.raw
	ok "… is said" grep -qi 'permission denied' err
else
	skip "a folder that is not ours" "needs root"
fi

# A flipped byte in the data of the image: said, with where it is.
cp a.ums flipped.ums
printf '\377\376\375' | dd of=flipped.ums bs=1 seek=$(($(stat -c %s a.ums) / 2)) conv=notrunc status=none
exits "a damaged image: exit 5" 5 "$UMSCTL" export flipped.ums flipped.raw
ok "… is said with its sectors" grep -qE 'flipped.*(LBA|sector)' err
ok "… and with the way on" grep -q -- '--salvage' err
ok "… and makes no file" test ! -e flipped.raw
is "no temporary file is left of all this" "$(find . -name '.*.umsctl-*')" ""
done_testing
