/* SPDX-License-Identifier: MIT */
/* diagnostics: writes docs/diagnostics.md from codes.def. */
#include "diag/diag.h"

#include <assert.h>
#include <stdio.h>

static const char *const headings[] = {
	"00xx: text and files",
	"01xx: keys and scalars",
	"02xx: names, references, merging",
	"03xx: meaning",
	"04xx: tables and limits of the image",
	"05xx: reading an image",
};

/* A bar would end the cell. */
static void put_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

int main(void)
{
	unsigned int last = UINT32_MAX;

	puts("<!-- Generated from compiler/diag/codes.def by `make generate`. -->");
	puts("# Diagnostics\n");
	puts("A refusal has a code, a place, the cause and the next step. A code keeps its meaning "
	     "for ever, and a");
	puts("retired one is not used again. `E` is an error; `W` is a warning, an error under "
	     "`--strict`. At most 200");
	puts("are shown, all are counted. How each looks stands in `tests/golden/diagnostics/`.");
	for (enum gpc_code code = 0; code < GPC_CODE_COUNT; code++) {
		const char *text = gpc_code_text(code);
		unsigned int group = (unsigned int)(text[2] - '0');

		assert(group < sizeof(headings) / sizeof(headings[0]));
		if (group != last)
			printf("\n## %s\n\n| code | what it says | what to do |\n|---|---|---|\n",
			       headings[group]);
		last = group;
		printf("| %s | ", text);
		put_cell(gpc_code_title(code));
		printf(" | ");
		put_cell(gpc_code_help(code));
		puts(" |");
	}
	return 0;
}
