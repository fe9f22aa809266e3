#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The mapfile of one capture is the drive of the next: the same sectors are bad.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1

# More areas than a command line takes.
{
	echo "0x0 +"
	for ((lba = 10; lba < 4010; lba += 10)); do
		echo "$((lba * 512)) 512 -"
	done
} >many.map
exits "a drive with 400 bad sectors is captured" 3 \
	"$UMSCTL" capture --quiet sim:noise,size=4M,defects=many.map one.ums
is "all of them are bad" "$(states one.ums | grep -c ' 1 bad$')" 400
"$UMSCTL" export --mapfile one.map one.ums one.raw
exits "its mapfile makes a drive" 3 "$UMSCTL" capture --quiet sim:noise,size=4M,defects=one.map two.ums
is "with the same bad sectors" "$(states two.ums)" "$(states one.ums)"

exits "a file that is no mapfile" 2 "$UMSCTL" capture sim:noise,defects=one.raw three.ums
ok "is named" grep -q 'one.raw' err
ok "nothing is written" test ! -e three.ums
ok "the setting is in the help" grep -q 'defects=MAPFILE' <("$UMSCTL" help sim; "$UMSCTL" sim)
done_testing
