/* SPDX-License-Identifier: MIT */
/*
 * The stamp of a chain: 64 bits of SHA-256 over what it means (SEMANTICS 5.4, `existing`). A policy is
 * hashed once for all chains that have it, and in it each distinct set and service once: it is numbered
 * when it is first met, later only its number is hashed.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/sha256.h"
#include "distinct.h"
#include "gpc/lookup/hash.h"
#include "steps.h"

/* ---- bytes on their way into the hash, many at a time ---- */

struct sink {
	struct gpc_sha256 sha;
	size_t used;
	uint8_t bytes[8192];
};

static void sink_init(struct sink *sink, const char *domain)
{
	static const char version[] = "gpc/v1";

	gpc_sha256_init(&sink->sha);
	sink->used = 0;
	gpc_sha256_add(&sink->sha, version, sizeof(version));
	gpc_sha256_add(&sink->sha, domain, strlen(domain) + 1);
}

static void flush(struct sink *sink)
{
	gpc_sha256_add(&sink->sha, sink->bytes, sink->used);
	sink->used = 0;
}

static void put(struct sink *sink, const void *bytes, size_t size)
{
	if (size > sizeof(sink->bytes) - sink->used)
		flush(sink);
	if (size > sizeof(sink->bytes)) {
		gpc_sha256_add(&sink->sha, bytes, size);
		return;
	}
	memcpy(sink->bytes + sink->used, bytes, size);
	sink->used += size;
}

static void put_number(struct sink *sink, uint64_t number)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
	put(sink, bytes, sizeof(bytes));
}

static void sink_finish(struct sink *sink, uint8_t ret[GPC_SHA256_BYTES])
{
	flush(sink);
	gpc_sha256_finish(&sink->sha, ret);
}

/* ---- rules ---- */

struct digest {
	uint8_t bytes[GPC_SHA256_BYTES];
};

/* Numbers of sets and services in the order in which this digest met them; `met` says in which digest. */
struct meeting {
	uint32_t met, number;
};

struct keyed_box {
	uint64_t key; /* of its content */
	const struct gpc_box *box;
};

struct stamping {
	const struct gpc_space *space;
	struct gpc_distinct distinct;
	struct meeting *sets, *services;
	uint32_t digest, next_set, next_service;
	struct gpc_arena *arena;
	GPC_VEC(struct keyed_box) boxes; /* of one rule */
	struct sink sink;
};

static void begin(struct stamping *stamping, const char *domain)
{
	sink_init(&stamping->sink, domain);
	stamping->digest++;
	stamping->next_set = stamping->next_service = 0;
}

static void put_set(struct stamping *stamping, uint32_t index)
{
	uint32_t distinct = stamping->distinct.sets[index];
	struct meeting *meeting = &stamping->sets[distinct];
	const struct gpc_set *set = &stamping->space->sets[distinct];

	if (meeting->met == stamping->digest) {
		put_number(&stamping->sink, meeting->number);
		return;
	}
	*meeting = (struct meeting){stamping->digest, stamping->next_set++};
	put_number(&stamping->sink, meeting->number);
	put_number(&stamping->sink, set->count);
	put(&stamping->sink, set->ranges, set->count * sizeof(set->ranges[0]));
}

static void put_range(struct sink *sink, struct gpc_port_range range)
{
	put_number(sink, (uint64_t)range.first << 32 | range.last);
}

static void put_service(struct stamping *stamping, uint32_t index)
{
	uint32_t distinct = stamping->distinct.services[index];
	struct meeting *meeting = &stamping->services[distinct];
	const struct gpc_service *service = &stamping->space->services[distinct];
	struct sink *sink = &stamping->sink;

	if (meeting->met == stamping->digest) {
		put_number(sink, meeting->number);
		return;
	}
	*meeting = (struct meeting){stamping->digest, stamping->next_service++};
	put_number(sink, meeting->number);
	put_number(sink, service->match.dscp);
	put_number(sink, (uint64_t)service->match.tcp_flags << 32 |
				 (uint64_t)service->match.vlan << 8 | service->match.fragments);
	put_number(sink, service->count);
	for (size_t i = 0; i < service->count; i++) {
		put_number(sink, (uint64_t)service->items[i].protocol_first << 8 |
					 service->items[i].protocol_last);
		put_range(sink, service->items[i].source);
		put_range(sink, service->items[i].destination);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct keyed_box *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static void collect(struct stamping *stamping, const struct gpc_box *boxes, size_t count)
{
	const struct gpc_distinct *distinct = &stamping->distinct;

	for (size_t i = 0; i < count; i++)
		*GPC_PUSH(stamping->arena, &stamping->boxes) = (struct keyed_box){
			gpc_phash_mix(gpc_rotl64(distinct->set_keys[boxes[i].source], 1),
				      distinct->set_keys[boxes[i].destination],
				      distinct->service_keys[boxes[i].service], 0),
			&boxes[i]};
}

/* The boxes collected, in an order that depends on their content alone: names may have made theirs. */
static void put_boxes(struct stamping *stamping)
{
	size_t count = stamping->boxes.n;

	if (count > 1)
		qsort(stamping->boxes.items, count, sizeof(stamping->boxes.items[0]), by_key);
	put_number(&stamping->sink, count);
	for (size_t i = 0; i < count; i++) {
		const struct gpc_box *box = stamping->boxes.items[i].box;

		put_set(stamping, box->source);
		put_set(stamping, box->destination);
		put_service(stamping, box->service);
	}
	stamping->boxes.n = 0;
}

/* Log rules and those that match nothing mean nothing; nor do modes, rates and names. */
static struct digest digest_policy(struct stamping *stamping, const struct gpc_model *model,
				   const struct gpc_model_policy *policy)
{
	struct sink *sink = &stamping->sink;
	struct digest digest;

	begin(stamping, "policy");
	put_number(sink, (uint64_t)policy->fallback << 16 | policy->stateful << 8 |
				 (policy->stateful && policy->mid_stream));
	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct gpc_model_rule *rule = &model->rules[policy->rules[i]];

		if (rule->action == GPC_ACTION_LOG || !rule->box_count)
			continue;
		put_number(sink, (uint64_t)rule->action << 32 | rule->mark);
		collect(stamping, rule->boxes, rule->box_count);
		put_boxes(stamping);
	}
	sink_finish(sink, digest.bytes);
	return digest;
}

/* All items of one interface together: whichever matches, the packet passes. */
static struct digest digest_protect(struct stamping *stamping, const struct gpc_model *model,
				    const struct gpc_model_chain *chain)
{
	struct digest digest;

	begin(stamping, "protect");
	for (size_t i = 0; i < model->protect_count; i++) {
		const struct gpc_model_protect *item = &model->protects[i];

		if (!(item->interfaces >> chain->interface & 1))
			continue;
		if (item->direction == chain->direction)
			collect(stamping, item->boxes, item->box_count);
		else
			collect(stamping, item->exchanged, item->exchanged_count);
	}
	put_boxes(stamping);
	sink_finish(&stamping->sink, digest.bytes);
	return digest;
}

static uint64_t stamp_of(struct stamping *stamping, const struct gpc_model *model,
			 const struct gpc_model_chain *chain, const struct digest *policies)
{
	struct digest digest = digest_protect(stamping, model, chain);
	struct sink *sink = &stamping->sink;
	uint64_t stamp = 0;

	begin(stamping, "chain");
	put(sink, digest.bytes, sizeof(digest.bytes));
	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		put_number(sink, model->builtin[i]);
	for (size_t i = 0; i < chain->policy_count; i++)
		put(sink, policies[chain->policies[i]].bytes, sizeof(digest.bytes));
	sink_finish(sink, digest.bytes);
	for (int i = 7; i >= 0; i--)
		stamp = stamp << 8 | digest.bytes[i];
	return stamp ? stamp : 1;
}

void gpc_lower_stamps(struct gpc_arena *arena, const struct gpc_model *model,
		      struct gpc_tables *tables)
{
	const struct gpc_space *space = &model->space;
	struct digest *policies = GPC_NEW_ARRAY(arena, struct digest, model->policy_count);
	struct stamping *stamping = GPC_NEW(arena, struct stamping);

	*stamping = (struct stamping){
		.space = space,
		.distinct = gpc_distinct_find(arena, space),
		.sets = GPC_NEW_ARRAY(arena, struct meeting, space->set_count),
		.services = GPC_NEW_ARRAY(arena, struct meeting, space->service_count),
		.arena = arena,
	};
	for (size_t i = 0; i < model->policy_count; i++)
		policies[i] = digest_policy(stamping, model, &model->policies[i]);
	for (size_t i = 0; i < model->chain_count; i++)
		tables->chains[i].stamp = stamp_of(stamping, model, &model->chains[i], policies);
}
