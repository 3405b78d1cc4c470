/* SPDX-License-Identifier: MIT */
/* The words of overrides in the maps of a real plane: across applies, growth, undo and reused slots. */
#include "../../../../loader/plane/instance.h"
#include "../../../../loader/override/words.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "rig.h"

static struct gpc_image one, two, three, heavy, many;
static struct gpc_override items[4];
static struct gpc_overrides overrides = {items, 0};

static void add(const char *endpoint, enum gpc_override_kind kind, uint32_t weight)
{
	struct gpc_override *o = &items[overrides.count++];

	*o = (struct gpc_override){.backend = "web", .kind = kind, .weight = weight, .since = 1};
	snprintf(o->endpoint, sizeof(o->endpoint), "%s", endpoint);
}

static void begin(void)
{
	overrides.count = 0;
	rig_overrides = &overrides;
}

/* Of the image that runs. */
static struct gpc_endpoint_state state_of(const char *endpoint)
{
	struct gpc_plane_status status = rig_read();
	const struct gpc_link_head *link = gpc_view_link(status.image.view);
	uint32_t at = gpc_endpoint_named(&status.image, 0, endpoint);
	struct gpc_endpoint_state state =
		status.endpoints[gpc_link_endpoint_at(status.image.view, link, at)->counter];

	gpc_plane_status_release(&status);
	return state;
}

static struct gpc_backend_state backend_state(void)
{
	struct gpc_plane_status status = rig_read();
	const struct gpc_link_head *link = gpc_view_link(status.image.view);
	struct gpc_backend_state state =
		status.backends[gpc_link_backend_at(status.image.view, link, 0)->counter];

	gpc_plane_status_release(&status);
	return state;
}

/* As an observer does it: only its bit. */
static void set_down(const char *endpoint)
{
	struct gpc_plane_status status = rig_read();
	const struct gpc_link_head *link = gpc_view_link(status.image.view);
	uint32_t at = gpc_endpoint_named(&status.image, 0, endpoint);
	uint32_t slot = gpc_link_endpoint_at(status.image.view, link, at)->counter;
	struct gpc_instance_id *ids;
	struct gpc_instance instance;
	char name[GPC_INSTANCE_NAME];
	size_t count;

	CU_ASSERT_EQUAL_FATAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	gpc_instance_name(&ids[0], true, name);
	CU_ASSERT_EQUAL_FATAL(gpc_instance_open(rig_bpffs, name, &instance, &rig_failure), 0);
	instance.endpoints[slot].flags |= GPC_STATE_DOWN;
	gpc_instance_close(&instance);
	gpc_plane_status_release(&status);
	free(ids);
}

static bool is_zero(const void *bytes, size_t size)
{
	const char *p = bytes;

	while (size && !p[size - 1])
		size--;
	return !size;
}

static void an_override_is_set_and_taken_back(void)
{
	struct gpc_endpoint_state w1, w2;
	struct gpc_backend_state web;

	begin();
	CU_ASSERT_EQUAL(gpc_plane_override(rig_bpffs, &overrides, &rig_failure), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_FAILED);
	rig_must_apply(&two);
	add("w1", GPC_OVERRIDE_DRAIN, 0);
	add("w2", GPC_OVERRIDE_WEIGHT, 2);
	CU_ASSERT_EQUAL(gpc_plane_override(rig_bpffs, &overrides, &rig_failure), 0);
	w1 = state_of("w1");
	w2 = state_of("w2");
	web = backend_state();
	CU_ASSERT_EQUAL(w1.state, 1 + GPC_STATE_DRAIN);
	CU_ASSERT_EQUAL(w2.flags, GPC_STATE_WEIGHTED);
	CU_ASSERT_EQUAL(w2.ratio, 2 * GPC_RATIO_ONE);
	CU_ASSERT_EQUAL(web.flags, GPC_BACKEND_ACTIVE);
	CU_ASSERT_EQUAL(web.spares, 1);
	CU_ASSERT_EQUAL(web.step[0].max, 2 * GPC_RATIO_ONE);
	begin();
	CU_ASSERT_EQUAL(gpc_plane_override(rig_bpffs, &overrides, &rig_failure), 0);
	w1 = state_of("w1");
	w2 = state_of("w2");
	web = backend_state();
	CU_ASSERT_NOT_EQUAL(web.version, 0);
	web.version = 0;
	CU_ASSERT_TRUE(is_zero(&w1, sizeof(w1)) && is_zero(&w2, sizeof(w2)) &&
		       is_zero(&web, sizeof(web)));
	rig_detach();
}

static void ratios_follow_the_image_that_runs(void)
{
	begin();
	add("w1", GPC_OVERRIDE_WEIGHT, 6);
	rig_must_apply(&two);
	CU_ASSERT_EQUAL(state_of("w1").ratio, 6 * GPC_RATIO_ONE);
	rig_must_apply(&heavy); /* w1 has weight 3 there */
	CU_ASSERT_EQUAL(state_of("w1").ratio, 2 * GPC_RATIO_ONE);
	CU_ASSERT_EQUAL(backend_state().step[0].max, 2 * GPC_RATIO_ONE);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_EQUAL(gpc_plane_override(rig_bpffs, &overrides, &rig_failure), 0);
	CU_ASSERT_EQUAL(state_of("w1").ratio, 6 * GPC_RATIO_ONE);
	rig_detach();
}

static void what_was_observed_stays(void)
{
	begin();
	add("w2", GPC_OVERRIDE_DRAIN, 0);
	rig_must_apply(&three);
	set_down("w1");
	set_down("w2");
	rig_must_apply(&three);
	CU_ASSERT_EQUAL(state_of("w1").flags, GPC_STATE_DOWN);
	CU_ASSERT_EQUAL(state_of("w2").flags, GPC_STATE_DOWN);
	CU_ASSERT_EQUAL(state_of("w2").state, 1 + GPC_STATE_DRAIN);
	CU_ASSERT_EQUAL(backend_state().flags, GPC_BACKEND_ACTIVE);
	CU_ASSERT_EQUAL(backend_state().spares, 1);
	add("w3", GPC_OVERRIDE_DRAIN, 0);
	CU_ASSERT_EQUAL(gpc_plane_override(rig_bpffs, &overrides, &rig_failure), 0);
	/* Nobody who counts is up, and there is no failover. */
	CU_ASSERT_EQUAL(backend_state().flags, GPC_BACKEND_ACTIVE | GPC_BACKEND_PANIC);
	begin();
	CU_ASSERT_EQUAL(gpc_plane_override(rig_bpffs, &overrides, &rig_failure), 0);
	CU_ASSERT_EQUAL(state_of("w1").flags, GPC_STATE_DOWN);
	CU_ASSERT_EQUAL(backend_state().flags, GPC_BACKEND_ACTIVE);
	rig_detach();
}

/* Without a journal: larger maps have what the smaller ones had. */
static void a_growth_takes_states_along(void)
{
	struct gpc_plane_status before, after;

	begin();
	add("w1", GPC_OVERRIDE_MAINT, 0);
	rig_must_apply(&two);
	before = rig_read();
	rig_overrides = NULL;
	rig_must_apply(&many);
	after = rig_read();
	CU_ASSERT_TRUE(after.endpoint_states > before.endpoint_states);
	CU_ASSERT_EQUAL(state_of("w1").state, 1 + GPC_STATE_MAINT);
	CU_ASSERT_EQUAL(backend_state().flags, GPC_BACKEND_ACTIVE);
	gpc_plane_status_release(&before);
	gpc_plane_status_release(&after);
	rig_detach();
}

/* Its slot goes to another endpoint: whatever was said of the old one is not said of the new. */
static void a_slot_given_out_anew_says_nothing(void)
{
	struct gpc_endpoint_state w2, w3;

	begin();
	add("w2", GPC_OVERRIDE_MAINT, 0);
	rig_must_apply(&two);
	CU_ASSERT_EQUAL(state_of("w2").state, 1 + GPC_STATE_MAINT);
	rig_overrides = NULL;
	rig_must_apply(&one);
	rig_must_apply(&heavy); /* now no image holds w2's slot */
	rig_must_apply(&three);
	w2 = state_of("w2");
	w3 = state_of("w3");
	CU_ASSERT_TRUE(is_zero(&w2, sizeof(w2)) && is_zero(&w3, sizeof(w3)));
	rig_detach();
}

/* So many endpoints that the maps must grow. */
static struct gpc_image make_many(void)
{
	struct gpc_image image;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	fputs(RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [" RIG_ALL_HOOKS "]\n"
		       "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, forward: "
		       "dsr, backend: web}]\nbackends: [{name: web, endpoints: [" RIG_W1,
	      out);
	for (unsigned int i = 0; i < 1500; i++)
		fprintf(out, ", {name: m%u, address: 10.98.%u.%u}", i, i / 250, i % 250 + 1);
	fputs("]}]\n", out);
	fclose(out);
	image = rig_image(text);
	free(text);
	return image;
}

static void make_images(void)
{
	rig_up("plane/state");
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1));
	two = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
	three = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2 ", " RIG_W3));
	heavy = rig_image(RIG_PLANE(RIG_ALL_HOOKS, "{name: w1, address: 10.99.1.11, weight: 3}"));
	many = make_many();
}

GPC_UNIT_MAIN_AFTER("plane/state", make_images,
		    {"an_override_is_set_and_taken_back", an_override_is_set_and_taken_back},
		    {"ratios_follow_the_image_that_runs", ratios_follow_the_image_that_runs},
		    {"what_was_observed_stays", what_was_observed_stays},
		    {"a_growth_takes_states_along", a_growth_takes_states_along},
		    {"a_slot_given_out_anew_says_nothing", a_slot_given_out_anew_says_nothing})
