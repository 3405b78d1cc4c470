/* SPDX-License-Identifier: MIT */
#include "rule_set.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* ---- building ---- */

static void *grown(void *items, size_t count, size_t more, size_t size)
{
	size_t old = count ? (size_t)1 << (64 - __builtin_clzl(count)) : 0; /* room for `count` */
	size_t need = count + more, room = 1;
	void *bigger;

	if (items && need < old)
		return items;
	while (room <= need)
		room *= 2;
	bigger = reallocarray(items, room, size);
	if (!bigger)
		abort();
	return bigger;
}

#define RULE_APPEND(array, count, source, more)                                                    \
	do {                                                                                       \
		(array) = grown((array), (count), (more), sizeof(*(array)));                       \
		if (more)                                                                          \
			memcpy(&(array)[count], (source), (more) * sizeof(*(array)));              \
		(count) += (more);                                                                 \
	} while (0)

void rule_set_init(struct rule_set *set, const char *name)
{
	struct rule_addresses anywhere = {.all = true};

	*set = (struct rule_set){0};
	snprintf(set->name, sizeof(set->name), "%s", name);
	RULE_APPEND(set->sets, set->set_count, &anywhere, 1u);
}

void rule_set_release(struct rule_set *set)
{
	free(set->prefixes);
	free(set->sets);
	free(set->items);
	free(set->services);
	free(set->boxes);
	free(set->headers);
	*set = (struct rule_set){0};
}

uint32_t rule_set_add_addresses(struct rule_set *set, const struct rule_prefix *prefixes, size_t count,
				const struct rule_prefix *except, size_t except_count)
{
	struct rule_addresses addresses = {.prefixes = set->prefix_count,
					   .prefix_count = count,
					   .except = set->prefix_count + count,
					   .except_count = except_count};

	RULE_APPEND(set->prefixes, set->prefix_count, prefixes, count);
	RULE_APPEND(set->prefixes, set->prefix_count, except, except_count);
	RULE_APPEND(set->sets, set->set_count, &addresses, 1u);
	return (uint32_t)set->set_count - 1;
}

uint32_t rule_set_add_prefix(struct rule_set *set, struct rule_prefix prefix)
{
	return rule_set_add_addresses(set, &prefix, 1, NULL, 0);
}

uint32_t rule_set_add_service(struct rule_set *set, const struct rule_item *items, size_t count,
			      struct gpc_match match)
{
	struct rule_service service = {.items = set->item_count, .item_count = count, .match = match};

	RULE_APPEND(set->items, set->item_count, items, count);
	RULE_APPEND(set->services, set->service_count, &service, 1u);
	return (uint32_t)set->service_count - 1;
}

static void add_box(struct rule_set *set, uint32_t source, uint32_t destination, uint32_t service,
		    uint32_t position)
{
	struct rule_box box = {source, destination, service, position};

	RULE_APPEND(set->boxes, set->box_count, &box, 1u);
}

uint32_t rule_set_add_rule(struct rule_set *set, uint32_t source, uint32_t destination, uint32_t service)
{
	uint32_t position = rule_set_rules(set);

	add_box(set, source, destination, service, position);
	return position;
}

void rule_set_add_box(struct rule_set *set, uint32_t source, uint32_t destination, uint32_t service)
{
	add_box(set, source, destination, service, rule_set_rules(set) - 1);
}

void rule_set_add_header(struct rule_set *set, struct gpc_question question)
{
	RULE_APPEND(set->headers, set->header_count, &question, 1u);
}

uint32_t rule_set_rules(const struct rule_set *set)
{
	return set->box_count ? set->boxes[set->box_count - 1].position + 1 : 0;
}

void rule_set_drop_source_ports(struct rule_set *set)
{
	for (size_t i = 0; i < set->item_count; i++) {
		set->items[i].source_first = 0;
		set->items[i].source_last = GPC_PORT_NONE;
	}
}

/* ---- what it means ---- */

static rule_address low_bits(const struct rule_prefix *p)
{
	unsigned int bits = (p->v4 ? 32u : 128u) - p->length;

	return bits == 128 ? ~(rule_address)0 : ((rule_address)1 << bits) - 1;
}

rule_address rule_prefix_first(const struct rule_prefix *p)
{
	return p->address & ~low_bits(p);
}

rule_address rule_prefix_last(const struct rule_prefix *p)
{
	return p->address | low_bits(p);
}

bool rule_prefix_holds(const struct rule_prefix *p, rule_address a)
{
	return rule_is_v4(a) == p->v4 && a >= rule_prefix_first(p) && a <= rule_prefix_last(p);
}

static bool any_holds(const struct rule_prefix *prefixes, size_t count, rule_address a)
{
	for (size_t i = 0; i < count; i++)
		if (rule_prefix_holds(&prefixes[i], a))
			return true;
	return false;
}

bool rule_addresses_hold(const struct rule_set *set, uint32_t index, rule_address a)
{
	const struct rule_addresses *s = &set->sets[index];

	if (s->all)
		return true;
	return any_holds(set->prefixes + s->prefixes, s->prefix_count, a) &&
	       !any_holds(set->prefixes + s->except, s->except_count, a);
}

static bool item_holds(const struct rule_item *item, const struct gpc_question *q)
{
	return q->protocol >= item->protocol_first && q->protocol <= item->protocol_last &&
	       q->source_port >= item->source_first && q->source_port <= item->source_last &&
	       q->destination_port >= item->destination_first &&
	       q->destination_port <= item->destination_last;
}

static bool match_holds(const struct gpc_match *match, const struct gpc_question *q)
{
	return (match->dscp >> q->dscp & 1) && (match->tcp_flags >> q->tcp_flags & 1) &&
	       (match->fragments >> q->fragment & 1) &&
	       (match->vlan == GPC_VLAN_ANY || match->vlan == q->vlan);
}

bool rule_service_holds(const struct rule_set *set, uint32_t index, const struct gpc_question *question)
{
	const struct rule_service *s = &set->services[index];

	for (size_t i = 0; i < s->item_count; i++)
		if (item_holds(&set->items[s->items + i], question))
			return match_holds(&s->match, question);
	return false;
}

/* ---- questions ---- */

static rule_address from_memory(const __u64 words[2])
{
	return (rule_address)be64toh(words[0]) << 64 | be64toh(words[1]);
}

rule_address rule_question_source(const struct gpc_question *question)
{
	return from_memory(question->source);
}

rule_address rule_question_destination(const struct gpc_question *question)
{
	return from_memory(question->destination);
}

void rule_question_between(struct gpc_question *question, rule_address source, rule_address destination)
{
	question->source[0] = htobe64((uint64_t)(source >> 64));
	question->source[1] = htobe64((uint64_t)source);
	question->destination[0] = htobe64((uint64_t)(destination >> 64));
	question->destination[1] = htobe64((uint64_t)destination);
	question->family = rule_is_v4(source) ? GPC_V4 : GPC_V6;
}

static bool has_ports(uint8_t protocol)
{
	return protocol == 6 || protocol == 17 || protocol == 132;
}

void rule_question_settle(struct gpc_question *q)
{
	bool icmp = q->protocol == 1 || q->protocol == 58, later = q->fragment == GPC_FRAGMENT_LATER;

	if (q->protocol != 6 || later)
		q->tcp_flags = 0;
	if (!has_ports(q->protocol) || later)
		q->source_port = GPC_PORT_NONE;
	else
		q->source_port &= 0xffff;
	if ((!has_ports(q->protocol) && !icmp) || later)
		q->destination_port = GPC_PORT_NONE;
	else
		q->destination_port &= 0xffff;
	if (q->vlan > GPC_VLAN_NONE)
		q->vlan = GPC_VLAN_NONE;
	q->pad0 = 0;
}

static void say_address(rule_address a, FILE *out)
{
	struct gpc_ip ip;
	char text[GPC_IP_TEXT];

	for (int i = 15; i >= 0; i--, a >>= 8)
		ip.bytes[i] = (uint8_t)a;
	fputs(gpc_ip_format(&ip, text), out);
}

void rule_question_say(const struct gpc_question *q, FILE *out)
{
	fprintf(out, "protocol %u ", q->protocol);
	say_address(rule_question_source(q), out);
	fprintf(out, " port %u -> ", q->source_port);
	say_address(rule_question_destination(q), out);
	fprintf(out, " port %u, vlan %u, flags %#x, dscp %u, fragment %u", q->destination_port, q->vlan,
		q->tcp_flags, q->dscp, q->fragment);
}

/* ---- the answer, one rule after the other ---- */

/* Half of the line to each family; never descends inside of one. */
static uint32_t key_of(rule_address a, bool v4)
{
	return v4 ? (uint32_t)a >> 1 : 1u << 31 | (uint32_t)(a >> 97);
}

static void hull_of(const struct rule_linear *linear, uint32_t index, int side, struct rule_hull *ret)
{
	const struct rule_addresses *s = &linear->set->sets[index];
	uint32_t low = UINT32_MAX, high = 0;

	for (size_t i = s->prefixes; i < s->prefixes + s->prefix_count; i++) {
		bool v4 = linear->set->prefixes[i].v4;
		uint32_t first = key_of(linear->spans[i].first, v4), last = key_of(linear->spans[i].last, v4);

		low = first < low ? first : low;
		high = last > high ? last : high;
	}
	ret->low[side] = s->all || low > high ? 0 : low;
	ret->width[side] = s->all || low > high ? UINT32_MAX : high - low;
}

void rule_linear_init(struct rule_linear *linear, const struct rule_set *set)
{
	*linear = (struct rule_linear){.set = set,
				       .spans = calloc(set->prefix_count + 1, sizeof(*linear->spans)),
				       .hulls = calloc(set->box_count + 1, sizeof(*linear->hulls))};
	if (!linear->spans || !linear->hulls)
		abort();
	for (size_t i = 0; i < set->prefix_count; i++)
		linear->spans[i] = (struct rule_span){rule_prefix_first(&set->prefixes[i]),
						      rule_prefix_last(&set->prefixes[i])};
	for (size_t i = 0; i < set->box_count; i++) {
		hull_of(linear, set->boxes[i].source, 0, &linear->hulls[i]);
		hull_of(linear, set->boxes[i].destination, 1, &linear->hulls[i]);
	}
}

void rule_linear_release(struct rule_linear *linear)
{
	free(linear->spans);
	free(linear->hulls);
}

static bool span_holds(const struct rule_linear *linear, size_t first, size_t count, rule_address a)
{
	bool v4 = rule_is_v4(a);

	for (size_t i = first; i < first + count; i++)
		if (a >= linear->spans[i].first && a <= linear->spans[i].last && linear->set->prefixes[i].v4 == v4)
			return true;
	return false;
}

static bool set_holds(const struct rule_linear *linear, uint32_t index, rule_address a)
{
	const struct rule_addresses *s = &linear->set->sets[index];

	return s->all || (span_holds(linear, s->prefixes, s->prefix_count, a) &&
			  !span_holds(linear, s->except, s->except_count, a));
}

uint32_t rule_linear_first(struct rule_linear *linear, const struct gpc_question *question)
{
	rule_address source = rule_question_source(question);
	rule_address destination = rule_question_destination(question);
	uint32_t source_key = key_of(source, rule_is_v4(source));
	uint32_t destination_key = key_of(destination, rule_is_v4(destination));
	const struct rule_set *set = linear->set;

	for (size_t i = 0; i < set->box_count; i++) {
		const struct rule_hull *hull = &linear->hulls[i];
		const struct rule_box *box = &set->boxes[i];

		if (source_key - hull->low[0] > hull->width[0] || destination_key - hull->low[1] > hull->width[1])
			continue;
		if (set_holds(linear, box->source, source) && set_holds(linear, box->destination, destination) &&
		    rule_service_holds(set, box->service, question))
			return box->position;
	}
	return UINT32_MAX;
}
