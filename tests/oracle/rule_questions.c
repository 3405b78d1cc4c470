/* SPDX-License-Identifier: MIT */
#include "rule_questions.h"

void rule_questions_init(struct rule_questions *questions, const struct rule_set *set, uint64_t seed)
{
	*questions = (struct rule_questions){set, {seed}, 0};
}

/* ---- addresses ---- */

static rule_address random_address(struct random_source *r, bool v4)
{
	return v4 ? rule_v4((uint32_t)random_u64(r)) : rule_v6(random_u64(r), random_u64(r));
}

/* One of the set's prefixes of the family, exceptions too; false if it has none (that was found). */
static bool some_prefix(struct rule_questions *q, uint32_t index, bool v4, struct rule_prefix *ret)
{
	const struct rule_addresses *s = &q->set->sets[index];
	size_t count = s->prefix_count + s->except_count;

	for (int tries = 0; count && tries < 8; tries++) {
		*ret = q->set->prefixes[s->prefixes + random_below(&q->random, count)];
		if (ret->v4 == v4)
			return true;
	}
	return false;
}

static rule_address corner(struct rule_questions *q, uint32_t index, bool v4)
{
	struct rule_prefix p;
	rule_address a;

	if (!some_prefix(q, index, v4, &p))
		return random_address(&q->random, v4);
	switch (random_below(&q->random, 5)) {
	case 0:
		a = rule_prefix_first(&p);
		break;
	case 1:
		a = rule_prefix_last(&p);
		break;
	case 2:
		a = rule_prefix_first(&p) - 1;
		break;
	case 3:
		a = rule_prefix_last(&p) + 1;
		break;
	default:
		a = rule_random_inside(&q->random, &p);
	}
	return rule_is_v4(a) == v4 ? a : rule_prefix_first(&p);
}

static rule_address inside(struct rule_questions *q, uint32_t index, bool v4)
{
	struct rule_prefix p;

	for (int tries = 0; tries < 4; tries++)
		if (some_prefix(q, index, v4, &p)) {
			rule_address a = rule_random_inside(&q->random, &p);

			if (rule_is_v4(a) == v4 && rule_addresses_hold(q->set, index, a))
				return a;
		}
	return random_address(&q->random, v4);
}

/* ---- the rest ---- */

static uint32_t near_range(struct random_source *r, uint32_t first, uint32_t last)
{
	switch (random_below(r, 5)) {
	case 0:
		return first;
	case 1:
		return last;
	case 2:
		return first ? first - 1 : 0;
	case 3:
		return last + 1;
	default:
		return (uint32_t)random_between(r, first, last);
	}
}

static uint16_t random_vlan(struct random_source *r)
{
	return random_chance(r, 70) ? GPC_VLAN_NONE : (uint16_t)random_below(r, 4);
}

static void random_rest(struct random_source *r, struct gpc_question *ret)
{
	static const uint8_t protocols[] = {6, 6, 6, 17, 17, 1, 58, 132, 47, 50};

	ret->protocol = random_chance(r, 95) ? protocols[random_below(r, sizeof(protocols))] : (uint8_t)random_u64(r);
	ret->source_port = (uint32_t)random_below(r, 65536);
	ret->destination_port = (uint32_t)(random_chance(r, 50) ? random_below(r, 65536) : random_below(r, 12));
	ret->tcp_flags = random_chance(r, 60) ? GPC_ASK_SYN : (uint8_t)random_below(r, 16);
	ret->dscp = random_chance(r, 80) ? 0 : (uint8_t)random_below(r, 64);
	ret->vlan = random_vlan(r);
	ret->fragment = random_chance(r, 92) ? GPC_FRAGMENT_NONE : (uint8_t)random_below(r, 3);
}

static unsigned int a_bit_of(struct random_source *r, uint64_t bits)
{
	unsigned int bit;

	do
		bit = (unsigned int)random_below(r, 64);
	while (!(bits >> bit & 1));
	return bit;
}

/* What `match` asks for, or the neighbour of it. */
static void near_match(struct random_source *r, const struct gpc_match *match, struct gpc_question *ret)
{
	if (match->dscp && match->dscp != UINT64_MAX && random_chance(r, 80))
		ret->dscp = (uint8_t)(a_bit_of(r, match->dscp) + random_chance(r, 20)) & 63;
	if (match->tcp_flags && match->tcp_flags != 0xffff && random_chance(r, 80))
		ret->tcp_flags = (uint8_t)(a_bit_of(r, match->tcp_flags) ^ random_chance(r, 20));
	if (match->vlan != GPC_VLAN_ANY && random_chance(r, 80))
		ret->vlan = (uint16_t)(match->vlan + random_chance(r, 10));
	if (match->fragments && match->fragments != 7 && random_chance(r, 80))
		ret->fragment = (uint8_t)a_bit_of(r, match->fragments & 7);
}

/* A packet at the ends of a box (`loose`) or inside it. */
static void at_box(struct rule_questions *q, const struct rule_box *box, bool loose, struct gpc_question *ret)
{
	struct random_source *r = &q->random;
	const struct rule_set *set = q->set;
	const struct rule_service *service = &set->services[box->service];
	const struct rule_item *item = &set->items[service->items + random_below(r, service->item_count)];
	struct rule_prefix p;
	bool v4 = random_chance(r, 60);

	if (!some_prefix(q, box->source, v4, &p) && some_prefix(q, box->source, !v4, &p))
		v4 = !v4;
	else if (set->sets[box->source].all && !some_prefix(q, box->destination, v4, &p) &&
		 some_prefix(q, box->destination, !v4, &p))
		v4 = !v4;
	if (loose)
		rule_question_between(ret, corner(q, box->source, v4), corner(q, box->destination, v4));
	else
		rule_question_between(ret, inside(q, box->source, v4), inside(q, box->destination, v4));
	if (loose) {
		ret->protocol = (uint8_t)near_range(r, item->protocol_first, item->protocol_last);
		ret->source_port = near_range(r, item->source_first, item->source_last);
		ret->destination_port = near_range(r, item->destination_first, item->destination_last);
	} else {
		ret->protocol = (uint8_t)random_between(r, item->protocol_first, item->protocol_last);
		ret->source_port = (uint32_t)random_between(r, item->source_first, item->source_last);
		ret->destination_port = (uint32_t)random_between(r, item->destination_first, item->destination_last);
		if (item->protocol_first != item->protocol_last && random_chance(r, 80))
			ret->protocol = random_chance(r, 60) ? 6 : 17;
	}
	near_match(r, &service->match, ret);
}

static const struct rule_box *some_box(struct rule_questions *q)
{
	return &q->set->boxes[random_below(&q->random, q->set->box_count)];
}

static bool next_of_trace(struct rule_questions *q, struct gpc_question *ret)
{
	if (!q->set->header_count)
		return false;
	*ret = q->set->headers[q->next_header++ % q->set->header_count];
	return true;
}

void rule_questions_next(struct rule_questions *q, struct gpc_question *ret)
{
	struct random_source *r = &q->random;
	uint64_t draw = random_below(r, 100);
	bool v4 = random_chance(r, 50);

	*ret = (struct gpc_question){0};
	random_rest(r, ret);
	if (draw < 15 || !q->set->box_count) {
		rule_question_between(ret, random_address(r, v4), random_address(r, v4));
	} else if (draw < 35) {
		/* the source of one rule, the destination of another */
		rule_question_between(ret, corner(q, some_box(q)->source, v4), corner(q, some_box(q)->destination, v4));
	} else if (draw < 65) {
		at_box(q, some_box(q), true, ret);
	} else if (draw < 85 || !next_of_trace(q, ret)) {
		at_box(q, some_box(q), false, ret);
	}
	rule_question_settle(ret);
}

void rule_questions_next_header(struct rule_questions *q, struct gpc_question *ret)
{
	*ret = (struct gpc_question){.vlan = GPC_VLAN_NONE, .tcp_flags = GPC_ASK_SYN};
	if (!next_of_trace(q, ret))
		at_box(q, some_box(q), false, ret);
	rule_question_settle(ret);
}
