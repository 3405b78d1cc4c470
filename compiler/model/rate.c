/* SPDX-License-Identifier: MIT */
/* `rate` -> integer GCRA (SEMANTICS 5.3): all is credit in ns. */
#include <assert.h>

#include "build.h"

#define NS 1000000000ull
#define DEFAULT_ENTRIES 65536u
/* Credit and what is added to it stay far from overflow. */
#define MAX_CREDIT (1ull << 60)
#define SECONDS_OF_A_YEAR 31556952ull

/* ns of credit that the whole burst takes. */
static uint64_t credit_of(const struct gpc_rate_intent *rate, uint64_t units)
{
	unsigned __int128 ns = (unsigned __int128)units * NS * rate->period / rate->limit.value;

	return ns > MAX_CREDIT ? UINT64_MAX : (uint64_t)ns;
}

static uint64_t burst_of(const struct gpc_rate_intent *rate)
{
	uint64_t second = rate->limit.value / rate->period;

	if (rate->burst.set)
		return rate->burst.value;
	return second ? second : 1;
}

static uint32_t entries_of(const struct gpc_rate_intent *rate)
{
	uint64_t wanted = rate->entries.set ? rate->entries.value : DEFAULT_ENTRIES;
	uint32_t entries = 1;

	/* The range is that of keys.def. */
	assert(wanted <= GPC_MAX_RATE_ENTRIES);

	if (!rate->per_source.value)
		return 1;
	while (entries < wanted)
		entries *= 2;
	return entries;
}

struct gpc_model_rate gpc_model_rate(struct gpc_diags *diags, const struct gpc_rate_intent *rate,
				     const char *kind, const char *name)
{
	struct gpc_model_rate made = {.at = GPC_NOWHERE};
	uint64_t burst, credit;

	if (!rate)
		return made;
	burst = burst_of(rate);
	credit = credit_of(rate, burst);
	assert(rate->bytes || rate->limit.value <= NS * rate->period);
	made = (struct gpc_model_rate){
		.limited = true,
		.per_source = rate->per_source.value,
		.bytes = rate->bytes,
		.exceed = rate->exceed.set ? (enum gpc_action)rate->exceed.value : GPC_ACTION_DENY,
		.cost = rate->bytes ? rate->limit.value : credit_of(rate, 1),
		.entries = entries_of(rate),
		.at = rate->at,
	};
	made.burst = rate->bytes ? credit : burst * made.cost;
	if (credit == UINT64_MAX)
		gpc_diag(diags, GPC_E0420, rate->burst.set ? rate->burst.at : rate->limit.at,
			 "burst of %s `%s` takes more than %llu years to fill up", kind, name,
			 MAX_CREDIT / NS / SECONDS_OF_A_YEAR);
	return made;
}
