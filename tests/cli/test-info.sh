#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is said of an image is true: notes are no facts, states have one name each, and neither a hostile
# journal nor the end of memory makes half a sentence of it.
# shellcheck source=tests/lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1

# --- notes ---
"$UMSCTL" capture --quiet --note sha256=0000 --note 'state=sealed twice' --note k=ab sim:text,size=1M notes.ums
"$UMSCTL" info notes.ums >out
is "a note is no digest" "$(grep -c '^sha256 ' out)" 1
is "… and no state" "$(grep -c '^state ' out)" 1
is "notes are said to be notes" "$(grep '^note ' out | tr -s ' ')" "note sha256: 0000
note state: sealed twice
note k: ab"
is "… in JSON too" "$("$UMSCTL" info --json notes.ums | jq -c '[.notes, .digests.sha256 == "0000"]')" \
	'[[{"key":"sha256","text":"0000"},{"key":"state","text":"sealed twice"},{"key":"k","text":"ab"}],false]'

# --- a journal and an identity that lie ---
# forge FROM TO: in a copy, which gets right sums of that record.  TO is filled up with spaces to the length of FROM.
# FROM may leave out the time at the beginning of a line, where it has {..
cat >forge.py <<'PY'
import struct, sys, zlib
old, new = (a.encode() for a in sys.argv[3:5])
image = bytearray(open(sys.argv[1], "rb").read())
at = image.index(old.removeprefix(b"{.."))
end = at + len(old.removeprefix(b"{.."))
if old.startswith(b"{.."):
    at = image.rindex(b'{"time"', 0, at)
assert len(new) <= end - at
image[at:end] = new.ljust(end - at)
head = image.rindex(b"UMSR", 0, at)
length, = struct.unpack_from("<Q", image, head + 16)
struct.pack_into("<I", image, head + 40, zlib.crc32(image[head + 64:head + 64 + length]))
struct.pack_into("<I", image, head + 60, zlib.crc32(image[head:head + 60]))
open(sys.argv[2], "wb").write(image)
PY
forge() {
	ok "forged: $2" python3 forge.py notes.ums forged.ums "$@"
}
for change in '"text":"ab"|"text":null' '"key":"k"|"key":[1]' '"event":"note","key":"k"|"event":null,  "key":"k"' \
	'{.."event":"note","key":"k","text":"ab"}|[{"event":"note","key":"k"},null,0]'; do
	forge "${change%|*}" "${change#*|}"
	exits "info with ${change#*|}" 0 "$UMSCTL" info forged.ums
	exits "… as JSON" 0 "$UMSCTL" info --json forged.ums
	ok "… that is valid" jq -e . out
	exits "… and its journal" 0 "$UMSCTL" info --journal forged.ums
done
forge 'usb-id=' 'sha256='
"$UMSCTL" info forged.ums >out
is "an identity that calls itself a digest is not shown" "$(grep -c '^sha256 ' out)" 1

# --- states: one word for each, and all of them together are the drive ---
"$UMSCTL" capture --quiet --start 4096 --size 4096s sim:mixed,size=8M,bad=5000-5002,recovered=6000 part.ums 2>err
"$UMSCTL" info --json part.ums >info.json
is "info: good does not hold recovered" "$(jq -c .sectors info.json)" \
	'{"untried":12288,"skipped":0,"failed":0,"bad":3,"good":4092,"recovered":1}'
is "map says the same" "$("$UMSCTL" map --json part.ums |
	jq -c '[.ranges | group_by(.state)[] | {(.[0].state): (map(.blocks) | add)}] | add')" \
	'{"bad":3,"good":4092,"recovered":1,"untried":12288}'
exits "export: exit 3" 3 "$UMSCTL" export part.ums part.raw
ok "… says the same" grep -q ': 12288 untried, 3 bad$' err
exits "seal of what is sealed: exit 3" 3 "$UMSCTL" seal part.ums
ok "… says the same, and not that it could not be read" \
	grep -q 'sealed already; sectors: 12288 untried, 3 bad, 4092 good, 1 recovered$' out
exits "… as JSON" 3 "$UMSCTL" seal --json part.ums
is "… the same" "$(jq -c '[.sectors == $info[0].sectors, .missing, .result]' --slurpfile info info.json out)" \
	'[true,12291,"incomplete"]'
"$UMSCTL" capture --quiet sim:text,size=1M whole.ums
exits "seal of a whole drive: exit 0" 0 "$UMSCTL" seal --json whole.ums
is "… is complete" "$(jq -r .result out)" complete

# --- to where nothing can be printed ---
for command in 'info' 'info --json' 'info --journal' 'info --blob inquiry' 'map' 'map --json' 'map --mapfile' verify \
	'verify --json' 'seal'; do
	exits "$command to a full disk: exit 4" 4 bash -c "\"\$UMSCTL\" $command whole.ums >/dev/full"
	ok "… said" grep -q . err
done

# --- the end of memory: a message, and nothing that looks like a result ---
cat >failing.c <<'C'
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static unsigned long n, fails;
static int fail(void)
{
	n++;
	if (fails == 0 || n < fails)
		return 0;
	errno = ENOMEM;
	return 1;
}
void *malloc(size_t size) { return fail() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fail() ? NULL : __libc_calloc(count, size); }
void *realloc(void *p, size_t size) { return fail() ? NULL : __libc_realloc(p, size); }
__attribute__((constructor)) static void begin(void)
{
	fails = strtoul(getenv("FAIL_FROM"), NULL, 10);
	n = 0;
}
__attribute__((destructor)) static void end(void)
{
	char text[30];
	int len = snprintf(text, sizeof(text), "%lu\n", n);
	if (fails == 0 && write(9, text, (size_t)len) < 0)
		_exit(9);
}
C
if nm -D "$UMSCTL" 2>/dev/null | grep -q __asan_ || ! cc -shared -fPIC -o failing.so failing.c 2>/dev/null; then
	skip "the end of memory" "not under ASan"
	done_testing
fi
# libcrypto itself crashes then, so this is an image without digests: its end is cut off.
head -c $(($(stat -c %s whole.ums) * 9 / 10)) whole.ums >cut.ums
for command in 'info --json' 'map --json' 'verify --json'; do
	# shellcheck disable=SC2086
	FAIL_FROM=0 LD_PRELOAD=./failing.so "$UMSCTL" $command cut.ums >wanted 9>count
	whole=$?
	count=$(cat count)
	crashed=0 false=0 silent=0 n=0
	for ((from = 1; from <= count; from += 1 + count / 150)); do
		# shellcheck disable=SC2086
		FAIL_FROM=$from LD_PRELOAD=./failing.so "$UMSCTL" $command cut.ums >out 2>err 9>/dev/null
		code=$?
		n=$((n + 1))
		[ $code -lt 128 ] || crashed=$((crashed + 1))
		if [ $code = $whole ]; then
			cmp -s out wanted || false=$((false + 1))
		else
			[ -s err ] || silent=$((silent + 1))
		fi
	done
	is "$command: memory ends at $n of $count places: no crash" $crashed 0
	is "… nothing false with the exit code of success" $false 0
	is "… and a message else" $silent 0
done
done_testing
