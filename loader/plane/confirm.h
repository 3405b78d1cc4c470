/* SPDX-License-Identifier: MIT */
/*
 * confirm.h: an apply that waits for its confirmation (gpc_plane_apply() with confirm_ms). Past the
 * deadline the programs decide by what ran before, whatever lives on the host. What stands in the control
 * word is all that is known of it: no file can say otherwise.
 *
 *   keep        it stays for good
 *   fall_back   what ran before is active again: taken back, or written down when the time is over
 *
 * Both change the word by one compare-and-swap and then bind devices as the image that stays wants it. A
 * kill between the two leaves links that gpc verify names and the next apply removes.
 */
#ifndef GPC_LOADER_PLANE_CONFIRM_H
#define GPC_LOADER_PLANE_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "../fail.h"
#include "../notice.h"

/* So late nobody can confirm any more: an answer that hangs must not come after the deadline. */
#define GPC_CONFIRM_TOO_LATE_MS 100u
#define GPC_CONFIRM_LEAST_MS 1000u
#define GPC_CONFIRM_MOST_MS (24u * 3600 * 1000)

struct gpc_confirm {
	bool present;		/* a plane is pinned there */
	bool armed;		/* an apply waits, or waited */
	bool expired;		/* its time is over, what ran before decides */
	bool first;		/* nothing ran before: then every packet passes */
	uint32_t generation;	/* that waits; without one, that runs; 0: not readable, or none */
	uint32_t fallback;	/* that ran before, while armed; 0: none */
	uint64_t left_ms;	/* until the deadline, rounded down; 0: not armed or expired */
};

struct gpc_instance;
/* Of an instance's control word as it was read. */
struct gpc_confirm gpc_confirm_describe(const struct gpc_instance *instance, uint64_t word);

/* Needs no lock. */
int gpc_confirm_read(const char *bpffs, struct gpc_confirm *ret, struct gpc_failure *failure);

/*
 * Needs the lock. *ret is how it was found, also on failure. ROLLED_BACK: the time is over; CONFLICT:
 * nothing waits, less than GPC_CONFIRM_TOO_LATE_MS are left, or another generation than this one waits.
 */
int gpc_confirm_keep(const char *bpffs, uint32_t generation, const struct gpc_notice_sink *notices,
		     struct gpc_confirm *ret, struct gpc_failure *failure);

/*
 * Needs the lock. Where nothing ran before the plane is detached. No failure when nothing waits. *ret is
 * how it was found.
 */
int gpc_confirm_fall_back(const char *bpffs, const struct gpc_notice_sink *notices,
			  struct gpc_confirm *ret, struct gpc_failure *failure);

#endif
