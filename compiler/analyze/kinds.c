/* SPDX-License-Identifier: MIT */
#include "kinds.h"

#include <netinet/in.h>
#include <string.h>

#include "../classify/refinement.h"
#include "gpc/lookup/classify.h"

#define PORTS (GPC_PORT_NONE + 1u)
#define CELLS_MAX (8u * 1024 * 1024)
#define VISITS_MAX (256ull * 1024 * 1024)	  /* of cells by boxes */
#define SET_WORDS_MAX (64ull * 1024 * 1024)
#define VLAN_VALUES (GPC_VLAN_NONE + 1u)
#define PLAIN_SOURCE_PORT 40000u
#define ICMP_ECHO 8u
#define ICMP6_ECHO 128u
#define SEEN_FLAGS (GPC_ASK_SYN | GPC_ASK_ACK | GPC_ASK_FIN | GPC_ASK_RST)

static const uint32_t values_of[GPC_KINDS_RANGES] = {256, PORTS, PORTS};
static const uint32_t class_values[GPC_KINDS_CLASSED] = {GPC_KINDS_FLAG_VALUES, 64, VLAN_VALUES};

struct work {
	struct gpc_kinds *k;
	const struct gpc_kinds_input *input;
	bool *cut[GPC_KINDS_RANGES];		  /* by value, one more at the end: an interval begins */
	const char *fault;
	struct gpc_refinement refinement;
	uint64_t visits;
	uint32_t boxes;
};

static bool has_ports(uint32_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

static bool is_icmp(uint32_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* ---- where fields are cut ---- */

static void cut(struct work *w, int field, uint32_t first, uint32_t last)
{
	w->cut[field][first] = true;
	w->cut[field][last < values_of[field] ? last + 1 : values_of[field]] = true;
}

static void cut_what_exists(struct work *w)
{
	static const uint32_t protocols[] = {IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMPV6,
					     IPPROTO_SCTP};

	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		cut(w, GPC_KINDS_PROTOCOL, protocols[i], protocols[i]);
	for (int f = 0; f < GPC_KINDS_RANGES; f++)
		w->cut[f][0] = true;
	w->cut[GPC_KINDS_SOURCE][GPC_PORT_NONE] = true;
	w->cut[GPC_KINDS_DESTINATION][GPC_PORT_NONE] = true;
	cut(w, GPC_KINDS_DESTINATION, ICMP_ECHO << 8, ICMP_ECHO << 8 | 255);
	cut(w, GPC_KINDS_DESTINATION, ICMP6_ECHO << 8, ICMP6_ECHO << 8 | 255);
}

static void cut_item(struct work *w, const struct gpc_service_item *item)
{
	cut(w, GPC_KINDS_PROTOCOL, item->protocol_first, item->protocol_last);
	cut(w, GPC_KINDS_SOURCE, item->source.first, item->source.last);
	cut(w, GPC_KINDS_DESTINATION, item->destination.first, item->destination.last);
}

static void cut_ports(struct work *w, int field, struct gpc_view view, uint32_t table)
{
	for (uint32_t port = 1; port < PORTS; port++)
		if (gpc_port_class(view, table, port) != gpc_port_class(view, table, port - 1))
			w->cut[field][port] = true;
}

static void cut_classifier(struct work *w, const struct gpc_kinds_classifier *c)
{
	uint32_t protocols = c->classifier->protocol;

	if (!(c->classifier->flags & GPC_CLASSIFIER_L4))
		return;
	for (uint32_t p = 1; p < 256; p++)
		if (gpc_word(c->view, protocols + p) != gpc_word(c->view, protocols + p - 1))
			w->cut[GPC_KINDS_PROTOCOL][p] = true;
	cut_ports(w, GPC_KINDS_SOURCE, c->view, c->classifier->source_port);
	cut_ports(w, GPC_KINDS_DESTINATION, c->view, c->classifier->destination_port);
}

/* The box of a range record. */
static struct gpc_service_item record_item(const struct gpc_kinds_classifier *c, uint32_t number)
{
	const __u64 *record = gpc_at(c->view, ((__u64)c->classifier->ranges << 2) + ((__u64)number << 4), 16);
	struct gpc_service_item item = {
		.protocol_first = (uint8_t)(record[0] >> GPC_FIELDS_PROTOCOL),
		.protocol_last = (uint8_t)(record[1] >> GPC_FIELDS_PROTOCOL),
		.source = {record[0] & GPC_TREE_VALUE, record[1] & GPC_TREE_VALUE},
		.destination = {record[0] >> GPC_FIELDS_DESTINATION & GPC_TREE_VALUE,
				record[1] >> GPC_FIELDS_DESTINATION & GPC_TREE_VALUE},
	};

	if (item.source.last > GPC_PORT_NONE)
		item.source.last = GPC_PORT_NONE;
	if (item.destination.last > GPC_PORT_NONE)
		item.destination.last = GPC_PORT_NONE;
	return item;
}

static void find_intervals(struct work *w)
{
	for (int f = 0; f < GPC_KINDS_RANGES; f++) {
		uint32_t n = 0;

		for (uint32_t v = 0; v < values_of[f]; v++)
			n += w->cut[f][v];
		w->k->starts[f] = GPC_NEW_ARRAY(w->k->arena, uint32_t, n + 1);
		w->k->starts[f][n] = values_of[f];
		w->k->intervals[f] = n;
		n = 0;
		for (uint32_t v = 0; v < values_of[f]; v++)
			if (w->cut[f][v])
				w->k->starts[f][n++] = v;
	}
}

static void cut_all(struct work *w)
{
	const struct gpc_kinds_input *input = w->input;

	for (int f = 0; f < GPC_KINDS_RANGES; f++)
		w->cut[f] = GPC_NEW_ARRAY(w->k->arena, bool, values_of[f] + 1);
	cut_what_exists(w);
	for (size_t i = 0; i < input->classifier_count; i++) {
		const struct gpc_kinds_classifier *c = &input->classifiers[i];

		cut_classifier(w, c);
		for (size_t r = 0; r < c->record_count; r++) {
			struct gpc_service_item item = record_item(c, c->records[r]);

			cut_item(w, &item);
		}
	}
	for (size_t i = 0; i < input->service_count; i++)
		for (size_t k = 0; k < input->services[i].count; k++)
			cut_item(w, &input->services[i].items[k]);
	for (size_t i = 0; i < input->listener_port_count; i++)
		w->cut[GPC_KINDS_DESTINATION][input->listener_ports[i]] = true;
	find_intervals(w);
}

/* ---- classes of flags, DSCP and VLAN ---- */

/* What a table of a classifier's match stage, or a service, says of a value. */
static uint32_t said_of(const struct gpc_kinds_classifier *c, int field, uint32_t value)
{
	static const uint32_t offsets[GPC_KINDS_CLASSED] = {0, GPC_MATCH_DSCP, GPC_MATCH_VLAN};

	return gpc_half(c->view, 2 * c->classifier->match + offsets[field] + value);
}

static uint32_t service_says(const struct gpc_match *match, int field, uint32_t value)
{
	switch (field) {
	case GPC_KINDS_FLAGS:
		return match->tcp_flags >> (value & 15) & match->fragments >> (value >> 4) & 1;
	case GPC_KINDS_DSCP:
		return match->dscp >> value & 1;
	default:
		return match->vlan == GPC_VLAN_ANY || match->vlan == value;
	}
}

/* Refines the classes of a field by what is said of each value. */
static void refine_field(struct work *w, int field, uint32_t (*says)(const void *context, int field, uint32_t value),
			 const void *context)
{
	struct gpc_steps steps = {.arena = w->k->arena};
	uint8_t *class_of = w->k->class_of[field];

	if (w->fault)
		return;
	for (uint32_t v = 0; v < class_values[field]; v++) {
		uint32_t number = gpc_step(&steps, class_of[v], says(context, field, v));

		if (number >= GPC_KINDS_CLASSES_MAX) {
			w->fault = "more than 64 kinds of flags, DSCPs or VLANs";
			return;
		}
		class_of[v] = (uint8_t)number;
	}
	w->k->classes[field] = (uint32_t)steps.items.n;
}

static uint32_t says_classifier(const void *context, int field, uint32_t value)
{
	return said_of(context, field, value);
}

static uint32_t says_service(const void *context, int field, uint32_t value)
{
	return service_says(context, field, value);
}

/* Is a first fragment anything else than a whole packet? */
static bool first_fragments_differ(const struct gpc_kinds_input *input)
{
	bool differ = input->listener_port_count;

	for (size_t i = 0; i < input->classifier_count; i++)
		differ |= input->classifiers[i].classifier->flags & GPC_CLASSIFIER_MATCH;
	for (size_t i = 0; i < input->service_count; i++)
		differ |= input->services[i].match.fragments != 7;
	return differ;
}

/*
 * Fragments; flags that open, none, and others. So each class is of one kind of fragment, or of two with all that it
 * has of flags: a product.
 */
static uint32_t says_flags(const void *context, int field, uint32_t value)
{
	const bool *first_differs = context;
	uint32_t flags = value & 15, fragment = value >> 4;

	(void)field;
	if (fragment == GPC_FRAGMENT_FIRST && !*first_differs)
		fragment = GPC_FRAGMENT_NONE;
	return fragment * 3 + (flags == GPC_ASK_SYN ? 2 : !!flags);
}

static void find_classes(struct work *w)
{
	const struct gpc_kinds_input *input = w->input;
	bool first_differs = first_fragments_differ(input);

	for (int f = 0; f < GPC_KINDS_CLASSED; f++) {
		w->k->class_of[f] = GPC_NEW_ARRAY(w->k->arena, uint8_t, class_values[f]);
		w->k->classes[f] = 1;
	}
	refine_field(w, GPC_KINDS_FLAGS, says_flags, &first_differs);
	for (size_t i = 0; i < input->classifier_count; i++)
		for (int f = 0; f < GPC_KINDS_CLASSED; f++)
			if (input->classifiers[i].classifier->flags & GPC_CLASSIFIER_MATCH)
				refine_field(w, f, says_classifier, &input->classifiers[i]);
	for (size_t i = 0; i < input->service_count; i++)
		for (int f = 0; f < GPC_KINDS_CLASSED; f++)
			refine_field(w, f, says_service, &input->services[i].match);
}

/* The value of a class to show: the plainest. */
static uint32_t value_of_class(const struct gpc_kinds *k, int field, uint32_t class)
{
	static const uint8_t flags[] = {GPC_ASK_SYN, GPC_ASK_ACK, GPC_ASK_SYN | GPC_ASK_ACK};
	const uint8_t *class_of = k->class_of[field];
	uint32_t value = 0;

	for (uint32_t i = 0; i < 9 && field == GPC_KINDS_FLAGS; i++)
		if (class_of[flags[i % 3] | i / 3 << 4] == class)
			return flags[i % 3] | i / 3 << 4;
	if (field == GPC_KINDS_VLAN && class_of[GPC_VLAN_NONE] == class)
		return GPC_VLAN_NONE;
	while (class_of[value] != class)
		value++;
	return value;
}

/* ---- cells ---- */

/* Can a packet of the protocol have flags and fragment of this class? Its flags are alike in that. */
static bool block_of(const struct gpc_kinds *k, uint32_t interval, uint32_t match, struct gpc_kinds_block *block)
{
	uint32_t protocol = k->starts[GPC_KINDS_PROTOCOL][interval];
	uint32_t value = value_of_class(k, GPC_KINDS_FLAGS, gpc_kinds_class(k, match, GPC_KINDS_FLAGS));
	uint32_t sources = k->intervals[GPC_KINDS_SOURCE], destinations = k->intervals[GPC_KINDS_DESTINATION];
	bool later = value >> 4 == GPC_FRAGMENT_LATER;

	if (value & 15 && (later || protocol != IPPROTO_TCP))
		return false;
	*block = (struct gpc_kinds_block){0, sources - 1, 1, destinations - 1, 1};
	if (later)
		return true;
	if (has_ports(protocol)) {
		block->source = 0;
		block->sources = sources - 1;
	}
	if (has_ports(protocol) || is_icmp(protocol)) {
		block->destination = 0;
		block->destinations = destinations - 1;
	}
	return true;
}

static void lay_out(struct work *w)
{
	struct gpc_kinds *k = w->k;
	uint64_t cells = 0, blocks;

	k->matches = k->classes[0] * k->classes[1] * k->classes[2];
	blocks = (uint64_t)k->matches * k->intervals[GPC_KINDS_PROTOCOL];
	if (blocks > CELLS_MAX) {
		w->fault = "more than 8 million combinations of protocols, ports and flags";
		return;
	}
	k->blocks = GPC_NEW_ARRAY(k->arena, struct gpc_kinds_block, blocks);
	for (uint32_t b = 0; b < blocks; b++) {
		struct gpc_kinds_block *block = &k->blocks[b];

		if (!block_of(k, b / k->matches, b % k->matches, block))
			continue;
		block->first = (uint32_t)cells;
		cells += (uint64_t)block->sources * block->destinations;
		if (cells > CELLS_MAX) {
			w->fault = "more than 8 million combinations of protocols, ports and flags";
			return;
		}
	}
	k->cells = (uint32_t)cells;
}

/* A packet of a block, without ports. */
static struct gpc_question block_packet(const struct gpc_kinds *k, uint32_t b)
{
	uint32_t match = b % k->matches, values[GPC_KINDS_CLASSED];

	for (int f = 0; f < GPC_KINDS_CLASSED; f++)
		values[f] = value_of_class(k, f, gpc_kinds_class(k, match, f));
	return (struct gpc_question){
		.vlan = (uint16_t)values[GPC_KINDS_VLAN],
		.protocol = (uint8_t)k->starts[GPC_KINDS_PROTOCOL][b / k->matches],
		.tcp_flags = values[GPC_KINDS_FLAGS] & 15,
		.dscp = (uint8_t)values[GPC_KINDS_DSCP],
		.fragment = (uint8_t)(values[GPC_KINDS_FLAGS] >> 4),
	};
}

static void set_ports(const struct gpc_kinds *k, uint32_t source, uint32_t destination, struct gpc_question *packet)
{
	const uint32_t *sources = k->starts[GPC_KINDS_SOURCE];

	packet->source_port = PLAIN_SOURCE_PORT >= sources[source] && PLAIN_SOURCE_PORT < sources[source + 1] ?
				      PLAIN_SOURCE_PORT :
				      sources[source];
	packet->destination_port = k->starts[GPC_KINDS_DESTINATION][destination];
}

static uint64_t rank_of(const struct gpc_question *p)
{
	uint64_t odd = (uint64_t)(p->fragment != GPC_FRAGMENT_NONE) << 3 |
		       (uint64_t)(p->tcp_flags != GPC_ASK_SYN) << 2 |
		       (uint64_t)(p->vlan != GPC_VLAN_NONE) << 1 | (p->dscp != 0);
	uint64_t source = p->source_port == PLAIN_SOURCE_PORT ? 0 : p->source_port + 1;

	return (uint64_t)p->protocol << 56 | (uint64_t)p->destination_port << 32 | odd << 20 | source;
}

/* ---- kinds ---- */

/* Calls with every block that there is. */
#define FOR_EACH_BLOCK(k, b)                                                                       \
	for (uint32_t b = 0; b < (k)->matches * (k)->intervals[GPC_KINDS_PROTOCOL]; b++)           \
		if ((k)->blocks[b].sources)

static uint32_t interval_at(const struct gpc_kinds *k, int field, uint32_t value)
{
	uint32_t low = 0, high = k->intervals[field];

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (k->starts[field][middle] <= value)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The intervals from `first` to the one before `end` that a range holds, of those that the block has. */
struct span {
	uint32_t first, end;
};

static struct span span_of(const struct gpc_kinds *k, int field, struct gpc_port_range range, uint32_t from,
			   uint32_t count)
{
	struct span span = {interval_at(k, field, range.first), interval_at(k, field, range.last) + 1};

	span.first = span.first > from ? span.first : from;
	span.end = span.end < from + count ? span.end : from + count;
	return span;
}

static void split_block(struct work *w, const struct gpc_kinds_block *block, const struct gpc_service_item *item)
{
	struct span s = span_of(w->k, GPC_KINDS_SOURCE, item->source, block->source, block->sources);
	struct span d = span_of(w->k, GPC_KINDS_DESTINATION, item->destination, block->destination,
				block->destinations);

	for (uint32_t i = s.first; i < s.end; i++)
		for (uint32_t k = d.first; k < d.end; k++) {
			uint32_t cell = block->first + (i - block->source) * block->destinations + k -
					block->destination;

			if (++w->visits > VISITS_MAX)
				w->fault = "ranges of ports that overlap too often";
			if (w->fault)
				return;
			gpc_refinement_split(&w->refinement, w->boxes, cell);
		}
}

static bool protocol_holds(const struct gpc_kinds *k, uint32_t b, const struct gpc_service_item *item)
{
	uint32_t protocol = k->starts[GPC_KINDS_PROTOCOL][b / k->matches];

	return protocol >= item->protocol_first && protocol <= item->protocol_last;
}

static void split_by_records(struct work *w, const struct gpc_kinds_classifier *c)
{
	for (size_t r = 0; r < c->record_count && !w->fault; r++) {
		struct gpc_service_item item = record_item(c, c->records[r]);
		uint32_t held = gpc_word(c->view, c->classifier->range_match + c->records[r]);

		FOR_EACH_BLOCK(w->k, b) {
			struct gpc_question packet = block_packet(w->k, b);
			uint32_t match = c->classifier->flags & GPC_CLASSIFIER_MATCH ?
						 gpc_match_class(c->view, c->classifier->match, &packet) & 31 :
						 0;

			if (held >> match & 1 && protocol_holds(w->k, b, &item))
				split_block(w, &w->k->blocks[b], &item);
		}
		w->boxes++;
	}
}

static bool match_holds(const struct gpc_match *match, const struct gpc_question *packet)
{
	return service_says(match, GPC_KINDS_FLAGS, packet->tcp_flags | (uint32_t)packet->fragment << 4) &&
	       service_says(match, GPC_KINDS_DSCP, packet->dscp) &&
	       service_says(match, GPC_KINDS_VLAN, packet->vlan);
}

/* Each item on its own: an element may be in a set once only. */
static void split_by_service(struct work *w, const struct gpc_service *service)
{
	for (size_t i = 0; i < service->count && !w->fault; i++) {
		FOR_EACH_BLOCK(w->k, b) {
			struct gpc_question packet = block_packet(w->k, b);

			if (match_holds(&service->match, &packet) &&
			    protocol_holds(w->k, b, &service->items[i]))
				split_block(w, &w->k->blocks[b], &service->items[i]);
		}
		w->boxes++;
	}
}

/* What a classifier with L4 classes says of intervals of ports. */
struct l4_classes {
	uint32_t *source, *destination;
};

static struct l4_classes l4_classes_of(const struct gpc_kinds *k, const struct gpc_kinds_classifier *c)
{
	struct l4_classes l4 = {
		GPC_NEW_ARRAY(k->arena, uint32_t, k->intervals[GPC_KINDS_SOURCE]),
		GPC_NEW_ARRAY(k->arena, uint32_t, k->intervals[GPC_KINDS_DESTINATION]),
	};

	for (uint32_t i = 0; i < k->intervals[GPC_KINDS_SOURCE]; i++)
		l4.source[i] = gpc_port_class(c->view, c->classifier->source_port,
					      k->starts[GPC_KINDS_SOURCE][i]) *
			       c->classifier->source_stride;
	for (uint32_t i = 0; i < k->intervals[GPC_KINDS_DESTINATION]; i++)
		l4.destination[i] = gpc_port_class(c->view, c->classifier->destination_port,
						   k->starts[GPC_KINDS_DESTINATION][i]);
	return l4;
}

/* The same number for cells that had the same and are of the same L4 class. */
static void step_by_l4(struct work *w, const struct gpc_kinds_classifier *c)
{
	const struct gpc_classifier *k = c->classifier;
	struct l4_classes l4 = l4_classes_of(w->k, c);
	struct gpc_steps steps = {.arena = w->k->arena};
	uint32_t from = UINT32_MAX, by = 0, to = 0;

	FOR_EACH_BLOCK(w->k, b) {
		const struct gpc_kinds_block *block = &w->k->blocks[b];
		struct gpc_question packet = block_packet(w->k, b);
		uint32_t match = k->flags & GPC_CLASSIFIER_MATCH ?
					 gpc_match_class(c->view, k->match, &packet) & 31 :
					 0;
		uint32_t base = 2 * k->l4 + gpc_word(c->view, k->protocol + packet.protocol) +
				match * k->match_stride;
		uint32_t *cell = &w->k->kind_of[block->first];

		for (uint32_t s = 0; s < block->sources; s++)
			for (uint32_t d = 0; d < block->destinations; d++, cell++) {
				uint32_t class = gpc_half(c->view, base + l4.source[block->source + s] +
									   l4.destination[block->destination + d]);

				if (*cell != from || class != by)
					to = gpc_step(&steps, from = *cell, by = class);
				*cell = to;
			}
	}
}

/* Ports of listeners are told apart where a listener can take a packet: it has ports and is no fragment. */
static void step_by_listeners(struct work *w)
{
	struct gpc_kinds *k = w->k;
	struct gpc_steps steps = {.arena = k->arena};
	uint32_t *number = GPC_NEW_ARRAY(k->arena, uint32_t, k->intervals[GPC_KINDS_DESTINATION]);
	bool *begins = GPC_NEW_ARRAY(k->arena, bool, PORTS);

	for (size_t i = 0; i < w->input->listener_port_count; i++)
		begins[w->input->listener_ports[i]] = true;
	for (uint32_t i = 1; i < k->intervals[GPC_KINDS_DESTINATION]; i++)
		number[i] = number[i - 1] + begins[k->starts[GPC_KINDS_DESTINATION][i]];
	FOR_EACH_BLOCK(k, b) {
		const struct gpc_kinds_block *block = &k->blocks[b];
		struct gpc_question packet = block_packet(k, b);
		bool told = has_ports(packet.protocol) && packet.fragment == GPC_FRAGMENT_NONE;
		uint32_t *cell = &k->kind_of[block->first];

		for (uint32_t s = 0; s < block->sources; s++)
			for (uint32_t d = 0; d < block->destinations; d++, cell++)
				*cell = gpc_step(&steps, *cell,
						 told ? packet.protocol << 18 | (number[d] + 1) : 0);
	}
}

/* Protocols that differ in what packets can exist, echo requests, and flags that open are never one kind. */
static void begin_kinds(struct work *w)
{
	struct gpc_kinds *k = w->k;

	FOR_EACH_BLOCK(k, b) {
		const struct gpc_kinds_block *block = &k->blocks[b];
		struct gpc_question packet = block_packet(k, b);
		uint32_t base = packet.protocol == IPPROTO_TCP	  ? 1 :
				has_ports(packet.protocol)	  ? 2 :
				packet.protocol == IPPROTO_ICMP	  ? 3 :
				packet.protocol == IPPROTO_ICMPV6 ? 4 :
								    0;
		uint32_t echo = base == 3 ? ICMP_ECHO : base == 4 ? ICMP6_ECHO : UINT32_MAX;
		uint32_t *cell = &k->kind_of[block->first];

		base = base << 4 | (uint32_t)packet.fragment << 2 | (packet.tcp_flags == GPC_ASK_SYN);
		for (uint32_t s = 0; s < block->sources; s++)
			for (uint32_t d = 0; d < block->destinations; d++, cell++)
				*cell = base << 1 | (k->starts[GPC_KINDS_DESTINATION][block->destination + d] >> 8 ==
						     echo);
	}
}

static void number_kinds(struct work *w)
{
	struct gpc_kinds *k = w->k;
	struct gpc_steps steps = {.arena = k->arena};
	uint32_t from = UINT32_MAX, by = 0, to = 0;

	for (uint32_t i = 0; i < k->cells; i++) {
		uint32_t class = w->boxes ? w->refinement.class[i] : 0;

		if (k->kind_of[i] != from || class != by)
			to = gpc_step(&steps, from = k->kind_of[i], by = class);
		k->kind_of[i] = to;
	}
	k->count = (uint32_t)steps.items.n;
	if (k->count > GPC_KINDS_MAX)
		w->fault = "more than 65536 kinds of protocols, ports and flags";
	k->words = (k->count + 63) / 64 * 2;
}

static void find_kinds(struct work *w)
{
	struct gpc_kinds *k = w->k;
	size_t boxes = 0;

	k->kind_of = GPC_NEW_ARRAY(k->arena, uint32_t, k->cells);
	begin_kinds(w);
	for (size_t i = 0; i < w->input->classifier_count; i++)
		boxes += w->input->classifiers[i].record_count;
	if (boxes || w->input->service_count)
		gpc_refinement_init(k->arena, &w->refinement, k->cells);
	for (size_t i = 0; i < w->input->classifier_count; i++) {
		const struct gpc_kinds_classifier *c = &w->input->classifiers[i];

		if (c->classifier->flags & GPC_CLASSIFIER_L4)
			step_by_l4(w, c);
		else
			split_by_records(w, c);
	}
	for (size_t i = 0; i < w->input->service_count; i++)
		split_by_service(w, &w->input->services[i]);
	if (w->input->listener_port_count)
		step_by_listeners(w);
	number_kinds(w);
}

/* ---- packets and sets ---- */

static void find_packets(struct gpc_kinds *k)
{
	k->packets = GPC_NEW_ARRAY(k->arena, struct gpc_question, k->count);
	k->ranks = GPC_NEW_ARRAY(k->arena, uint64_t, k->count);
	memset(k->ranks, 0xff, k->count * sizeof(*k->ranks));
	FOR_EACH_BLOCK(k, b) {
		const struct gpc_kinds_block *block = &k->blocks[b];
		const uint32_t *kind = &k->kind_of[block->first];
		struct gpc_question packet = block_packet(k, b);

		for (uint32_t s = 0; s < block->sources; s++)
			for (uint32_t d = 0; d < block->destinations; d++, kind++) {
				uint64_t rank;

				set_ports(k, block->source + s, block->destination + d, &packet);
				rank = rank_of(&packet);
				if (rank >= k->ranks[*kind])
					continue;
				k->ranks[*kind] = rank;
				k->packets[*kind] = packet;
			}
	}
}

static bool opens(const struct gpc_question *p)
{
	if (p->fragment == GPC_FRAGMENT_LATER)
		return false;
	if (p->protocol == IPPROTO_TCP)
		return p->tcp_flags == GPC_ASK_SYN;
	if (p->protocol == IPPROTO_ICMP)
		return p->destination_port >> 8 == ICMP_ECHO;
	return p->protocol != IPPROTO_ICMPV6 || p->destination_port >> 8 == ICMP6_ECHO;
}

static bool is_asked(const struct gpc_question *p)
{
	return p->protocol != IPPROTO_TCP || p->fragment == GPC_FRAGMENT_LATER || opens(p);
}

static bool is_mid_stream(const struct gpc_question *p)
{
	return p->protocol == IPPROTO_TCP && p->fragment != GPC_FRAGMENT_LATER &&
	       (p->tcp_flags & SEEN_FLAGS) != GPC_ASK_SYN;
}

static bool is_any(const struct gpc_question *p)
{
	(void)p;
	return true;
}

static bool is_none(const struct gpc_question *p)
{
	(void)p;
	return false;
}

static uint32_t set_where(struct gpc_kinds *k, bool (*holds)(const struct gpc_question *packet))
{
	uint64_t *bits = GPC_NEW_ARRAY(k->arena, uint64_t, k->words / 2);

	for (uint32_t i = 0; i < k->count; i++)
		bits[i / 64] |= (uint64_t)holds(&k->packets[i]) << i % 64;
	return gpc_kinds_number(k, bits);
}

const char *gpc_kinds_build(struct gpc_arena *arena, const struct gpc_kinds_input *input,
			    struct gpc_kinds *ret)
{
	struct gpc_kinds k = {.arena = arena, .sets = {.arena = arena, .most = SET_WORDS_MAX}};
	struct work w = {.k = &k, .input = input};

	cut_all(&w);
	find_classes(&w);
	if (!w.fault)
		lay_out(&w);
	if (!w.fault)
		find_kinds(&w);
	if (w.fault)
		return w.fault;
	find_packets(&k);
	k.nothing = set_where(&k, is_none);
	k.all = set_where(&k, is_any);
	k.opening = set_where(&k, opens);
	k.asked = set_where(&k, is_asked);
	k.mid_stream = set_where(&k, is_mid_stream);
	*ret = k;
	return NULL;
}
