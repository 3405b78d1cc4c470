/* SPDX-License-Identifier: MIT */
#include "counters.h"

#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "kernel.h"

static void sum_counters(void *context, uint32_t slot, const void *values, int cpus)
{
	const struct gpc_counters *counters = context;
	const struct gpc_counter *counter = values;
	struct gpc_counter *sum = &counters->counters[slot];

	for (int cpu = 0; cpu < cpus; cpu++) {
		sum->packets += counter[cpu].packets;
		sum->bytes += counter[cpu].bytes;
		sum->flows += counter[cpu].flows;
		sum->dropped += counter[cpu].dropped;
	}
}

static void sum_rules(void *context, uint32_t slot, const void *values, int cpus)
{
	const struct gpc_counters *counters = context;
	const struct gpc_rule_counter *counter = values;
	struct gpc_rule_counter *sum = &counters->rules[slot];

	for (int cpu = 0; cpu < cpus; cpu++) {
		sum->packets += counter[cpu].packets;
		sum->bytes += counter[cpu].bytes;
		sum->would_deny += counter[cpu].would_deny;
		sum->exceeded += counter[cpu].exceeded;
		sum->log_lost += counter[cpu].log_lost;
		if (counter[cpu].last_hit > sum->last_hit)
			sum->last_hit = counter[cpu].last_hit;
	}
}

static void sum_limits(void *context, uint32_t slot, const void *values, int cpus)
{
	struct gpc_counters *counters = context;
	const struct gpc_limiter *limiter = values;

	for (int cpu = 0; cpu < cpus && slot < GPC_LIMIT_COUNT; cpu++) {
		counters->limits[slot].let += limiter[cpu].let;
		counters->limits[slot].kept += limiter[cpu].kept;
		counters->limits[slot].lost += limiter[cpu].lost;
	}
}

/* What was counted before these maps were there. */
static void add_carried(const struct gpc_instance *instance, struct gpc_counters *counters)
{
	size_t i;

	for (i = 0; i < counters->counter_count && i < instance->entries[GPC_MAP_CARRIED]; i++) {
		struct gpc_counter carried = instance->carried[i];

		sum_counters(counters, (uint32_t)i, &carried, 1);
	}
	for (i = 0; i < counters->rule_count && i < instance->entries[GPC_MAP_CARRIED_RULES]; i++) {
		struct gpc_rule_counter carried = instance->carried_rules[i];

		sum_rules(counters, (uint32_t)i, &carried, 1);
	}
}

/* The map as it is; without entries when its values are of another form. */
static struct gpc_percpu array_of(const struct gpc_instance *instance, enum gpc_map_id id,
				  size_t value_size)
{
	struct gpc_percpu array = gpc_instance_percpu(instance, id, value_size);

	if (instance->value_size[id] != value_size)
		array.entries = 0;
	return array;
}

int gpc_counters_read(const struct gpc_instance *instance, struct gpc_counters *ret,
		      struct gpc_failure *failure)
{
	struct gpc_percpu counters =
		array_of(instance, GPC_MAP_COUNTERS, sizeof(struct gpc_counter));
	struct gpc_percpu rules =
		array_of(instance, GPC_MAP_RULES, sizeof(struct gpc_rule_counter));
	struct gpc_percpu limits = array_of(instance, GPC_MAP_LIMITS, sizeof(struct gpc_limiter));
	GPC_CLEANUP(gpc_counters_release)
	struct gpc_counters read = {
		.counters = calloc(counters.entries + 1ul, sizeof(*read.counters)),
		.counter_count = counters.entries,
		.rules = calloc(rules.entries + 1ul, sizeof(*read.rules)),
		.rule_count = rules.entries,
	};
	int r;

	if (!read.counters || !read.rules)
		return gpc_fail(failure, GPC_EXIT_FAILED, ENOMEM, "cannot read the counters");
	r = gpc_percpu_read(&counters, sum_counters, &read);
	if (!r)
		r = gpc_percpu_read(&rules, sum_rules, &read);
	if (!r)
		r = gpc_percpu_read(&limits, sum_limits, &read);
	if (r)
		return gpc_kernel_fail(failure, -r, "cannot read the counters");
	if (instance->carried)
		add_carried(instance, &read);
	*ret = read;
	read = (struct gpc_counters){0};
	return 0;
}

void gpc_counters_release(struct gpc_counters *counters)
{
	free(counters->counters);
	free(counters->rules);
	*counters = (struct gpc_counters){0};
}
