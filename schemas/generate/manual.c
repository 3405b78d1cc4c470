/* SPDX-License-Identifier: MIT */
/*
 * manual FILE.md: writes a manual page of section 5 from a document of the tree, which is itself
 * generated, or held against the code by a test: docs/reference.md becomes gpc.yaml(5),
 * schemas/image.v1.md becomes gpc-image(5). Understands what those have: headings, paragraphs, lists,
 * tables, code.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/utf8.h"

#define COLUMNS 8u

static const struct page {
	const char *input, *name, *what, *others;
} pages[] = {
	{"docs/reference.md", "gpc.yaml", "the language of gpc, key by key",
	 ".BR gpc (1),\n.BR gpc\\-image (5)"},
	{"schemas/image.v1.md", "gpc-image", "the bytes of a compiled plane",
	 ".BR gpc (1),\n.BR gpc.yaml (5)"},
};

struct writer {
	bool in_code, in_item;
	size_t columns; /* of the table that is being read, 0: of none */
	char header[COLUMNS][64];
};

/* ---- text ---- */

static void put_char(char c, FILE *out)
{
	switch (c) {
	case '\\':
		fputs("\\e", out);
		break;
	case '-':
		fputs("\\-", out);
		break;
	case '\'':
		fputs("\\(aq", out);
		break;
	case '`':
		fputs("\\(ga", out);
		break;
	case '^':
		fputs("\\(ha", out);
		break;
	case '~':
		fputs("\\(ti", out);
		break;
	default:
		putc(c, out);
	}
}

/* One character, by its number where it is not ASCII; how many bytes it had. */
static size_t put_next(const char *text, FILE *out)
{
	size_t size = 1;
	uint32_t c;

	if (!(*text & 0x80)) {
		put_char(*text, out);
		return size;
	}
	size = gpc_utf8_decode(text, strlen(text), &c);
	if (!size) {
		fputs("manual: the document is no UTF-8\n", stderr);
		exit(1);
	}
	fprintf(out, "\\[u%04X]", (unsigned int)c);
	return size;
}

static void put_verbatim(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	while (*text)
		text += put_next(text, out);
	putc('\n', out);
}

/* `code` and **strong** words become bold, links their text, an escaped character itself. */
static void put_inline(const char *text, FILE *out)
{
	bool code = false, strong = false;

	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '`') {
			code = !code;
			fputs(code ? "\\fB" : strong ? "\\fB" : "\\fR", out);
		} else if (!code && !strncmp(text, "**", 2)) {
			strong = !strong;
			fputs(strong ? "\\fB" : "\\fR", out);
			text++;
		} else if (*text == '\\' && text[1] == '|') {
			putc('|', out);
			text++;
		} else if (!code && *text == '[' && strstr(text, "](")) {
			continue;
		} else if (!code && !strncmp(text, "](", 2)) {
			text += strcspn(text, ")");
		} else {
			text += put_next(text, out) - 1;
		}
	}
	putc('\n', out);
}

static void put_heading(const char *text, bool main_one, FILE *out)
{
	fputs(main_one ? ".SH " : ".SS ", out);
	for (size_t size = 1; *text; text += size, size = 1)
		if (main_one && *text >= 'a' && *text <= 'z')
			putc(*text - 'a' + 'A', out);
		else if (*text != '`')
			size = put_next(text, out);
	putc('\n', out);
}

/* ---- tables ---- */

/* Cuts a row into its cells, in place; how many there are. */
static size_t cells_of(char *line, char *cells[COLUMNS])
{
	size_t count = 0;
	char *p = line + 1;

	while (*p && count < COLUMNS) {
		char *end;

		while (*p == ' ')
			p++;
		cells[count++] = p;
		while (*p && (*p != '|' || p[-1] == '\\'))
			p++;
		end = p;
		p += *p == '|';
		while (end > cells[count - 1] && end[-1] == ' ')
			end--;
		*end = '\0';
	}
	return count;
}

/*
 * The first cell, and what stands between it and the last one, are what the last one is about. Strong is
 * a key that is required.
 */
static void put_row(const struct writer *w, char *const cells[COLUMNS], size_t count, FILE *out)
{
	char tag[4096];
	size_t length = strlen(cells[0]);
	bool strong = length > 4 && !strncmp(cells[0], "**", 2);
	int used = strong ? snprintf(tag, sizeof(tag), "%.*s, required", (int)length - 4,
				     cells[0] + 2)
			  : snprintf(tag, sizeof(tag), "%s%s",
				     strcmp(w->header[0], "offset") ? "" : "offset ",
				     *cells[0] ? cells[0] : "-");

	for (size_t i = 1; i + 1 < count; i++)
		if (*cells[i] && used > 0 && (size_t)used < sizeof(tag))
			used += snprintf(tag + used, sizeof(tag) - (size_t)used, ", %s %s",
					 w->header[i], cells[i]);
	fputs(".TP\n", out);
	put_inline(tag, out);
	put_inline(count > 1 && *cells[count - 1] ? cells[count - 1] : "-", out);
}

static void put_table_line(struct writer *w, char *line, FILE *out)
{
	char *cells[COLUMNS];
	size_t count = cells_of(line, cells);

	if (!w->columns) {
		w->columns = count;
		for (size_t i = 0; i < count; i++)
			snprintf(w->header[i], sizeof(w->header[i]), "%s", cells[i]);
	} else if (strncmp(cells[0], "---", 3) != 0) {
		put_row(w, cells, count, out);
	}
}

/* ---- lines ---- */

static void put_line(struct writer *w, char *line, FILE *out)
{
	if (!strncmp(line, "```", 3)) {
		w->in_code = !w->in_code;
		fputs(w->in_code ? ".PP\n.RS 4\n.nf\n" : ".fi\n.RE\n", out);
		return;
	}
	if (w->in_code) {
		put_verbatim(line, out);
		return;
	}
	if (*line == '|') {
		put_table_line(w, line, out);
		return;
	}
	if (w->columns || (w->in_item && *line && *line != ' ' && *line != '-'))
		fputs(".PP\n", out);
	w->columns = 0;
	w->in_item = w->in_item && *line;
	if (!strncmp(line, "## ", 3) || !strncmp(line, "### ", 4)) {
		put_heading(line + (line[2] == '#' ? 4 : 3), line[2] != '#', out);
	} else if (!strncmp(line, "- ", 2)) {
		fputs(".IP \\(bu 2\n", out);
		put_inline(line + 2, out);
		w->in_item = true;
	} else if (!*line) {
		fputs(".PP\n", out);
	} else if (strncmp(line, "# ", 2) != 0 && strncmp(line, "<!--", 4) != 0) {
		put_inline(line + strspn(line, " "), out);
	}
}

/* roff wants no paragraph behind a heading, and none that nothing follows: requests for one are put off. */
static void filter(FILE *in, FILE *out)
{
	char *line = NULL;
	size_t room = 0;
	bool paragraph = false, behind_heading = false;

	while (getline(&line, &room, in) > 0) {
		if (!strcmp(line, ".PP\n")) {
			paragraph = !behind_heading;
			continue;
		}
		if (paragraph && strncmp(line, ".SH", 3) != 0 && strncmp(line, ".SS", 3) != 0 &&
		    strncmp(line, ".TP", 3) != 0 && strncmp(line, ".IP", 3) != 0)
			fputs(".PP\n", out);
		paragraph = false;
		behind_heading = !strncmp(line, ".SH", 3) || !strncmp(line, ".SS", 3);
		fputs(line, out);
	}
	free(line);
}

static void put_page(const struct page *page, FILE *in, FILE *out)
{
	struct writer writer = {0};
	char *line = NULL;
	size_t room = 0;
	ssize_t size;

	fprintf(out, ".\\\" SPDX-License-Identifier: MIT\n"
	       ".\\\" Generated from %s by `make generate`.\n"
	       ".TH \"%s\" 5 \"\" \"gpc " GPC_VERSION "\" \"File Formats\"\n.SH NAME\n",
	       page->input, page->name);
	for (const char *p = page->name; *p; p++)
		put_char(*p, out);
	fprintf(out, " \\- %s\n.SH DESCRIPTION\n", page->what);
	while ((size = getline(&line, &room, in)) > 0) {
		line[strcspn(line, "\n")] = '\0';
		put_line(&writer, line, out);
	}
	free(line);
	fprintf(out, ".SH SEE ALSO\n%s\n", page->others);
}

static const struct page *find_page(const char *input)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (!strcmp(pages[i].input, input))
			return &pages[i];
	return NULL;
}

/* The whole page first, then without the paragraphs that are none. */
static int make(const struct page *page, FILE *in)
{
	FILE *whole = tmpfile();

	if (!whole)
		return 1;
	put_page(page, in, whole);
	rewind(whole);
	filter(whole, stdout);
	return fclose(whole) || fflush(stdout) || ferror(stdout);
}

int main(int argc, char **argv)
{
	const struct page *page = argc == 2 ? find_page(argv[1]) : NULL;
	FILE *in = page ? fopen(page->input, "r") : NULL;
	int status;

	if (!in)
		return 1;
	status = make(page, in);
	fclose(in);
	return status;
}
