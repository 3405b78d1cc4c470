/* SPDX-License-Identifier: MIT */
#include "changes_rate.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/words.h"

#define NS 1000000000ull
#define RATE_TEXT 128

static bool is_same(const struct gpc_change_rate *a, const struct gpc_change_rate *b)
{
	if (!a->limited || !b->limited)
		return a->limited == b->limited;
	return a->per_source == b->per_source && a->bytes == b->bytes && a->cost == b->cost &&
	       a->burst == b->burst && a->entries == b->entries && a->exceed == b->exceed;
}

/* The unit in which the limit is a whole number: the cost of a packet is the floor of unit / limit. */
static void put_limit(uint64_t cost, char *out, size_t size)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{NS, "s"}, {60 * NS, "m"}, {3600 * NS, "h"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t limit = (units[i].ns + cost / 2) / cost;

		if (!limit || units[i].ns / limit != cost)
			continue;
		snprintf(out, size, "%" PRIu64 "/%s", limit, units[i].name);
		return;
	}
	snprintf(out, size, "one in %" PRIu64 " ns", cost);
}

static const char *text_of(const struct gpc_change_rate *rate, char out[RATE_TEXT])
{
	uint64_t burst = 0;
	char limit[48], entries[32] = "";

	if (!rate->limited)
		return "none";
	if (rate->bytes) {
		snprintf(limit, sizeof(limit), "%" PRIu64 "B/s", rate->cost);
		burst = (uint64_t)((unsigned __int128)rate->burst * rate->cost / NS);
	} else if (rate->cost) {
		put_limit(rate->cost, limit, sizeof(limit));
		burst = rate->burst / rate->cost;
	}
	if (rate->per_source)
		snprintf(entries, sizeof(entries), " per source-ip of %u", rate->entries);
	snprintf(out, RATE_TEXT, "%s burst %" PRIu64 "%s%s, beyond it %s", limit, burst,
		 rate->bytes ? "B" : "", entries, gpc_action_name(rate->exceed));
	return out;
}

void gpc_change_note_rate(struct gpc_change_text *out, struct gpc_change_rate a, struct gpc_change_rate b)
{
	char from[RATE_TEXT], to[RATE_TEXT];

	if (!is_same(&a, &b))
		gpc_change_note(out, "rate [%s] -> [%s]", text_of(&a, from), text_of(&b, to));
}
