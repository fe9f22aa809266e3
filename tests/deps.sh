#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the Debian packages that are missing: deps.sh SET... (build, check, fuzz, vm).  Does nothing, and needs no
# root, when all are there.
set -eu

build='gcc libc6-dev pkg-config libusb-1.0-0-dev libsgutils2-dev zlib1g-dev libisal-dev libssl-dev
	libudev-dev libjson-c-dev libinih-dev'
check='libcmocka-dev perl qemu-utils dmg2img p7zip-full gddrescue sg3-utils mandoc dosfstools mtools
	e2fsprogs jq shellcheck clang-format umockdev libumockdev-dev tshark python3'
fuzz='clang llvm libclang-rt-14-dev'
vm='udev btrfs-progs fio smartmontools qemu-system-x86 busybox-static kmod cpio xz-utils zstd usbip libusbredirparser-dev'

want=
for set in "$@"; do
	case $set in
	build) want="$want $build" ;;
	check) want="$want $check" ;;
	fuzz) want="$want $fuzz" ;;
	vm) want="$want $vm" ;;
	*) echo "deps.sh: no such set: $set" >&2; exit 1 ;;
	esac
done

missing=
for package in $want; do
	status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing"
if [ "$(id -u)" != 0 ]; then
	echo "not root: run  apt-get install$missing  as root, then again" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
