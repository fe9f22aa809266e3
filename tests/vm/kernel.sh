#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Prepares Debian's current kernel for the test machine and prints the folder that holds it:
#   vmlinux       uncompressed, so that QEMU enters it directly (PVH) and need not emulate unpacking
#   initramfs     busybox and the modules needed to reach the host's / over 9p
#   root/lib/modules/VERSION, and `release` naming VERSION
# The package is unpacked, never installed. The folder is named for the package's version and
# made only once. Needs: apt, dpkg, xz-utils, kmod, cpio, busybox-static.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/build/vm
boot_modules="virtio_pci virtio_console 9pnet_virtio 9p overlay"

die() {
	echo "kernel.sh: $*" >&2
	exit 1
}

# The package that linux-image-amd64 stands for today, as "name version"; nothing if apt cannot say.
current_package() {
	local name version
	name=$(apt-cache depends linux-image-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
	[ -n "$name" ] || return 0
	version=$(apt-cache show --no-all-versions "$name" | sed -n 's/^Version: //p')
	echo "$name $version"
}

# bytes FILE OFFSET COUNT: an unsigned little-endian number.
bytes() {
	od -An -tu"$3" -j"$2" -N"$3" "$1" | tr -d ' '
}

# The bzImage header (Documentation/x86/boot.rst) says where the compressed vmlinux lies. The
# compressor may complain about the size that the build appends to it; the result is checked.
extract_vmlinux() {
	local image=$1 out=$2 start length unpack
	[ "$(od -An -c -j514 -N4 "$image" | tr -d ' \n')" = HdrS ] || die "$image is no bzImage"
	start=$((($(bytes "$image" 497 1) + 1) * 512 + $(bytes "$image" 584 4)))
	length=$(bytes "$image" 588 4)
	case $(od -An -tx1 -j"$start" -N4 "$image" | tr -d ' ') in
	fd377a58) unpack="xz -dc --single-stream" ;;
	28b52ffd) unpack="zstd -dc" ;;
	1f8b*) unpack="gzip -dc" ;;
	*) die "$image: unknown compression" ;;
	esac
	tail -c +$((start + 1)) "$image" | head -c "$length" | $unpack >"$out" 2>/dev/null || :
	[ "$(head -c 4 "$out" | od -An -c | tr -d ' \n')" = 177ELF ] || die "$image: no ELF inside"
}

make_initramfs() {
	local dir=$1 release=$2 busybox module path
	local tree=$dir/initramfs.tree
	busybox=$(command -v busybox) || die "busybox-static is not installed"
	rm -rf "$tree"
	mkdir -p "$tree"/{bin,dev,proc,sys,modules,newroot}
	cp "$busybox" "$tree/bin/busybox"
	install -m 755 "$here/init" "$tree/init"
	for module in $boot_modules; do
		modprobe -d "$dir/root" -S "$release" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
		cp "$path" "$tree/modules/"
		echo "/modules/${path##*/}" >>"$tree/modules/order"
	done
	(cd "$tree" && find . | cpio --quiet -o -H newc) >"$dir/initramfs.new"
	rm -rf "$tree"
	mv "$dir/initramfs.new" "$dir/initramfs"
}

# Sets `package` and `dir` for the kernel that apt offers today, and downloads it into `new` unless
# it is there already.
download() {
	local version
	read -r package version <<<"$(current_package)"
	[ -n "$package" ] || return
	dir=$cache/kernel-${version//[^0-9A-Za-z.+-]/_}
	rm -rf "$new"
	[ -d "$dir" ] || (mkdir "$new" && cd "$new" &&
		apt-get -qq -o APT::Sandbox::User=root download "$package=$version" >&2)
}

# Makes `dir` of what was downloaded, in place of older ones; in one rename, so that a broken-off run
# leaves no half.
unpack() {
	local release=${package#linux-image-}
	dpkg-deb -x "$new"/*.deb "$new/root"
	rm "$new"/*.deb
	depmod -b "$new/root" "$release"
	extract_vmlinux "$new/root/boot/vmlinuz-$release" "$new/vmlinux"
	echo "$release" >"$new/release"
	make_initramfs "$new" "$release"
	rm -rf "$cache"/kernel-[0-9]*
	mv -T "$new" "$dir"
}

mkdir -p "$cache"
exec 9>"$cache/kernel.lock"
flock 9
new=$cache/kernel.new

# apt's lists may be missing, or so old that the mirror has the package no more.
if download || { apt-get -qq update >&2 && download; }; then
	[ -d "$dir" ] || unpack
else
	dir=$(find "$cache" -maxdepth 1 -name 'kernel-[0-9]*' -type d | sort -V | tail -n 1)
	[ -n "$dir" ] || die "apt-get cannot download linux-image-amd64"
fi
if [ "$here/init" -nt "$dir/initramfs" ] || [ "$0" -nt "$dir/initramfs" ]; then
	make_initramfs "$dir" "$(cat "$dir/release")"
fi
echo "$dir"
