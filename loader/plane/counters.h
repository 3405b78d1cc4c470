/* SPDX-License-Identifier: MIT */
/*
 * counters.h: what the programs of an instance have counted, summed over all CPUs. Maps that an older
 * gpc made in another form are not read: nothing is known then. Each number is read whole; numbers of
 * one slot are read one behind the other while packets go on being counted.
 */
#ifndef GPC_LOADER_PLANE_COUNTERS_H
#define GPC_LOADER_PLANE_COUNTERS_H

#include "instance.h"

struct gpc_counters {
	struct gpc_counter *counters;	/* by slot */
	size_t counter_count;
	struct gpc_rule_counter *rules;	/* by slot; log_tat and log_seen are 0 */
	size_t rule_count;
	struct gpc_limiter limits[GPC_LIMIT_COUNT];	/* tat is 0 */
};

int gpc_counters_read(const struct gpc_instance *instance, struct gpc_counters *ret,
		      struct gpc_failure *failure);
void gpc_counters_release(struct gpc_counters *counters);

#endif
