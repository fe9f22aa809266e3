#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --help, man pages and README agree: options, commands, the README's tour and what the program prints.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$tree" || exit 1
export UMSCTL_VENDOR_PATH=$tree/proto/vendor
commands='list capture cdb usb vendor sim seal info map verify export completion'

page_of() {
	case $1 in
	list | capture | cdb | usb | vendor | sim) echo "man/umsctl-$1.1" ;;
	completion) echo man/umsctl.1 ;;
	*) echo man/umsctl-image.1 ;;
	esac
}

help_options() {
	"$UMSCTL" "$1" --help | grep -oE '^  --[a-z-]+' | tr -d ' ' | sort -u
}

# Of a page with several commands: its part about one.
page_options() {
	local page
	page=$(page_of "$1")
	if [ "$page" = man/umsctl-image.1 ]; then
		# --help is said of all of them at once.
		{
			echo --help
			awk -v want=".Ss umsctl $1" '/^\.S[sh]/ { inside = $0 == want } inside' "$page" |
				sed -n 's/^\.It Fl Fl \([a-z-]*\).*/--\1/p'
		} | sort -u
	else
		sed -n 's/^\.It Fl Fl \([a-z-]*\).*/--\1/p' "$page" | sort -u
	fi
}

for command in $commands; do
	[ "$command" = completion ] && continue
	is "$command: --help and man page have the same options" \
		"$(page_options "$command")" "$(help_options "$command")"
	ok "$command: the overview names it" grep -q "^  $command " <("$UMSCTL" --help)
done

for page in man/*; do
	ok "$page is clean" mandoc -T lint -W warning "$page"
done

settings=$("$UMSCTL" capture sim:demo,nonsense=1 "$work/none" 2>&1 |
	sed -n 's/.*there are: //p' | tr -d ' ' | tr , '\n')
is "umsctl-sim(1) says all settings of simulated drives" \
	"$(for s in $settings; do grep -qE "^\.It Cm $s(=| |\$)" man/umsctl-sim.1 || echo "$s"; done)" ""

is "and all misdeeds" "$("$UMSCTL" help sim | sed '1,/^Misdeeds/d' | sed -nE 's/^  ([a-z0-9-]+).*/\1/p' |
	while read -r m; do grep -qE "^\.It Cm $m(=| |\$)" man/umsctl-sim.1 || echo "$m"; done)" ""

is "and all vendor command sets" "$("$UMSCTL" help sim | sed '1,/^Vendor/d' | sed -nE 's/^  ([a-z0-9-]+).*/\1/p' |
	while read -r m; do grep -qE "^\.It Cm $m\$" man/umsctl-sim.1 || echo "$m"; done)" ""

keys=$(sed -nE 's/^\t\{"([a-z]+)", IN_.*/\1/p' src/vendor/keys.c)
is "ums-vendor(5) says all keys of definitions" \
	"$(for k in $keys; do grep -qE "^(\.It )?(Cm )?.*\b$k\b" man/ums-vendor.5 || echo "$k"; done)" ""
is "and so does proto/vendor/README.md" \
	"$(for k in $keys; do grep -q "\`$k\`" proto/vendor/README.md || echo "$k"; done)" ""

# The commands shown exist, with the options that they are given.
is "README and man pages use commands and options that exist" "$(
	grep -hoE '^(\.Dl )?(\$ |    )umsctl [a-z].*' README.md man/* | sed 's/^\.Dl//; s/^[$ ]*//; s/#.*//; s/|.*//' |
		while read -r _ command rest; do
			"$UMSCTL" help "$command" >"$work/help" || echo "no command $command"
			for word in $rest; do
				case $word in
				--*) grep -q -- "^  $word\b" "$work/help" || echo "$command has no $word" ;;
				esac
			done
		done
)" ""

# What differs from run to run, or from one compressor to another.
steady() {
	sed -E 's/^(uuid +)[0-9a-f-]+$/\1UUID/; s/^(begun +)[0-9].*/\1DATE/
		s/^(image: +|file +)[0-9.]+ [KMG]?i?B/\1SIZE/; s/[[:space:]]+$//'
}

# tour NAME: does what $work/wanted shows behind "$ ", and compares what it says on standard output.
mkdir "$work/bin"
ln -s "$UMSCTL" "$work/bin/umsctl"
tour() {
	mkdir "$work/tour"
	(
		cd "$work/tour" || exit 1
		PATH=$work/bin:$PATH
		sed -n 's/^\$ //p' "$work/wanted" | while read -r line; do
			echo "\$ $line"
			eval "$line" 2>/dev/null </dev/null
		done
	) | steady >"$work/printed"
	is "$1 shows what is printed" "$(cat "$work/printed")" "$(steady <"$work/wanted")"
	rm -rf "$work/tour"
}

awk '/^```console/ { inside = 1; next } /^```/ { inside = 0 } inside' README.md >"$work/wanted"
tour "the README's tour"
is "and it has a tour" "$(grep -c '^\$ umsctl' "$work/wanted")" 8

for page in man/umsctl-capture.1 man/umsctl-image.1 man/umsctl-vendor.1; do
	# \e is how a page writes a backslash.
	awk '/^\.Bd -literal/ { inside = 1; next } /^\.Ed/ { inside = 0 } inside' "$page" |
		sed 's/\\e/\\/g' >"$work/wanted"
	tour "$page"
	ok "… which is something" grep -q '^\$ umsctl' "$work/wanted"
done
done_testing
