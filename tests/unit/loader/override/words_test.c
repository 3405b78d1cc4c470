/* SPDX-License-Identifier: MIT */
/* Overrides to words: held against SEMANTICS 7 and 6.3 in their plain form, at many times. */
#include "loader/override/words.h"

#include "../history/fixture.h"

#define UNIT (1ull << GPC_STATE_TIME_SHIFT)
#define NOW_UNIT 1000u
static const struct gpc_moment now = {.utc_ms = 1800000000000, .ktime_ns = NOW_UNIT * UNIT};

#define FOUR                                                                                       \
	"{name: d, address: 10.0.0.1}, {name: a, address: 10.0.0.2, weight: 2}, "                  \
	"{name: c, address: 10.0.0.3, weight: 4}, {name: b, address: 10.0.0.4, weight: 3}"

/* The states of one image under overrides; made anew by work_out(). */
static struct gpc_image image;
static struct gpc_overrides overrides;
static struct gpc_words words;
static bool down[8];

static void begin(const char *text)
{
	image = image_of_text(text);
	memset(down, 0, sizeof(down));
}

static void work_out(void)
{
	gpc_words_release(&words);
	CU_ASSERT_EQUAL_FATAL(gpc_words_make(&image, &overrides, now, down, &words), 0);
}

static void finish(void)
{
	gpc_words_release(&words);
	gpc_overrides_release(&overrides);
	gpc_image_release(&image);
}

/* until in units from now, 0: never */
static void override(const char *endpoint, enum gpc_override_kind kind, uint32_t weight, uint32_t units)
{
	struct gpc_override o = {.backend = "web", .kind = kind, .weight = weight, .since = now.utc_ms};

	snprintf(o.endpoint, sizeof(o.endpoint), "%s", endpoint);
	o.until = units ? now.utc_ms + (int64_t)(units * UNIT / 1000000) : 0;
	gpc_overrides_add(&overrides, &o);
}

static const struct gpc_endpoint *record(const char *name, struct gpc_endpoint_state **ret)
{
	uint32_t count, at = gpc_endpoint_named(&image, 0, name);
	const struct gpc_endpoint *endpoints = gpc_image_section(&image, GPC_SEC_ENDPOINT, &count);

	*ret = &words.endpoints[at];
	return &endpoints[at];
}

static bool is_new(const char *name, uint32_t units)
{
	struct gpc_endpoint_state *state;
	const struct gpc_endpoint *endpoint = record(name, &state);

	return gpc_words_are_new(endpoint, state, &words.backends[0], NOW_UNIT + units);
}

static enum gpc_state admin(const char *name, uint32_t units)
{
	struct gpc_endpoint_state *state;
	const struct gpc_endpoint *endpoint = record(name, &state);

	return gpc_effect(endpoint, state, &words.backends[0], NOW_UNIT + units).admin;
}

static uint32_t max_at(uint32_t units)
{
	return gpc_greatest_ratio(&words.backends[0], NOW_UNIT + units);
}

/* The j-th of the last resort, as a program finds it. */
static const char *spare(uint32_t j)
{
	uint32_t count;
	const struct gpc_endpoint *endpoints = gpc_image_section(&image, GPC_SEC_ENDPOINT, &count);
	uint32_t k = words.endpoints[endpoints[j].by_name].spare;

	return gpc_image_name(&image, endpoints[endpoints[k].by_name].name);
}

static void nothing_overridden_is_all_zero(void)
{
	static const struct gpc_endpoint_state no_endpoint;
	static const struct gpc_backend_state no_backend;

	begin(PLANE(FOUR));
	override("gone", GPC_OVERRIDE_DRAIN, 0, 0);
	override("a", GPC_OVERRIDE_DRAIN, 0, 0);
	overrides.items[1].end = GPC_END_UNDRAINED;
	override("a", GPC_OVERRIDE_WEIGHT, 7, 5);
	overrides.items[2].until = now.utc_ms; /* over at this very instant */
	work_out();
	for (uint32_t i = 0; i < words.endpoint_count; i++)
		CU_ASSERT_FALSE(memcmp(&words.endpoints[i], &no_endpoint, sizeof(no_endpoint)));
	CU_ASSERT_FALSE(memcmp(&words.backends[0], &no_backend, sizeof(no_backend)));
	finish();
}

static void an_endpoints_own_state_goes_before_its_backends(void)
{
	begin(PLANE(FOUR));
	override("", GPC_OVERRIDE_MAINT, 0, 100);
	override("a", GPC_OVERRIDE_DRAIN, 0, 50);
	work_out();
	CU_ASSERT_EQUAL(admin("a", 49), GPC_STATE_DRAIN);
	CU_ASSERT_EQUAL(admin("a", 50), GPC_STATE_MAINT);
	CU_ASSERT_EQUAL(admin("a", 100), GPC_STATE_READY);
	CU_ASSERT_EQUAL(admin("b", 0), GPC_STATE_MAINT);
	/* Nobody now, so those who will be. */
	CU_ASSERT_EQUAL(words.backends[0].spares, 4);
	CU_ASSERT_TRUE(words.backends[0].flags & GPC_BACKEND_ACTIVE);
	CU_ASSERT_FALSE(words.backends[0].flags & GPC_BACKEND_PANIC);
	finish();
}

static void a_backend_is_settled_when_the_last_override_has_ended(void)
{
	begin(PLANE(FOUR));
	override("a", GPC_OVERRIDE_DRAIN, 0, 50);
	override("b", GPC_OVERRIDE_WEIGHT, 7, 70);
	override("", GPC_OVERRIDE_DRAIN, 0, 60);
	work_out();
	CU_ASSERT_EQUAL(words.backends[0].settled, NOW_UNIT + 70);
	down[1] = true;
	work_out();
	CU_ASSERT_EQUAL(words.backends[0].settled, 0);
	down[1] = false;
	override("c", GPC_OVERRIDE_MAINT, 0, 0);
	work_out();
	CU_ASSERT_EQUAL(words.backends[0].settled, 0);
	finish();
}

static void an_end_is_never_earlier_than_said(void)
{
	struct gpc_endpoint_state *state;

	begin(PLANE(FOUR));
	override("a", GPC_OVERRIDE_DRAIN, 0, 1);
	overrides.items[0].until = now.utc_ms + 1;
	override("b", GPC_OVERRIDE_DRAIN, 0, 1);
	overrides.items[1].until = INT64_MAX / 2;
	work_out();
	record("a", &state);
	CU_ASSERT_EQUAL(state->until, NOW_UNIT + 1);
	record("b", &state);
	CU_ASSERT_EQUAL(state->until, UINT32_MAX);
	finish();
}

static void a_ratio_is_of_the_intents_weight(void)
{
	struct gpc_endpoint_state *state;

	begin(PLANE(FOUR ", {name: e, address: 10.0.0.5, weight: 0}, "
			 "{name: f, address: 10.0.0.6, state: drain}, "
			 "{name: g, address: 10.0.0.7, weight: 65535}"));
	override("a", GPC_OVERRIDE_WEIGHT, 1, 0);
	override("b", GPC_OVERRIDE_WEIGHT, 0, 0);
	override("d", GPC_OVERRIDE_WEIGHT, 65535, 0);
	override("e", GPC_OVERRIDE_WEIGHT, 5, 0);
	override("f", GPC_OVERRIDE_WEIGHT, 5, 0);
	override("g", GPC_OVERRIDE_WEIGHT, 1, 0);
	work_out();
	record("a", &state);
	CU_ASSERT_EQUAL(state->ratio, 32768);
	CU_ASSERT_EQUAL(state->flags, GPC_STATE_WEIGHTED);
	record("b", &state);
	CU_ASSERT_EQUAL(state->ratio, 0);
	CU_ASSERT_FALSE(is_new("b", 0));
	CU_ASSERT_EQUAL(max_at(0), 65535u << 16);
	/* What is not in the table has nothing that a ratio could be of. */
	record("e", &state);
	CU_ASSERT_EQUAL(state->flags, 0);
	record("f", &state);
	CU_ASSERT_EQUAL(state->flags, 0);
	CU_ASSERT_FALSE(is_new("e", 0) || is_new("f", 0));
	record("g", &state);
	CU_ASSERT_EQUAL(state->ratio, 1);
	finish();
}

static void spares_are_the_new_ones_in_name_order(void)
{
	begin(PLANE(FOUR));
	override("b", GPC_OVERRIDE_DRAIN, 0, 9);
	work_out();
	CU_ASSERT_EQUAL_FATAL(words.backends[0].spares, 3);
	CU_ASSERT_STRING_EQUAL(spare(0), "a");
	CU_ASSERT_STRING_EQUAL(spare(1), "c");
	CU_ASSERT_STRING_EQUAL(spare(2), "d");
	finish();
}

static void steps_follow_the_greatest_ratio_to_its_end(void)
{
	begin(PLANE(FOUR));
	override("a", GPC_OVERRIDE_WEIGHT, 4, 10);  /* 2 */
	override("b", GPC_OVERRIDE_WEIGHT, 9, 20);  /* 3 */
	override("c", GPC_OVERRIDE_WEIGHT, 16, 5);  /* 4 */
	override("d", GPC_OVERRIDE_WEIGHT, 5, 0);   /* 5, for ever, but drained until 30 */
	override("d", GPC_OVERRIDE_DRAIN, 0, 30);
	work_out();
	CU_ASSERT_EQUAL(words.crowded, GPC_NONE);
	CU_ASSERT_EQUAL(max_at(0), 4 * 65536);
	CU_ASSERT_EQUAL(max_at(4), 4 * 65536);
	CU_ASSERT_EQUAL(max_at(5), 3 * 65536);
	CU_ASSERT_EQUAL(max_at(19), 3 * 65536);
	CU_ASSERT_EQUAL(max_at(20), 65536);
	CU_ASSERT_EQUAL(max_at(30), 5 * 65536);
	CU_ASSERT_EQUAL(max_at(1000000), 5 * 65536);
	finish();
}

static void lower_weights_of_some_need_no_step(void)
{
	begin(PLANE(FOUR));
	override("a", GPC_OVERRIDE_WEIGHT, 1, 10);
	override("b", GPC_OVERRIDE_WEIGHT, 1, 20);
	override("c", GPC_OVERRIDE_WEIGHT, 1, 30);
	work_out();
	CU_ASSERT_EQUAL(words.backends[0].step[0].max, 0);
	/* With all of them lower, the greatest is below 1. */
	override("d", GPC_OVERRIDE_WEIGHT, 0, 15);
	work_out();
	CU_ASSERT_EQUAL(max_at(0), 32768);
	CU_ASSERT_EQUAL(max_at(10), 65536);
	finish();
}

static void while_nobody_counts_no_step_is_spent(void)
{
	begin(PLANE(FOUR));
	override("", GPC_OVERRIDE_DRAIN, 0, 10);
	override("a", GPC_OVERRIDE_WEIGHT, 4, 20);
	work_out();
	CU_ASSERT_EQUAL(max_at(10), 2 * 65536);
	CU_ASSERT_EQUAL(max_at(20), 65536);
	CU_ASSERT_EQUAL(words.backends[0].step[1].max, 0);
	finish();
}

static void more_ends_than_steps_are_said_and_stay_right(void)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};

	begin(PLANE("{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2}, "
		    "{name: c, address: 10.0.0.3}, {name: d, address: 10.0.0.4}, "
		    "{name: e, address: 10.0.0.5}, {name: f, address: 10.0.0.6}"));
	for (uint32_t i = 0; i < 6; i++)
		override(names[i], GPC_OVERRIDE_WEIGHT, 4 * (60 - i), 10 * (i + 1));
	work_out();
	CU_ASSERT_EQUAL(words.crowded, 0);
	for (uint32_t t = 0; t < 60; t++) {
		uint32_t most = 0;

		for (unsigned int i = 0; i < 6; i++) {
			struct gpc_endpoint_state *state;

			record(names[i], &state);
			if (NOW_UNIT + t < state->weight_until && state->ratio > most)
				most = state->ratio;
		}
		CU_ASSERT_TRUE(max_at(t) >= most);
	}
	CU_ASSERT_EQUAL(max_at(60), 65536);
	/* As many as there are steps for are not too many. */
	overrides.count = GPC_BACKEND_STEPS;
	work_out();
	CU_ASSERT_EQUAL(words.crowded, GPC_NONE);
	CU_ASSERT_EQUAL(max_at(39), 4 * 57 * 65536);
	CU_ASSERT_EQUAL(max_at(40), 65536);
	finish();
}

static void health_alone_empties_no_backend(void)
{
	struct gpc_endpoint_state *state;

	begin(PLANE(FOUR));
	memset(down, true, 4);
	work_out();
	CU_ASSERT_TRUE(words.backends[0].flags & GPC_BACKEND_PANIC);
	CU_ASSERT_EQUAL(words.backends[0].spares, 4);
	record("a", &state);
	CU_ASSERT_EQUAL(state->flags, GPC_STATE_DOWN);
	/* One is up: the others are left out. */
	down[gpc_endpoint_named(&image, 0, "c")] = false;
	work_out();
	CU_ASSERT_EQUAL(words.backends[0].flags, GPC_BACKEND_ACTIVE);
	CU_ASSERT_EQUAL(words.backends[0].spares, 1);
	CU_ASSERT_STRING_EQUAL(spare(0), "c");
	/* Drained, it counts no longer: nobody who counts is up. */
	override("c", GPC_OVERRIDE_DRAIN, 0, 0);
	work_out();
	CU_ASSERT_TRUE(words.backends[0].flags & GPC_BACKEND_PANIC);
	CU_ASSERT_EQUAL(words.backends[0].spares, 3);
	finish();
}

/* SEMANTICS, worked example 17. */
static void drain_can_empty_a_backend(void)
{
	begin(PLANE(FOUR));
	memset(down, true, 4);
	override("", GPC_OVERRIDE_DRAIN, 0, 0);
	work_out();
	CU_ASSERT_EQUAL(words.backends[0].flags, GPC_BACKEND_ACTIVE);
	CU_ASSERT_EQUAL(words.backends[0].spares, 0);
	finish();
}

GPC_UNIT_MAIN("override/words",
	      {"nothing_overridden_is_all_zero", nothing_overridden_is_all_zero},
	      {"an_endpoints_own_state_goes_before_its_backends",
	       an_endpoints_own_state_goes_before_its_backends},
	      {"a_backend_is_settled_when_the_last_override_has_ended",
	       a_backend_is_settled_when_the_last_override_has_ended},
	      {"an_end_is_never_earlier_than_said", an_end_is_never_earlier_than_said},
	      {"a_ratio_is_of_the_intents_weight", a_ratio_is_of_the_intents_weight},
	      {"spares_are_the_new_ones_in_name_order", spares_are_the_new_ones_in_name_order},
	      {"steps_follow_the_greatest_ratio_to_its_end", steps_follow_the_greatest_ratio_to_its_end},
	      {"lower_weights_of_some_need_no_step", lower_weights_of_some_need_no_step},
	      {"while_nobody_counts_no_step_is_spent", while_nobody_counts_no_step_is_spent},
	      {"more_ends_than_steps_are_said_and_stay_right",
	       more_ends_than_steps_are_said_and_stay_right},
	      {"health_alone_empties_no_backend", health_alone_empties_no_backend},
	      {"drain_can_empty_a_backend", drain_can_empty_a_backend})
