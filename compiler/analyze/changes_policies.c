/* SPDX-License-Identifier: MIT */
#include "changes_policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../base/cleanup.h"
#include "../base/words.h"
#include "changes_rate.h"

static uint32_t count_of(const struct gpc_image *image, enum gpc_section_id section)
{
	uint32_t count = 0;

	if (image)
		gpc_image_section(image, section, &count);
	return count;
}

/* ---- rules ---- */

bool gpc_change_counts_rule(const void *rule)
{
	return !(((const struct gpc_rule *)rule)->flags & (GPC_RULE_DEFAULT | GPC_RULE_BUILTIN));
}

static struct gpc_change_rate rate_of(const struct gpc_rule *rule)
{
	return (struct gpc_change_rate){
		.limited = rule->flags & GPC_RULE_RATE,
		.per_source = rule->flags & GPC_RULE_RATE_SOURCE,
		.bytes = rule->flags & GPC_RULE_RATE_BYTES,
		.cost = rule->rate_cost,
		.burst = rule->rate_burst,
		.entries = rule->rate_entries,
		.exceed = rule->exceed,
	};
}

/* What is not logged at all has neither. */
static void note_log(const struct gpc_rule *a, const struct gpc_rule *b, struct gpc_change_text *out)
{
	if (!a->log_sample != !b->log_sample)
		gpc_change_note(out, b->log_sample ? "logged" : "not logged");
	else if (a->log_sample != b->log_sample)
		gpc_change_note(out, "log sample 1/%u -> 1/%u", a->log_sample, b->log_sample);
	if (a->log_sample && b->log_sample && a->log_rate != b->log_rate)
		gpc_change_note(out, "log rate %u/s -> %u/s", a->log_rate, b->log_rate);
}

#define DATE_TEXT 32

static const char *date_text(uint64_t expires, char out[DATE_TEXT])
{
	time_t seconds = (time_t)expires;
	struct tm tm;

	if (!expires)
		return "never";
	if (!gmtime_r(&seconds, &tm) || !strftime(out, DATE_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, DATE_TEXT, "%llu", (unsigned long long)expires);
	return out;
}

static void note_expiry(const struct gpc_rule *a, const struct gpc_rule *b, struct gpc_change_text *out)
{
	char from[DATE_TEXT], to[DATE_TEXT];

	if (a->expires != b->expires)
		gpc_change_note(out, "expires %s -> %s", date_text(a->expires, from),
				date_text(b->expires, to));
}

void gpc_changes_rule_differ(const struct gpc_rule *a, const struct gpc_rule *b,
			     struct gpc_change_text *out)
{
	if (a->action != b->action)
		gpc_change_note(out, "action %s -> %s", gpc_action_name(a->action),
				gpc_action_name(b->action));
	gpc_change_note_rate(out, rate_of(a), rate_of(b));
	if (a->mark != b->mark)
		gpc_change_note(out, "mark %u -> %u", a->mark, b->mark);
	note_log(a, b, out);
	note_expiry(a, b, out);
	out->alone = a->expires != b->expires ||
		     (a->log_sample && b->log_sample &&
		      (a->log_sample != b->log_sample || a->log_rate != b->log_rate));
}

/* ---- policies ---- */

struct place {
	uint64_t id;
	uint32_t position;
};

static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The rules of a policy by id; malloc'ed. */
static struct place *places_of(const struct gpc_image *image, const struct gpc_policy *policy)
{
	struct place *places = calloc(policy->rules + 1ul, sizeof(*places));

	if (!places)
		abort();
	for (uint32_t i = 0; i < policy->rules; i++) {
		const struct gpc_rule *rule =
			gpc_change_record(image, GPC_SEC_RULE, policy->first_rule + i);

		places[i] = (struct place){rule->id, i};
	}
	if (policy->rules)
		qsort(places, policy->rules, sizeof(*places), by_id);
	return places;
}

/* Length of the longest ascending row that can be picked out of `numbers` (patience sorting). */
static uint32_t longest_row(uint32_t *numbers, uint32_t count)
{
	uint32_t piles = 0; /* numbers[0..piles): the least last number of a row of each length */

	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = numbers[i], low = 0, high = piles;

		while (low < high) {
			uint32_t middle = low + (high - low) / 2;

			if (numbers[middle] < number)
				low = middle + 1;
			else
				high = middle;
		}
		numbers[low] = number;
		piles += low == piles;
	}
	return piles;
}

/* How many of the rules in both stand at another place among them. */
static uint32_t count_moved(const struct gpc_image *before, const struct gpc_policy *a,
			    const struct gpc_image *after, const struct gpc_policy *b)
{
	GPC_AUTO_FREE struct place *old = places_of(before, a);
	GPC_AUTO_FREE uint32_t *positions = calloc(b->rules + 1ul, sizeof(*positions));
	uint32_t common = 0;

	if (!positions)
		abort();
	for (uint32_t i = 0; i < b->rules; i++) {
		const struct gpc_rule *rule =
			gpc_change_record(after, GPC_SEC_RULE, b->first_rule + i);
		const struct place key = {.id = rule->id};
		const struct place *found = bsearch(&key, old, a->rules, sizeof(key), by_id);

		if (found)
			positions[common++] = found->position;
	}
	return common - longest_row(positions, common);
}

static const struct gpc_rule *default_of(const struct gpc_image *image,
					 const struct gpc_policy *policy)
{
	return gpc_change_record(image, GPC_SEC_RULE, policy->first_rule + policy->rules);
}

void gpc_changes_policy_differ(const struct gpc_image *before, const struct gpc_policy *a,
			       const struct gpc_image *after, const struct gpc_policy *b,
			       struct gpc_change_text *out)
{
	static const char *const modes[] = {"enforce", "audit"};
	uint32_t moved = count_moved(before, a, after, b);

	if (a->mode != b->mode)
		gpc_change_note(out, "mode %s -> %s", modes[a->mode % 2], modes[b->mode % 2]);
	if (default_of(before, a)->action != default_of(after, b)->action)
		gpc_change_note(out, "default %s -> %s", gpc_action_name(a->fallback),
				gpc_action_name(b->fallback));
	if (a->priority != b->priority)
		gpc_change_note(out, "priority %u -> %u", a->priority, b->priority);
	if (a->rules != b->rules)
		gpc_change_note(out, "rules %u -> %u", a->rules, b->rules);
	if (moved)
		gpc_change_note(out, "%u rule%s moved", moved, moved == 1 ? "" : "s");
}

/* ---- chains ---- */

static uint64_t interface_id(const struct gpc_image *image, const struct gpc_chain *chain)
{
	const struct gpc_interface *interface =
		gpc_change_record(image, GPC_SEC_INTERFACE, chain->interface);

	return interface->id;
}

/* "wan0 ingress"; malloc'ed. */
static char *chain_name(const struct gpc_image *image, const struct gpc_chain *chain)
{
	const struct gpc_interface *interface =
		gpc_change_record(image, GPC_SEC_INTERFACE, chain->interface);
	char *name;

	if (asprintf(&name, "%s %s", gpc_image_name(image, interface->name),
		     gpc_direction_name(chain->direction)) < 0)
		abort();
	return name;
}

static const struct gpc_chain *find_chain(const struct gpc_image *image, uint64_t interface,
					  uint8_t direction)
{
	for (uint32_t i = 0; i < count_of(image, GPC_SEC_CHAIN); i++) {
		const struct gpc_chain *chain = gpc_change_record(image, GPC_SEC_CHAIN, i);

		if (chain->direction == direction && interface_id(image, chain) == interface)
			return chain;
	}
	return NULL;
}

static void chain_differ(const struct gpc_chain *a, const struct gpc_chain *b,
			 struct gpc_change_text *out)
{
	uint8_t changed = a->flags ^ b->flags;
	bool stateful = b->flags & GPC_CHAIN_STATEFUL, keep = b->flags & GPC_CHAIN_KEEP;

	if (changed & GPC_CHAIN_STATEFUL)
		gpc_change_note(out, "%s", stateful ? "stateful now" : "stateless now");
	if (changed & GPC_CHAIN_KEEP && stateful)
		gpc_change_note(out, "existing %s", keep ? "recheck -> keep" : "keep -> recheck");
	if (changed & GPC_CHAIN_MID_STREAM_ALLOW && stateful)
		gpc_change_note(out, "mid-stream %s",
				b->flags & GPC_CHAIN_MID_STREAM_ALLOW ? "deny -> allow"
								      : "allow -> deny");
	if (a->stamp != b->stamp)
		gpc_change_note(out, "what it lets through is another%s",
				!stateful ? ""
				: keep	  ? ": live flows are kept"
					  : ": live flows are rechecked");
}

void gpc_changes_compare_chains(struct gpc_changes *changes, const struct gpc_image *before,
				const struct gpc_image *after)
{
	for (uint32_t i = 0; i < count_of(after, GPC_SEC_CHAIN); i++) {
		const struct gpc_chain *b = gpc_change_record(after, GPC_SEC_CHAIN, i);
		const struct gpc_chain *a =
			find_chain(before, interface_id(after, b), b->direction);
		struct gpc_change_text text = {0};

		if (a)
			chain_differ(a, b, &text);
		if (!a || text.used)
			gpc_changes_add(changes, GPC_CHANGE_CHAIN,
					a ? GPC_CHANGE_CHANGED : GPC_CHANGE_ADDED,
					chain_name(after, b), text.text);
	}
	for (uint32_t i = 0; i < count_of(before, GPC_SEC_CHAIN); i++) {
		const struct gpc_chain *a = gpc_change_record(before, GPC_SEC_CHAIN, i);

		if (!find_chain(after, interface_id(before, a), a->direction))
			gpc_changes_add(changes, GPC_CHANGE_CHAIN, GPC_CHANGE_REMOVED,
					chain_name(before, a), "");
	}
}
