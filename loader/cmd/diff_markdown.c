/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "../../compiler/analyze/packet.h"
#include "diff.h"
#include "output.h"

/* All but plain characters as numbers: so it is text in a table, and in HTML, and no link. */
static void put(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		bool plain = isalnum((unsigned char)*p) || *p & 0x80 || strchr(" .,:/+%;->()", *p);

		if (plain && !(*p == '/' && p[1] == '/'))
			fputc(*p, out);
		else if ((unsigned char)*p >= ' ')
			fprintf(out, "&#%u;", (unsigned char)*p);
	}
}

static void put_cell(FILE *out, const char *text)
{
	fputs(" | ", out);
	put(out, text);
}

static void put_spaces(const struct gpc_diff_view *view, FILE *out)
{
	char packet[GPC_PACKET_TEXT];

	if (!view->diff.space_count)
		return;
	fputs("\n| packets | from | to | services | where |\n|---|---|---|---|---|\n", out);
	for (size_t i = 0; i < view->diff.space_count; i++) {
		const struct gpc_diff_space *space = &view->diff.spaces[i];

		fprintf(out, "| %s%s%s", gpc_diff_effect_text(space->effect),
			space->enforced ? " once audit enforces" : "",
			space->opens ? "" : " (opens no flow)");
		put_cell(out, gpc_party_text(view->arena, &space->from, 0));
		put_cell(out, gpc_party_text(view->arena, &space->to, 0));
		put_cell(out, gpc_diff_services_text(view, space, 0));
		put_cell(out, gpc_diff_places(view, space));
		fputs(" |\n", out);
	}
	fputs("\n<details><summary>Witnesses</summary>\n\n| packet | before | after |\n|---|---|---|\n",
	      out);
	for (size_t i = 0; i < view->diff.space_count; i++) {
		const struct gpc_diff_space *space = &view->diff.spaces[i];

		fputs("| ", out);
		put(out, gpc_packet_format(&space->witness, packet));
		put_cell(out, gpc_diff_decision(view, space, 0));
		put_cell(out, gpc_diff_decision(view, space, 1));
		fputs(" |\n", out);
	}
	fputs("\n</details>\n", out);
}

static void put_pools(const struct gpc_diff_view *view, FILE *out)
{
	if (!view->diff.pool_count)
		return;
	fputs("\n| backend | slots | shares |\n|---|---|---|\n", out);
	for (size_t i = 0; i < view->diff.pool_count; i++) {
		const struct gpc_diff_pool *pool = &view->diff.pools[i];
		const char *before = " | ";

		fputs("| ", out);
		put(out, pool->backend);
		put_cell(out, gpc_diff_pool_text(view, pool));
		for (size_t k = 0; k < pool->share_count; k++) {
			if (!gpc_diff_share_changed(pool, &pool->shares[k]))
				continue;
			fputs(before, out);
			put(out, gpc_diff_share_text(view, pool, &pool->shares[k]));
			before = "; ";
		}
		fputs(*before == ';' ? " |\n" : " | |\n", out);
	}
}

static void put_changes(const struct gpc_diff_view *view, FILE *out, bool causes)
{
	static const char *const marks[] = {"added", "removed", "changed"};
	size_t shown = 0;

	for (size_t i = 0; i < view->diff.changes.count; i++) {
		const struct gpc_change *change = &view->diff.changes.items[i];

		if (gpc_diff_change_shown(view, change) == causes)
			continue;
		if (!shown++)
			fputs(causes ? "\n<details><summary>Rules and policies</summary>\n\n" : "\n",
			      out);
		fprintf(out, "- %s: ", marks[change->kind]);
		put(out, gpc_diff_change_text(view, change));
		fputc('\n', out);
	}
	if (causes && shown)
		fputs("\n</details>\n", out);
}

void gpc_diff_markdown(const struct gpc_diff_view *view, FILE *out)
{
	fputs("### ", out);
	put(out, view->names[0]);
	fputs(" → ", out);
	put(out, view->names[1]);
	fputs("\n\n**", out);
	put(out, gpc_diff_summary(view));
	fputs("**\n", out);
	if (view->diff.same_bytes)
		return;
	if (view->diff.fault) {
		fputs("\nWhat happens to packets is not known: ", out);
		put(out, view->diff.fault);
		fputc('\n', out);
	}
	put_spaces(view, out);
	put_pools(view, out);
	put_changes(view, out, false);
	put_changes(view, out, true);
	for (size_t i = 0; i < view->diff.warning_count; i++) {
		fputs("\n> **warning**: ", out);
		put(out, view->diff.warnings[i]);
		fputc('\n', out);
	}
}
