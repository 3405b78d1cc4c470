/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "atlas_sheet.h"

#define INTERVALS_MAX (4u * 1024 * 1024)
#define LINES_MAX 5 /* two images' classes, the caller's sets, two images' listeners */
#define TUPLE (LINES_MAX + 1)

struct lines {
	struct gpc_line line[LINES_MAX];
	bool there[LINES_MAX];
};

enum { CLASS, SETS = 2, LISTENERS };

static struct gpc_point point_of(const struct gpc_ip *ip)
{
	struct gpc_point point = {0, 0};

	for (int i = 0; i < 8; i++) {
		point.high = point.high << 8 | ip->bytes[i];
		point.low = point.low << 8 | ip->bytes[8 + i];
	}
	return point;
}

static struct gpc_ip ip_of(struct gpc_point point)
{
	struct gpc_ip ip;

	for (int i = 0; i < 8; i++) {
		ip.bytes[i] = (uint8_t)(point.high >> (56 - 8 * i));
		ip.bytes[8 + i] = (uint8_t)(point.low >> (56 - 8 * i));
	}
	return ip;
}

static struct gpc_point before(struct gpc_point point)
{
	point.high -= !point.low;
	point.low--;
	return point;
}

/* ---- the caller's sets ---- */

static bool partition_sets(struct gpc_atlas *atlas, struct gpc_partition *ret)
{
	const struct gpc_atlas_options *o = &atlas->options;
	struct gpc_cuts cuts;
	size_t ranges = 0;

	for (size_t i = 0; i < o->set_count; i++)
		ranges += o->sets[i].count;
	if (ranges > INTERVALS_MAX || o->set_count > UINT32_MAX / 2)
		return false;
	gpc_cuts_init(atlas->arena, &cuts, ranges);
	for (size_t i = 0; i < o->set_count; i++)
		for (size_t k = 0; k < o->sets[i].count; k++)
			gpc_cuts_add(&cuts, point_of(&o->sets[i].ranges[k].first),
				     point_of(&o->sets[i].ranges[k].last), (uint32_t)i);
	gpc_partition_build(atlas->arena, atlas->arena, &cuts, (uint32_t)o->set_count, ret);
	return true;
}

/* ---- listeners' prefixes ---- */

/* The prefix that an entry is about: EXACT and PORTS say who listens. 129: another entry, or none. */
static uint32_t prefix_length(const struct gpc_vip *vip)
{
	if ((vip->flags & GPC_VIP_KIND) == GPC_VIP_EXACT)
		return vip->interfaces ? 128 : 129;
	return (vip->flags & GPC_VIP_KIND) == GPC_VIP_PORTS && vip->port_be <= 128 ? vip->port_be : 129;
}

static void add_prefix(struct gpc_cuts *cuts, const struct gpc_vip *vip, uint32_t length, uint32_t object)
{
	struct gpc_point first = {__builtin_bswap64(vip->address_be[0]), __builtin_bswap64(vip->address_be[1])};
	struct gpc_point last = first;

	if (length < 64) {
		last.high |= UINT64_MAX >> length;
		last.low = UINT64_MAX;
	} else if (length < 128) {
		last.low |= UINT64_MAX >> (length - 64);
	}
	gpc_cuts_add(cuts, first, last, object);
}

static void partition_listeners(struct gpc_atlas *atlas, unsigned int image, struct gpc_partition *ret)
{
	uint32_t count, objects = 0;
	const struct gpc_vip *vips = gpc_image_section(atlas->options.images[image], GPC_SEC_VIP, &count);
	struct gpc_intern prefixes = {.arena = atlas->arena, .most = SIZE_MAX};
	struct gpc_cuts cuts;

	gpc_cuts_init(atlas->arena, &cuts, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t length = prefix_length(&vips[i]), key[5] = {length};

		if (length > 128)
			continue;
		memcpy(key + 1, vips[i].address_be, sizeof(vips[i].address_be));
		if (gpc_intern(&prefixes, key, 5) == objects)
			add_prefix(&cuts, &vips[i], length, objects++);
	}
	gpc_partition_build(atlas->arena, atlas->arena, &cuts, objects, ret);
}

/* ---- atoms ---- */

struct segment {
	struct gpc_point first, last;
	uint32_t atom;
};

struct sweep {
	struct gpc_atlas *atlas;
	const struct lines *lines;
	size_t at[LINES_MAX];		/* the interval that holds the point */
	struct gpc_intern tuples;	/* family, then a class of each line */
	GPC_VEC(struct segment) segments;
};

static bool in_v4(struct gpc_point point)
{
	return gpc_point_compare(point, GPC_LINE_V4_FIRST) >= 0 && gpc_point_compare(point, GPC_LINE_V6_AGAIN) < 0;
}

/* Where the next interval of any line begins. False: nowhere. */
static bool next_point(const struct sweep *s, struct gpc_point *ret)
{
	bool any = false;

	for (int l = 0; l < LINES_MAX; l++) {
		const struct gpc_line *line = &s->lines->line[l];

		if (!s->lines->there[l] || s->at[l] + 1 >= line->count)
			continue;
		if (!any || gpc_point_compare(line->intervals[s->at[l] + 1].first, *ret) < 0)
			*ret = line->intervals[s->at[l] + 1].first;
		any = true;
	}
	return any;
}

static void put_segment(struct sweep *s, struct gpc_point first, struct gpc_point last)
{
	uint32_t tuple[TUPLE] = {in_v4(first) ? GPC_V4 : GPC_V6}, atom;
	struct segment *before_it = s->segments.n ? &s->segments.items[s->segments.n - 1] : NULL;

	for (int l = 0; l < LINES_MAX; l++)
		if (s->lines->there[l])
			tuple[1 + l] = s->lines->line[l].intervals[s->at[l]].class;
	atom = gpc_intern(&s->tuples, tuple, TUPLE);
	if (before_it && before_it->atom == atom && !gpc_point_compare(before_it->last, before(first)))
		before_it->last = last;
	else
		*GPC_PUSH(s->atlas->arena, &s->segments) = (struct segment){first, last, atom};
}

/* All segments of a family, ascending. */
static void sweep_family(struct sweep *s, bool v4)
{
	struct gpc_point point = {0, 0}, next = {0, 0};
	bool more = true;

	memset(s->at, 0, sizeof(s->at));
	while (more) {
		more = next_point(s, &next);
		if (in_v4(point) == v4)
			put_segment(s, point, more ? before(next) : (struct gpc_point){UINT64_MAX, UINT64_MAX});
		point = next;
		for (int l = 0; more && l < LINES_MAX; l++) {
			const struct gpc_line *line = &s->lines->line[l];

			if (s->lines->there[l] && s->at[l] + 1 < line->count &&
			    !gpc_point_compare(line->intervals[s->at[l] + 1].first, point))
				s->at[l]++;
		}
	}
}

/* Ranges by atom; atoms are numbered as their lowest addresses ascend. */
static void collect_sets(struct sweep *s, struct gpc_atlas_atoms *atoms)
{
	struct gpc_arena *arena = s->atlas->arena;
	struct gpc_range *ranges = GPC_NEW_ARRAY(arena, struct gpc_range, s->segments.n);
	size_t *first;

	atoms->count = s->tuples.items.n;
	atoms->items = GPC_NEW_ARRAY(arena, struct gpc_atlas_atom, atoms->count);
	first = GPC_NEW_ARRAY(arena, size_t, atoms->count + 1);
	for (size_t i = 0; i < s->segments.n; i++)
		first[s->segments.items[i].atom + 1]++;
	for (size_t i = 0; i < atoms->count; i++) {
		atoms->items[i].set = (struct gpc_set){ranges + first[i], first[i + 1]};
		first[i + 1] += first[i];
	}
	for (size_t i = 0; i < s->segments.n; i++) {
		const struct segment *segment = &s->segments.items[i];

		ranges[first[segment->atom]++] =
			(struct gpc_range){ip_of(segment->first), ip_of(segment->last)};
	}
}

static void describe(struct sweep *s, const struct gpc_partition *sets, struct gpc_atlas_atoms *atoms)
{
	for (size_t i = 0; i < atoms->count; i++) {
		const uint32_t *tuple = s->tuples.items.items[i].words;
		struct gpc_atlas_atom *atom = &atoms->items[i];
		uint32_t member_class = tuple[1 + SETS];

		atom->family = (enum gpc_family)tuple[0];
		atom->class[0] = tuple[1 + CLASS];
		atom->class[1] = tuple[2 + CLASS];
		atom->members = sets->members + sets->member_first[member_class];
		atom->member_count = sets->member_first[member_class + 1] - sets->member_first[member_class];
		for (unsigned int k = 0; k < s->atlas->images && atoms->listeners[k]; k++)
			atoms->listeners[k][i] = tuple[1 + LISTENERS + k];
	}
}

static void find_side(struct gpc_atlas *atlas, enum gpc_atlas_side side, const struct lines *lines,
		      const struct gpc_partition *sets)
{
	struct gpc_atlas_atoms *atoms = &atlas->atoms[side];
	struct sweep s = {.atlas = atlas,
			  .lines = lines,
			  .tuples = {.arena = atlas->arena, .most = (size_t)INTERVALS_MAX * TUPLE}};

	sweep_family(&s, true);
	sweep_family(&s, false);
	if (s.tuples.full) {
		atlas->fault = "more than 4 million ranges of addresses";
		return;
	}
	collect_sets(&s, atoms);
	for (unsigned int k = 0; k < atlas->images && side == GPC_ATLAS_DESTINATION; k++)
		atoms->listeners[k] = GPC_NEW_ARRAY(atlas->arena, uint32_t, atoms->count);
	describe(&s, sets, atoms);
}

static struct gpc_line line_of(const struct gpc_partition *p)
{
	return (struct gpc_line){p->intervals, p->interval_count};
}

static void add_listeners(struct gpc_atlas *atlas, struct lines *lines)
{
	struct gpc_atlas_atoms *atoms = &atlas->atoms[GPC_ATLAS_DESTINATION];

	for (unsigned int k = 0; k < atlas->images; k++) {
		struct gpc_partition p;

		partition_listeners(atlas, k, &p);
		lines->line[LISTENERS + k] = line_of(&p);
		lines->there[LISTENERS + k] = true;
		atoms->listener_classes[k] = p.class_count;
		atoms->listened[k] = GPC_NEW_ARRAY(atlas->arena, bool, p.class_count);
		for (uint32_t i = 0; i < p.class_count; i++)
			atoms->listened[k][i] = p.member_first[i + 1] > p.member_first[i];
	}
}

bool gpc_atlas_find_atoms(struct gpc_atlas *atlas)
{
	struct gpc_partition sets;

	if (!partition_sets(atlas, &sets)) {
		atlas->fault = "more than 4 million ranges of addresses";
		return false;
	}
	for (int side = 0; side < 2; side++) {
		struct lines lines = {.line[SETS] = line_of(&sets), .there[SETS] = true};

		for (unsigned int k = 0; k < atlas->images; k++) {
			lines.there[CLASS + k] = true;
			if (!gpc_line_of_tries(atlas->arena, atlas->options.images[k], (uint32_t)side,
					       INTERVALS_MAX, &lines.line[CLASS + k]))
				atlas->fault = "more than 4 million ranges of addresses";
		}
		if (side == GPC_ATLAS_DESTINATION)
			add_listeners(atlas, &lines);
		if (!atlas->fault)
			find_side(atlas, (enum gpc_atlas_side)side, &lines, &sets);
	}
	return !atlas->fault;
}
