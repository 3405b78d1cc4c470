/* SPDX-License-Identifier: MIT */
#include "matrix.h"

#include <string.h>

/* What the pieces say of a cell: what passes, and what does not, between some pair. */
struct tally {
	uint32_t passing, stopped;
	uint8_t families;	/* bit of enum gpc_family: both have such addresses */
};

struct maker {
	struct gpc_arena *arena;
	const struct gpc_matrix_options *options;
	struct gpc_matrix *matrix;
	struct gpc_set *sets;
	struct tally *tallies;
	bool *held[2];		/* by side: does the piece touch the segment? */
	uint32_t *list[2];	/* those that it does */
	size_t listed[2];
};

static void find_segments(struct maker *m)
{
	struct gpc_arena *arena = m->arena;
	size_t count;
	struct gpc_image_segment *named = gpc_image_segments(m->options->image, arena, &count);
	struct gpc_image_segment *all = GPC_NEW_ARRAY(arena, struct gpc_image_segment, count + 1);

	m->sets = GPC_NEW_ARRAY(arena, struct gpc_set, count + 1);
	for (size_t i = 0; i < count; i++) {
		all[i] = named[i];
		m->sets[i] = named[i].set;
	}
	all[count].name = GPC_MATRIX_OTHER;
	all[count].set = gpc_set_minus(arena, gpc_set_all(arena), gpc_set_union(arena, m->sets, count));
	m->sets[count] = all[count].set;
	m->matrix->segments = all;
	m->matrix->count = count + 1;
}

static bool find_place(struct maker *m)
{
	size_t count;
	const struct gpc_atlas_place *places = gpc_atlas_places(m->matrix->atlas, &count);

	for (size_t i = 0; i < count; i++)
		if (places[i].index[0] == m->options->interface && places[i].direction == m->options->direction) {
			m->matrix->place = i;
			return true;
		}
	return false;
}

static bool is_stopped(void *context, const struct gpc_atlas_verdict *verdict)
{
	(void)context;
	return !gpc_atlas_passes(verdict);
}

/* Segments that hold any of the atoms that are of the family. */
static void touch(struct maker *m, enum gpc_atlas_side side, enum gpc_family family, const uint32_t *atoms,
		  size_t count)
{
	size_t all;
	const struct gpc_atlas_atom *items = gpc_atlas_atoms(m->matrix->atlas, side, &all);

	for (size_t i = 0; i < m->listed[side]; i++)
		m->held[side][m->list[side][i]] = false;
	m->listed[side] = 0;
	for (size_t i = 0; i < count; i++) {
		const struct gpc_atlas_atom *atom = &items[atoms[i]];

		for (size_t k = 0; atom->family == family && k < atom->member_count; k++) {
			if (!m->held[side][atom->members[k]])
				m->list[side][m->listed[side]++] = atom->members[k];
			m->held[side][atom->members[k]] = true;
		}
	}
}

static void add_piece(struct maker *m, const struct gpc_atlas_piece *piece, bool passes)
{
	struct gpc_matrix *matrix = m->matrix;

	for (int family = GPC_V4; family <= GPC_V6; family++) {
		touch(m, GPC_ATLAS_SOURCE, (enum gpc_family)family, piece->sources, piece->source_count);
		touch(m, GPC_ATLAS_DESTINATION, (enum gpc_family)family, piece->destinations,
		      piece->destination_count);
		for (size_t i = 0; i < m->listed[0]; i++)
			for (size_t k = 0; k < m->listed[1]; k++) {
				struct tally *tally = &m->tallies[m->list[0][i] * matrix->count + m->list[1][k]];
				uint32_t *region = passes ? &tally->passing : &tally->stopped;

				tally->families |= (uint8_t)(1 << family);
				*region = gpc_atlas_either(matrix->atlas, matrix->place, *region, piece->region);
			}
	}
}

static bool survey(struct maker *m, bool passes)
{
	const struct gpc_atlas_query query = {
		.place = m->matrix->place, .service = GPC_NONE, .wanted = passes ? NULL : is_stopped};
	struct gpc_atlas_pieces pieces;

	if (gpc_atlas_survey(m->matrix->atlas, &query, &pieces) != GPC_ATLAS_DONE)
		return false;
	if (passes)
		for (size_t i = 0; i < m->matrix->count * m->matrix->count; i++)
			m->tallies[i].passing = m->tallies[i].stopped =
				gpc_atlas_nothing(m->matrix->atlas, m->matrix->place);
	for (size_t i = 0; i < pieces.count; i++)
		add_piece(m, &pieces.items[i], passes);
	return true;
}

static void judge(struct maker *m)
{
	struct gpc_matrix *matrix = m->matrix;
	size_t count = matrix->count * matrix->count;
	uint32_t nothing = gpc_atlas_nothing(matrix->atlas, matrix->place);
	struct gpc_matrix_cell *cells = GPC_NEW_ARRAY(m->arena, struct gpc_matrix_cell, count);

	for (size_t i = 0; i < count; i++) {
		const struct tally *tally = &m->tallies[i];

		cells[i] = (struct gpc_matrix_cell){
			.possible = tally->families,
			.all = tally->stopped == nothing,
			.none = tally->passing == nothing,
			.always = gpc_atlas_without(matrix->atlas, matrix->place, tally->passing, tally->stopped),
			.partly = gpc_atlas_both(matrix->atlas, matrix->place, tally->passing, tally->stopped),
		};
	}
	matrix->cells = cells;
}

const char *gpc_matrix_make(struct gpc_arena *arena, const struct gpc_matrix_options *options,
			    struct gpc_matrix *ret)
{
	struct gpc_matrix matrix = {0};
	struct maker m = {.arena = arena, .options = options, .matrix = &matrix};
	struct gpc_atlas_options wanted = {.images = {options->image}, .enforce_audit = options->enforce_audit};

	find_segments(&m);
	if (matrix.count > GPC_MATRIX_SEGMENTS)
		return "there are more segments than a matrix is made of";
	wanted.sets = m.sets;
	wanted.set_count = matrix.count;
	matrix.atlas = gpc_atlas_new(arena, &wanted);
	if (!find_place(&m))
		return "the plane has no such interface";
	m.tallies = GPC_NEW_ARRAY(arena, struct tally, matrix.count * matrix.count);
	for (int side = 0; side < 2; side++) {
		m.held[side] = GPC_NEW_ARRAY(arena, bool, matrix.count);
		m.list[side] = GPC_NEW_ARRAY(arena, uint32_t, matrix.count);
	}
	if (!survey(&m, true) || !survey(&m, false))
		return gpc_atlas_fault(matrix.atlas);
	judge(&m);
	*ret = matrix;
	return NULL;
}

/* ---- words ---- */

const char *gpc_matrix_region(struct gpc_arena *arena, const struct gpc_matrix *matrix, uint32_t region, size_t most)
{
	size_t count;
	const struct gpc_atlas_box *boxes = gpc_atlas_boxes(matrix->atlas, matrix->place, region, &count);
	const char *text = "";
	char box[GPC_ATLAS_BOX_TEXT];

	for (size_t i = 0; i < count && i < most; i++)
		text = gpc_arena_printf(arena, "%s%s%s", text, i ? ", " : "", gpc_atlas_box_format(&boxes[i], box));
	if (count > most)
		text = gpc_arena_printf(arena, "%s and %zu more", text, count - most);
	return text;
}

const char *gpc_matrix_text(struct gpc_arena *arena, const struct gpc_matrix *matrix,
			    const struct gpc_matrix_cell *cell, size_t most)
{
	uint32_t nothing = gpc_atlas_nothing(matrix->atlas, matrix->place);
	const char *always = "", *partly = "";

	if (!cell->possible)
		return "-";
	if (cell->all)
		return "all";
	if (cell->none)
		return "none";
	if (cell->always != nothing)
		always = gpc_matrix_region(arena, matrix, cell->always, most);
	if (cell->partly != nothing)
		partly = gpc_matrix_region(arena, matrix, cell->partly, most);
	return gpc_arena_printf(arena, "%s%s%s%s", always, *always && *partly ? "; " : "", *partly ? "partly " : "",
				partly);
}
