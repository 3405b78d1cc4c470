/* SPDX-License-Identifier: MIT */
#include "matrix.h"

#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "output.h"
#include "point.h"
#include "target.h"

#define FORMS "table, csv, mermaid and html"
#define SHORT 24u /* what is longer stands below the table */
#define BOXES_SHOWN 12u

static const struct gpc_option options[] = {
	{0, "in", "IF", "what arrives by this device or interface"},
	{0, "out", "IF", "what leaves by it"},
	{0, "format", "FORM", "table, csv, mermaid or html; table if not given"},
	{0, "enforced", NULL, "as if audit policies decided"},
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_JSON,
};

/* ---- table ---- */

static enum gpc_paint cell_paint(const struct gpc_matrix_cell *cell)
{
	return !cell->possible || cell->none ? GPC_DIM : cell->all ? GPC_GREEN : GPC_PLAIN;
}

/* The cell, or the number of a note that has it; equal cells have one. */
static const char *table_text(const struct gpc_matrix_shown *s, const struct gpc_matrix_cell *cell,
			      const char **notes, size_t *note_count)
{
	const char *text = gpc_matrix_text(s->arena, s->matrix, cell, BOXES_SHOWN);
	size_t i = 0;

	if (strlen(text) <= SHORT)
		return text;
	while (i < *note_count && strcmp(notes[i], text))
		i++;
	if (i == *note_count)
		notes[(*note_count)++] = text;
	return gpc_arena_printf(s->arena, "[%zu]", i + 1);
}

void gpc_matrix_show_table(const struct gpc_matrix_shown *s)
{
	const struct gpc_matrix *m = s->matrix;
	const char **notes = GPC_NEW_ARRAY(s->arena, const char *, m->count * m->count);
	char *alignment = GPC_NEW_ARRAY(s->arena, char, m->count + 2);
	struct gpc_grid grid = {.alignment = alignment};
	size_t note_count = 0;

	memset(alignment, 'l', m->count + 1);
	printf("%s%s%s, %s by %s: what is let through, from the left to the top%s\n",
	       gpc_paint(stdout, GPC_BOLD), s->plane, gpc_paint(stdout, GPC_PLAIN),
	       s->direction == GPC_INGRESS ? "arriving" : "leaving", s->interface,
	       s->enforced ? ", audit policies deciding" : "");
	gpc_grid_add(&grid, GPC_PLAIN, "%s", "");
	for (size_t i = 0; i < m->count; i++)
		gpc_grid_add(&grid, GPC_BOLD, "%s", m->segments[i].name);
	for (size_t from = 0; from < m->count; from++) {
		gpc_grid_add(&grid, GPC_BOLD, "%s", m->segments[from].name);
		for (size_t to = 0; to < m->count; to++) {
			const struct gpc_matrix_cell *cell = gpc_matrix_cell_at(m, from, to);

			gpc_grid_add(&grid, cell_paint(cell), "%s",
				     table_text(s, cell, notes, &note_count));
		}
	}
	gpc_grid_print(&grid, stdout, 2);
	for (size_t i = 0; i < note_count; i++)
		printf("  [%zu] %s\n", i + 1, notes[i]);
}

/* ---- the command ---- */

static int choose_form(const struct gpc_call *call, void (**ret)(const struct gpc_matrix_shown *),
		       struct gpc_failure *failure)
{
	static const struct {
		const char *name;
		void (*show)(const struct gpc_matrix_shown *shown);
	} forms[] = {{"table", gpc_matrix_show_table},
		     {"csv", gpc_matrix_show_csv},
		     {"mermaid", gpc_matrix_show_mermaid},
		     {"html", gpc_matrix_show_html}};
	const char *wanted = gpc_call_value(call, "format");

	if (wanted && gpc_call_has(call, "json"))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "--format and --json exclude each other");
	*ret = gpc_call_has(call, "json") ? gpc_matrix_show_json : gpc_matrix_show_table;
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (wanted && !strcmp(wanted, forms[i].name)) {
			*ret = forms[i].show;
			return 0;
		}
	return wanted ? gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no form; there are " FORMS,
				 wanted)
		      : 0;
}

static enum gpc_exit show(const struct gpc_call *call, struct gpc_target *target,
			  void (*form)(const struct gpc_matrix_shown *), struct gpc_failure *failure)
{
	const struct gpc_image *image = &target->input.image;
	GPC_CLEANUP(gpc_arena_release) struct gpc_arena arena = {0};
	struct gpc_matrix_shown shown = {.call = call, .arena = &arena};
	struct gpc_matrix_options wanted = {.image = image,
					    .enforce_audit = gpc_call_has(call, "enforced")};
	struct gpc_explain_point point;
	struct gpc_matrix matrix;
	const char *fault;

	if (gpc_point_find(call, image, &point, &shown.interface, failure))
		return gpc_finish_failed(call, failure);
	wanted.interface = point.interface;
	wanted.direction = point.direction;
	fault = gpc_matrix_make(&arena, &wanted, &matrix);
	if (fault) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "there is no matrix of this plane: %s", fault);
		return gpc_finish_failed(call, failure);
	}
	shown.matrix = &matrix;
	shown.plane = gpc_image_name(image, image->plane->name);
	shown.direction = point.direction;
	shown.enforced = wanted.enforce_audit;
	form(&shown);
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_target_release) struct gpc_target target = {0};
	void (*form)(const struct gpc_matrix_shown *) = NULL;
	struct gpc_failure failure;
	enum gpc_exit rc;

	if (choose_form(call, &form, &failure))
		return gpc_finish_failed(call, &failure);
	rc = gpc_target_open(call, call->operand_count ? call->operands[0] : NULL, NULL, &target);
	return rc ? gpc_target_end(call, &target, rc) : show(call, &target, form, &failure);
}

const struct gpc_command gpc_command_matrix = {
	.name = "matrix",
	.side = GPC_SIDE_AUTHOR,
	.summary = "what is let through from each segment to each",
	.operands = "[IMAGE]",
	.operands_max = 1,
	.description =
		"Exactly what the chain of one interface and direction lets through, from the compiled tables,\n"
		"for flows that open (of stateless chains: all packets): `all`, `none`, or the protocols and\n"
		"ports. `(other)` are all addresses that no segment holds. Segments may overlap: a cell names\n"
		"what passes between each pair of addresses, and behind `partly` what passes between some pairs\n"
		"only, because another segment holds a part. `-`: there is no such packet (IPv4 to IPv6).\n"
		"Policies in audit let through, unless --enforced asks what they will do. Rates, built-ins and\n"
		"known flows are left out. IMAGE is what gpc diff takes; without it the intent is compiled: -f,\n"
		"or ./gpc.yaml and ./gpc.d/*.yaml. HTML is one file that loads nothing.",
	.objects = "cell",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
