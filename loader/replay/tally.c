/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (2 * GPC_TALLY_FLOWS)

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void add(struct gpc_sum *sum, const struct gpc_record *record)
{
	sum->packets += record->packets;
	sum->bytes += record->bytes;
}

static uint32_t count_of(const struct gpc_image *image, enum gpc_section_id id)
{
	return image->plane->section[id].count;
}

void gpc_tally_init(struct gpc_tally *tally, const struct gpc_image *image)
{
	*tally = (struct gpc_tally){
		.rules = must(calloc(count_of(image, GPC_SEC_RULE) + 1ul, sizeof(*tally->rules))),
		.listeners = must(
			calloc(count_of(image, GPC_SEC_LISTENER) + 1ul, sizeof(*tally->listeners))),
		.endpoints = must(
			calloc(count_of(image, GPC_SEC_ENDPOINT) + 1ul, sizeof(*tally->endpoints))),
	};
}

void gpc_tally_release(struct gpc_tally *tally)
{
	free(tally->rules);
	free(tally->listeners);
	free(tally->endpoints);
	*tally = (struct gpc_tally){0};
}

void gpc_tally_add(struct gpc_tally *tally, const struct gpc_image *image,
		   const struct gpc_record *record, const struct gpc_fate *fate)
{
	uint32_t rule = fate->rule == GPC_NONE ? count_of(image, GPC_SEC_RULE) : fate->rule;

	add(&tally->all, record);
	add(&tally->verdicts[fate->verdict], record);
	add(&tally->reasons[fate->reason], record);
	add(fate->known ? &tally->rules[rule].known : &tally->rules[rule].asked, record);
	if (fate->would != GPC_NONE) {
		add(&tally->would, record);
		add(&tally->rules[fate->would].would, record);
	}
	if (fate->listener != GPC_NONE)
		add(&tally->listeners[fate->listener], record);
	if (fate->endpoint != GPC_NONE)
		add(&tally->endpoints[fate->endpoint], record);
}

/* ---- flows ---- */

void gpc_differences_init(struct gpc_differences *differences)
{
	*differences = (struct gpc_differences){
		.changes = must(calloc(GPC_TALLY_CHANGES, sizeof(*differences->changes))),
		.flows = must(calloc(SLOTS, sizeof(*differences->flows))),
	};
}

void gpc_differences_release(struct gpc_differences *differences)
{
	free(differences->changes);
	free(differences->flows);
	*differences = (struct gpc_differences){0};
}

/* Both directions of a flow have one name. ICMP: its type is no part of it. */
static struct gpc_flow_name name_of(const struct gpc_question *packet)
{
	bool icmp = packet->protocol == 1 || packet->protocol == 58;
	uint32_t port[2] = {icmp ? GPC_PORT_NONE : packet->source_port,
			    icmp ? GPC_PORT_NONE : packet->destination_port};
	const __u64 *address[2] = {packet->source, packet->destination};
	int order = memcmp(address[0], address[1], 16);
	int first = order > 0 || (!order && port[0] > port[1]);
	struct gpc_flow_name name = {.protocol = packet->protocol, .family = packet->family};

	for (int side = 0; side < 2; side++) {
		memcpy(name.address[side], address[first ^ side], 16);
		name.port[side] = port[first ^ side];
	}
	return name;
}

/* Names are the capture's: who writes it may make the table slow, but never larger. */
static size_t slot_of(const struct gpc_flow_name *name)
{
	uint64_t words[sizeof(*name) / 8], hash = 0x9e3779b97f4a7c15ull;

	memcpy(words, name, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		hash = (hash ^ words[i]) * 0xff51afd7ed558ccdull;
		hash ^= hash >> 32;
	}
	return hash % SLOTS;
}

struct gpc_tally_flow *gpc_differences_flow(struct gpc_differences *differences,
					    const struct gpc_record *record)
{
	static const struct gpc_flow_name nothing;
	struct gpc_flow_name name;
	size_t slot;

	if (!record->ip)
		return NULL;
	name = name_of(&record->packet);
	for (slot = slot_of(&name);; slot = (slot + 1) % SLOTS) {
		struct gpc_tally_flow *flow = &differences->flows[slot];

		if (!memcmp(&flow->name, &name, sizeof(name)))
			return flow;
		if (memcmp(&flow->name, &nothing, sizeof(nothing)))
			continue;
		if (differences->flow_count == GPC_TALLY_FLOWS)
			return NULL;
		differences->flow_count++;
		*flow = (struct gpc_tally_flow){.name = name, .rule = {GPC_NONE, GPC_NONE}};
		return flow;
	}
}

/* ---- differences ---- */

static uint64_t endpoint_id(const struct gpc_image *image, uint32_t endpoint)
{
	uint32_t count;
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	return endpoint == GPC_NONE ? 0 : endpoints[endpoint].id;
}

static uint64_t rule_id(const struct gpc_image *image, uint32_t rule)
{
	uint32_t count;
	const struct gpc_rule *rules = gpc_image_section(image, GPC_SEC_RULE, &count);

	return rule == GPC_NONE ? 0 : rules[rule].id;
}

static bool is_moved(const struct gpc_image *const images[2], const struct gpc_fate fate[2])
{
	return endpoint_id(images[0], fate[0].endpoint) != endpoint_id(images[1], fate[1].endpoint);
}

static struct gpc_change *change_of(struct gpc_differences *differences,
				    const struct gpc_change_key *key)
{
	size_t i = 0;

	while (i < differences->change_count &&
	       memcmp(&differences->changes[i].key, key, sizeof(*key)))
		i++;
	if (i < differences->change_count)
		return &differences->changes[i];
	if (i == GPC_TALLY_CHANGES)
		return NULL;
	differences->change_count++;
	differences->changes[i].key = *key;
	return &differences->changes[i];
}

static void add_change(struct gpc_differences *differences, const struct gpc_record *record,
		       const struct gpc_witness *witness, bool moved)
{
	struct gpc_change_key key = {0};
	struct gpc_change *change;

	for (int side = 0; side < 2; side++) {
		const struct gpc_fate *fate = &witness->fate[side];

		key.verdict[side] = fate->verdict;
		key.rule[side] = fate->rule;
		key.reason[side] = fate->reason;
		key.endpoint[side] = moved ? fate->endpoint : GPC_NONE;
		key.mark[side] = fate->mark;
	}
	change = change_of(differences, &key);
	if (!change) {
		add(&differences->other_changes, record);
		return;
	}
	if (!change->sum.packets)
		change->witness = *witness;
	add(&change->sum, record);
}

void gpc_differences_add(struct gpc_differences *differences, const struct gpc_image *const images[2],
			 const struct gpc_record *record, const struct gpc_fate fate[2],
			 struct gpc_tally_flow *flow)
{
	bool moved = is_moved(images, fate) && fate[0].verdict == GPC_VERDICT_FORWARD &&
		     fate[1].verdict == GPC_VERDICT_FORWARD;
	const struct gpc_witness witness = {.packet = record->packet,
					    .ip = record->ip,
					    .number = record->number,
					    .fate = {fate[0], fate[1]}};
	bool first = flow && !flow->witness.number;

	if (fate[0].verdict == fate[1].verdict && fate[0].mark == fate[1].mark && !moved) {
		if (rule_id(images[0], fate[0].rule) != rule_id(images[1], fate[1].rule))
			add(&differences->same_by_other_rule, record);
		return;
	}
	add(&differences->all, record);
	add_change(differences, record, &witness, moved);
	if (!flow) {
		add(&differences->other_flows, record);
		return;
	}
	if (first) {
		flow->witness = witness;
		differences->flow_differs++;
	}
	add(&flow->differs, record);
}

/* ---- the greatest first ---- */

struct ranked {
	struct gpc_sum sum;
	uint64_t number;	/* of the witness: no two are alike in all */
	size_t index;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->sum.packets != y->sum.packets)
		return x->sum.packets < y->sum.packets ? 1 : -1;
	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static size_t *rank(struct ranked *list, size_t count)
{
	size_t *order = must(calloc(count + 1, sizeof(*order)));

	if (count)
		qsort(list, count, sizeof(*list), by_rank);
	for (size_t i = 0; i < count; i++)
		order[i] = list[i].index;
	free(list);
	return order;
}

size_t *gpc_differences_changes(const struct gpc_differences *differences)
{
	size_t count = differences->change_count;
	struct ranked *list = must(calloc(count + 1, sizeof(*list)));

	for (size_t i = 0; i < count; i++)
		list[i] = (struct ranked){differences->changes[i].sum,
					  differences->changes[i].witness.number, i};
	return rank(list, count);
}

size_t *gpc_differences_flows(const struct gpc_differences *differences)
{
	struct ranked *list = must(calloc(differences->flow_differs + 1, sizeof(*list)));
	size_t count = 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (differences->flows[i].witness.number)
			list[count++] = (struct ranked){differences->flows[i].differs,
							differences->flows[i].witness.number, i};
	return rank(list, count);
}
