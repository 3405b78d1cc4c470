/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "gpc/lookup/vip.h"
#include "tables.h"

static const char *name_at(const struct gpc_tables *tables, uint32_t name)
{
	return tables->names + name;
}

static void dump_ip(const void *bytes, FILE *out)
{
	char text[GPC_IP_TEXT];
	struct gpc_ip ip;

	memcpy(ip.bytes, bytes, sizeof(ip.bytes));
	fputs(gpc_ip_format(&ip, text), out);
}

static void dump_said(const char *what, uint32_t listener, uint32_t flags, FILE *out)
{
	if (listener == GPC_NONE)
		fprintf(out, " %s none", what);
	else
		fprintf(out, " %s %u", flags & GPC_VIP_CHOICE ? "choice" : what, listener);
}

static void dump_vip(const struct gpc_vip *vip, FILE *out)
{
	dump_ip(vip->address_be, out);
	if (gpc_vip_kind(vip) != GPC_VIP_EXACT)
		fprintf(out, "/%u", vip->port_be);
	if (gpc_vip_kind(vip) != GPC_VIP_ADDRESS)
		fprintf(out, " protocol %u", vip->protocol);
	switch (gpc_vip_kind(vip)) {
	case GPC_VIP_EXACT:
		fprintf(out, " port %u", ntohs(vip->port_be));
		dump_said("listener", vip->listener, vip->flags, out);
		break;
	case GPC_VIP_PORTS:
		fprintf(out, " ports %u intervals %" PRIu64 "\n", vip->listener,
			(uint64_t)vip->ports);
		return;
	case GPC_VIP_SOLE:
		dump_said("sole", vip->listener, vip->flags, out);
		break;
	case GPC_VIP_ADDRESS:
		fprintf(out, " address says %x", vip->listener);
		break;
	}
	fprintf(out, " interfaces %" PRIx64 "\n", (uint64_t)vip->interfaces);
}

static void dump_vips(const struct gpc_tables *tables, FILE *out)
{
	fprintf(out, "vip seed %016" PRIx64 " buckets %zu slots %zu\n",
		(uint64_t)tables->vip_hash.seed, tables->vip_displacement_count, tables->vip_count);
	for (size_t i = 0; i < tables->vip_count; i++) {
		if (!tables->vips[i].interfaces)
			continue;
		fprintf(out, "  slot %zu ", i);
		dump_vip(&tables->vips[i], out);
	}
	for (size_t i = 0; i < tables->choice_count; i++)
		fprintf(out, "  choice %zu listener %u interfaces %" PRIx64 "%s\n", i,
			tables->choices[i].listener, (uint64_t)tables->choices[i].interfaces,
			tables->choices[i].last ? " last" : "");
	for (size_t i = 0; i < tables->port_count; i++) {
		const struct gpc_vip_ports *ports = &tables->ports[i];

		fprintf(out, "  ports %zu from %u", i, ports->first);
		dump_said("listener", ports->listener, ports->flags, out);
		fprintf(out, " interfaces %" PRIx64 "%s\n", (uint64_t)ports->interfaces,
			ports->last ? " last" : "");
	}
}

static void dump_ref(const char *family, const struct gpc_table_ref *ref, FILE *out)
{
	if (ref->offset == GPC_NONE)
		return;
	if (ref->table == GPC_NONE)
		fprintf(out, " %s empty", family);
	else
		fprintf(out, " %s table %u", family, ref->table);
}

static void dump_listeners(const struct gpc_tables *tables, FILE *out)
{
	for (size_t i = 0; i < tables->listener_count; i++) {
		const struct gpc_listener *listener = &tables->listeners[i];

		fprintf(out, "listener %zu %s backend %u", i, name_at(tables, listener->name),
			listener->backend);
		dump_ref("v4", &listener->table[GPC_V4], out);
		dump_ref("v6", &listener->table[GPC_V6], out);
		fputs("\n", out);
	}
}

static void dump_tables(const struct gpc_tables *tables, FILE *out)
{
	for (size_t i = 0; i < tables->table_count; i++) {
		const struct gpc_table *table = &tables->tables[i];
		const struct gpc_backend *backend = &tables->backends[table->backend];
		const uint16_t *slots = tables->maglev + table->offset / sizeof(uint16_t);

		fprintf(out, "table %zu backend %s size %u endpoints %u\n", i,
			name_at(tables, backend->name), table->size, table->endpoints);
		fputs("  slots", out);
		for (uint32_t k = 0; k < table->size; k++)
			fprintf(out, "%s%u", k % 25 ? " " : "\n    ", slots[k]);
		fputs("\n", out);
	}
}

static void dump_endpoints(const struct gpc_tables *tables, FILE *out)
{
	fprintf(out, "endpoint-index seed %016" PRIx64 " buckets %zu slots %zu\n",
		(uint64_t)tables->endpoint_hash.seed, tables->endpoint_displacement_count,
		tables->endpoint_index_count);
	for (size_t i = 0; i < tables->endpoint_index_count; i++) {
		const struct gpc_endpoint *endpoint;

		if (!tables->endpoint_index[i])
			continue;
		endpoint = &tables->endpoints[tables->endpoint_index[i] - 1];
		fprintf(out, "  slot %zu endpoint %u %s flags %x\n", i,
			tables->endpoint_index[i] - 1, name_at(tables, endpoint->name),
			endpoint->flags);
	}
}

/* ---- policies ---- */

static void dump_classifier(const struct gpc_tables *tables, const char *part, uint32_t index,
			    FILE *out)
{
	const struct gpc_classifier *classifier;

	if (index == GPC_NONE)
		return;
	classifier = &tables->classifiers[index];
	fprintf(out, "  %s boxes %u specs %u l4-classes %u groups %u cells %u loads %u bytes %u\n",
		part, classifier->boxes, classifier->specs, classifier->l4_classes,
		classifier->groups, classifier->cell_count, classifier->loads, classifier->bytes);
}

static void dump_rule(const struct gpc_tables *tables, size_t index, FILE *out)
{
	const struct gpc_rule *rule = &tables->rules[index];

	fprintf(out, "  rule %zu %s action %u flags %x", index, name_at(tables, rule->name),
		rule->action, rule->flags);
	if (rule->mark)
		fprintf(out, " mark %x", rule->mark);
	if (rule->log_sample)
		fprintf(out, " log 1/%u %u/s", rule->log_sample, rule->log_rate);
	if (rule->flags & GPC_RULE_RATE)
		fprintf(out, " cost %" PRIu64 " burst %" PRIu64 " buckets %u exceed %u",
			(uint64_t)rule->rate_cost, (uint64_t)rule->rate_burst, rule->rate_entries,
			rule->exceed);
	fputs("\n", out);
}

static void dump_policies(const struct gpc_tables *tables, FILE *out)
{
	for (size_t i = 0; i < tables->policy_count; i++) {
		const struct gpc_policy *policy = &tables->policies[i];

		fprintf(out, "policy %zu %s mode %u default %u priority %u\n", i,
			name_at(tables, policy->name), policy->mode, policy->fallback,
			policy->priority);
		dump_classifier(tables, "decide", policy->decide, out);
		dump_classifier(tables, "log", policy->log, out);
		dump_classifier(tables, "mark", policy->mark, out);
		for (uint32_t k = 0; k <= policy->rules; k++)
			dump_rule(tables, policy->first_rule + k, out);
	}
}

static void dump_chains(const struct gpc_tables *tables, FILE *out)
{
	for (size_t i = 0; i < tables->chain_count; i++) {
		const struct gpc_chain *chain = &tables->chains[i];

		fprintf(out,
			"chain %zu interface %u direction %u flags %u tag %u stamp %016" PRIx64
			" policies",
			i, chain->interface, chain->direction, chain->flags, chain->tag,
			(uint64_t)chain->stamp);
		for (uint32_t k = 0; k < chain->policies; k++)
			fprintf(out, " %u", chain->policy[k]);
		fputs("\n", out);
		dump_classifier(tables, "protect", chain->protect, out);
	}
}

/* Built-ins and `protect` items, which belong to no policy; nothing in a plane without policies. */
static void dump_first_rules(const struct gpc_tables *tables, FILE *out)
{
	if (tables->chain_count)
		fputs("rules of no policy\n", out);
	for (size_t i = 0; tables->chain_count && i < tables->rule_count; i++)
		if (tables->rules[i].policy == GPC_NONE)
			dump_rule(tables, i, out);
}

void gpc_tables_dump(const struct gpc_tables *tables, FILE *out)
{
	dump_vips(tables, out);
	dump_listeners(tables, out);
	dump_tables(tables, out);
	dump_endpoints(tables, out);
	dump_first_rules(tables, out);
	dump_policies(tables, out);
	dump_chains(tables, out);
}
