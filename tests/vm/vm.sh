#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Runs one script inside a Debian kernel under QEMU's software emulation:
#
#   vm.sh [-t SECONDS] [-s FOLDER] SCRIPT [ARGUMENT...] [-- QEMU-ARGUMENT...]
#
# The script sees the host's / (changes stay in the guest's memory), runs as root with udev, prints
# to our standard output, and its exit status is ours. FOLDER is shared read-write and is
# /run/vm/share in there. -t is a hard limit (default 120 s). The QEMU arguments attach what the
# script is about; a qemu-xhci named xhci and a usb-ehci named ehci are there already.
# Status 125: the machine did not get as far as to report one; the end of its console is shown.
# Set VM_CONSOLE=1 to watch the kernel's console on standard error.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
timeout=120
share=

usage() {
	sed -n '4s/^# *//p' "$0" >&2
	exit 125
}

while getopts t:s: option; do
	case $option in
	t) timeout=$OPTARG ;;
	s) share=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
[ $# -ge 1 ] || usage
script=$(realpath "$1")
shift
arguments=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	arguments+=("$1")
	shift
done
[ $# -eq 0 ] || shift

kernel=$("$here/kernel.sh")

# One machine at a time: two would only make each other miss their limits.
exec 9>"$tree/build/vm/vm.lock"
flock 9
# What a run left that was killed outright.
rm -rf "$tree"/build/vm/run.*

work=$(mktemp -d "$tree/build/vm/run.XXXXXX")
qemu=
cleanup() {
	if [ -n "$qemu" ]; then
		kill "$qemu" 2>/dev/null || :
		wait "$qemu" || :
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP

if [ -z "$share" ]; then
	share=$work/share
	mkdir "$share"
fi
# Sourced by guest/init.sh.
{
	printf 'VM_KERNEL=%q\nVM_GUEST=%q\nVM_ARGS=(' "$kernel" "$script"
	[ ${#arguments[@]} -eq 0 ] || printf ' %q' "${arguments[@]}"
	printf ' )\n'
	printf 'export VM_TREE=%q UMSCTL=%q VM_SEED=%q\n' "$tree" \
		"${UMSCTL:-$tree/build/umsctl}" "${VM_SEED:-$RANDOM}"
} >"$share/job"

# No delay before scanning a stick's LUNs, no self tests, no mitigations: boot time is dear here.
parameters="console=ttyS0 quiet panic=-1 VM_TREE=$tree usb-storage.delay_use=0 cryptomgr.notests
	rcupdate.rcu_expedited=1 mitigations=off random.trust_cpu=on tsc=reliable no_timer_check"

console="file:$work/console"
[ -z "${VM_CONSOLE:-}" ] || console="file:/dev/stderr"

# A pipe of its own for QEMU, which makes its outputs non-blocking for everyone who shares them.
# Held open here as well, so that the reader ends even if QEMU never gets to open it.
mkfifo "$work/out"
exec 8<>"$work/out"
cat <"$work/out" 8>&- &
reader=$!

# A processor without AVX: its wide registers are dearer to emulate than they save.
# timeout ends QEMU when the limit is reached, when we say so, and (the parent-death signal) when we
# are killed outright.
setpriv --pdeathsig TERM timeout -k 5 "$timeout" qemu-system-x86_64 \
	-accel tcg,thread=multi -cpu Nehalem -smp 2 -m 1536 -machine q35,sata=off -nodefaults -no-user-config \
	-no-reboot -display none -serial "$console" \
	-kernel "$kernel/vmlinux" -initrd "$kernel/initramfs" -append "${parameters//[$'\n\t']/ }" \
	-fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap \
	-device virtio-9p-pci,fsdev=root,mount_tag=root \
	-fsdev local,id=share,path="$share",security_model=none,multidevs=remap \
	-device virtio-9p-pci,fsdev=share,mount_tag=share \
	-device virtio-serial-pci \
	-chardev file,id=out,path="$work/out" -device virtserialport,chardev=out,name=out \
	-chardev file,id=status,path="$work/status" \
	-device virtserialport,chardev=status,name=status \
	-device virtio-rng-pci -device qemu-xhci,id=xhci -device usb-ehci,id=ehci \
	"$@" </dev/null >"$work/qemu" 2>&1 &
qemu=$!

status=0
wait "$qemu" || status=$?
qemu=
exec 8>&-
wait "$reader" || :

if [ -s "$work/status" ]; then
	exit "$(cat "$work/status")"
fi
{
	if [ "$status" -eq 124 ]; then
		echo "vm.sh: stopped after $timeout s"
	else
		echo "vm.sh: the machine ended without a status (QEMU: $status)"
	fi
	cat "$work/qemu"
	[ -n "${VM_CONSOLE:-}" ] || tail -n 25 "$work/console"
} >&2
exit 125
