/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../model/id.h"
#include "../model/model.h"
#include "invariants.h"
#include "reader.h"

/* Walks the words once, in the only order in which they may stand. */
struct walk {
	const struct gpc_reader *reader;
	struct gpc_arena *scratch;
	const uint32_t *words;
	uint32_t count, at;
	uint32_t *sets, *services;	/* where each starts, ascending */
	uint32_t set_count, service_count;
};

/* Room for `count` more records of `size` words? */
static bool has_words(const struct walk *walk, uint32_t count, uint32_t size)
{
	return count <= (walk->count - walk->at) / size;
}

/* ---- sets ---- */

static bool read_set(struct walk *walk)
{
	struct gpc_set set;

	if (!has_words(walk, 1, 1))
		return false;
	set = gpc_invariant_set(walk->words, walk->at++);
	if (!has_words(walk, (uint32_t)set.count, GPC_INVARIANT_RANGE_WORDS) ||
	    !gpc_set_is_sound(set))
		return false;
	walk->at += (uint32_t)(set.count * GPC_INVARIANT_RANGE_WORDS);
	return true;
}

/* ---- services ---- */

static bool read_service(struct walk *walk)
{
	uint32_t start = walk->at, items;

	if (!has_words(walk, 1, 1))
		return false;
	items = walk->words[walk->at++];
	if (!items || !has_words(walk, items, GPC_INVARIANT_ITEM_WORDS))
		return false;
	for (uint32_t i = 0; i < items; i++) {
		struct gpc_invariant_item item = gpc_invariant_item(walk->words, start, i);

		if (walk->words[walk->at] >> 16 || item.protocol_first > item.protocol_last ||
		    item.first > item.last || item.last > GPC_PORT_NONE)
			return false;
		walk->at += GPC_INVARIANT_ITEM_WORDS;
	}
	return true;
}

/* Reads `count` of them and notes where each starts. */
static bool read_list(struct walk *walk, uint32_t count, bool (*read_one)(struct walk *walk),
		      uint32_t **ret_starts)
{
	if (!has_words(walk, count, 1))
		return false;
	*ret_starts = GPC_NEW_ARRAY(walk->scratch, uint32_t, count);
	for (uint32_t i = 0; i < count; i++) {
		(*ret_starts)[i] = walk->at;
		if (!read_one(walk))
			return false;
	}
	return true;
}

static bool read_space(struct walk *walk)
{
	if (!has_words(walk, GPC_INVARIANT_HEAD_WORDS, 1))
		return false;
	walk->set_count = walk->words[0];
	walk->service_count = walk->words[1];
	walk->at = GPC_INVARIANT_HEAD_WORDS;
	return read_list(walk, walk->set_count, read_set, &walk->sets) &&
	       read_list(walk, walk->service_count, read_service, &walk->services);
}

/* ---- boxes ---- */

static bool is_start(const uint32_t *starts, uint32_t count, uint32_t at)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (starts[middle] < at)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && starts[low] == at;
}

static bool read_boxes(struct walk *walk, uint32_t start, uint32_t count)
{
	if (start != walk->at || !has_words(walk, count, GPC_INVARIANT_BOX_WORDS))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct gpc_invariant_box box = gpc_invariant_box(walk->words, start, i);

		if (!is_start(walk->sets, walk->set_count, box.source) ||
		    !is_start(walk->sets, walk->set_count, box.destination) ||
		    !is_start(walk->services, walk->service_count, box.service))
			return false;
	}
	walk->at += count * GPC_INVARIANT_BOX_WORDS;
	return true;
}

/* ---- records ---- */

/* What a form leaves alone is as if it were not there. */
static bool form_is_sound(const struct gpc_reader *reader, const struct gpc_invariant *i)
{
	const struct gpc_section *sections = reader->plane->section;
	bool packets = i->form <= GPC_INVARIANT_ONLY, remap = i->form == GPC_INVARIANT_REMAP;
	bool limits = i->form == GPC_INVARIANT_LIMITS;

	if (!packets && (i->flags || i->interface != GPC_NONE || i->box_count || i->allowed_count))
		return false;
	if (i->interface != GPC_NONE && i->interface >= sections[GPC_SEC_INTERFACE].count)
		return false;
	if ((i->flags & GPC_INVARIANT_EGRESS && i->interface == GPC_NONE) ||
	    (i->form == GPC_INVARIANT_ONLY && i->interface != GPC_NONE))
		return false;
	if (i->allowed_count > (i->form == GPC_INVARIANT_ONLY))
		return false;
	return (remap ? i->backend < sections[GPC_SEC_BACKEND].count && i->max <= 10000
		      : i->backend == GPC_NONE && !i->max) &&
	       limits == (i->memory || i->max_lookups) && i->memory <= GPC_MAX_IMAGE_BYTES;
}

static bool invariant_is_sound(const struct gpc_reader *reader, const struct gpc_invariant *i)
{
	const char *names = reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset;

	return i->id == gpc_stable_id(GPC_KIND_INVARIANT, NULL, names + i->name) &&
	       i->form >= GPC_INVARIANT_NEVER && i->form <= GPC_INVARIANT_LIMITS &&
	       !(i->flags & ~(GPC_INVARIANT_EGRESS | GPC_INVARIANT_ENFORCED)) &&
	       form_is_sound(reader, i) && gpc_all_zero(i->pad0, sizeof(i->pad0));
}

static bool check_records(struct walk *walk, const struct gpc_invariant *invariants, uint32_t count)
{
	const struct gpc_reader *reader = walk->reader;
	const char *names = reader->bytes + reader->plane->section[GPC_SEC_NAMES].offset;

	for (uint32_t i = 0; i < count; i++)
		if (!invariant_is_sound(reader, &invariants[i]) ||
		    (i && strcmp(names + invariants[i - 1].name, names + invariants[i].name) >= 0) ||
		    !read_boxes(walk, invariants[i].boxes, invariants[i].box_count) ||
		    !read_boxes(walk, invariants[i].allowed, invariants[i].allowed_count))
			return gpc_reader_refuse(reader, GPC_E0509, "invariant %u is malformed", i);
	if (walk->at != walk->count)
		return gpc_reader_refuse(reader, GPC_E0509, "words that no invariant names");
	return true;
}

bool gpc_reader_invariants(const struct gpc_reader *reader)
{
	struct gpc_arena scratch = {0};
	struct walk walk = {.reader = reader, .scratch = &scratch};
	uint32_t count;
	const struct gpc_invariant *invariants =
		gpc_reader_section(reader, GPC_SEC_INVARIANT, &count);
	bool good;

	walk.words = gpc_reader_section(reader, GPC_SEC_INVARIANT_WORDS, &walk.count);
	if (count && !read_space(&walk))
		good = gpc_reader_refuse(reader, GPC_E0509, "sets of invariants are malformed");
	else
		good = check_records(&walk, invariants, count);
	gpc_arena_release(&scratch);
	return good;
}
