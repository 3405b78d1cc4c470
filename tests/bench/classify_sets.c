/* SPDX-License-Identifier: MIT */
#include "classify_sets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

const char *const classify_set_names[] = {"acl1_1000", "fw1_1000",   "ipc1_1000",  "acl1_10000",  "fw1_10000",
					  "ipc1_10000", "seg_5000",   "seg_50000",  "gen_100000", "seg6_5000",
					  "gen6_1000",  "gen6_10000", "gen6_100000", "mix_100000",  NULL};

bool classify_set(struct rule_set *ret, const char *name)
{
	const char *count = strchr(name, '_');
	uint32_t rules = count ? (uint32_t)strtoul(count + 1, NULL, 10) : 0;
	enum rule_families families = count && count[-1] == '6' ? RULE_ONLY_V6 : RULE_ONLY_V4;

	if (strncmp(name, "seg", 3) == 0) {
		rule_sets_segments(ret, name, families, rules, 1);
		return true;
	}
	if (strncmp(name, "gen", 3) == 0 || strncmp(name, "mix", 3) == 0) {
		rule_sets_shaped(ret, name, *name == 'g' ? RULE_ACL : RULE_GEN, families, rules, 1);
		return true;
	}
	if (rule_sets_classbench(ret, name))
		return true;
	fprintf(stderr, "classify: no ClassBench set %s in %s (GPC_CLASSBENCH names the folder): left out\n", name,
		rule_sets_classbench_folder());
	return false;
}

/* ---- gpc ---- */

#define PART 25000u /* rules of one file */

static bool write_part(const struct rule_set *set, const struct rule_yaml *how, size_t part, const char *folder)
{
	char path[512];
	FILE *out;

	if (part)
		snprintf(path, sizeof(path), "%s/rules-%zu.yaml", folder, part);
	else
		snprintf(path, sizeof(path), "%s/gpc.yaml", folder);
	out = fopen(path, "we");
	if (!out)
		return false;
	if (part) {
		fputs("apiVersion: gpc/v1\nkind: Plane\nrules:\n", out);
		rule_yaml_write_rules(set, how, (part - 1) * PART, PART, out);
	} else {
		rule_yaml_write(set, how, out);
		fputs("include: [\"rules-*.yaml\"]\n", out);
	}
	return fclose(out) == 0;
}

bool classify_write_plane(const struct rule_set *set, const struct rule_yaml *how, const char *folder)
{
	struct rule_yaml apart = *how;
	bool ok = true;

	apart.rules_elsewhere = true;
	for (size_t part = 0; ok && part <= (set->box_count + PART - 1) / PART; part++)
		ok = write_part(set, &apart, part, folder);
	return ok;
}

/* ---- nftables ---- */

static void write_address(rule_address a, FILE *out)
{
	bool v4 = rule_is_v4(a);
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];

	for (int i = 15; i >= 0; i--, a >>= 8)
		bytes[i] = (uint8_t)a;
	fputs(inet_ntop(v4 ? AF_INET : AF_INET6, bytes + (v4 ? 12 : 0), text, sizeof(text)), out);
}

static bool set_is_v4(const struct rule_set *set)
{
	for (size_t i = 0; i < set->prefix_count; i++)
		if (set->prefixes[i].length)
			return set->prefixes[i].v4;
	return true;
}

static void write_prefix(const struct rule_prefix *p, FILE *out)
{
	write_address(p->address, out);
	fprintf(out, "/%u", p->length);
}

/* A segment of several prefixes is a named set. */
static void write_segments(const struct rule_set *set, FILE *out)
{
	for (size_t i = 0; i < set->set_count; i++) {
		const struct rule_addresses *s = &set->sets[i];

		if (s->prefix_count < 2)
			continue;
		fprintf(out, "set s%zu {\ntype %s\nflags interval\nauto-merge\nelements = {", i,
			set_is_v4(set) ? "ipv4_addr" : "ipv6_addr");
		for (size_t k = 0; k < s->prefix_count; k++) {
			fputs(k ? ", " : " ", out);
			write_prefix(&set->prefixes[s->prefixes + k], out);
		}
		fputs(" }\n}\n", out);
	}
}

static void write_end(const struct rule_set *set, const char *word, uint32_t index, FILE *out)
{
	const struct rule_addresses *s = &set->sets[index];
	const char *family = set_is_v4(set) ? "ip" : "ip6";

	if (s->all || set->prefixes[s->prefixes].length == 0)
		return;
	fprintf(out, " %s %s ", family, word);
	if (s->prefix_count > 1)
		fprintf(out, "@s%u", index);
	else
		write_prefix(&set->prefixes[s->prefixes], out);
}

static void write_rule(const struct rule_set *set, const struct rule_box *box, const struct rule_item *item, FILE *out)
{
	write_end(set, "saddr", box->source, out);
	write_end(set, "daddr", box->destination, out);
	if (item->protocol_first == item->protocol_last)
		fprintf(out, " meta l4proto %u", item->protocol_first);
	if (item->destination_last != GPC_PORT_NONE)
		fprintf(out, " th dport %u-%u", item->destination_first, item->destination_last);
	fputs(" accept\n", out);
}

static bool has_ports(const struct rule_item *item)
{
	return item->destination_last == GPC_PORT_NONE ||
	       (item->protocol_first == item->protocol_last && item->protocol_first != 1 && item->protocol_first != 58);
}

static void write_chain_head(const char *device, FILE *out)
{
	if (device)
		fprintf(out, "chain c {\ntype filter hook ingress device %s priority 0; policy accept;\n", device);
	else
		fputs("chain c {\ntype filter hook input priority 0; policy accept;\n", out);
}

void classify_nft_linear(const struct rule_set *set, const char *device, FILE *out)
{
	fprintf(out, "table %s bench {\n", device ? "netdev" : "inet");
	write_segments(set, out);
	write_chain_head(device, out);
	for (size_t i = 0; i < set->box_count; i++) {
		const struct rule_service *service = &set->services[set->boxes[i].service];

		for (size_t k = 0; k < service->item_count; k++)
			if (has_ports(&set->items[service->items + k]))
				write_rule(set, &set->boxes[i], &set->items[service->items + k], out);
	}
	fputs("}\n}\n", out);
}

/* ---- a set of concatenated intervals ---- */

struct element {
	rule_address first[2], last[2];
	uint32_t protocol_first, protocol_last, port_first, port_last;
};

static bool overlap(const struct element *a, const struct element *b)
{
	return a->first[0] <= b->last[0] && b->first[0] <= a->last[0] && a->first[1] <= b->last[1] &&
	       b->first[1] <= a->last[1] && a->protocol_first <= b->protocol_last &&
	       b->protocol_first <= a->protocol_last && a->port_first <= b->port_last && b->port_first <= a->port_last;
}

static void one_side(const struct rule_set *set, uint32_t index, size_t which, int side, struct element *e)
{
	const struct rule_addresses *s = &set->sets[index];
	const struct rule_prefix all = set_is_v4(set) ? rule_prefix4(0, 0) : rule_prefix6(0, 0, 0);
	const struct rule_prefix *p = s->all ? &all : &set->prefixes[s->prefixes + which];

	e->first[side] = rule_prefix_first(p);
	e->last[side] = rule_prefix_last(p);
}

static size_t prefixes_of(const struct rule_set *set, uint32_t index)
{
	return set->sets[index].all ? 1 : set->sets[index].prefix_count;
}

struct elements {
	struct element *of;
	size_t count;
};

static bool add_element(struct elements *elements, size_t before, const struct element *e)
{
	if (elements->count == CLASSIFY_NFT_ELEMENTS)
		return false;
	for (size_t i = 0; i < before; i++)
		if (overlap(&elements->of[i], e))
			return false;
	for (size_t i = before; i < elements->count; i++) /* of this rule: its own prefixes may overlap */
		if (overlap(&elements->of[i], e))
			return true;
	elements->of[elements->count++] = *e;
	return true;
}

/* All elements of the rule, or none. */
static bool add_rule(const struct rule_set *set, const struct rule_box *box, struct elements *elements)
{
	const struct rule_service *service = &set->services[box->service];
	size_t before = elements->count;
	bool ok = true;

	for (size_t k = 0; ok && k < service->item_count; k++) {
		const struct rule_item *item = &set->items[service->items + k];
		uint32_t last = item->destination_last == GPC_PORT_NONE ? 65535 : item->destination_last;
		struct element e = {.protocol_first = item->protocol_first,
				    .protocol_last = item->protocol_last,
				    .port_first = item->destination_first,
				    .port_last = last};

		ok = has_ports(item);
		for (size_t s = 0; ok && s < prefixes_of(set, box->source); s++)
			for (size_t d = 0; ok && d < prefixes_of(set, box->destination); d++) {
				one_side(set, box->source, s, 0, &e);
				one_side(set, box->destination, d, 1, &e);
				ok = add_element(elements, before, &e);
			}
	}
	if (!ok)
		elements->count = before;
	return ok;
}

static void write_element(const struct element *e, FILE *out)
{
	for (int side = 0; side < 2; side++) {
		write_address(e->first[side], out);
		fputc('-', out);
		write_address(e->last[side], out);
		fputs(" . ", out);
	}
	fprintf(out, "%u-%u . %u-%u", e->protocol_first, e->protocol_last, e->port_first, e->port_last);
}

size_t classify_nft_set(const struct rule_set *set, const char *device, FILE *out)
{
	struct elements elements = {calloc(CLASSIFY_NFT_ELEMENTS, sizeof(struct element)), 0};
	const char *family = set_is_v4(set) ? "ip" : "ip6", *type = set_is_v4(set) ? "ipv4_addr" : "ipv6_addr";
	size_t rules = 0;

	if (!elements.of)
		abort();
	for (size_t i = 0; i < set->box_count; i++)
		rules += add_rule(set, &set->boxes[i], &elements);
	fprintf(out,
		"table netdev bench {\nset s {\ntype %s . %s . inet_proto . inet_service\nflags interval\n"
		"elements = {\n",
		type, type);
	for (size_t i = 0; i < elements.count; i++) {
		write_element(&elements.of[i], out);
		fputs(i + 1 < elements.count ? ",\n" : "\n", out);
	}
	fprintf(out,
		"}\n}\nchain c {\ntype filter hook ingress device %s priority 0; policy accept;\n"
		"%s saddr . %s daddr . meta l4proto . th dport @s accept\n}\n}\n",
		device, family, family);
	free(elements.of);
	return rules;
}
