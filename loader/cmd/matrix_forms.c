/* SPDX-License-Identifier: MIT */
/* matrix_forms.c: the matrix as CSV, Mermaid, HTML and JSON. Names come from an image: each form escapes them. */
#include <string.h>

#include "../../compiler/base/words.h"
#include "matrix.h"
#include "output.h"

#define ALL_BOXES SIZE_MAX
#define EDGE_BOXES 4u

/* Writes text with some characters replaced. */
static void put_escaped(const char *text, const char *const replacements[128])
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 128 && replacements[c])
			fputs(replacements[c], stdout);
		else
			putchar(c);
	}
}

/* ---- CSV (RFC 4180) ---- */

static void put_csv(const char *text)
{
	static const char *const quotes[128] = {['"'] = "\"\""};

	putchar('"');
	put_escaped(text, quotes);
	putchar('"');
}

void gpc_matrix_show_csv(const struct gpc_matrix_shown *s)
{
	const struct gpc_matrix *m = s->matrix;

	fputs("from,to,allowed\r\n", stdout);
	for (size_t from = 0; from < m->count; from++)
		for (size_t to = 0; to < m->count; to++) {
			put_csv(m->segments[from].name);
			putchar(',');
			put_csv(m->segments[to].name);
			putchar(',');
			put_csv(gpc_matrix_text(s->arena, m, gpc_matrix_cell_at(m, from, to),
						ALL_BOXES));
			fputs("\r\n", stdout);
		}
}

/* ---- Mermaid ---- */

/* Entities of Mermaid: `#quot;`. What could end a label or begin markup becomes one. */
static void put_mermaid(const char *text)
{
	static const char *const entities[128] = {
		['"'] = "#quot;", ['#'] = "#35;", ['<'] = "#lt;",  ['>'] = "#gt;", ['&'] = "#amp;",
		['|'] = "#124;",  [';'] = "#59;", ['`'] = "#96;",  ['\\'] = "#92;"};

	put_escaped(text, entities);
}

void gpc_matrix_show_mermaid(const struct gpc_matrix_shown *s)
{
	const struct gpc_matrix *m = s->matrix;
	uint32_t nothing = gpc_atlas_nothing(m->atlas, m->place);

	puts("flowchart LR");
	for (size_t i = 0; i < m->count; i++) {
		printf("  s%zu[\"", i);
		put_mermaid(m->segments[i].name);
		puts("\"]");
	}
	for (size_t from = 0; from < m->count; from++)
		for (size_t to = 0; to < m->count; to++) {
			const struct gpc_matrix_cell *cell = gpc_matrix_cell_at(m, from, to);
			bool dotted = !cell->all && cell->always == nothing;

			if (!cell->possible || cell->none)
				continue;
			printf("  s%zu %s|\"", from, dotted ? "-.->" : "-->");
			put_mermaid(gpc_matrix_text(s->arena, m, cell, EDGE_BOXES));
			printf("\"| s%zu\n", to);
		}
}

/* ---- HTML ---- */

static void put_html(const char *text)
{
	static const char *const entities[128] = {['&'] = "&amp;",
						  ['<'] = "&lt;",
						  ['>'] = "&gt;",
						  ['"'] = "&quot;",
						  ['\''] = "&#39;"};

	put_escaped(text, entities);
}

static const char style[] =
	":root{color-scheme:light dark;--line:#8886;--all:#1a7f3720;--some:#9a670018;--none:transparent}\n"
	"body{font:14px/1.4 system-ui,sans-serif;margin:1.5em}\n"
	"table{border-collapse:collapse}\n"
	"th,td{border:1px solid var(--line);padding:.3em .6em;text-align:left;vertical-align:top}\n"
	"thead th{position:sticky;top:0;background:Canvas}\n"
	".all{background:var(--all)}.some{background:var(--some)}.none{opacity:.55}\n"
	"@media (prefers-color-scheme:dark){:root{--all:#3fb95033;--some:#d2992226}}\n";

static const char *class_of(const struct gpc_matrix_cell *cell)
{
	return !cell->possible || cell->none ? "none" : cell->all ? "all" : "some";
}

static void put_title(const struct gpc_matrix_shown *s)
{
	put_html(s->plane);
	printf(", %s by ", s->direction == GPC_INGRESS ? "arriving" : "leaving");
	put_html(s->interface);
}

static void put_rows(const struct gpc_matrix_shown *s)
{
	const struct gpc_matrix *m = s->matrix;

	fputs("<thead><tr><th scope=\"col\">from \\ to</th>", stdout);
	for (size_t i = 0; i < m->count; i++) {
		fputs("<th scope=\"col\">", stdout);
		put_html(m->segments[i].name);
		fputs("</th>", stdout);
	}
	puts("</tr></thead>\n<tbody>");
	for (size_t from = 0; from < m->count; from++) {
		fputs("<tr><th scope=\"row\">", stdout);
		put_html(m->segments[from].name);
		fputs("</th>", stdout);
		for (size_t to = 0; to < m->count; to++) {
			const struct gpc_matrix_cell *cell = gpc_matrix_cell_at(m, from, to);

			printf("<td class=\"%s\">", class_of(cell));
			put_html(gpc_matrix_text(s->arena, m, cell, ALL_BOXES));
			fputs("</td>", stdout);
		}
		puts("</tr>");
	}
	puts("</tbody>");
}

void gpc_matrix_show_html(const struct gpc_matrix_shown *s)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>", stdout);
	put_title(s);
	printf("</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", style);
	put_title(s);
	printf("</h1>\n<p>What is let through%s. <b>all</b>: every packet; <b>none</b>; else the protocols\n"
	       "and ports. <b>partly</b>: between some addresses of the two only. <b>-</b>: there is no such\n"
	       "packet. <b>%s</b>: addresses that no segment holds.</p>\n<table>\n",
	       s->enforced ? " once audit policies decide" : "", GPC_MATRIX_OTHER);
	put_rows(s);
	puts("</table>\n</body>\n</html>");
}

/* ---- JSON ---- */

void gpc_matrix_show_json(const struct gpc_matrix_shown *s)
{
	const struct gpc_matrix *m = s->matrix;
	uint32_t nothing = gpc_atlas_nothing(m->atlas, m->place);

	for (size_t from = 0; from < m->count; from++)
		for (size_t to = 0; to < m->count; to++) {
			const struct gpc_matrix_cell *cell = gpc_matrix_cell_at(m, from, to);
			struct json_object *object = gpc_json("cell");
			const char *says = !cell->possible ? "no-packet"
					   : cell->all	   ? "all"
					   : cell->none	   ? "none"
							   : "some";

			gpc_json_text(object, "interface", s->interface);
			gpc_json_text(object, "direction", gpc_direction_name(s->direction));
			gpc_json_text(object, "from", m->segments[from].name);
			gpc_json_text(object, "to", m->segments[to].name);
			gpc_json_text(object, "says", says);
			if (!strcmp(says, "some") && cell->always != nothing)
				gpc_json_text(object, "always",
					      gpc_matrix_region(s->arena, m, cell->always,
								ALL_BOXES));
			if (!strcmp(says, "some") && cell->partly != nothing)
				gpc_json_text(object, "partly",
					      gpc_matrix_region(s->arena, m, cell->partly,
								ALL_BOXES));
			gpc_json_print(object);
		}
}
