/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include <string.h>

#include "gpc/lookup/classify.h"
#include "port_tree.h"

#define INLINE_NAMES 3u
#define BITS_MAX_WORDS (128u * 1024)	/* of the bit matrix */
#define SPECS_MAX (1u << (32 - GPC_NAME_SPEC_SHIFT))
#define MAP_BLOCK (1u << GPC_MAP_BLOCK_SHIFT)
#define ROWS_MAX GPC_VECTOR_ROW
#define NAMED_LOADS 2u	/* a name, then a bit or record; a table's rank, then a position */
#define L4_LOADS 3u	/* before a bit or rank can be loaded: block of a port, its class, their sum's class */

struct work {
	struct gpc_arena *scratch;
	const struct gpc_l4 *l4;
	struct gpc_cells *cells;
	struct gpc_words *words;
	struct gpc_classifier *c;
	bool ranges;
	uint32_t *bit;		/* by spec: its bit, 0: not asked for by name */
	uint32_t bit_count;
	uint32_t *record;	/* by entry: 1 + its first range record */
	GPC_VEC(uint32_t) records;	/* four words each */
	GPC_VEC(uint32_t) record_masks;
	GPC_VEC(uint32_t) names;	/* of the content at hand */
	uint32_t loads;		/* dependent ones behind a cell, at worst */
};

/* ---- by bits or by ranges ---- */

static bool in_table(const struct work *w, const struct gpc_content *content)
{
	return w->l4->classed && content->count > GPC_BIT_LIST_MAX;
}

/* Bits for the specs that are asked for by name. */
static void number_specs(struct work *w)
{
	w->bit = GPC_NEW_ARRAY(w->scratch, uint32_t, w->l4->spec_count);
	w->bit_count = 1;
	for (uint32_t i = 0; i < w->cells->content_count; i++) {
		const struct gpc_content *content = &w->cells->contents[i];

		for (uint32_t e = 0; !in_table(w, content) && e < content->count; e++) {
			uint32_t *bit = &w->bit[w->cells->entries[content->first + e].spec];

			if (!*bit)
				*bit = w->bit_count++;
		}
	}
}

static bool must_be_ranges(const struct work *w)
{
	uint64_t row = (w->bit_count + 31) / 32;

	return !w->l4->classed || w->bit_count >= SPECS_MAX ||
	       row * w->l4->class_count > BITS_MAX_WORDS;
}

static void emit_bits(struct work *w)
{
	uint32_t row = (w->bit_count + 31) / 32, *matrix;
	size_t count = (size_t)row * w->l4->class_count;

	matrix = GPC_NEW_ARRAY(w->scratch, uint32_t, count);
	for (uint32_t s = 0; s < w->l4->spec_count; s++) {
		uint32_t bit = w->bit[s], all = w->l4->universal[s] ? w->l4->class_count : 0;

		if (!bit)
			continue;
		for (uint32_t k = 0; k < all; k++)
			matrix[(size_t)k * row + bit / 32] |= 1u << bit % 32;
		for (uint32_t i = w->l4->class_first[s]; i < w->l4->class_first[s + 1]; i++)
			matrix[(size_t)w->l4->classes[i] * row + bit / 32] |= 1u << bit % 32;
	}
	w->c->bits = gpc_words_share(w->words, matrix, count, 4);
	w->c->bit_words = row;
}

static void add_record(struct work *w, uint64_t least, uint64_t most, uint32_t position, uint32_t mask)
{
	uint64_t record[2] = {least | (uint64_t)position << GPC_FIELDS_POSITION,
			      most | GPC_FIELDS_GUARDS};

	for (int i = 0; i < 4; i++)
		*GPC_PUSH(w->scratch, &w->records) = (uint32_t)(record[i / 2] >> i % 2 * 32);
	*GPC_PUSH(w->scratch, &w->record_masks) = mask;
}

static void add_item(struct work *w, const struct gpc_service_item *item, uint32_t position, uint32_t mask)
{
	add_record(w, gpc_fields(item->source.first, item->destination.first, item->protocol_first),
		   gpc_fields(item->source.last, item->destination.last, item->protocol_last), position,
		   mask);
}

/* The names of an entry: one by bits, one for each item by ranges. */
static void name_entry(struct work *w, uint32_t entry)
{
	const struct gpc_rule_entry *e = &w->cells->entries[entry];
	const struct gpc_service *service = w->l4->specs[e->spec];

	if (!w->ranges) {
		*GPC_PUSH(w->scratch, &w->names) = w->bit[e->spec] << GPC_NAME_SPEC_SHIFT | e->position;
		return;
	}
	if (!w->record[entry]) {
		w->record[entry] = (uint32_t)w->record_masks.n + 1;
		for (size_t i = 0; i < service->count; i++)
			add_item(w, &service->items[i], e->position, w->l4->match.masks[e->spec]);
	}
	for (size_t i = 0; i < service->count; i++)
		*GPC_PUSH(w->scratch, &w->names) = w->record[entry] - 1 + (uint32_t)i;
}

/* ---- contents ---- */

/* u16 by L4 class: which entry is the first that holds it. Equal tables are shared. */
static uint32_t emit_table(struct work *w, const struct gpc_content *content)
{
	uint32_t count = (w->l4->class_count + 1) / 2;
	uint16_t *table = GPC_NEW_ARRAY(w->scratch, uint16_t, 2 * count);

	memset(table, 0xff, 4ul * count);
	for (uint32_t e = content->count; e-- > 0;) {
		uint32_t spec = w->cells->entries[content->first + e].spec;

		for (uint32_t k = 0; w->l4->universal[spec] && k < w->l4->class_count; k++)
			table[k] = (uint16_t)e;
		for (uint32_t i = w->l4->class_first[spec]; i < w->l4->class_first[spec + 1]; i++)
			table[w->l4->classes[i]] = (uint16_t)e;
	}
	return 2 * gpc_words_share(w->words, (const uint32_t *)(const void *)table, count, 4);
}

static void note_loads(struct work *w, uint32_t loads)
{
	w->loads = loads > w->loads ? loads : w->loads;
}

static bool emit_as_table(struct work *w, const struct gpc_content *content, uint32_t *cell)
{
	uint32_t *positions;

	if (!w->l4->classed || content->count >= GPC_NONE16)
		return false;
	positions = GPC_NEW_ARRAY(w->scratch, uint32_t, content->count);
	for (uint32_t e = 0; e < content->count; e++)
		positions[e] = w->cells->entries[content->first + e].position;
	cell[0] = GPC_CELL_TABLE << GPC_CELL_KIND_SHIFT;
	cell[1] = emit_table(w, content);
	cell[2] = gpc_words_share(w->words, positions, content->count, 1);
	note_loads(w, NAMED_LOADS);
	return true;
}

static uint32_t lane(uint64_t fields, uint32_t shift, uint64_t mask)
{
	return (uint32_t)(fields >> shift & mask);
}

static struct gpc_port_box port_box(const struct work *w, uint32_t record)
{
	const uint32_t *words = w->records.items + 4ul * record;
	uint32_t classes = w->l4->match.class_count;
	struct gpc_port_box box = {.name = record};

	for (int end = 0; end < 2; end++) {
		uint64_t fields = words[2 * end] | (uint64_t)words[2 * end + 1] << 32;
		uint32_t *values = end ? box.most : box.least;

		values[GPC_PORT_TREE_SOURCE] = lane(fields, 0, GPC_TREE_VALUE);
		values[GPC_PORT_TREE_DESTINATION] = lane(fields, GPC_FIELDS_DESTINATION, GPC_TREE_VALUE);
		values[GPC_PORT_TREE_PROTOCOL] = lane(fields, GPC_FIELDS_PROTOCOL, 255);
	}
	box.always = (uint32_t)__builtin_popcount(w->record_masks.items[record]) == classes;
	return box;
}

/* More range records than a list takes. */
static bool emit_as_tree(struct work *w, uint32_t *cell)
{
	struct gpc_port_box *boxes = GPC_NEW_ARRAY(w->scratch, struct gpc_port_box, w->names.n);
	struct gpc_port_node root;
	uint32_t depth;

	for (size_t i = 0; i < w->names.n; i++)
		boxes[i] = port_box(w, w->names.items[i]);
	if (!gpc_port_tree_build(w->scratch, w->words, boxes, (uint32_t)w->names.n, &root,
				 &depth))
		return false;
	cell[0] = GPC_CELL_TREE << GPC_CELL_KIND_SHIFT;
	cell[1] = root.test;
	cell[2] = root.next;
	note_loads(w, depth + NAMED_LOADS);
	return true;
}

/* The four words of a cell, its row left out. */
static bool emit_content(struct work *w, const struct gpc_content *content, uint32_t *cell)
{
	uint32_t none = w->ranges ? 0 : GPC_NAME_NONE;

	if (in_table(w, content))
		return emit_as_table(w, content, cell);
	w->names.n = 0;
	for (uint32_t e = 0; e < content->count; e++)
		name_entry(w, content->first + e);
	if (w->names.n > GPC_RANGE_LIST_MAX) /* so there are ranges */
		return emit_as_tree(w, cell);
	if (w->names.n > INLINE_NAMES) {
		cell[0] = (uint32_t)w->names.n << GPC_CELL_KIND_SHIFT;
		cell[1] = gpc_words_share(w->words, w->names.items, w->names.n, 1);
		note_loads(w, NAMED_LOADS);
		return true;
	}
	for (uint32_t i = 0; i < INLINE_NAMES; i++)
		cell[1 + i] = i < w->names.n ? w->names.items[i] : none;
	note_loads(w, 1);
	return true;
}

static bool emit_cells(struct work *w)
{
	struct gpc_cells *cells = w->cells;
	uint32_t(*words)[4] = gpc_arena_calloc(w->scratch, cells->content_count, sizeof(*words));
	uint32_t offset, *at;

	for (uint32_t i = 0; i < cells->content_count; i++)
		if (!emit_content(w, &cells->contents[i], words[i]))
			return false;
	offset = gpc_words_reserve(w->words, 4ul * cells->slots, 16);
	w->c->cells = offset;
	w->c->cell_count = cells->slots;
	if (!offset)
		return true;
	at = gpc_words_at(w->words, offset);
	for (uint32_t s = 0; s < cells->slots; s++)
		at[4 * s] = ROWS_MAX; /* no row has this number */
	for (uint32_t r = 0; r < cells->row_count; r++) {
		const struct gpc_cell_row *row = &cells->rows[r];

		for (uint32_t i = 0; i < row->count; i++) {
			const struct gpc_cell *cell = &cells->cells[row->first + i];
			uint32_t slot = row->number + cell->column;

			slot -= slot >= cells->slots ? cells->slots : 0;
			memcpy(at + 4 * slot, words[cell->content], sizeof(*words));
			at[4 * slot] |= row->number;
		}
	}
	return true;
}

/* ---- vectors ---- */

static void number_rows(struct work *w)
{
	struct gpc_cells *cells = w->cells;

	for (uint32_t g = 0; g < cells->group_count; g++) {
		struct gpc_group_lines *lines = &cells->group[g];

		lines->number_of_row = GPC_NEW_ARRAY(w->scratch, uint32_t, lines->row_count);
		memset(lines->number_of_row, 0xff, lines->row_count * sizeof(uint32_t));
	}
	for (uint32_t r = 0; r < cells->row_count; r++)
		cells->group[cells->rows[r].group].number_of_row[cells->rows[r].row] =
			cells->rows[r].number;
}

/* Vectors of all classes of a side, one after the other. */
static uint32_t *make_vectors(struct work *w, int side, uint32_t classes, uint32_t stride)
{
	uint32_t *vectors = GPC_NEW_ARRAY(w->scratch, uint32_t, (size_t)classes * stride);

	for (uint32_t g = 0; g < w->cells->group_count; g++) {
		const struct gpc_group_lines *lines = &w->cells->group[g];
		const uint32_t *numbers =
			side == GPC_SOURCE ? lines->number_of_row : lines->number_of_column;
		const uint32_t *of_class = lines->row_of_class[side];

		for (uint32_t k = 0; k < classes; k++) {
			uint32_t number = of_class[k] ? numbers[of_class[k]] : UINT32_MAX;

			if (number == UINT32_MAX)
				continue;
			vectors[(size_t)k * stride + g] |= number;
			vectors[(size_t)k * stride] |= 1u << (GPC_VECTOR_GROUPS_SHIFT + g);
		}
	}
	return vectors;
}

/* Distinct vectors, in the order in which they first appear. */
struct distinct {
	uint32_t *of_class, *vectors, count;
};

static struct distinct dedupe(struct work *w, const uint32_t *vectors, uint32_t classes, uint32_t stride)
{
	struct distinct d = {GPC_NEW_ARRAY(w->scratch, uint32_t, classes),
			     GPC_NEW_ARRAY(w->scratch, uint32_t, (size_t)classes * stride), 0};
	size_t cap = 16, bytes = stride * sizeof(*vectors);
	uint32_t *table;

	while (cap < 2ul * classes)
		cap *= 2;
	table = GPC_NEW_ARRAY(w->scratch, uint32_t, cap);
	for (uint32_t k = 0; k < classes; k++) {
		const uint32_t *vector = vectors + (size_t)k * stride;
		uint64_t hash = 0;
		size_t at;

		for (uint32_t i = 0; i < stride; i++) {
			hash = (hash ^ vector[i]) * 0x9e3779b97f4a7c15ull;
			hash ^= hash >> 29;
		}
		at = hash & (cap - 1);
		while (table[at] && memcmp(d.vectors + (size_t)(table[at] - 1) * stride, vector, bytes))
			at = (at + 1) & (cap - 1);
		if (!table[at]) {
			memcpy(d.vectors + (size_t)d.count * stride, vector, bytes);
			table[at] = ++d.count;
		}
		d.of_class[k] = table[at] - 1;
	}
	return d;
}

/* The map class -> vector: half words; returns how many. Blocks are counted from the map's beginning. */
static size_t make_map(struct work *w, const struct distinct *d, uint32_t classes, uint16_t **ret)
{
	uint32_t blocks = (classes + MAP_BLOCK - 1) / MAP_BLOCK;
	uint32_t first = (blocks + MAP_BLOCK - 1) / MAP_BLOCK, n = first;
	uint16_t *map = GPC_NEW_ARRAY(w->scratch, uint16_t, (size_t)(first + blocks) * MAP_BLOCK);
	uint32_t *table = GPC_NEW_ARRAY(w->scratch, uint32_t, 4ul * blocks);

	for (uint32_t b = 0; b < blocks; b++) {
		uint16_t *block = map + (size_t)n * MAP_BLOCK;
		uint64_t hash = 0;
		size_t at;

		for (uint32_t i = 0; i < MAP_BLOCK; i++) {
			uint32_t class = b * MAP_BLOCK + i;

			block[i] = class < classes ? (uint16_t)d->of_class[class] : 0;
			hash = (hash ^ block[i]) * 0x9e3779b97f4a7c15ull;
			hash ^= hash >> 29;
		}
		at = hash % (4ul * blocks);
		while (table[at] && memcmp(map + (size_t)table[at] * MAP_BLOCK, block, 2 * MAP_BLOCK))
			at = (at + 1) % (4ul * blocks);
		if (!table[at])
			table[at] = n++;
		map[b] = (uint16_t)table[at];
	}
	*ret = map;
	return (size_t)n * MAP_BLOCK;
}

/* By class, or through a map where that is smaller by half. */
static void emit_vectors(struct work *w, int side, uint32_t classes, uint32_t stride, uint32_t *ret_map,
			 uint32_t *ret_vectors)
{
	uint32_t *vectors = make_vectors(w, side, classes, stride);
	struct distinct d = dedupe(w, vectors, classes, stride);
	size_t direct = (size_t)classes * stride, halves, mapped;
	uint16_t *map;

	halves = make_map(w, &d, classes, &map);
	mapped = (size_t)d.count * stride + halves / 2;
	if (d.count > 65536 || halves / MAP_BLOCK > 65536 || 2 * mapped > direct) {
		*ret_vectors = gpc_words_share(w->words, vectors, direct, stride);
		return;
	}
	*ret_vectors = gpc_words_share(w->words, d.vectors, (size_t)d.count * stride, stride);
	*ret_map = gpc_words_share(w->words, (const uint32_t *)(const void *)map, halves / 2, 16);
	w->c->flags |= side == GPC_SOURCE ? GPC_CLASSIFIER_INDIRECT_SOURCE :
					    GPC_CLASSIFIER_INDIRECT_DESTINATION;
}

/* Both chains end in what stands behind a cell: address, [map], vector, cell; ports, L4 class. */
static uint32_t worst_loads(const struct work *w, uint32_t trie_loads)
{
	bool map = w->c->flags & (GPC_CLASSIFIER_INDIRECT_SOURCE | GPC_CLASSIFIER_INDIRECT_DESTINATION);
	uint32_t cell = trie_loads + (map ? 2 : 0) + 2;

	return (cell > L4_LOADS ? cell : L4_LOADS) + w->loads;
}

bool gpc_classifier_emit(struct gpc_arena *scratch, const struct gpc_pairs *pairs, const struct gpc_l4 *l4,
			 struct gpc_cells *cells, struct gpc_words *words, uint32_t trie_loads,
			 struct gpc_classifier *ret)
{
	struct gpc_classifier c = {.groups = cells->group_count, .none = GPC_NONE};
	struct work w = {.scratch = scratch, .l4 = l4, .cells = cells, .words = words, .c = &c};
	size_t before = words->n;

	while (1u << c.vector_shift < c.groups)
		c.vector_shift++;
	number_specs(&w);
	w.ranges = must_be_ranges(&w);
	w.record = GPC_NEW_ARRAY(scratch, uint32_t, cells->entry_count);
	add_record(&w, 0, 0, 0, 0); /* no match class */
	number_rows(&w);
	emit_vectors(&w, GPC_SOURCE, pairs->side[GPC_SOURCE].rows->partition->class_count,
		     1u << c.vector_shift, &c.source_map, &c.source_vector);
	emit_vectors(&w, GPC_DESTINATION, pairs->side[GPC_DESTINATION].rows->partition->class_count,
		     1u << c.vector_shift, &c.destination_map, &c.destination_vector);
	if (l4->classed)
		gpc_l4_emit(scratch, l4, words, &c);
	if (l4->match.any) {
		c.flags |= GPC_CLASSIFIER_MATCH;
		c.match = gpc_match_classes_emit(scratch, &l4->match, words);
	}
	if (!emit_cells(&w))
		return false;
	if (w.ranges) {
		c.flags |= GPC_CLASSIFIER_RANGES;
		c.ranges = gpc_words_share(words, w.records.items, w.records.n, 4);
		c.range_match = gpc_words_share(words, w.record_masks.items, w.record_masks.n, 1);
	} else {
		emit_bits(&w);
	}
	c.specs = l4->spec_count;
	c.loads = worst_loads(&w, trie_loads);
	c.bytes = (uint32_t)(4 * (words->n - before));
	*ret = c;
	return true;
}
