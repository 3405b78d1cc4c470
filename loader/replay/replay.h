/* SPDX-License-Identifier: MIT */
/*
 * replay.h: records through one image or two, packet by packet, by the programs that the kernel runs
 * (sim.h). Of a capture the clock is that of its time stamps, and flows live in the table from one packet
 * to the next; of a list each flow meets an empty table and full buckets.
 *
 *   gpc_replay_open(); gpc_replay_run(); look at the tallies; gpc_replay_release();
 */
#ifndef GPC_LOADER_REPLAY_REPLAY_H
#define GPC_LOADER_REPLAY_REPLAY_H

#include "tally.h"

#define GPC_REPLAY_DEVICES 64u

struct gpc_replay_options {
	const char *in, *out;	/* devices; NULL: records that go that way are left out, unless they name theirs */
	enum gpc_sim_kind kind;
};

struct gpc_replay {
	struct gpc_replay_options options;
	const struct gpc_image *images[2];
	size_t count;
	struct gpc_sim *sims[2];
	struct gpc_tally tallies[2];
	struct gpc_differences differences;
	struct gpc_sum undirected;	/* left out: of a direction, or without one, for which there is no device */
	bool timed;
	int64_t begin, end;		/* time stamps, the least and the greatest */
	uint64_t backwards;		/* packets with a time stamp before that of another in front of them */
	char *devices[GPC_REPLAY_DEVICES];
	size_t device_count;
	uint64_t elapsed;		/* ns on the clock of the images */
};

/* `images` must stay. */
int gpc_replay_open(const struct gpc_image *const images[], size_t count,
		    const struct gpc_replay_options *options, struct gpc_replay *ret,
		    struct gpc_failure *failure);
int gpc_replay_run(struct gpc_replay *replay, struct gpc_records *records,
		   struct gpc_failure *failure);
void gpc_replay_release(struct gpc_replay *replay);

#endif
