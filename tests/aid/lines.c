/* SPDX-License-Identifier: BSD-2-Clause */
/* In every test program: what it has printed is seen even when it crashes behind that. */
#include <stdio.h>

__attribute__((constructor)) static void lines_print_at_once(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}
