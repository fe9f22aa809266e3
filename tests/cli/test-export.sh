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

# A flipped byte in the data of the image: said, with where it is.
cp a.ums flipped.ums
printf '\377\376\375' | dd of=flipped.ums bs=1 seek=$(($(stat -c %s a.ums) / 2)) conv=notrunc status=none
exits "a damaged image: exit 5" 5 "$UMSCTL" export flipped.ums flipped.raw
ok "… is said with its sectors" grep -qE 'flipped.*(LBA|sector)' err
ok "… and makes no file" test ! -e flipped.raw
done_testing
