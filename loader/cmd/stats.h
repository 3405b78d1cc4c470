/* SPDX-License-Identifier: MIT */
/*
 * stats.h: the forms in which `gpc stats` gives a reading. With an interval text and JSON show what came
 * since the reading before, else what was counted since the plane began.
 */
#ifndef GPC_LOADER_CMD_STATS_H
#define GPC_LOADER_CMD_STATS_H

#include "command.h"
#include "output.h"
#include "reading.h"

void gpc_stats_text(const struct gpc_call *call, const struct gpc_reading *reading);
void gpc_stats_json(const struct gpc_call *call, const struct gpc_reading *reading);
/* The text exposition format 0.0.4 of Prometheus; metrics.h has the names. */
void gpc_stats_prometheus(const struct gpc_call *call, const struct gpc_reading *reading, FILE *out);

/* Has anything been counted that this form of the reading shows? */
bool gpc_stats_is_quiet(const struct gpc_reading *reading, const struct gpc_row *row);

/* Adds four cells: packets, bytes, new flows, dropped; per second when there is a reading before. */
void gpc_stats_add_counter(struct gpc_grid *grid, const struct gpc_reading *reading,
			   const struct gpc_row *row);
/* Only the first two, which reasons count. */
void gpc_stats_add_frames(struct gpc_grid *grid, const struct gpc_reading *reading,
			  const struct gpc_row *row);
#define GPC_STATS_TITLES(reading)                                                                  \
	(reading)->seconds > 0 ? "packets/s" : "packets",                                          \
		(reading)->seconds > 0 ? "bytes/s" : "bytes",                                      \
		(reading)->seconds > 0 ? "flows/s" : "flows",                                      \
		(reading)->seconds > 0 ? "dropped/s" : "dropped"

#endif
