#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What make check shows of tests that fail: the check, its own message, how a program ended.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

cd "$work" || exit 1

cat >good.sh <<'END'
echo "ok 1 - a check that passed"
echo "1..1"
END
cat >wrong.sh <<'END'
echo "ok 1 - a check that passed"
echo "not ok 2 - a check that failed"
echo "# got 5 where 4 was wanted"
echo "a word to the errors" >&2
echo "1..2"
exit 1
END
cat >killed.sh <<'END'
echo "ok 1 - the last one that passed"
kill -SEGV $$
END
cat >broken.c <<'END'
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
static void test_fine(void **state) { (void)state; }
static void test_numbers(void **state) { (void)state; assert_int_equal(2 + 2, 5); }
static void test_memory(void **state) { (void)state; assert_memory_equal("abcd", "abxd", 4); }
static void test_own_words(void **state) { (void)state; fail_msg("%s: %d", "in its own words", 17); }
int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_fine), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_memory), cmocka_unit_test(test_own_words)};
	return cmocka_run_group_tests_name("broken", tests, NULL, NULL);
}
END
cat >aborted.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
	puts("ok 1 - before the abort");
	fputs("its last words\n", stderr);
	abort();
}
END
for program in broken aborted; do
	${CC:-cc} -w -o $program $program.c "$tree/tests/aid/lines.c" -lcmocka 2>"$work/compiler" ||
		echo "# $(cat "$work/compiler")"
done

"$tree/tests/check" 2 logs good.sh wrong.sh killed.sh ./broken ./aborted >out 2>&1
is "one that fails makes it fail" "$?" 1
shown() { # shown NAME PATTERN: a line of the output
	ok "$1" grep -qE "$2" out
}
shown "the check that failed" '^ +not ok 2 - a check that failed'
shown "with its message" '^ +# got 5 where 4 was wanted'
shown "and what went to the errors" '^ +a word to the errors'
shown "of a program, the check" 'not ok 2 - test_numbers'
shown "the values" '0x4 != 0x5'
shown "the place" 'broken\.c:9: error: Failure!'
shown "the bytes that differ" "difference at offset 2"
shown "the words of fail_msg" 'in its own words: 17'
shown "the signal" '^--- killed\.sh .*SEGV'
shown "and behind which check it came" 'ended behind: ok 1 - the last one that passed'
shown "what was printed before an abort" 'ended behind: ok 1 - before the abort'
shown "and what went to the errors before it" '^ +its last words'
is "what passed is not shown" "$(grep -c 'a check that passed' out)" 0
is "prove's summary comes last" "$(tail -n 1 out)" "Result: FAIL"
is "behind what failed" "$(grep -nE '^(--- |Test Summary Report)' out | tail -n 1 | cut -d: -f2)" "Test Summary Report"

"$tree/tests/check" 2 logs good.sh >out 2>&1
is "nothing fails" "$?" 0
is "and only prove speaks" "$(grep -c '^---' out) $(tail -n 1 out)" "0 Result: PASS"
done_testing
