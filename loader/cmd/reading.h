/* SPDX-License-Identifier: MIT */
/*
 * reading.h: one reading of what a plane has counted, and what came since the one before. Objects are
 * matched by their identity, so an apply between two readings that reorders, adds or removes some
 * changes nothing for the others. What is counted less than before was begun anew: all of it came since.
 */
#ifndef GPC_LOADER_CMD_READING_H
#define GPC_LOADER_CMD_READING_H

#include "status.h"

enum gpc_seen {
	GPC_SEEN_LISTENER,
	GPC_SEEN_BACKEND,	/* sums of its endpoints, and what was dropped before one was chosen */
	GPC_SEEN_ENDPOINT,
	GPC_SEEN_REASON,	/* hook * GPC_REASON_COUNT + reason */
	GPC_SEEN_COUNT
};

struct gpc_row {
	uint64_t id;
	struct gpc_counter total;
	struct gpc_counter since;	/* of `seconds` */
};
struct gpc_rows {
	struct gpc_row *items;		/* by index of the image's records, of reasons as above */
	uint32_t count;
};

struct gpc_reading {
	struct gpc_status status;	/* without history and problems */
	struct gpc_rows rows[GPC_SEEN_COUNT];
	struct gpc_rows own;		/* by backend: what its own slot has */
	struct gpc_limiter limits[GPC_LIMIT_COUNT];	/* since, as in a row */
	bool has_flows;
	struct gpc_flows flows;
	int64_t wall_ns, monotonic_ns;
	double seconds;			/* since the reading before; 0: there was none */
};

/*
 * Takes the next reading into one that is all zero or holds the one before. FAILED when no plane runs,
 * or no image is active. `flows`: walks over the flow tables, too, for at most GPC_FLOWS_MS.
 */
int gpc_reading_take(struct gpc_reading *reading, bool flows, struct gpc_failure *failure);
void gpc_reading_release(struct gpc_reading *reading);

/*
 * Of an endpoint's backend: the share of new flows that the Maglev table gives it, and the one that it
 * got, since the reading before if there was one. Negative: of nothing.
 */
double gpc_reading_configured(const struct gpc_reading *reading, uint32_t endpoint);
double gpc_reading_observed(const struct gpc_reading *reading, uint32_t endpoint);

/* Of a listener, a backend or an endpoint. */
const char *gpc_reading_name(const struct gpc_reading *reading, enum gpc_seen kind, uint32_t index);

/* What came since the reading before, per second. */
double gpc_reading_rate(const struct gpc_reading *reading, uint64_t since);

/* All packets that came by a hook. */
struct gpc_row gpc_reading_hook(const struct gpc_reading *reading, enum gpc_hook hook);

#endif
