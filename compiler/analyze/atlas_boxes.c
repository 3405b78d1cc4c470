/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "atlas_sheet.h"

#define VLAN_WORDS (GPC_VLAN_NONE / 64 + 1)

/*
 * A box in the making: intervals of the three ranges, classes of the three other fields. It grows from one cell as
 * long as what it takes in is of the set, or cannot exist, or does not count.
 */
struct grown {
	uint32_t first[GPC_KINDS_RANGES], last[GPC_KINDS_RANGES];
	uint64_t classes[GPC_KINDS_CLASSED];
};

struct growing {
	const struct gpc_kinds *kinds;
	const uint64_t *set, *scope;
	uint64_t *covered;		/* by cell */
};

static bool holds(const uint64_t *set, uint32_t number)
{
	return set[number / 64] >> number % 64 & 1;
}

/* The cell of a combination, GPC_NONE: cannot exist. */
static uint32_t cell_at(const struct gpc_kinds *k, uint32_t protocol, uint32_t match, uint32_t source,
			uint32_t destination)
{
	const struct gpc_kinds_block *block = &k->blocks[protocol * k->matches + match];

	if (!block->sources || source - block->source >= block->sources ||
	    destination - block->destination >= block->destinations)
		return GPC_NONE;
	return block->first + (source - block->source) * block->destinations + destination - block->destination;
}

static bool has_classes(const struct gpc_kinds *k, const struct grown *box, uint32_t match)
{
	for (int f = 0; f < GPC_KINDS_CLASSED; f++)
		if (!(box->classes[f] >> gpc_kinds_class(k, match, f) & 1))
			return false;
	return true;
}

/* Calls with all cells of a box until it is told to stop. */
static bool each_cell(const struct growing *g, const struct grown *box, bool (*see)(const struct growing *, uint32_t))
{
	const struct gpc_kinds *k = g->kinds;

	for (uint32_t p = box->first[0]; p <= box->last[0]; p++)
		for (uint32_t m = 0; m < k->matches; m++) {
			if (!k->blocks[p * k->matches + m].sources || !has_classes(k, box, m))
				continue;
			for (uint32_t s = box->first[1]; s <= box->last[1]; s++)
				for (uint32_t d = box->first[2]; d <= box->last[2]; d++) {
					uint32_t cell = cell_at(k, p, m, s, d);

					if (cell != GPC_NONE && !see(g, cell))
						return false;
				}
		}
	return true;
}

/* May the box hold the cell? */
static bool is_welcome(const struct growing *g, uint32_t cell)
{
	uint32_t kind = g->kinds->kind_of[cell];

	return holds(g->set, kind) || !holds(g->scope, kind);
}

/* The same of growing over ports: an echo request is not to be shown as all of ICMP because only it counts. */
static bool is_welcome_port(const struct growing *g, uint32_t cell)
{
	uint32_t kind = g->kinds->kind_of[cell];
	uint8_t protocol = g->kinds->packets[kind].protocol;

	return holds(g->set, kind) ||
	       (!holds(g->scope, kind) && protocol != IPPROTO_ICMP && protocol != IPPROTO_ICMPV6);
}

static bool is_no_gain(const struct growing *g, uint32_t cell)
{
	return !holds(g->set, g->kinds->kind_of[cell]) || holds(g->covered, cell);
}

static bool cover(const struct growing *g, uint32_t cell)
{
	g->covered[cell / 64] |= 1ull << cell % 64;
	return true;
}

static void flags_of(const struct gpc_kinds *k, uint64_t classes, uint16_t *ret_flags, uint8_t *ret_fragments)
{
	*ret_flags = 0;
	*ret_fragments = 0;
	for (uint32_t v = 0; v < GPC_KINDS_FLAG_VALUES; v++)
		if (classes >> k->class_of[GPC_KINDS_FLAGS][v] & 1) {
			*ret_flags |= (uint16_t)(1u << (v & 15));
			*ret_fragments |= (uint8_t)(1u << (v >> 4));
		}
}

/* All classes of a field that come with these: flags and fragments are said apart. */
static uint64_t closed(const struct gpc_kinds *k, int field, uint64_t classes)
{
	uint64_t before = 0;
	uint8_t fragments;
	uint16_t flags;

	while (field == GPC_KINDS_FLAGS && before != classes) {
		before = classes;
		flags_of(k, classes, &flags, &fragments);
		for (uint32_t v = 0; v < GPC_KINDS_FLAG_VALUES; v++)
			if (flags >> (v & 15) & fragments >> (v >> 4) & 1)
				classes |= 1ull << k->class_of[field][v];
	}
	return classes;
}

static void grow_class(const struct growing *g, struct grown *box, int field)
{
	for (uint32_t c = 0; c < g->kinds->classes[field]; c++) {
		uint64_t all = closed(g->kinds, field, box->classes[field] | 1ull << c);
		struct grown more = *box;

		more.classes[field] = all & ~box->classes[field];
		if (each_cell(g, &more, is_welcome))
			box->classes[field] = all;
	}
}

/* `gain`: only over intervals that give something. */
static void grow_range(const struct growing *g, struct grown *box, int field, bool gain)
{
	for (int up = 0; up < 2; up++)
		while (up ? box->last[field] + 1 < g->kinds->intervals[field] : box->first[field] > 0) {
			struct grown more = *box;

			more.first[field] = more.last[field] = up ? box->last[field] + 1 : box->first[field] - 1;
			if (!each_cell(g, &more, gain ? is_welcome : is_welcome_port) || (gain && each_cell(g, &more, is_no_gain)))
				break;
			if (up)
				box->last[field]++;
			else
				box->first[field]--;
		}
}

static struct grown grow(const struct growing *g, uint32_t protocol, uint32_t match, uint32_t source,
			 uint32_t destination)
{
	struct grown box = {{protocol, source, destination}, {protocol, source, destination}, {0}};

	for (int f = 0; f < GPC_KINDS_CLASSED; f++)
		box.classes[f] = 1ull << gpc_kinds_class(g->kinds, match, f);
	for (int f = 0; f < GPC_KINDS_CLASSED; f++)
		grow_class(g, &box, f);
	grow_range(g, &box, GPC_KINDS_SOURCE, false);
	grow_range(g, &box, GPC_KINDS_DESTINATION, false);
	grow_range(g, &box, GPC_KINDS_PROTOCOL, true);
	each_cell(g, &box, cover);
	return box;
}

static const uint64_t *vlans_of(struct gpc_arena *arena, const struct gpc_kinds *k, uint64_t classes)
{
	uint64_t *bits = GPC_NEW_ARRAY(arena, uint64_t, VLAN_WORDS);
	uint32_t count = 0;

	for (uint32_t v = 0; v <= GPC_VLAN_NONE; v++)
		if (classes >> k->class_of[GPC_KINDS_VLAN][v] & 1) {
			bits[v / 64] |= 1ull << v % 64;
			count++;
		}
	return count > GPC_VLAN_NONE ? NULL : bits;
}

static struct gpc_atlas_box described(struct gpc_arena *arena, const struct gpc_kinds *k, const struct grown *box)
{
	uint32_t first[GPC_KINDS_RANGES], last[GPC_KINDS_RANGES];
	struct gpc_atlas_box ret = {0};

	for (int f = 0; f < GPC_KINDS_RANGES; f++) {
		first[f] = k->starts[f][box->first[f]];
		last[f] = k->starts[f][box->last[f] + 1] - 1;
	}
	ret.item = (struct gpc_service_item){(uint8_t)first[0], (uint8_t)last[0], {first[1], last[1]}, {first[2], last[2]}};
	flags_of(k, box->classes[GPC_KINDS_FLAGS], &ret.tcp_flags, &ret.fragments);
	for (uint32_t v = 0; v < 64; v++)
		ret.dscp |= (box->classes[GPC_KINDS_DSCP] >> k->class_of[GPC_KINDS_DSCP][v] & 1) << v;
	ret.vlans = vlans_of(arena, k, box->classes[GPC_KINDS_VLAN]);
	return ret;
}

/* The lowest cells first: protocol, destination port, source port. `scope`: what counts. */
static const struct gpc_atlas_box *boxes_of(struct gpc_atlas *atlas, const struct gpc_kinds *k, uint32_t scope,
					    uint32_t region, size_t *ret_count)
{
	struct growing g = {.kinds = k,
			    .set = gpc_kinds_set(k, region),
			    .scope = gpc_kinds_set(k, scope),
			    .covered = GPC_NEW_ARRAY(atlas->arena, uint64_t, k->cells / 64 + 1)};
	GPC_VEC(struct gpc_atlas_box) boxes = {0};

	for (uint32_t p = 0; p < k->intervals[GPC_KINDS_PROTOCOL]; p++)
		for (uint32_t d = 0; d < k->intervals[GPC_KINDS_DESTINATION]; d++)
			for (uint32_t s = 0; s < k->intervals[GPC_KINDS_SOURCE]; s++)
				for (uint32_t m = 0; m < k->matches; m++) {
					uint32_t cell = cell_at(k, p, m, s, d);
					struct grown box;

					if (cell == GPC_NONE || is_no_gain(&g, cell))
						continue;
					box = grow(&g, p, m, s, d);
					*GPC_PUSH(atlas->arena, &boxes) = described(atlas->arena, k, &box);
				}
	*ret_count = boxes.n;
	return boxes.items;
}

const struct gpc_atlas_box *gpc_atlas_boxes(struct gpc_atlas *atlas, size_t place, uint32_t region, size_t *ret_count)
{
	const struct gpc_atlas_sheet *sheet = atlas->sheets[atlas->places[place].alike];

	return boxes_of(atlas, &sheet->kinds, sheet->common_scope, region, ret_count);
}

const struct gpc_atlas_box *gpc_atlas_boxes_of_query(struct gpc_atlas *atlas, const struct gpc_atlas_query *query,
						     uint32_t region, size_t *ret_count)
{
	const struct gpc_atlas_sheet *sheet = atlas->sheets[atlas->places[query->place].alike];

	return boxes_of(atlas, &sheet->kinds, sheet->scope[query->image], region, ret_count);
}

/* ---- text ---- */

struct text {
	char *at;
	size_t left;
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->at, t->left, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->left)
		n = (int)t->left - 1;
	t->at += n;
	t->left -= (size_t)n;
}

static const char *protocol_name(uint32_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	default:
		return NULL;
	}
}

static void put_range(struct text *t, const char *before, uint32_t first, uint32_t last)
{
	put(t, first == last ? "%s%" PRIu32 : "%s%" PRIu32 "-%" PRIu32, before, first, last);
}

/* Without the 65,537th port, which comes with all others. */
static struct gpc_port_range real_ports(struct gpc_port_range range)
{
	if (range.last == GPC_PORT_NONE && range.first < GPC_PORT_NONE)
		range.last--;
	return range;
}

static bool is_any_port(struct gpc_port_range range)
{
	return !range.first && range.last == GPC_PORT_NONE;
}

static void put_destination(struct text *t, const struct gpc_service_item *item)
{
	struct gpc_port_range ports = real_ports(item->destination);
	bool icmp = item->protocol_first == item->protocol_last &&
		    (item->protocol_first == IPPROTO_ICMP || item->protocol_first == IPPROTO_ICMPV6);

	if (is_any_port(item->destination) || ports.first == GPC_PORT_NONE)
		return;
	if (!icmp) {
		put_range(t, "/", ports.first, ports.last);
		return;
	}
	put_range(t, "/", ports.first >> 8, ports.last >> 8);
	if (ports.first & 255 || (ports.last & 255) != 255)
		put_range(t, "/", ports.first & 255, ports.last & 255);
}

static void put_protocol(struct text *t, const struct gpc_service_item *item)
{
	const char *name = item->protocol_first == item->protocol_last ? protocol_name(item->protocol_first) : NULL;

	if (name)
		put(t, "%s", name);
	else if (!item->protocol_first && item->protocol_last == 255)
		put(t, "any");
	else
		put_range(t, "proto/", item->protocol_first, item->protocol_last);
}

/* Those that are, or if they are fewer those that are not. */
static void put_flags(struct text *t, uint16_t combinations)
{
	static const char *const names[] = {"syn", "ack", "fin", "rst"};
	const char *between = " flags ";

	if (__builtin_popcount(combinations) > 8) {
		combinations = (uint16_t)~combinations;
		between = " flags any but ";
	}
	for (uint32_t f = 0; f < 16; f++) {
		const char *comma = "";

		if (!(combinations >> f & 1))
			continue;
		put(t, "%s%s", between, f ? "" : "none");
		between = "|";
		for (uint32_t i = 0; i < 4; i++)
			if (f >> i & 1) {
				put(t, "%s%s", comma, names[i]);
				comma = ",";
			}
	}
}

/* Runs of the values for which `has` says so. */
static void put_runs(struct text *t, const char *word, const uint64_t *bits, uint32_t count)
{
	for (uint32_t v = 0, end; v < count; v = end + 1) {
		for (end = v; end < count && holds(bits, end);)
			end++;
		if (end == v)
			continue;
		put_range(t, word, v, end - 1);
		word = ",";
	}
}

static bool shows_ports(uint32_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Of what can be in the box: a later fragment is what has no port. Neither is said where nothing else could be. */
static uint8_t fragments_of(const struct gpc_atlas_box *box)
{
	const uint8_t later = 1 << GPC_FRAGMENT_LATER, others = 1 << GPC_FRAGMENT_NONE | 1 << GPC_FRAGMENT_FIRST;
	const struct gpc_service_item *item = &box->item;
	uint8_t fragments = box->fragments & 7;

	if (item->protocol_first != item->protocol_last || !shows_ports(item->protocol_first))
		return fragments;
	if (item->destination.first == GPC_PORT_NONE)
		return later;
	if (item->destination.last != GPC_PORT_NONE)
		fragments &= others;
	return fragments == others && item->destination.last != GPC_PORT_NONE ? 7 : fragments;
}

static void put_fragments(struct text *t, uint8_t fragments)
{
	static const char *const words[8] = {
		[1 << GPC_FRAGMENT_NONE] = "no fragments",
		[1 << GPC_FRAGMENT_FIRST] = "first fragments",
		[1 << GPC_FRAGMENT_LATER] = "later fragments",
		[1 << GPC_FRAGMENT_NONE | 1 << GPC_FRAGMENT_FIRST] = "not later fragments",
		[1 << GPC_FRAGMENT_NONE | 1 << GPC_FRAGMENT_LATER] = "not first fragments",
		[1 << GPC_FRAGMENT_FIRST | 1 << GPC_FRAGMENT_LATER] = "fragments",
	};

	if (words[fragments & 7])
		put(t, " %s", words[fragments & 7]);
}

char *gpc_atlas_box_format(const struct gpc_atlas_box *box, char out[GPC_ATLAS_BOX_TEXT])
{
	struct text t = {out, GPC_ATLAS_BOX_TEXT};
	struct gpc_port_range source = real_ports(box->item.source);

	*out = '\0';
	put_protocol(&t, &box->item);
	put_destination(&t, &box->item);
	if (!is_any_port(box->item.source) && source.first != GPC_PORT_NONE && (source.first || source.last != 65535))
		put_range(&t, source.first == source.last ? " from port " : " from ports ", source.first, source.last);
	if (box->tcp_flags != 0xffff)
		put_flags(&t, box->tcp_flags);
	put_fragments(&t, fragments_of(box));
	if (box->dscp != UINT64_MAX)
		put_runs(&t, " dscp ", &box->dscp, 64);
	if (box->vlans) {
		put_runs(&t, " vlan ", box->vlans, GPC_VLAN_NONE);
		if (holds(box->vlans, GPC_VLAN_NONE))
			put(&t, " untagged");
	}
	return out;
}
