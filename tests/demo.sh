#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What `make demo` shows: the main job on a simulated drive.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/build:$PATH
export UMSCTL_VENDOR_PATH=$PWD/proto/vendor
rm -rf build/demo
mkdir -p build/demo
cd build/demo

show() {
	printf '\n$ %s\n' "$*"
	code=0
	"$@" || code=$?
	case $code in
	0) ;;
	3) echo "(exit code 3: complete, but some sectors could not be read)" ;;
	*) echo "demo: that should not have ended with $code" >&2; exit 1 ;;
	esac
}

say() {
	printf '\n%s\n' "$*"
}

say 'A simulated USB stick of 64 MiB, with files on it and some bad places, is captured into one image:'
show umsctl capture sim:demo demo.ums
say 'Which sectors could not be read, and what the drive said of them:'
show umsctl map --bad demo.ums
say 'Is the image whole?'
show umsctl verify demo.ums
say 'Plain sectors out of it:'
show umsctl export --mapfile demo.map demo.ums demo.raw
if command -v qemu-img >/dev/null; then
	say 'The same by QEMU, which opens the image as it is:'
	show qemu-img convert -f dmg -O raw demo.ums from-qemu.raw 2>/dev/null
	show cmp demo.raw from-qemu.raw
fi
if command -v mdir >/dev/null; then
	say 'The files on it (the FAT volume begins at sector 2048):'
	show mdir -i demo.raw@@1M ::
	show mtype -i demo.raw@@1M ::README.TXT
fi
say 'A vendor command, to a simulated bridge with an ATA disk behind it:'
show umsctl vendor run sim:blank,vendor=sat sat.smart-status
say "That was in $PWD.  What next:
  build/umsctl list                          your USB drives
  build/umsctl capture --help                all that a capture can do
  build/umsctl capture /dev/sdX drive.ums    a real one
  ./run vendor list                          the vendor commands there are
  man -l man/umsctl.1                        the manual"
