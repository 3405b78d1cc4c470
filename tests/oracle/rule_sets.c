/* SPDX-License-Identifier: MIT */
/* Sets of ClassBench's shapes and segment matrices. */
#include "rule_sets.h"

#include <stdlib.h>
#include <string.h>

struct rule_prefix rule_prefix4(uint32_t host, unsigned int length)
{
	struct rule_prefix p = {rule_v4(host), (uint8_t)length, true};

	p.address = rule_prefix_first(&p);
	return p;
}

struct rule_prefix rule_prefix6(uint64_t high, uint64_t low, unsigned int length)
{
	struct rule_prefix p = {rule_v6(high, low), (uint8_t)length, false};

	p.address = rule_prefix_first(&p);
	return p;
}

struct rule_item rule_any_item(void)
{
	return (struct rule_item){0, 255, 0, GPC_PORT_NONE, 0, GPC_PORT_NONE};
}

struct rule_item rule_port_item(uint8_t protocol, uint32_t first, uint32_t last)
{
	return (struct rule_item){protocol, protocol, 0, GPC_PORT_NONE, first, last};
}

rule_address rule_random_inside(struct random_source *r, const struct rule_prefix *p)
{
	rule_address noise = (rule_address)random_u64(r) << 64 | random_u64(r);

	return rule_prefix_first(p) | (noise & (rule_prefix_last(p) ^ rule_prefix_first(p)));
}

/* ---- prefixes: trees as in address plans, popular ones and rare ones ---- */

/* How often each kind of prefix and of service stands in a rule, in percent. */
struct shape {
	unsigned int any_source, any_destination;
	unsigned int host; /* of the prefixes that are single addresses */
	unsigned int any_protocol, udp, icmp, other;
	unsigned int source_port; /* rules that name one */
	unsigned int any_port, exact_port, high_ports;
	unsigned int sources, destinations; /* different prefixes for a hundred rules */
	unsigned int port_specs;
};
static const struct shape shapes[] = {
	[RULE_ACL] = {1, 1, 65, 8, 20, 5, 2, 0, 25, 55, 5, 50, 12, 110},
	[RULE_FW] = {28, 14, 35, 15, 22, 8, 4, 25, 30, 40, 20, 45, 70, 45},
	[RULE_IPC] = {4, 3, 30, 12, 30, 6, 3, 15, 40, 40, 8, 20, 35, 55},
};

#define BLOCKS 24u

/* The v6 form of a v4 prefix: 16 + n bits below 2a00::/8, a host somewhere below its /48. */
static struct rule_prefix to_v6(struct random_source *r, struct rule_prefix p)
{
	static const uint8_t host_lengths[] = {48, 64, 128};
	uint32_t host = (uint32_t)p.address;
	uint64_t high = 0x2a02ull << 48 | (uint64_t)host << 16;

	if (p.length == 0)
		return rule_prefix6(0, 0, 0);
	if (p.length < 32)
		return rule_prefix6(high, 0, 16u + p.length);
	return rule_prefix6(high | random_below(r, 1u << 16), random_u64(r), host_lengths[random_below(r, 3)]);
}

static struct rule_prefix new_prefix4(struct random_source *r, const struct shape *s,
				      const struct rule_prefix *parents, size_t count)
{
	uint32_t host;
	unsigned int length;

	if (count < BLOCKS)
		return rule_prefix4((uint32_t)random_u64(r), (unsigned int)random_between(r, 8, 16));
	const struct rule_prefix *parent = &parents[random_below(r, random_scale(r, BLOCKS, count))];

	host = (uint32_t)rule_random_inside(r, parent);
	if (random_chance(r, s->host))
		length = 32;
	else
		length = (unsigned int)random_between(r, parent->length, parent->length < 24 ? 28 : 32);
	return rule_prefix4(host, length);
}

struct pool {
	uint32_t *sets;
	size_t count;
};

static struct pool prefix_pool(struct rule_set *set, struct random_source *r, const struct shape *s,
			       enum rule_families families, size_t count)
{
	struct rule_prefix *tree = calloc(count, sizeof(*tree));
	struct pool pool = {calloc(count, sizeof(uint32_t)), count};

	if (!tree || !pool.sets)
		abort();
	for (size_t i = 0; i < count; i++) {
		bool v6 = families == RULE_ONLY_V6 || (families == RULE_BOTH && random_chance(r, 50));

		tree[i] = new_prefix4(r, s, tree, i);
		pool.sets[i] = rule_set_add_prefix(set, v6 ? to_v6(r, tree[i]) : tree[i]);
	}
	free(tree);
	return pool;
}

/* Popular ones stand first. */
static uint32_t pick(struct random_source *r, const struct pool *pool)
{
	size_t bound = random_chance(r, 60) ? pool->count : random_scale(r, 1, pool->count);

	return pool->sets[random_below(r, bound)];
}

/* ---- services ---- */

static uint32_t well_known_port(struct random_source *r)
{
	static const uint16_t ports[] = {80,  443, 22,	 25,  53,   123,  161, 389, 445, 1521, 3306, 5432, 8080,
					 993, 995, 6789, 587, 1433, 3389, 111, 514, 179, 2049, 6379, 9092, 8443};

	return random_chance(r, 75) ? ports[random_below(r, sizeof(ports) / sizeof(ports[0]))]
				    : (uint32_t)random_between(r, 1, 9999);
}

struct ports {
	uint32_t first, last;
};
#define PORT_SPECS 128u
struct port_specs {
	struct ports of[PORT_SPECS];
	unsigned int count;
};

static struct ports random_ports(struct random_source *r, const struct shape *s)
{
	uint64_t draw = random_below(r, 100);
	uint32_t port = well_known_port(r);

	if (draw < s->any_port)
		return (struct ports){0, GPC_PORT_NONE};
	if (draw < s->any_port + s->exact_port)
		return (struct ports){port, port};
	if (draw < s->any_port + s->exact_port + s->high_ports)
		return (struct ports){1024, 65535};
	return (struct ports){port, port + (uint32_t)random_scale(r, 1, 2000)};
}

/* A set of ClassBench's has some dozens of different port specs, however many rules it has. */
static void fill_port_specs(struct random_source *r, const struct shape *s, struct port_specs *ret)
{
	ret->count = s->port_specs;
	for (unsigned int i = 0; i < ret->count; i++)
		ret->of[i] = random_ports(r, s);
}

static uint32_t shaped_service(struct rule_set *set, struct random_source *r, const struct shape *s,
			       const struct port_specs *specs)
{
	static const uint8_t others[] = {47, 50, 51, 89, 132};
	struct rule_item item = rule_any_item();
	uint64_t draw = random_below(r, 100);
	struct ports ports = specs->of[random_below(r, specs->count)];
	uint32_t type;

	if (draw < s->any_protocol)
		return rule_set_add_service(set, &item, 1, GPC_MATCH_ANY);
	draw -= s->any_protocol;
	if (draw < s->icmp) {
		type = (uint32_t)random_below(r, 14) << 8;
		item = rule_port_item(random_chance(r, 80) ? 1 : 58, type, type + 255);
		return rule_set_add_service(set, &item, 1, GPC_MATCH_ANY);
	}
	draw -= s->icmp;
	if (draw < s->other) {
		item = rule_port_item(others[random_below(r, sizeof(others))], 0, GPC_PORT_NONE);
		return rule_set_add_service(set, &item, 1, GPC_MATCH_ANY);
	}
	draw -= s->other;
	item = rule_port_item(draw < s->udp ? 17 : 6, ports.first, ports.last);
	if (random_chance(r, s->source_port)) {
		ports = specs->of[random_below(r, specs->count / 3)];
		item.source_first = ports.first;
		item.source_last = ports.last;
	}
	return rule_set_add_service(set, &item, 1, GPC_MATCH_ANY);
}

/* What the rules of one shape are drawn from. */
struct stock {
	const struct shape *shape;
	struct pool sources, destinations;
	struct port_specs ports;
};

static void fill_stock(struct rule_set *set, struct random_source *r, struct stock *stock, const struct shape *shape,
		       enum rule_families families, size_t rules)
{
	stock->shape = shape;
	stock->sources = prefix_pool(set, r, shape, families, BLOCKS + rules * shape->sources / 100);
	stock->destinations = prefix_pool(set, r, shape, families, BLOCKS + rules * shape->destinations / 100);
	fill_port_specs(r, shape, &stock->ports);
}

static void add_shaped_rule(struct rule_set *set, struct random_source *r, const struct stock *stock)
{
	const struct shape *s = stock->shape;
	uint32_t source = RULE_SET_ANYWHERE, destination = RULE_SET_ANYWHERE;

	if (!random_chance(r, s->any_source))
		source = pick(r, &stock->sources);
	if (source == RULE_SET_ANYWHERE || !random_chance(r, s->any_destination))
		destination = pick(r, &stock->destinations);
	rule_set_add_rule(set, source, destination, shaped_service(set, r, s, &stock->ports));
}

void rule_sets_shaped(struct rule_set *ret, const char *name, enum rule_shape shape, enum rule_families families,
		      uint32_t rules, uint64_t seed)
{
	struct random_source r = {seed};
	struct stock stocks[RULE_GEN] = {0};

	rule_set_init(ret, name);
	for (unsigned int i = 0; i < RULE_GEN; i++)
		if (shape == RULE_GEN || shape == i)
			fill_stock(ret, &r, &stocks[i], &shapes[i], families, rules / (shape == RULE_GEN ? 2 : 1));
	/* gen: an access list for the most part, the rest between hosts */
	for (uint32_t i = 0; i < rules; i++)
		add_shaped_rule(ret, &r,
				&stocks[shape != RULE_GEN ? shape : random_chance(&r, 80) ? RULE_ACL : RULE_IPC]);
	for (unsigned int i = 0; i < RULE_GEN; i++) {
		free(stocks[i].sources.sets);
		free(stocks[i].destinations.sets);
	}
}

/* ---- segments ---- */

#define SEGMENTS 500u
#define SEGMENT_SERVICES 60u

/* /24s of their own in 10.0.0.0/8 and 2a02:a00::/24, or parts of them; few overlap. */
static uint32_t add_segment(struct rule_set *set, struct random_source *r, enum rule_families families, uint32_t n)
{
	struct rule_prefix prefixes[16];
	size_t count = 0;

	for (uint64_t more = random_between(r, 1, 8); more > 0; more--) {
		uint32_t host = 0x0a000000u | (n * 16 + (uint32_t)random_below(r, 16)) << 8;
		struct rule_prefix p = rule_prefix4(random_chance(r, 4) ? 0x0a000000u | (uint32_t)random_u64(r) : host,
						    random_chance(r, 20) ? 32 : (unsigned int)random_between(r, 23, 28));

		if (families != RULE_ONLY_V6)
			prefixes[count++] = p;
		if (families != RULE_ONLY_V4)
			prefixes[count++] = to_v6(r, p);
	}
	return rule_set_add_addresses(set, prefixes, count, NULL, 0);
}

static uint32_t add_segment_service(struct rule_set *set, struct random_source *r)
{
	struct rule_item items[3];
	size_t count = random_scale(r, 1, 3);

	for (size_t i = 0; i < count; i++) {
		uint32_t port = well_known_port(r);
		uint32_t last = random_chance(r, 15) ? port + (uint32_t)random_scale(r, 1, 100) : port;

		items[i] = rule_port_item(random_chance(r, 80) ? 6 : 17, port, last);
	}
	return rule_set_add_service(set, items, count, GPC_MATCH_ANY);
}

void rule_sets_segments(struct rule_set *ret, const char *name, enum rule_families families, uint32_t rules,
			uint64_t seed)
{
	struct random_source r = {seed};
	uint32_t segments[SEGMENTS], services[SEGMENT_SERVICES];

	rule_set_init(ret, name);
	for (uint32_t i = 0; i < SEGMENTS; i++)
		segments[i] = add_segment(ret, &r, families, i);
	for (uint32_t i = 0; i < SEGMENT_SERVICES; i++)
		services[i] = add_segment_service(ret, &r);
	for (uint32_t i = 0; i < rules; i++)
		rule_set_add_rule(ret, segments[random_below(&r, SEGMENTS)], segments[random_below(&r, SEGMENTS)],
				  services[random_below(&r, SEGMENT_SERVICES)]);
}
