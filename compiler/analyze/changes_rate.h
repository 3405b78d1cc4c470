/* SPDX-License-Identifier: MIT */
/* changes_rate.h: a `rate` of a rule or a listener, as the records have it, in words. */
#ifndef GPC_ANALYZE_CHANGES_RATE_H
#define GPC_ANALYZE_CHANGES_RATE_H

#include "change_text.h"

struct gpc_change_rate {
	bool limited, per_source, bytes;
	uint64_t cost, burst;	/* as in struct gpc_rule */
	uint32_t entries;
	uint8_t exceed;
};

/* Adds "rate 5/s burst 5 -> none" if they differ. */
void gpc_change_note_rate(struct gpc_change_text *out, struct gpc_change_rate a, struct gpc_change_rate b);

#endif
