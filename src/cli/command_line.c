/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line as the user gave it, for the journals of images. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

static char *whole;

/* Without a word that there is no memory for there is no command line: half of one would be a false
 * one. */
void cli_keep_command_line(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		cleanup_free char *word = text_shell_quote(argv[i]);
		size_t len = whole ? strlen(whole) : 0;
		char *grown = word ? realloc(whole, len + strlen(word) + 2) : NULL;

		if (!grown) {
			free(whole);
			whole = NULL;
			return;
		}
		whole = grown;
		if (len > 0)
			whole[len++] = ' ';
		memcpy(whole + len, word, strlen(word) + 1);
	}
}

const char *cli_command_line(void)
{
	return whole;
}
