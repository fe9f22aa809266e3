#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/functions.sh"

export UMSCTL_VENDOR_PATH=$VM_TREE/proto/vendor
usbip_ready
modprobe scsi_debug dev_size_mb=8 delay=0

# shown SERIAL SETTINGS: one simulated drive, and DISK is it.
shown() {
	show "blank,size=8M,serial=$1,$2"
	attach 1-1
	wait_for 20 disk_of "$1"
	disk=$(disk_of "$1")
}

# --- a stick that is mounted and busy ---

wait_for 15 disk_of BUSY
busy=$(disk_of BUSY)
mkdir -p /mnt/busy
mount "${busy}1" /mnt/busy
dmesg --clear
# Writes, reads back and compares, again and again until there is a file "enough".
benchmark() {
	while [ ! -e enough ]; do
		fio --name=busy --directory=/mnt/busy --size=4M --rw=randrw --bs=4k --verify=crc32c --fsync=16 --minimal \
			>>fio.out 2>>fio.err || return 1
	done
}
benchmark &
benchmark=$!
wait_for 20 test -s /mnt/busy/busy.0.0
check "900 commands to a busy stick" exits 0 \
	"$UMSCTL" cdb "$busy" 12 01 83 00 ff 00 --in 255 --repeat 900
hundred() {
	local i
	for ((i = 0; i < 25; i++)); do
		"$UMSCTL" vendor run "$busy" scsi.inquiry >>run.log 2>&1 &&
			"$UMSCTL" vendor run "$busy" scsi.vpd-device-id >>run.log 2>&1 &&
			"$UMSCTL" vendor run "$busy" scsi.capacity-16 >>run.log 2>&1 &&
			"$UMSCTL" vendor run "$busy" scsi.mode-page >>run.log 2>&1 || return 1
	done
}
check "100 more by name" hundred
check "the benchmark is still running" kill -0 "$benchmark"
check "what is not known to be harmless asks" refuses 1 'mounted.*--allow-mounted' \
	"$UMSCTL" cdb "$busy" c0 45 00 00 00 00 00 00 30 00 --in 48
check "what writes asks for --force" refuses 1 '[-]-force' \
	"$UMSCTL" cdb "$busy" 2a 00 00 00 00 00 00 00 01 00 --out /dev/zero --out-length 512
check "and then for --allow-mounted" refuses 1 'mounted.*--allow-mounted' \
	"$UMSCTL" cdb "$busy" 2a 00 00 00 00 00 00 00 01 00 --out /dev/zero --out-length 512 --force
check "a longer CDB than the kernel's driver carries is not sent" refuses 1 'carries up to 16' \
	"$UMSCTL" cdb "$busy" "$(printf '7f00000000000018%048d' 0)" --in 8 --allow-mounted
touch enough
wait "$benchmark"
check "the benchmark ended without an error" is "$?" 0
check "… and found all that it wrote" is "$(cut -d';' -f5 fio.out | sort -u)" 0
check "still mounted" mountpoint /mnt/busy
check "the driver was not changed" has_driver "$(interface_of "$busy")" usb-storage
check "the kernel has nothing to say of it" is \
	"$(dmesg | grep -E 'reset|I/O error|sense|Unhandled|EXT4-fs error|usb .*disconnect')" ""
umount /mnt/busy
check "the file system is whole" fsck.ext4 -fn "${busy}1"

# --- a mounted stick whose controller has commands of its own ---

show "demo,serial=PHISON,vendor=phison"
attach 1-1
wait_for 20 disk_of PHISON
disk=$(disk_of PHISON)
mkdir -p /mnt/phison
check "a Phison stick is mounted" eval 'mount -r "$disk" /mnt/phison || mount -r "${disk}1" /mnt/phison'
reading() {
	while [ ! -e stop ]; do
		echo 1 >/proc/sys/vm/drop_caches
		find /mnt/phison -type f -size -100k -exec cat {} + >/dev/null 2>>reading.err || :
	done
}
reading &
reader=$!
check "1,000 vendor commands meanwhile" exits 0 \
	"$UMSCTL" cdb "$disk" 06 56 00 00 00 00 00 00 00 00 00 00 --in 512 --repeat 1000 --allow-mounted
check "by name, without asking" eval \
	'"$UMSCTL" vendor run "$disk" phison.info --json | jq -e ".values.chip == \"2251\""'
touch stop
wait "$reader"
check "still mounted" mountpoint /mnt/phison
check "the driver was not changed" has_driver "$(interface_of "$disk")" usb-storage
# same FILE COMMAND...: what COMMAND prints is in FILE.
same() {
	local file=$1
	shift
	"$@" >same.out 2>/dev/null && cmp "$file" same.out
}
sg_raw -r 528 -b "$disk" 06 05 00 00 00 00 00 00 01 00 00 00 >phison.raw 2>/dev/null
check "sg_raw gets the same bytes" same phison.raw "$UMSCTL" vendor run "$disk" phison.info --raw
check "… and cdb" same phison.raw "$UMSCTL" cdb "$disk" 060500000000000001000000 --in 528 --raw --allow-mounted
umount /mnt/phison
unshow

# --- standard commands: scsi_debug and a simulated drive, against sg3_utils ---

wait_for 15 eval 'grep -l scsi_debug /sys/block/sd*/device/model'
debug=/dev/$(grep -l scsi_debug /sys/block/sd*/device/model | head -n 1 | cut -d/ -f4)
shown STANDARD vendor=standard

# raw DEVICE NAME COMMAND...: NAME's answer, as bytes, is what COMMAND leaves.
raw() {
	local device=$1 name=$2
	shift 2
	"$@" >peer.out 2>peer.err
	"$UMSCTL" vendor run "$device" "$name" --raw >ours.out && test -s ours.out && cmp peer.out ours.out
}
for device in "$debug" "$disk"; do
	check "$device: INQUIRY as sg_inq has it" raw "$device" scsi.inquiry sg_inq --raw --len=36 "$device"
	for page in 00:vpd-pages 80:vpd-serial 83:vpd-device-id b0:vpd-block-limits b1:vpd-characteristics; do
		check "$device: VPD page ${page%:*} as sg_inq has it" raw "$device" "scsi.${page#*:}" \
			sg_inq --raw --page=0x"${page%:*}" "$device"
	done
	check "$device: temperature as sg_logs has it" is \
		"$("$UMSCTL" vendor run "$device" scsi.log-temperature --json | jq '.values.temperature[0].celsius')" \
		"$(sg_logs --page=0x0d "$device" | sed -nE 's/.*Current temperature = ([0-9]+).*/\1/p')"
	check "$device: log pages as sg_logs has them" is \
		"$("$UMSCTL" vendor run "$device" scsi.log-pages --json |
			jq -r '.values.page[].code | if type == "object" then .value else . end' | sort -nu | xargs)" \
		"$(sg_logs --page=0 --raw "$device" | tail -c +5 | od -An -v -tu1 | xargs -n1 | sort -nu | xargs)"
	check "$device: operation codes as sg_opcodes has them" is \
		"$("$UMSCTL" vendor run "$device" scsi.opcodes --json | jq '.values.command | length')" \
		"$(sg_opcodes --no-inquiry "$device" 2>/dev/null | grep -cE '^ [0-9a-f]{2} ')"
	check "$device: READ CAPACITY (16) as sg_readcap has it" is \
		"$("$UMSCTL" vendor run "$device" scsi.capacity-16 --json | jq '.values["last-lba"]')" \
		"$(sg_readcap --long "$device" | sed -nE 's/.*Last LBA=([0-9]+).*/\1/p')"
done
sg_raw "$debug" ff 00 00 00 00 00 >/dev/null 2>&1
wanted=$?
check "exit codes are sg_raw's: an unknown operation code" exits "$wanted" "$UMSCTL" cdb "$debug" ff 00 00 00 00 00
sg_raw -r 512 "$debug" 28 00 ff ff ff f0 00 00 01 00 >/dev/null 2>&1
wanted=$?
check "… a block that is not there" exits "$wanted" "$UMSCTL" cdb "$debug" 28 00 ff ff ff f0 00 00 01 00 --in 512
check "… and nothing wrong" exits 0 "$UMSCTL" cdb "$debug" 00 00 00 00 00 00
sg_raw -r 512 -b "$debug" 7f 00 00 00 00 00 00 18 00 09 00 00 00 00 00 00 00 00 00 08 00 00 00 08 00 00 00 00 00 00 00 01 \
	>read32.raw 2>/dev/null
check "32 bytes where the kernel carries them: READ (32) as sg_raw has it" same read32.raw \
	"$UMSCTL" cdb "$debug" 7f000000000000180009000000000000 00000008000000080000000000000001 --in 512 --raw
sg_raw -r 36 -b "$disk" 12 00 00 00 24 00 >inquiry.raw 2>/dev/null
check "bytes go to a pipe as they are" same inquiry.raw "$UMSCTL" cdb "$disk" 12 00 00 00 24 00 --in 36 --raw
unshow
modprobe -r scsi_debug

# --- disks behind bridges, against smartctl ---

# ata SET TYPE: what smartctl -d TYPE reads through the bridge is what SET.identify and SET.smart-data do.
ata() {
	local set=$1 type=$2
	smartctl -d "$type" -i -A "$disk" >"smart.$set" 2>&1
	"$UMSCTL" vendor run "$disk" "$set.identify" --json >identify.json || return 1
	"$UMSCTL" vendor run "$disk" "$set.smart-data" --json >data.json || return 1
	is "$(sed -nE 's/^Device Model: +//p; s/^Serial Number: +//p; s/^Firmware Version: +//p' "smart.$set" | xargs)" \
		"$(jq -r '.values | .model, .serial, .firmware' identify.json | xargs)" || return 1
	is "$(sed -nE 's/^ *([0-9]+) .* 0x[0-9a-f]{4} +([0-9]+) +([0-9]+) .*/\1:\2:\3/p' "smart.$set" |
		sed -E 's/:0+/:/g' | xargs)" \
		"$(jq -r '.values.attribute[] | "\(.id | if type == "object" then .value else . end):\(.value):\(.worst)"' \
			data.json | xargs)" || return 1
	grep -q 'Power_On_Hours.*12345' "smart.$set"
}
for pair in sat:sat jmicron-ata:usbjmicron sunplus:usbsunplus cypress:usbcypress prolific:usbprolific; do
	shown "ATA${pair%:*}" "vendor=${pair%:*}"
	check "smartctl -d ${pair#*:} and ${pair%:*}: the same disk" ata "${pair%:*}" "${pair#*:}"
	unshow
done
# nvme SET TYPE
nvme() {
	local set=$1 type=$2
	smartctl -d "$type" -i -A "$disk" >"smart.$set" 2>&1
	"$UMSCTL" vendor run "$disk" "$set.identify-controller" --json >identify.json || return 1
	"$UMSCTL" vendor run "$disk" "$set.smart-log" --json >data.json || return 1
	is "$(sed -nE 's/^Model Number: +//p; s/^Serial Number: +//p; s/^Firmware Version: +//p' "smart.$set" | xargs)" \
		"$(jq -r '.values | .model, .serial, .firmware' identify.json | xargs)" || return 1
	is "$(sed -nE 's/^(Temperature|Power On Hours|Power Cycles|Unsafe Shutdowns): +([0-9,]+).*/\2/p' "smart.$set" |
		tr -d , | xargs)" \
		"$(jq -r '.values | .temperature, .["power-cycles"], .["power-on-hours"], .["unsafe-shutdowns"]' data.json |
			xargs)"
}
shown ASMEDIA vendor=asmedia-nvme
check "smartctl -d sntasmedia and asmedia-nvme: the same drive" nvme asmedia-nvme sntasmedia
unshow
shown REALTEK vendor=realtek-nvme
check "smartctl -d sntrealtek and realtek-nvme: the same drive" nvme realtek-nvme sntrealtek
unshow
# Three steps: not while the kernel may put its own commands between them.
shown JMICRON vendor=jmicron-nvme
check "three steps beside the kernel: refused" refuses 1 'come between.*--detach' \
	"$UMSCTL" vendor run "$disk" jmicron-nvme.smart-log
interface=$(interface_of "$disk")
usb=usb:152d:a583:JMICRON
smartctl -d sntjmicron -i -A "$disk" >smart.jmicron-nvme 2>&1
check "taken from the kernel: they are sent" eval \
	'"$UMSCTL" vendor run --route bot --detach $usb jmicron-nvme.identify-controller --json >identify.json'
check "and the kernel has it again" wait_for 15 has_driver "$interface" usb-storage
check "the same drive as for smartctl -d sntjmicron" is \
	"$(sed -nE 's/^Model Number: +//p; s/^Serial Number: +//p' smart.jmicron-nvme | xargs)" \
	"$(jq -r '.values | .model, .serial' identify.json | xargs)"

# --- control requests ---

check "the kernel's driver has the interface: not taken" refuses 1 'usb-storage|--detach' \
	"$UMSCTL" usb $usb get-max-lun
check "Get Max LUN, and given back" exits 0 "$UMSCTL" usb --route bot --detach $usb get-max-lun
check "the driver is bound again" wait_for 15 has_driver "$interface" usb-storage
unshow
exit 0
