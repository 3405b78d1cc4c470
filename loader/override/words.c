/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <errno.h>
#include <stdlib.h>

#include "../../compiler/base/cleanup.h"
#include "../clock.h"

struct gpc_moment gpc_moment_now(void)
{
	return (struct gpc_moment){.utc_ms = gpc_utc_ms(), .ktime_ns = gpc_clock_coarse()};
}

void gpc_words_release(struct gpc_words *words)
{
	free(words->endpoints);
	free(words->backends);
	*words = (struct gpc_words){0};
}

/* ---- at one time ---- */

bool gpc_words_count(const struct gpc_endpoint *endpoint, const struct gpc_endpoint_state *state,
		     const struct gpc_backend_state *backend, uint32_t now)
{
	struct gpc_effect effect = gpc_effect(endpoint, state, backend, now);

	return effect.admin == GPC_STATE_READY && effect.ratio;
}

bool gpc_words_are_new(const struct gpc_endpoint *endpoint, const struct gpc_endpoint_state *state,
		       const struct gpc_backend_state *backend, uint32_t now)
{
	return gpc_takes_new(gpc_effect(endpoint, state, backend, now));
}

/* ---- what is under way: one backend ---- */

struct work {
	const struct gpc_backend *backend;
	const struct gpc_endpoint *endpoints; /* of the backend */
	struct gpc_endpoint_state *states;
	struct gpc_backend_state *state;
	uint32_t now;
};

static uint32_t max_ratio(const struct work *work, uint32_t now)
{
	uint32_t max = 0, i;

	for (i = 0; i < work->backend->endpoints; i++) {
		struct gpc_effect effect =
			gpc_effect(&work->endpoints[i], &work->states[i], work->state, now);

		if (effect.admin == GPC_STATE_READY && effect.ratio > max)
			max = effect.ratio;
	}
	return max;
}

static int compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void add_time(uint32_t *times, size_t *count, uint32_t until)
{
	if (until)
		times[(*count)++] = until;
}

/* Ends that are to come, sorted, each once, and 0 (never) behind them; NULL without memory. */
static uint32_t *ends(const struct work *work, size_t *ret_count)
{
	uint32_t *times = calloc(2u * work->backend->endpoints + 2, sizeof(*times)), i;
	size_t all = 0, count = 0, t;

	if (!times)
		return NULL;
	add_time(times, &all, work->state->until);
	for (i = 0; i < work->backend->endpoints; i++) {
		add_time(times, &all, work->states[i].until);
		add_time(times, &all, work->states[i].weight_until);
	}
	qsort(times, all, sizeof(*times), compare_times);
	for (t = 0; t < all; t++)
		if (!count || times[t] != times[count - 1])
			times[count++] = times[t];
	times[count++] = 0;
	*ret_count = count;
	return times;
}

/*
 * One step more, or the last one longer where its max is the same. A span in which nobody counts (max 0) may
 * have any max, so it joins a neighbour. False: past the last step, which takes it in.
 */
static bool add_step(struct gpc_backend_state *state, uint32_t *count, uint32_t until, uint32_t max)
{
	uint32_t last = *count ? state->step[*count - 1].max : 0;
	bool more = !*count || (max && last && max != last);
	bool fits = !more || *count < GPC_BACKEND_STEPS;

	*count += more && fits;
	state->step[*count - 1].until = until;
	if (max > state->step[*count - 1].max)
		state->step[*count - 1].max = max;
	return fits;
}

/* Past the last step it is 1 anyway: how many spans come before. */
static size_t count_spans(const uint32_t *max, size_t count)
{
	while (count && (!max[count - 1] || max[count - 1] == GPC_RATIO_ONE))
		count--;
	return count;
}

/* 1: more ends than there are steps. */
static int plan_steps(const struct work *work)
{
	GPC_AUTO_FREE uint32_t *times = NULL;
	GPC_AUTO_FREE uint32_t *max = NULL;
	uint32_t steps = 0;
	size_t count, t;
	int crowded = 0;

	times = ends(work, &count);
	max = times ? calloc(count, sizeof(*max)) : NULL;
	if (!max)
		return -ENOMEM;
	for (t = 0; t < count; t++)
		max[t] = max_ratio(work, t ? times[t - 1] : work->now);
	count = count_spans(max, count);
	for (t = 0; t < count; t++)
		if (!add_step(work->state, &steps, times[t], max[t]))
			crowded = 1;
	return crowded;
}

static bool is_panic(const struct work *work)
{
	uint64_t counted = 0, up = 0;
	uint32_t i;

	for (i = 0; i < work->backend->endpoints; i++) {
		if (!gpc_words_count(&work->endpoints[i], &work->states[i], work->state, work->now))
			continue;
		counted++;
		up += !(work->states[i].flags & GPC_STATE_DOWN);
	}
	return counted && (up * 10000 < work->backend->min_healthy * counted ||
			   (!up && work->backend->failover == GPC_NONE));
}

/* Those that take new flows at `now`, in name order. */
static void list_spares(const struct work *work, uint32_t now)
{
	uint32_t k;

	for (k = 0; k < work->backend->endpoints; k++) {
		uint32_t at = work->endpoints[k].by_name, to;

		if (!gpc_words_are_new(&work->endpoints[at], &work->states[at], work->state, now))
			continue;
		to = work->endpoints[work->state->spares++].by_name;
		work->states[to].spare = k;
	}
}

static bool is_touched(const struct work *work)
{
	uint32_t i;

	for (i = 0; i < work->backend->endpoints; i++)
		if (work->states[i].state || work->states[i].flags)
			return true;
	return work->state->state;
}

/* When everything that is said of the backend has ended; 0: something does not end by itself. */
static uint32_t settles(const struct work *work)
{
	uint32_t last = work->state->until, i;

	if (work->state->state && !last)
		return 0;
	for (i = 0; i < work->backend->endpoints; i++) {
		const struct gpc_endpoint_state *state = &work->states[i];
		bool weighted = state->flags & GPC_STATE_WEIGHTED;

		if (state->flags & GPC_STATE_DOWN || (state->state && !state->until) ||
		    (weighted && !state->weight_until))
			return 0;
		if (state->until > last)
			last = state->until;
		if (state->weight_until > last)
			last = state->weight_until;
	}
	return last;
}

static int finish_backend(const struct work *work)
{
	if (!is_touched(work))
		return 0;
	work->state->flags = GPC_BACKEND_ACTIVE;
	work->state->settled = settles(work);
	if (is_panic(work))
		work->state->flags |= GPC_BACKEND_PANIC;
	list_spares(work, work->now);
	/* Nobody now: those who will, when everything that ends has ended; packets ask them whether they do. */
	if (!work->state->spares)
		list_spares(work, UINT32_MAX);
	return plan_steps(work);
}

/* ---- the whole ---- */

/* Rounded up: never earlier than said. */
static uint32_t until_unit(const struct gpc_override *override, struct gpc_moment now)
{
	uint64_t left, ns, unit = (1ull << GPC_STATE_TIME_SHIFT) - 1;

	if (!override->until)
		return 0;
	left = (uint64_t)(override->until - now.utc_ms);
	if (__builtin_mul_overflow(left, 1000000u, &ns) ||
	    __builtin_add_overflow(ns, now.ktime_ns + unit, &ns) ||
	    ns >> GPC_STATE_TIME_SHIFT > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)(ns >> GPC_STATE_TIME_SHIFT);
}

static uint8_t state_of(enum gpc_override_kind kind)
{
	return 1u + (kind == GPC_OVERRIDE_MAINT ? GPC_STATE_MAINT : GPC_STATE_DRAIN);
}

static void set_endpoint(const struct gpc_override *override, uint32_t until,
			 const struct gpc_endpoint *endpoint, struct gpc_endpoint_state *state)
{
	if (override->kind != GPC_OVERRIDE_WEIGHT) {
		state->state = state_of(override->kind);
		state->until = until;
	} else if (endpoint->state == GPC_STATE_READY && endpoint->weight) {
		state->flags |= GPC_STATE_WEIGHTED;
		state->ratio = (uint32_t)((uint64_t)override->weight * GPC_RATIO_ONE / endpoint->weight);
		/* Less than a 65536th is not nothing. */
		if (!state->ratio && override->weight)
			state->ratio = 1;
		state->weight_until = until;
	}
}

static void set(const struct gpc_image *image, const struct gpc_override *override,
		struct gpc_moment now, struct gpc_words *words)
{
	uint32_t backend, endpoint, count, until = until_unit(override, now);
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	if (!gpc_override_find(override, image, &backend, &endpoint))
		return;
	if (endpoint != GPC_NONE) {
		set_endpoint(override, until, &endpoints[endpoint], &words->endpoints[endpoint]);
	} else if (override->kind != GPC_OVERRIDE_WEIGHT) {
		words->backends[backend].state = state_of(override->kind);
		words->backends[backend].until = until;
	}
}

static int finish(const struct gpc_image *image, uint32_t now, struct gpc_words *words)
{
	uint32_t count, i;
	const struct gpc_backend *backends = gpc_image_section(image, GPC_SEC_BACKEND, &count);
	const struct gpc_endpoint *endpoints = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	for (i = 0; i < words->backend_count; i++) {
		struct work work = {
			.backend = &backends[i],
			.endpoints = endpoints + backends[i].first_endpoint,
			.states = words->endpoints + backends[i].first_endpoint,
			.state = &words->backends[i],
			.now = now,
		};
		int r = finish_backend(&work);

		if (r < 0)
			return r;
		if (r && words->crowded == GPC_NONE)
			words->crowded = i;
	}
	return 0;
}

int gpc_words_make(const struct gpc_image *image, const struct gpc_overrides *overrides,
		    struct gpc_moment now, const bool *down, struct gpc_words *ret)
{
	GPC_CLEANUP(gpc_words_release) struct gpc_words words = {.crowded = GPC_NONE};
	uint32_t i;
	size_t o;
	int r;

	(void)gpc_image_section(image, GPC_SEC_ENDPOINT, &words.endpoint_count);
	(void)gpc_image_section(image, GPC_SEC_BACKEND, &words.backend_count);
	words.endpoints = calloc(words.endpoint_count + 1ul, sizeof(*words.endpoints));
	words.backends = calloc(words.backend_count + 1ul, sizeof(*words.backends));
	if (!words.endpoints || !words.backends)
		return -ENOMEM;
	for (i = 0; down && i < words.endpoint_count; i++)
		words.endpoints[i].flags = down[i] ? GPC_STATE_DOWN : 0;
	for (o = 0; o < overrides->count; o++)
		if (gpc_override_is_live(&overrides->items[o], now.utc_ms))
			set(image, &overrides->items[o], now, &words);
	r = finish(image, gpc_moment_unit(now), &words);
	if (r)
		return r;
	*ret = words;
	words = (struct gpc_words){0};
	return 0;
}
