/* SPDX-License-Identifier: MIT */
/* Adversarial sets: what no person writes, and what a clever structure gets wrong. */
#include "rule_sets.h"

#include <stdlib.h>
#include <string.h>

static struct rule_prefix ten(struct random_source *r, unsigned int low, unsigned int high)
{
	return rule_prefix4(0x0a000000u | (uint32_t)random_below(r, 1u << 24), (unsigned int)random_between(r, low, high));
}

static uint32_t one_item(struct rule_set *set, struct rule_item item)
{
	return rule_set_add_service(set, &item, 1, GPC_MATCH_ANY);
}

static struct rule_item random_range_item(struct random_source *r, uint8_t protocol)
{
	struct rule_item item = {.protocol_first = protocol, .protocol_last = protocol};

	item.source_first = (uint32_t)random_below(r, 65536);
	item.source_last = (uint32_t)random_between(r, item.source_first, 65535);
	item.destination_first = (uint32_t)random_below(r, 65536);
	item.destination_last = (uint32_t)random_between(r, item.destination_first, 65535);
	return item;
}

/* Every rule has a range of destination ports, a third of them one of source ports too. */
static void ranges(struct rule_set *set, struct random_source *r)
{
	uint32_t ends[8];

	for (int i = 0; i < 8; i++)
		ends[i] = rule_set_add_prefix(set, ten(r, 8, 24));
	for (int i = 0; i < 600; i++) {
		uint32_t source = ends[random_below(r, 8)], destination = ends[random_below(r, 8)];
		struct rule_item item = random_range_item(r, random_chance(r, 50) ? 6 : 17);

		if (i % 3) {
			item.source_first = 0;
			item.source_last = GPC_PORT_NONE;
		}
		rule_set_add_rule(set, source, destination, one_item(set, item));
	}
}

/* No rule names an address; the last ones cannot be reached. */
static void wildcards(struct rule_set *set, struct random_source *r)
{
	for (uint32_t i = 0; i < 300; i++) {
		uint32_t port = (uint32_t)random_below(r, 65536);
		uint8_t protocol = (uint8_t)(random_chance(r, 50) ? 6 : 17);

		rule_set_add_rule(set, RULE_SET_ANYWHERE, RULE_SET_ANYWHERE,
				  one_item(set, rule_port_item(protocol, port, random_chance(r, 20) ? 65535 : port)));
	}
	for (int i = 0; i < 3; i++)
		rule_set_add_rule(set, RULE_SET_ANYWHERE, RULE_SET_ANYWHERE, one_item(set, rule_any_item()));
}

static void nested_of(struct rule_set *set, struct random_source *r, uint32_t rules, bool ranged)
{
	for (uint32_t i = 0; i < rules; i++) {
		uint32_t source = rule_set_add_prefix(set, ten(r, 8, 24));
		uint32_t destination = rule_set_add_prefix(set, ten(r, 8, 24));
		uint32_t port = 1u + (uint32_t)random_below(r, 100);

		rule_set_add_rule(set, source, destination,
				  one_item(set, ranged ? random_range_item(r, 6) : rule_port_item(6, port, port)));
	}
}

static void nested(struct rule_set *set, struct random_source *r)
{
	nested_of(set, r, 1500, false);
}

static void nested_ranges(struct rule_set *set, struct random_source *r)
{
	nested_of(set, r, 500, true);
}

/* One line of prefixes from /0 to /32 and to /128, each by itself a rule and each the other's exception. */
static void chain(struct rule_set *set, struct random_source *r)
{
	uint32_t host = (uint32_t)random_u64(r);
	uint64_t high = 0x2a02ull << 48 | random_below(r, 1ull << 48), low = random_u64(r);

	for (unsigned int i = 128; i > 0; i--) {
		struct rule_prefix six = rule_prefix6(high, low, i), wider6 = rule_prefix6(high, low, i - 1);
		struct rule_prefix four = rule_prefix4(host, i & 31), wider4 = rule_prefix4(host, (i & 31) / 2);
		uint32_t ends[4] = {rule_set_add_prefix(set, six), rule_set_add_prefix(set, four),
				    rule_set_add_addresses(set, &wider6, 1, &six, 1),
				    rule_set_add_addresses(set, &wider4, 1, &four, 1)};
		uint32_t port = i % 7 * 1000;

		for (int k = 0; k < 3; k++)
			rule_set_add_rule(set, ends[random_below(r, 4)],
					  random_chance(r, 20) ? RULE_SET_ANYWHERE : ends[random_below(r, 4)],
					  one_item(set, rule_port_item(6, port, port + i)));
	}
}

/* Around the block where v4 lies on the line, around both ends of it, and empty sets. */
static void borders(struct rule_set *set, struct random_source *r)
{
	struct rule_prefix edges[] = {
		rule_prefix4(0, 0), rule_prefix4(0, 32), rule_prefix4(0xffffffffu, 32), rule_prefix4(0, 1),
		rule_prefix4(0x80000000u, 1), rule_prefix6(0, 0, 0), rule_prefix6(0, 0, 1), rule_prefix6(0, 0, 64),
		rule_prefix6(0, 0, 80), rule_prefix6(0, 0, 128), rule_prefix6(~0ull, ~0ull, 128),
		rule_prefix6(~0ull, 0, 64), rule_prefix6(1ull << 63, 0, 1), rule_prefix6(0, 0xfffeull << 32, 96),
		rule_prefix6(0, 1ull << 48, 80), rule_prefix6(0, 1ull << 48, 128), rule_prefix6(0, 0xfffeffffffffull, 128),
		rule_prefix6(0, 0xffff0000ull << 16, 95), rule_prefix6(0x20010db8ull << 32, 0, 32),
	};
	enum { EDGES = sizeof(edges) / sizeof(edges[0]) };
	uint32_t ends[EDGES + 4];

	for (int i = 0; i < EDGES; i++)
		ends[i] = rule_set_add_prefix(set, edges[i]);
	ends[EDGES] = RULE_SET_ANYWHERE;
	ends[EDGES + 1] = rule_set_add_addresses(set, &edges[1], 1, &edges[0], 1);
	ends[EDGES + 2] = rule_set_add_addresses(set, &edges[5], 1, &edges[7], 2);
	ends[EDGES + 3] = rule_set_add_addresses(set, edges, EDGES, edges + 8, 3);
	for (int i = 0; i < 400; i++) {
		uint32_t port = (uint32_t)random_below(r, 8);
		struct rule_item item = random_chance(r, 5) ? rule_any_item() : rule_port_item(17, port, port);

		rule_set_add_rule(set, ends[random_below(r, EDGES + 4)], ends[random_below(r, EDGES + 4)],
				  one_item(set, item));
	}
}

/* Ports 0 and 65535, the packets without ports, every protocol number at its ends. */
static void ports(struct rule_set *set, struct random_source *r)
{
	static const struct {
		uint32_t first, last;
	} spans[] = {{0, 0},	       {65535, 65535},	   {0, 65535}, {0, 65536},   {65535, 65536}, {65536, 65536},
		     {1, 65534},       {1, 65535},	   {0, 1},     {32767, 32768}, {255, 256},   {65280, 65535},
		     {0, 255},	       {8 << 8, 8 << 8 | 255}, {3 << 8 | 4, 3 << 8 | 4}};
	static const uint8_t protocols[] = {0, 1, 6, 17, 58, 132, 255, 47};
	uint32_t ends[6];

	for (int i = 0; i < 5; i++)
		ends[i] = rule_set_add_prefix(set, ten(r, 8, 16));
	ends[5] = RULE_SET_ANYWHERE;
	for (int i = 0; i < 400; i++) {
		size_t a = random_below(r, 15), b = random_below(r, 15);
		uint8_t low = protocols[random_below(r, 8)], high = protocols[random_below(r, 8)];
		struct rule_item item = {low < high ? low : high, low < high ? high : low, 0, 65536, 0, 65536};

		if (random_chance(r, 70))
			item.protocol_last = item.protocol_first;
		if (random_chance(r, 60))
			item.source_first = spans[a].first, item.source_last = spans[a].last;
		if (random_chance(r, 80))
			item.destination_first = spans[b].first, item.destination_last = spans[b].last;
		rule_set_add_rule(set, ends[random_below(r, 6)], ends[random_below(r, 6)], one_item(set, item));
	}
}

/* 3 kinds of flags, 2 of VLANs, 2 of DSCPs and 2 of fragments: 24 classes of `match`, of 32 allowed. */
static void matches(struct rule_set *set, struct random_source *r)
{
	static const struct gpc_match kinds[] = {
		{UINT64_MAX, 0x2222, GPC_VLAN_ANY, 7},		    /* syn without ack, whatever fin and rst are */
		{UINT64_MAX, 1u << GPC_ASK_ACK, GPC_VLAN_ANY, 7},   /* a list: exactly these */
		{UINT64_MAX, 0xffff, 100, 7},
		{1ull << 46, 0xffff, GPC_VLAN_ANY, 7},
		{UINT64_MAX, 0xffff, GPC_VLAN_ANY, 1u << GPC_FRAGMENT_LATER},
	};
	uint32_t ends[12];

	for (int i = 0; i < 11; i++)
		ends[i] = rule_set_add_prefix(set, ten(r, 8, 28));
	ends[11] = RULE_SET_ANYWHERE;
	for (int i = 0; i < 300; i++) {
		size_t kind = random_below(r, 10);
		struct gpc_match match = kind < 4 ? kinds[kind] : GPC_MATCH_ANY;
		uint32_t port = (uint32_t)random_below(r, 6);
		struct rule_item item = random_chance(r, 70) ? rule_port_item(6, port, port) : rule_any_item();

		if (match.tcp_flags != 0xffff)
			item.protocol_first = item.protocol_last = 6;
		if (kind == 4) {
			match = kinds[4];
			item = rule_any_item();
		}
		rule_set_add_rule(set, ends[random_below(r, 12)], ends[random_below(r, 12)],
				  rule_set_add_service(set, &item, 1, match));
	}
}

/* Equal rules, rules for everybody between others, rules of several boxes. */
static void twins(struct rule_set *set, struct random_source *r)
{
	uint32_t ends[40], services[12];

	for (int i = 0; i < 40; i++) {
		struct rule_prefix pair[2] = {ten(r, 12, 32), ten(r, 12, 32)};

		ends[i] = rule_set_add_addresses(set, pair, 2, NULL, 0);
	}
	for (int i = 0; i < 12; i++) {
		uint32_t port = (uint32_t)random_below(r, 1000);

		services[i] = one_item(set, rule_port_item(17, port, port + (uint32_t)random_below(r, 50)));
	}
	for (int i = 0; i < 1200; i++) {
		uint32_t source = ends[random_below(r, 40)], destination = ends[random_below(r, 40)];
		uint32_t service = services[random_below(r, 12)];

		if (i % 400 == 399)
			source = destination = RULE_SET_ANYWHERE;
		if (i == 900)
			service = one_item(set, rule_any_item());
		for (uint64_t again = random_scale(r, 1, 4); again > 0; again--)
			rule_set_add_rule(set, source, destination, service);
		for (uint64_t more = random_chance(r, 20) ? random_below(r, 4) : 0; more > 0; more--)
			rule_set_add_box(set, ends[random_below(r, 40)], destination, services[random_below(r, 12)]);
	}
}

/* One pair of addresses, ten thousand ports. */
static void many_ports(struct rule_set *set, struct random_source *r)
{
	uint32_t ends[30];

	for (int i = 0; i < 30; i++)
		ends[i] = rule_set_add_prefix(set, rule_prefix4(0x0a000000u | (uint32_t)i << 16, 16));
	for (uint32_t i = 0; i < 10000; i++)
		rule_set_add_rule(set, ends[random_below(r, 30)], ends[random_below(r, 30)],
				  one_item(set, rule_port_item(6, i * 6, i * 6)));
}

static void nothing(struct rule_set *set, struct random_source *r)
{
	(void)set;
	(void)r;
}

static void one(struct rule_set *set, struct random_source *r)
{
	uint32_t end = rule_set_add_prefix(set, ten(r, 24, 24));

	rule_set_add_rule(set, end, RULE_SET_ANYWHERE, one_item(set, rule_port_item(6, 22, 22)));
}

static const struct {
	const char *name;
	void (*make)(struct rule_set *set, struct random_source *r);
} makers[] = {
	{"ranges", ranges}, {"wildcards", wildcards}, {"nested", nested},	  {"nested_ranges", nested_ranges},
	{"chain", chain},   {"borders", borders},     {"ports", ports},		  {"matches", matches},
	{"twins", twins},   {"many_ports", many_ports}, {"nothing", nothing}, {"one", one},
};
enum { MAKERS = sizeof(makers) / sizeof(makers[0]) };

const char *const rule_sets_odd_names[] = {"ranges",  "wildcards", "nested", "nested_ranges", "chain",
					   "borders", "ports",	   "matches", "twins",	      "many_ports",
					   "nothing", "one",	   NULL};
_Static_assert(sizeof(rule_sets_odd_names) / sizeof(rule_sets_odd_names[0]) == MAKERS + 1, "a name for each");

void rule_sets_odd(struct rule_set *ret, const char *name, uint64_t seed)
{
	struct random_source r = {seed};

	for (size_t i = 0; i < MAKERS; i++)
		if (strcmp(makers[i].name, name) == 0) {
			rule_set_init(ret, name);
			makers[i].make(ret, &r);
			return;
		}
	abort();
}

/* ---- tiny ones ---- */

static struct rule_prefix tiny_prefix(struct random_source *r)
{
	/* few different bits, so that prefixes meet */
	if (random_chance(r, 60))
		return rule_prefix4(0x0a000000u | (uint32_t)random_below(r, 4) << 22 | (uint32_t)random_below(r, 4),
				    (unsigned int)random_below(r, 33));
	return rule_prefix6(random_chance(r, 20) ? 0 : 0x20010db8ull << 32 | random_below(r, 4) << 15,
			    random_chance(r, 50) ? 0 : random_below(r, 4), (unsigned int)random_below(r, 129));
}

static uint32_t tiny_end(struct rule_set *set, struct random_source *r)
{
	struct rule_prefix prefixes[6];
	size_t held = random_between(r, 1, 3), except = random_chance(r, 30) ? random_between(r, 1, 3) : 0;

	if (random_chance(r, 15))
		return RULE_SET_ANYWHERE;
	for (size_t i = 0; i < 6; i++)
		prefixes[i] = tiny_prefix(r);
	return rule_set_add_addresses(set, prefixes, held, prefixes + 3, except);
}

static struct rule_item tiny_item(struct random_source *r)
{
	static const uint8_t protocols[] = {6, 6, 17, 1, 58, 132, 47, 0, 255};
	struct rule_item item = rule_any_item();

	if (random_chance(r, 90))
		item.protocol_first = item.protocol_last = protocols[random_below(r, sizeof(protocols))];
	if (random_chance(r, 60)) {
		item.destination_first = (uint32_t)random_below(r, 4);
		item.destination_last = item.destination_first + (uint32_t)random_below(r, 3);
	}
	if (random_chance(r, 20)) {
		item.source_first = (uint32_t)random_between(r, 65530, 65536);
		item.source_last = (uint32_t)random_between(r, item.source_first, 65536);
	}
	return item;
}

static struct gpc_match tiny_match(struct random_source *r)
{
	struct gpc_match match = GPC_MATCH_ANY;

	switch (random_below(r, 4)) {
	case 0:
		match.dscp = 1ull << random_below(r, 64);
		break;
	case 1:
		match.tcp_flags = (uint16_t)(random_u64(r) & 0xfffe);
		break;
	case 2:
		match.vlan = random_chance(r, 50) ? GPC_VLAN_NONE : (uint16_t)random_between(r, 1, 3);
		break;
	default:
		match.fragments = (uint8_t)random_between(r, 1, 6);
	}
	return match;
}

void rule_sets_tiny(struct rule_set *ret, uint64_t seed)
{
	struct random_source r = {seed};
	struct gpc_match matches_used[4];
	uint32_t services[8];
	char name[48];

	snprintf(name, sizeof(name), "tiny-%llu", (unsigned long long)seed);
	rule_set_init(ret, name);
	for (int i = 0; i < 4; i++) /* four: at most 16 classes */
		matches_used[i] = tiny_match(&r);
	for (int i = 0; i < 8; i++) {
		struct rule_item items[3] = {tiny_item(&r), tiny_item(&r), tiny_item(&r)};
		struct gpc_match match =
			random_chance(&r, 40) ? matches_used[random_below(&r, 4)] : (struct gpc_match)GPC_MATCH_ANY;

		for (int k = 0; k < 3 && match.tcp_flags != 0xffff; k++)
			items[k].protocol_first = items[k].protocol_last = 6;
		services[i] = rule_set_add_service(ret, items, random_between(&r, 1, 3), match);
	}
	for (uint64_t n = random_scale(&r, 1, 60); n > 0; n--) {
		rule_set_add_rule(ret, tiny_end(ret, &r), tiny_end(ret, &r), services[random_below(&r, 8)]);
		if (random_chance(&r, 10))
			rule_set_add_box(ret, tiny_end(ret, &r), tiny_end(ret, &r), services[random_below(&r, 8)]);
	}
}
