#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# bug 19: memory ends while JSON is built.  Whichever allocation is the first to fail, the command
# prints all of it and succeeds, or prints none of it, says so, and fails; it does not crash.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

export UMSCTL_VENDOR_PATH=$tree/proto/vendor
cd "$work" || exit 1
if ldd "$UMSCTL" | grep -q libasan; then
	echo "1..0 # SKIP AddressSanitizer has an allocator of its own"
	exit 0
fi
ok "memory that ends is built" cc -shared -fPIC -o no-memory.so "$tree/tests/cli/no-memory.c" -ldl

timeless() {
	jq -S 'walk(if type == "object" then del(.ms, .from_ms) else . end)'
}

# survives ARGUMENT...: each allocation fails once, until none does.
survives() {
	local n=0 code
	"$UMSCTL" "$@" 2>/dev/null | timeless >whole
	[ -s whole ] || return
	while [ $n -lt 20000 ]; do
		FAIL_AFTER=$n LD_PRELOAD=$work/no-memory.so "$UMSCTL" "$@" >out 2>err </dev/null
		code=$?
		if [ $code = 0 ]; then
			timeless <out | cmp - whole
			return
		fi
		if [ $code -ge 128 ] || [ -s out ] || ! grep -q memory err; then
			echo "allocation $n: exit code $code"
			head -c 2000 out err
			return 1
		fi
		n=$((n + 1))
	done
	echo "it never succeeds"
	return 1
}

ok "cdb" survives cdb --json sim:blank 12 00 00 00 24 00 --in 36
ok "usb" survives usb --json sim:blank get-max-lun
ok "vendor show" survives vendor show --json sat.smart-data
ok "vendor run, with a table" survives vendor run --json sim:blank,vendor=sat sat.smart-data
ok "vendor list" survives vendor list --json sim:blank,vendor=phison
done_testing
