/* SPDX-License-Identifier: MIT */
/* The set as an intent: a segment per set of addresses, a rule per box, one policy. */
#include "rule_set.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static void write_prefix(const struct rule_prefix *p, FILE *out)
{
	rule_address a = rule_prefix_first(p);
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];

	for (int i = 15; i >= 0; i--, a >>= 8)
		bytes[i] = (uint8_t)a;
	inet_ntop(p->v4 ? AF_INET : AF_INET6, bytes + (p->v4 ? 12 : 0), text, sizeof(text));
	if (p->v4)
		fprintf(out, p->length == 32 ? "%s" : "%s/%u", text, p->length);
	else
		fprintf(out, "\"%s/%u\"", text, p->length);
}

static void write_prefixes(const struct rule_set *set, size_t first, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		write_prefix(&set->prefixes[first + i], out);
	}
}

/* One prefix stands in the rule itself. */
static bool needs_segment(const struct rule_addresses *s)
{
	return !s->all && (s->prefix_count != 1 || s->except_count);
}

static void write_segments(const struct rule_set *set, FILE *out)
{
	const char *head = "segments:\n";

	for (size_t i = 0; i < set->set_count; i++) {
		const struct rule_addresses *s = &set->sets[i];

		if (!needs_segment(s))
			continue;
		fprintf(out, "%s  - {name: s%zu, cidrs: [", head, i);
		write_prefixes(set, s->prefixes, s->prefix_count, out);
		fputs("]", out);
		if (s->except_count) {
			fputs(", except: [", out);
			write_prefixes(set, s->except, s->except_count, out);
			fputs("]", out);
		}
		fputs("}\n", out);
		head = "";
	}
}

static void write_end(const struct rule_set *set, const char *key, uint32_t index, FILE *out)
{
	const struct rule_addresses *s = &set->sets[index];

	if (s->all)
		return;
	fprintf(out, ", %s: ", key);
	if (needs_segment(s))
		fprintf(out, "s%u", index);
	else
		write_prefix(&set->prefixes[s->prefixes], out);
}

static const char *protocol_word(uint8_t protocol)
{
	switch (protocol) {
	case 1:
		return "icmp";
	case 6:
		return "tcp";
	case 17:
		return "udp";
	case 58:
		return "icmp6";
	case 132:
		return "sctp";
	default:
		return NULL;
	}
}

static void write_item(const struct rule_item *item, FILE *out)
{
	const char *word = protocol_word(item->protocol_first);
	bool icmp = item->protocol_first == 1 || item->protocol_first == 58;

	if (item->protocol_first != item->protocol_last)
		fputs("any", out);
	else if (!word)
		fprintf(out, "proto/%u", item->protocol_first);
	else if (item->destination_last == GPC_PORT_NONE)
		fputs(word, out);
	else if (icmp && item->destination_last - item->destination_first == 255)
		fprintf(out, "%s/%u", word, item->destination_first >> 8);
	else if (icmp)
		fprintf(out, "%s/%u/%u", word, item->destination_first >> 8, item->destination_first & 255);
	else if (item->destination_first == item->destination_last)
		fprintf(out, "%s/%u", word, item->destination_first);
	else
		fprintf(out, "%s/%u-%u", word, item->destination_first, item->destination_last);
}

static void write_ports(const struct rule_set *set, const struct rule_service *s, FILE *out)
{
	const struct rule_item *items = set->items + s->items;

	if (s->item_count == 1 && items[0].protocol_first != items[0].protocol_last)
		return;
	fputs(", ports: [", out);
	for (size_t i = 0; i < s->item_count; i++) {
		fputs(i ? ", " : "", out);
		write_item(&items[i], out);
	}
	fputs("]", out);
}

void rule_yaml_write_rules(const struct rule_set *set, const struct rule_yaml *how, size_t first, size_t count,
			   FILE *out)
{
	for (size_t i = first; i < first + count && i < set->box_count; i++) {
		const struct rule_box *b = &set->boxes[i];

		fprintf(out, "  - {name: r%zu, action: %s", i, !how->allow_all && b->position % 2 ? "deny" : "allow");
		write_end(set, "from", b->source, out);
		write_end(set, "to", b->destination, out);
		write_ports(set, &set->services[b->service], out);
		fputs("}\n", out);
	}
}

void rule_yaml_write(const struct rule_set *set, const struct rule_yaml *how, FILE *out)
{
	const char *interface = how->interface ? how->interface : "wan0";

	fprintf(out,
		"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: %s}\ndefaults: {on-fail: pass}\n"
		"interfaces: [{name: %s, mode: any, hooks: [xdp%s]}]\n",
		set->name, interface, how->stateful ? ", tc-egress" : "");
	if (how->extra)
		fputs(how->extra, out);
	write_segments(set, out);
	if (!how->rules_elsewhere) {
		fputs("rules:\n", out);
		rule_yaml_write_rules(set, how, 0, set->box_count, out);
	}
	fprintf(out,
		"policies:\n  - name: rules\n    interfaces: [%s]\n    direction: ingress\n    stateful: %s\n"
		"    default: %s\n    rules: [",
		interface, how->stateful ? "true" : "false", how->allow_all ? "allow" : "deny");
	for (size_t i = 0; i < set->box_count; i++)
		fprintf(out, "%sr%zu", i ? i % 16 ? ", " : ",\n      " : "", i);
	fputs("]\n", out);
}
