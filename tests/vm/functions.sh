# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# For the host's half of a test (test-*.sh): sticks, and the run of the guest's half. Every check,
# the guest's included, is one line of TAP; the plan comes last.
set -u
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)
export UMSCTL=${UMSCTL:-$tree/build/umsctl}
. "$here/tap.sh"

mkdir -p "$tree/build/vm"
work=$(mktemp -d "$tree/build/vm/test.XXXXXX")
share=$work/share
mkdir "$share"
# Here QEMU keeps what the guest writes to a stick.
export TMPDIR=$work

machine=
# VM_KEEP=1 keeps the files of the test for a look.
finish() {
	if [ -n "$machine" ]; then
		kill "$machine" 2>/dev/null
		wait "$machine"
	fi
	[ -n "${VM_KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

# The last line of every test.
done_testing() {
	echo "1..$n_checks"
	exit $((n_failed > 0))
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

needs_umsctl() {
	[ -x "$UMSCTL" ] && return
	echo "Bail out! $UMSCTL is not built"
	exit 1
}

for tool in qemu-system-x86_64 apt-get dpkg-deb cpio busybox depmod setpriv jq mkfs.ext4; do
	command -v "$tool" >/dev/null || skip_all "$tool is not installed"
done
[ -e /lib/systemd/systemd-udevd ] || skip_all "udev is not installed"

# What the machine is to have, for QEMU.
qemu=()

# make_disk FILE MIB: a partition table, and an ext4 filesystem with files in partition 1: text,
# incompressible bytes, and much that is empty.
make_disk() {
	local file=$1 mib=$2 files=$work/files
	mkdir "$files"
	seq 100000 >"$files/numbers.txt"
	head -c "$((mib / 4))M" /dev/urandom >"$files/noise"
	truncate -s "${mib}M" "$file"
	mkfs.ext4 -q -F -d "$files" -E offset=1048576 "$file" "$((mib - 1))M"
	# Not bootable, no CHS, type 83h, first sector 2048, the length, and the signature.
	printf '0000000083000000%s%s' 00080000 "$(le32 $(((mib - 1) * 2048)))" |
		busybox xxd -r -p | dd of="$file" bs=1 seek=446 conv=notrunc status=none
	printf '\x55\xaa' | dd of="$file" bs=1 seek=510 conv=notrunc status=none
	rm -r "$files"
}

# le32 NUMBER: as eight hexadecimal digits.
le32() {
	local hex
	hex=$(printf %08x "$1")
	echo "${hex:6:2}${hex:4:2}${hex:2:2}${hex:0:2}"
}

# stick SERIAL FILE [DRIVE-OPTIONS [DEVICE-OPTIONS]]: attaches FILE as a USB stick. What the guest
# writes to it is dropped at the end (snapshot), so FILE stays what a capture must equal.
stick() {
	qemu+=(-drive "if=none,id=$1,format=raw,file=$2,snapshot=on${3:+,$3}"
		-device "usb-storage,bus=xhci.0,drive=$1,serial=$1${4:+,$4}")
}

# equal FILE IMAGE [STATUS]: IMAGE (in the shared folder) is whole, and its content is FILE's; export
# exits with STATUS (3 for one with unreadable sectors).
equal() {
	"$UMSCTL" verify "$share/$2" && exits "${3:-0}" "$UMSCTL" export "$share/$2" "$work/export" &&
		cmp "$1" "$work/export"
	local status=$?
	rm -f "$work/export"
	return $status
}

# run_machine SECONDS GUEST-SCRIPT [ARGUMENT...]: runs the guest's half and passes its TAP on. That
# it got to its end is a check of its own.
run_machine() {
	local seconds=$1 script=$2 status=0 reader
	shift 2
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	tee "$work/tap" <"$work/pipe" &
	reader=$!
	# In the background, so that a signal reaches us while it runs.
	setpriv --pdeathsig TERM "$here/vm.sh" -t "$seconds" -s "$share" \
		"$here/guest/$script" "$@" -- "${qemu[@]}" >"$work/pipe" &
	machine=$!
	wait "$machine" || status=$?
	machine=
	wait "$reader"
	n_checks=$((n_checks + $(grep -cE '^(not )?ok' "$work/tap")))
	n_failed=$((n_failed + $(grep -c '^not ok' "$work/tap")))
	check "guest/$script ran to its end" is "$status" 0
	if [ "$status" -ne 0 ] && [ -e "$share/dmesg" ]; then
		tail -n 20 "$share/dmesg" | sed 's/^/# /'
	fi
}
