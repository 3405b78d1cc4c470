/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

/* Longer than anything is remembered; and the clock of the programs has room for it. */
#define LONGEST_NS (30ull * 365 * 86400 * 1000000000)

/* ---- devices ---- */

static void close_sims(struct gpc_replay *replay)
{
	for (size_t i = 0; i < replay->count; i++) {
		if (replay->sims[i])
			gpc_sim_close(replay->sims[i]);
		replay->sims[i] = NULL;
	}
}

static int open_sims(struct gpc_replay *replay, struct gpc_failure *failure)
{
	close_sims(replay);
	for (size_t i = 0; i < replay->count; i++)
		if (gpc_sim_open(replay->options.kind, replay->images[i],
				 (const char *const *)replay->devices, replay->device_count,
				 &replay->sims[i], failure))
			return -1;
	return 0;
}

static size_t index_of(const struct gpc_replay *replay, const char *name)
{
	size_t i = 0;

	while (i < replay->device_count && strcmp(replay->devices[i], name))
		i++;
	return i;
}

static int add_device(struct gpc_replay *replay, const char *name, struct gpc_failure *failure)
{
	if (index_of(replay, name) < replay->device_count)
		return 0;
	if (replay->device_count == GPC_REPLAY_DEVICES)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"the list names more than %u devices; give --in or --out",
				GPC_REPLAY_DEVICES);
	replay->devices[replay->device_count] = strdup(name);
	if (!replay->devices[replay->device_count++])
		abort();
	return 0;
}

int gpc_replay_open(const struct gpc_image *const images[], size_t count,
		    const struct gpc_replay_options *options, struct gpc_replay *ret,
		    struct gpc_failure *failure)
{
	*ret = (struct gpc_replay){.options = *options, .count = count};
	for (size_t i = 0; i < count; i++) {
		ret->images[i] = images[i];
		gpc_tally_init(&ret->tallies[i], images[i]);
	}
	gpc_differences_init(&ret->differences);
	if ((options->in && add_device(ret, options->in, failure)) ||
	    (options->out && add_device(ret, options->out, failure)))
		return -1;
	return open_sims(ret, failure);
}

void gpc_replay_release(struct gpc_replay *replay)
{
	close_sims(replay);
	for (size_t i = 0; i < replay->count; i++)
		gpc_tally_release(&replay->tallies[i]);
	gpc_differences_release(&replay->differences);
	for (size_t i = 0; i < replay->device_count; i++)
		free(replay->devices[i]);
	*replay = (struct gpc_replay){0};
}

/*
 * Where the record meets the images; *ret_device NULL: nowhere. What is given on the command line goes
 * before what the record names.
 */
static int place(struct gpc_replay *replay, const struct gpc_record *record,
		 const char **ret_device, enum gpc_direction *ret_direction,
		 struct gpc_failure *failure)
{
	const struct gpc_replay_options *given = &replay->options;
	enum gpc_direction direction = record->directed	      ? record->direction
				       : !given->in && given->out ? GPC_EGRESS
								   : GPC_INGRESS;
	const char *device = direction == GPC_EGRESS ? given->out : given->in;

	*ret_device = device;
	*ret_direction = direction;
	if (device || given->in || given->out || !*record->device)
		return 0;
	*ret_device = record->device;
	if (index_of(replay, record->device) < replay->device_count)
		return 0;
	return add_device(replay, record->device, failure) || open_sims(replay, failure) ? -1 : 0;
}

/* ---- time ---- */

/* The clock goes on to the record's time, and never back. */
static void keep_time(struct gpc_replay *replay, const struct gpc_record *record)
{
	uint64_t since;

	if (!record->timed)
		return;
	if (!replay->timed)
		replay->begin = replay->end = record->time;
	replay->timed = true;
	if (record->time < replay->end)
		replay->backwards++;
	if (record->time < replay->begin)
		replay->begin = record->time;
	if (record->time <= replay->end)
		return;
	since = (uint64_t)record->time - (uint64_t)replay->end;
	replay->end = record->time;
	if (since > LONGEST_NS - replay->elapsed)
		since = LONGEST_NS - replay->elapsed;
	replay->elapsed += since;
	for (size_t i = 0; i < replay->count && replay->options.kind == GPC_SIM_USER; i++)
		gpc_sim_advance(replay->sims[i], since);
}

/* ---- a record ---- */

/* Of a flow that is known no rule is asked: it is the business of the rule that let it in. */
static void remember(struct gpc_tally_flow *flow, size_t side, struct gpc_fate *fate)
{
	bool let = fate->verdict == GPC_VERDICT_PASS || fate->verdict == GPC_VERDICT_FORWARD;

	if (!flow || !let)
		return;
	if (fate->rule != GPC_NONE) {
		flow->rule[side] = fate->rule;
	} else if (flow->rule[side] != GPC_NONE) {
		fate->rule = flow->rule[side];
		fate->known = true;
	}
}

static int send(struct gpc_replay *replay, size_t side, const struct gpc_sim_send *send,
		struct gpc_fate *ret, struct gpc_failure *failure)
{
	struct gpc_sim_outcome outcome;

	if (gpc_sim_send(replay->sims[side], send, &outcome, failure))
		return -1;
	*ret = (struct gpc_fate){
		.verdict = outcome.verdict,
		.reason = outcome.reason,
		.rule = outcome.rule,
		.would = outcome.would,
		.would_action = outcome.would_action,
		.listener = outcome.listener,
		.endpoint = outcome.endpoint,
		.mark = outcome.mark,
	};
	return 0;
}

static int replay_record(struct gpc_replay *replay, const struct gpc_record *record, bool alone,
			 struct gpc_failure *failure)
{
	struct gpc_tally_flow *flow = gpc_differences_flow(&replay->differences, record);
	struct gpc_sim_send sent = {.frame = record->frame, .size = record->size, .repeat = 1};
	struct gpc_fate fates[2];
	const char *device;

	if (place(replay, record, &device, &sent.direction, failure))
		return -1;
	if (!device) {
		replay->undirected.packets += record->packets;
		replay->undirected.bytes += record->bytes;
		return 0;
	}
	keep_time(replay, record);
	sent.device = index_of(replay, device);
	for (size_t i = 0; i < replay->count; i++) {
		if (alone && gpc_sim_reset(replay->sims[i], failure))
			return -1;
		if (send(replay, i, &sent, &fates[i], failure))
			return -1;
		if (!alone)
			remember(flow, i, &fates[i]);
		gpc_tally_add(&replay->tallies[i], replay->images[i], record, &fates[i]);
	}
	if (replay->count == 2)
		gpc_differences_add(&replay->differences, replay->images, record, fates, flow);
	return 0;
}

int gpc_replay_run(struct gpc_replay *replay, struct gpc_records *records,
		   struct gpc_failure *failure)
{
	struct gpc_record record;
	int r;

	while ((r = records->next(records, &record, failure)) == 1)
		if (replay_record(replay, &record, records->alone, failure))
			return -1;
	return r;
}
