#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The include rule of HACKING.md: which room may include which, and where outside libraries may be used.
# shellcheck source=tests/lib.sh disable=SC2016
. "$(dirname "$0")/../lib.sh"

cd "$tree" || exit 1

# room: what it may include beside itself
rooms='
proto:
base: proto
usb: proto base
sim: proto base usb
simvendor: proto base usb sim
transport: proto base usb
scsi: proto base usb transport
device: proto base usb transport scsi sim
capture: proto base usb transport scsi device
vendor: proto base usb transport scsi device
image: proto base
acquire: proto base transport scsi device capture image
cli: proto base usb sim transport scsi device capture vendor image acquire
'
# library header: the rooms and files that may use it
libraries='
libudev.h: src/device/
libusb.h: src/usb/
scsi/sg_: src/transport/ src/scsi/
zlib.h: src/image/ src/base/crc.c
isa-l/: src/image/ src/base/crc.c
openssl/: src/image/ src/transport/tally.c
json-c/: src/base/json.h src/cli/
ini.h: src/vendor/
'

room_of() {
	case $1 in
	proto/*) echo proto ;;
	*) basename "$(dirname "$1")" ;;
	esac
}

wrong_includes() {
	local file room allowed include other
	for file in src/*/*.[ch] proto/*.h; do
		room=$(room_of "$file")
		allowed=" $(sed -n "s/^$room: *//p" <<<"$rooms") $room "
		grep -oE '^#include "[^"]+"' "$file" | cut -d'"' -f2 | while read -r include; do
			# The interface that the capture owns and the image implements.
			[ "$room:$include" = image:capture/sink.h ] && continue
			other=${include%%/*}
			[[ $allowed == *" $other "* ]] || echo "$file includes $include"
		done
	done
}

wrong_libraries() {
	local header places file
	grep . <<<"$libraries" | while IFS=: read -r header places; do
		grep -lE "^#include <([^>]*/)?$header" src/*/*.[ch] proto/*.h | while read -r file; do
			for place in $places; do
				[[ $file == "$place"* ]] && continue 2
			done
			echo "$file uses $header"
		done
	done
}

# The parts of a capture stand on each other in the order that source.h writes down; its public headers may be used by
# all of them.
capture_levels() {
	sed -nE 's/^ \*     (([a-z]+\.c )+).*/\1/p' src/capture/source.h
}

capture_level() {
	capture_levels | grep -nE "(^| )$1\.c " | cut -d: -f1
}

upward_includes() {
	local file part include
	for file in src/capture/*.[ch]; do
		part=$(basename "${file%.?}")
		[[ $part =~ ^(capture|notice|sink)$ && $file == *.h ]] && continue
		grep -oE '^#include "capture/[^"]+"' "$file" | sed -E 's|.*/(.*)\.h"|\1|' | while read -r include; do
			[[ $include =~ ^(capture|notice|sink)$ ]] && continue
			[ "$(capture_level "$include")" -ge "$(capture_level "$part")" ] || echo "$file includes $include.h"
		done
	done
}

is "every part of a capture has its place in source.h" "$(capture_levels | tr ' ' '\n' | grep . | sort)" \
	"$(cd src/capture && printf '%s\n' *.c | sort)"
is "none calls upwards there" "$(upward_includes 2>&1)" ""

# A debugger and a reader of a stack trace tell functions apart by their names alone.
twice_named() {
	grep -hoE '^static [a-z_0-9 ]*[ *][a-z_0-9]+\(' src/*/*.c | sed -E 's/.*[ *]([a-z_0-9]+)\($/\1/' | sort | uniq -d |
		while read -r name; do
			[ "$(grep -lE "^static [a-z_0-9 ]*[ *]$name\(" src/*/*.c | wc -l)" -lt 2 ] || echo "$name"
		done
}
is "no static function has its name in two files" "$(twice_named)" ""

is "every room is in the table" \
	"$(for room in src/*/; do grep -q "^$(basename "$room"):" <<<"$rooms" || echo "$room"; done)" ""
is "HACKING.md has the same rooms" \
	"$(sed -nE 's/^\| `(src\/)?([a-z]+)\/?` \|.*/\2/p' HACKING.md | sort)" \
	"$(sed -n 's/:.*//p' <<<"$rooms" | sort)"
is "rooms include only what lies to their left" "$(wrong_includes)" ""
is "libraries stay where they belong" "$(wrong_libraries)" ""
# So that tests can simulate time.
is "waiting for a time is done by base/clock" \
	"$(grep -lE 'pthread_cond_timedwait|nanosleep|usleep|\<sleep\(' src/*/*.[ch] | grep -v '^src/base/clock')" ""
is "only tests simulate it" "$(grep -l 'clock_simulate()\|clock_hold()' src/*/*.c | grep -v '^src/base/clock')" ""
is "every file begins with its licence" \
	"$(for file in src/*/*.[ch] proto/*.h tests/*/*.[ch] tests/cli/*.sh man/* Makefile; do
		head -2 "$file" | grep -q SPDX-License-Identifier || echo "$file"
	done)" ""

self_contained() {
	local header
	for header in src/*/*.h proto/*.h; do
		# shellcheck disable=SC2046
		echo "#include \"${header#src/}\"" |
			gcc -std=gnu11 -D_GNU_SOURCE -Isrc -I. $(pkg-config --cflags libusb-1.0 json-c) \
				-fsyntax-only -x c - || echo "$header"
	done
}
is "every header stands alone" "$(self_contained 2>/dev/null)" ""
if command -v shellcheck >/dev/null; then
	ok "the shell scripts are clean" shellcheck -x -S warning run tests/check tests/tap tests/*.sh tests/*/*.sh
else
	skip "the shell scripts are clean" "shellcheck is not installed"
fi
is "nothing is said to be unfinished" "$(git grep -nE '\b(TODO|FIXME|XXX)\b' -- src proto udev man 2>/dev/null)" ""
done_testing
