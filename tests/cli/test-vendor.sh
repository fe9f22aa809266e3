#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# umsctl vendor: to which drives it sends, what it prints, exit codes, completion, and what a user can get wrong.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1
export UMSCTL_VENDOR_PATH=$tree/proto/vendor
says() {
	local name=$1 code=$2 pattern=$3
	shift 3
	exits "$name" "$code" "$@"
	ok "… and says so" grep -qE -- "$pattern" "$work/err"
}
vendor() {
	"$UMSCTL" vendor "$@"
}

# --- to which drives ---

says "a drive that it does not fit" 1 'not for this drive .1209:0001.*--any-drive' vendor run sim:blank sunplus.status
exits "… but with --any-drive" 9 vendor run sim:blank sunplus.status --any-drive
says "the USB ids of another make" 1 '--any-drive' vendor run sim:blank,vendor=phison smi.info
says "the ids, and not the answer to its question" 1 'does not answer recognise' \
	vendor run sim:blank,vid=13fe,pid=5200 phison.info
is "nothing but the question was sent" "$("$UMSCTL" vendor run sim:blank,vid=13fe,pid=5200 --record record \
	phison.info 2>/dev/null; sed -n 's/^cdb=\([0-9a-f]*\).*/\1/p' record | xargs)" "120000002400 120000002c00"
exits "what fits" 0 vendor list sim:blank,vendor=wd
ok "is listed" grep -q '^  wd.security-status  *reads  *locked or not' out
ok "what does not is not" eval '! grep -q sunplus out'
is "as JSON" "$(vendor list sim:blank,vendor=alcor --json | jq -r '.[] | select(.name | startswith("alcor")) | .name' | xargs)" \
	"alcor.flash-ids alcor.info alcor.recognise alcor.revision"
exits "one shown" 0 vendor show sat.smart-log
for line in 'argument    log=0-255: ' 'sends       85 08 0e 00 d5' 'source      https://' 'safety      reads' 'confirm     sat.recognise'; do
	ok "… with $line" grep -q "^$line" out
done

says "a drive that is known to take ATA commands badly" 1 'no-ata-1x.*--quirk no-no-ata-1x' \
	vendor run sim:blank,vendor=sat sat.smart-data --quirk no-ata-1x
says "… by hand as well" 1 'no-ata-1x' \
	"$UMSCTL" cdb sim:blank,vendor=sat 85080e0000000100000000000000ec00 --in 512 --quirk no-ata-1x

# --- what is sent, and printed ---

exits "a dry run" 0 vendor run --dry-run sim:blank jmicron-nvme.smart-log
is "shows each step" "$(grep '^step' out)" "$(printf '%s\n' 'step 1: a1 80 00 00 02 00 00 00 00 00 00 00  512 bytes out' \
	'step 2: a1 82 00 00 02 00 00 00 00 00 00 00  512 bytes in' 'step 3: a1 8f 00 00 02 00 00 00 00 00 00 00  512 bytes in')"
ok "and what it would send" grep -q '^00000000  4e 56 4d 45 00 00 00 00  02 00 00 00 ff ff ff ff' out
exits "values" 0 vendor run sim:blank,vendor=sat sat.smart-data --json
ok "as JSON" jq -e '.good and .values.attribute[4].raw == 12345 and .values.attribute[4].id.means == "power-on hours"
	and .steps[0].status == 0' out
vendor run sim:blank,vendor=sat sat.identify --raw >raw
is "bytes" "$(wc -c <raw)" 512
exits "with the bytes of each step" 0 vendor run sim:blank,vendor=sunplus sunplus.status --hex
ok "shown" grep -q '^00000000  00 01 01 01 00 00 a0 50' out
exits "an answer that ends early" 97 vendor run "sim:blank,vendor=sat,short=packet,fault=case-5:op=85" sat.identify
ok "fields that did not come are missing" grep -q '^rotation .*(missing' out
ok "and no number" eval '! grep -qE "^rotation +[0-9]" out'
says "a status that is none of the expected" 11 'Aborted' vendor run sim:blank,vendor=sat sat.smart-log log=200
says "a drive that hangs" 33 'no answer' \
	vendor run sim:blank,vendor=sunplus,fault=hang:op=f8:always sunplus.status --timeout 1
exits "UNIT ATTENTION before it" 0 vendor run sim:blank,vendor=sunplus,unit-attention=1 sunplus.status
exits "a hostile drive" 0 vendor run sim:blank,hostile scsi.inquiry
ok "steers no terminal" eval '! grep -qP "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f]" out'

# --- what a user can get wrong ---

says "no such command" 1 'no vendor command sat.magic' vendor run sim:blank sat.magic
says "no such word" 1 'wants list' vendor frobnicate
says "no drive" 69 'no such' vendor run /dev/nonexistent scsi.inquiry
says "an argument that is missing" 1 'needs log=VALUE: the log' vendor run sim:blank,vendor=sat sat.smart-log
says "one out of range" 1 'log is a number from 0 to 255' vendor run sim:blank,vendor=sat sat.smart-log log=256
says "one it does not have" 1 'no argument "page"' vendor run sim:blank,vendor=sat sat.smart-log log=1 page=1
says "one twice" 1 'given twice' vendor run sim:blank,vendor=sat sat.smart-log log=1 log=2
says "one that is two bytes" 1 'number from 0' vendor run sim:blank,vendor=sat sat.smart-log 'log=1 ec'
says "a choice that is none" 1 'one of grown, primary, both' vendor run sim:blank,vendor=standard scsi.defects list=all
says "raw and JSON" 1 'neither' vendor run sim:blank scsi.inquiry --raw --json

# --- one's own definitions ---

mkdir own
cat >own/mine.conf <<'X'
[family]
name   = mine
title  = my own
drives = 1209:0001
source = here

[command hello]
about  = INQUIRY
safety = reads
cdb    = 12 00 00 00 24 00
in     = 36
field.vendor = 8 ascii 8

[command write]
about  = WRITE BUFFER
safety = destroys
arg.data = bytes 4
cdb    = 3b 05 00 00 00 00 {out:be24} 00
out    = {data:bytes}

[command bot]
about  = over Bulk-Only alone
safety = reads
transports = bot
cdb    = 00 00 00 00 00 00
X
exits "checked" 0 vendor check own/mine.conf
is "… and good" "$(cat out)" "own/mine.conf: 3 commands, good"
export UMSCTL_VENDOR_PATH=$work/own:$tree/proto/vendor
exits "run" 0 vendor run sim:blank mine.hello
is "says" "$(cat out)" "vendor  umsctl"
says "one that destroys asks" 1 'destroys.*--force' vendor run sim:blank mine.write data=00112233
printf abc >three
says "a file too short" 1 'is 4 to 4 bytes, and three has 3' vendor run sim:blank mine.write data=@three --force
exits "with --force it is sent" 9 vendor run sim:blank mine.write data=00112233 --force
exits "the transport that it wants is chosen" 0 vendor run sim:uas,vid=1209,pid=0001 mine.bot --json
ok "Bulk-Only" jq -e '.route == "bot"' out
says "another is refused" 1 'works over Bulk-Only: --route bot' \
	vendor run sim:uas,vid=1209,pid=0001 mine.bot --route uas

cat >own/waits.conf <<'X'
[family]
name   = waits
title  = my own
drives = any
source = here

[command long]
about  = waits for what never comes
safety = reads
cdb    = 12 00 00 00 24 00
in     = 36
until  = 0 55
every  = 10
tries  = 10000

[finally]
cdb    = 00 00 00 00 00 00
X
"$UMSCTL" vendor run sim:blank waits.long --json >out 2>err &
pid=$!
# It may not have begun to listen at the first.
while sleep 0.3 && kill -INT $pid 2>/dev/null; do :; done
wait $pid
is "Ctrl-C ends what waits" "$?" 99
ok "… and says so" grep -q interrupted err
ok "what has to be done at the end was done" jq -e '.steps[-1].cdb == "000000000000"' out
rm own/waits.conf

sed -i 's/in     = 36/in     = 12/' own/mine.conf
exits "a mistake" 1 vendor check own/mine.conf
is "is said with its line" "$(cat out)" \
	"own/mine.conf:12: vendor ends at byte 16, and the answer has at most 12"
says "nothing of the file is used" 1 'mine.conf has mistakes.*line 12' vendor run sim:blank mine.hello
says "a file that is not there" 15 'No such file' vendor check own/none.conf
is "other files are" "$(vendor run sim:blank scsi.inquiry 2>/dev/null | head -1)" "type       disk (0)"
sed 's/= mine/= scsi/; s/command hello/command inquiry/; s/in     = 12/in     = 36/' own/mine.conf >own/rival.conf
says "two files with one name: neither" 1 'scsi.inquiry is not used' vendor run sim:blank scsi.inquiry
exits "check names the other" 1 vendor check own/rival.conf
ok "… and the line" grep -qE '^own/rival.conf:7: .*/scsi.conf defines scsi.inquiry as well' out
UMSCTL_VENDOR_PATH=$work/nowhere vendor list >none
ok "no definitions at all" grep -q "no definitions in $work/nowhere" none

# --- where it is installed ---

mkdir -p root/usr/bin root/usr/share/umsctl/vendor
cp "$UMSCTL" root/usr/bin
cp "$tree"/proto/vendor/*.conf root/usr/share/umsctl/vendor
is "its definitions beside it" "$(env -u UMSCTL_VENDOR_PATH HOME="$work" "$work/root/usr/bin/umsctl" vendor list | grep -c '^  ')" \
	"$(UMSCTL_VENDOR_PATH=$tree/proto/vendor vendor list | grep -c '^  ')"
mkdir -p .config/umsctl/vendor
sed 's/= mine/= yours/' own/mine.conf >.config/umsctl/vendor/yours.conf
sed -i 's/in     = 12/in     = 36/' .config/umsctl/vendor/yours.conf
is "and the user's own" "$(env -u UMSCTL_VENDOR_PATH HOME="$work" "$work/root/usr/bin/umsctl" vendor list | grep -c 'yours.hello')" 1

# listed PROGRAM: how many commands it knows, started from elsewhere.
listed() {
	(cd / && env -u UMSCTL_VENDOR_PATH -u XDG_CONFIG_HOME HOME=/nonexistent "$1" vendor list | grep -c '^  ')
}
all=$(UMSCTL_VENDOR_PATH=$tree/proto/vendor vendor list | grep -c '^  ')

# In a source tree it takes the tree's.
mkdir -p source/build/asan source/proto
cp -r "$tree/proto/vendor" source/proto
chmod -R go-w source
cp "$UMSCTL" source/build
cp "$UMSCTL" source/build/asan
is "built in a tree: the tree's definitions" "$(listed "$work/source/build/umsctl")" "$all"
is "by another configuration as well" "$(listed "$work/source/build/asan/umsctl")" "$all"
ln -s source/build/umsctl link
is "and by way of a link" "$(listed "$work/link")" "$all"
chmod o+w source/proto/vendor
is "not when everybody can write there" "$(listed "$work/source/build/umsctl")" 0
chmod o-w source/proto/vendor
chmod o+w source/proto
is "nor when everybody can put another folder there" "$(listed "$work/source/build/umsctl")" 0
chmod o-w source/proto
chmod g-w source/build/umsctl
chmod g+w source/proto/vendor
is "nor when a group can that cannot change the program" "$(listed "$work/source/build/umsctl")" 0
chmod g-w source/proto/vendor
if [ "$(id -u)" = 0 ]; then
	chown 65534 source/proto/vendor
	is "nor when it is somebody else's" "$(listed "$work/source/build/umsctl")" 0
	chown 0 source/proto/vendor
else
	skip "nor when it is somebody else's" "not root"
fi
is "and then it does again" "$(listed "$work/source/build/umsctl")" "$all"
chmod o+w root/usr/share/umsctl/vendor
is "installed: not when everybody can write there" "$(listed "$work/root/usr/bin/umsctl")" 0
chmod o-w root/usr/share/umsctl/vendor

# Never by way of the current folder.
mkdir -p here/proto here/share/umsctl here/umsctl here/.config/umsctl
for folder in here/proto/vendor here/share/umsctl/vendor here/umsctl/vendor here/.config/umsctl/vendor; do
	cp -r "$tree/proto/vendor" $folder
done
mkdir elsewhere
cp "$UMSCTL" elsewhere
from_here() {
	(cd here && env -u UMSCTL_VENDOR_PATH "$@" vendor list | grep -c '^  ')
}
is "not from the current folder" "$(from_here XDG_CONFIG_HOME= HOME= ../elsewhere/umsctl)" 0
is "nor by a relative HOME" "$(from_here XDG_CONFIG_HOME= HOME=. ../elsewhere/umsctl)" 0
is "nor by a relative XDG_CONFIG_HOME" "$(from_here XDG_CONFIG_HOME=. HOME=. ../elsewhere/umsctl)" 0

# --- completion ---

export UMSCTL_VENDOR_PATH=$tree/proto/vendor
mkdir bin
ln -s "$UMSCTL" bin/umsctl
# completes WORD...: what bash offers behind them.
completes() {
	PATH=$work/bin:$PATH bash -c 'eval "$(umsctl completion bash)"
		COMP_WORDS=(umsctl "$@") COMP_CWORD=$#
		_umsctl 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort | xargs
}
is "completes what vendor does" "$(completes vendor '')" "check list run show"
is "completes names" "$(completes vendor run /dev/sdb sat.smart-)" \
	"sat.smart-data sat.smart-data-12 sat.smart-errors sat.smart-log sat.smart-status sat.smart-thresholds"
is "completes arguments" "$(completes vendor run /dev/sdb scsi.defects l)" "list=both list=grown list=primary"
done_testing
