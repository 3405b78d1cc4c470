/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL, and failure, at every failpoint: afterwards the old plane or the new one runs, whole,
 * and the next apply converges. The strong gpc_failpoint() of this file takes the place of gpc's
 * empty one.
 */
#include <net/if.h>
#include <signal.h>
#include <sys/wait.h>

#include "../../../../loader/interrupt.h"
#include "../../../../loader/plane/failpoint.h"
#include "../../../../loader/plane/instance.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"
#include "rig.h"

static struct gpc_image one, two, large;
static struct gpc_override drained = {
	.backend = "web", .endpoint = "w1", .kind = GPC_OVERRIDE_DRAIN, .since = 1};
static const struct gpc_overrides overrides = {&drained, 1}, no_overrides;

static const char *const points[] = {
#define X(name) name,
	GPC_FAILPOINTS(X)
#undef X
};
#define POINTS (sizeof(points) / sizeof(*points))

static const char *armed;
static bool kills, interrupts;
static unsigned int countdown;

int gpc_failpoint(const char *name)
{
	if (!armed || strcmp(armed, name) || --countdown)
		return 0;
	if (kills)
		kill(getpid(), SIGKILL);
	if (interrupts)
		raise(SIGINT);
	return !interrupts;
}

enum scene { FIRST, LATER, GROWTH, SAME, DETACH, RETIRE, GROWN_RETIRE, UNBIND, FALL_BACK };

/* Points around history and journal are the commands' (tests/e2e/crash_test.sh, override_test.sh). */
static bool is_of_the_plane(const char *point)
{
	return strncmp(point, "record.", strlen("record.")) &&
	       strncmp(point, "outcome.", strlen("outcome.")) &&
	       strncmp(point, "override.", strlen("override."));
}

/* What the killed gpc was doing. */
static enum scene scene_of(const char *point)
{
	static const struct {
		const char *prefix;
		enum scene scene;
	} scenes[] = {
		{"first.", FIRST},	   {"later.", LATER},	{"growth.", GROWTH},
		{"same.", SAME},	   {"detach.", DETACH}, {"pin.", FIRST},
		{"fill.", LATER},	   {"place.", LATER},	{"attach.updated", GROWTH},
		{"attach.", FIRST},	   {"prune.", UNBIND},	{"remove.", GROWN_RETIRE},
		{"retire.", GROWN_RETIRE}, {"clear.", RETIRE},	{"states.", LATER},
		{"confirm.", FALL_BACK},
	};

	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++)
		if (!strncmp(point, scenes[i].prefix, strlen(scenes[i].prefix)))
			return scenes[i].scene;
	fprintf(stderr, "no scene for %s\n", point);
	exit(1);
}

static void set_stage(enum scene scene)
{
	/* An override cannot hold for two images that differ in its backend. */
	rig_overrides = scene == FALL_BACK ? &no_overrides : &overrides;
	if (scene == FIRST) {
		if (!access(rig_bpffs, F_OK))
			rig_detach();
		return;
	}
	rig_stand(&one);
	if (scene == GROWN_RETIRE)
		rig_must_apply(&large);
	if (scene == RETIRE) {
		rig_must_apply(&two);
		rig_must_apply(&one);
	}
	if (scene == UNBIND)
		rig_run("ip link set dev wan0 name gone0");
	if (scene == FALL_BACK) {
		rig_confirm_ms = 600000;
		rig_must_apply(&two);
		rig_confirm_ms = 0;
	}
}

/* The act in which the point is reached; the result of the call. */
static int act(enum scene scene)
{
	struct gpc_apply_outcome outcome;
	struct gpc_confirm confirm;

	switch (scene) {
	case FIRST:
		return rig_apply(&two, 100, &outcome);
	case LATER:
		return rig_apply(&two, 100, &outcome);
	case GROWTH:
		return rig_apply(&large, 100, &outcome);
	case SAME:
		return rig_apply(&one, 100, &outcome);
	case DETACH:
		return gpc_plane_detach(rig_bpffs, NULL, &rig_failure);
	case UNBIND:
		return rig_apply(&two, 100, &outcome);
	case FALL_BACK:
		return gpc_confirm_fall_back(rig_bpffs, NULL, &confirm, &rig_failure);
	default:
		return gpc_plane_retire(rig_bpffs, &rig_failure);
	}
}

/* Traffic never lost its program: what ran before still runs, in the old plane or the new one. */
static void check_standing(const char *point, enum scene scene)
{
	struct gpc_plane_status status = rig_read();
	unsigned int bound = 0;

	for (size_t i = 0; i < status.device_count; i++)
		bound += status.devices[i].state == GPC_LINK_OK;
	if (scene == LATER || scene == SAME || scene == RETIRE || scene == GROWN_RETIRE ||
	    scene == FALL_BACK) {
		if (!status.has_image || bound != 4)
			fprintf(stderr, "%s: %u bound, %s\n", point, bound, status.problem);
		CU_ASSERT_TRUE(status.has_image);
		CU_ASSERT_EQUAL(bound, 4);
	}
	if (scene == GROWTH)
		CU_ASSERT_TRUE(status.has_image);
	/* A plane that is there has an image: nothing half-made is ever taken for one. */
	CU_ASSERT_EQUAL(status.present, status.has_image);
	if (scene == GROWTH || scene == LATER)
		CU_ASSERT_TRUE(rig_says("ip -d link show dev wan0", "prog/xdp"));
	gpc_plane_status_release(&status);
}

/* What is overridden holds, whole, for the image that runs. */
static void check_drained(const char *point)
{
	struct gpc_plane_status status = rig_read();
	const struct gpc_link_head *link = gpc_view_link(status.image.view);
	uint32_t backend = gpc_link_backend_at(status.image.view, link, 0)->counter, w1;
	bool alone = status.image.plane->section[GPC_SEC_ENDPOINT].count == 1;

	w1 = gpc_endpoint_named(&status.image, 0, "w1");
	w1 = gpc_link_endpoint_at(status.image.view, link, w1)->counter;
	if (status.endpoints[w1].state != 1 + GPC_STATE_DRAIN)
		fprintf(stderr, "%s: w1 is not drained\n", point);
	CU_ASSERT_EQUAL(status.endpoints[w1].state, 1 + GPC_STATE_DRAIN);
	CU_ASSERT_EQUAL(status.endpoints[w1].until, 0);
	CU_ASSERT_TRUE(status.backends[backend].flags & GPC_BACKEND_ACTIVE);
	CU_ASSERT_EQUAL(status.backends[backend].spares, alone ? 0 : 1);
	gpc_plane_status_release(&status);
}

/* What runs is `image`, byte for byte. Loads the programs once more, to hold those that run against. */
static void check_bytes(const char *point, const struct gpc_image *image)
{
	long found = rig_verify(image);

	if (found)
		fprintf(stderr, "%s: %ld: %s\n", point, found, rig_notices);
	CU_ASSERT_EQUAL(found, 0);
}

static void check_converged(const char *point)
{
	struct gpc_instance_id *ids;
	char list[128];
	size_t count = 0;

	rig_overrides = &overrides;
	CU_ASSERT_FALSE(rig_must_apply(&two).devices == 0);
	CU_ASSERT_TRUE(rig_runs(&two));
	check_drained(point);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_EQUAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	CU_ASSERT_EQUAL(count, 1);
	free(ids);
	snprintf(list, sizeof(list), "ls %s", rig_bpffs);
	CU_ASSERT_FALSE(rig_says(list, "tmp-"));
}

static void put_devices_back(void)
{
	if (!if_nametoindex("wan0"))
		rig_run("ip link set dev gone0 name wan0");
}

static void kill_at(const char *point, unsigned int nth)
{
	enum scene scene = scene_of(point);
	int result = 0;
	pid_t child;

	set_stage(scene);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		armed = point;
		kills = true;
		countdown = nth;
		_exit(act(scene) ? 3 : 2);
	}
	waitpid(child, &result, 0);
	if (!WIFSIGNALED(result))
		fprintf(stderr, "%s was not reached (%d)\n", point, WEXITSTATUS(result));
	CU_ASSERT_TRUE(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
	check_standing(point, scene);
	put_devices_back();
	check_converged(point);
	check_bytes(point, &two);
}

static void a_kill_anywhere_leaves_the_old_plane_or_the_new(void)
{
	for (size_t i = 0; i < POINTS; i++)
		if (is_of_the_plane(points[i]))
			kill_at(points[i], 1);
	/* In the middle of what is done several times. */
	kill_at("pin.one", 5);
	kill_at("attach.created", 2);
	kill_at("attach.pinned", 2);
	kill_at("attach.updated", 2);
	kill_at("prune.one", 2);
}

/* A failure is undone at once: no kill, no next apply needed. */
static void fail_at(const char *point)
{
	enum scene scene = scene_of(point);
	struct gpc_plane_status status;

	set_stage(scene);
	armed = point;
	kills = false;
	countdown = 1;
	CU_ASSERT_EQUAL(act(scene), -1);
	CU_ASSERT_PTR_NOT_NULL(strstr(rig_failure.message, point));
	armed = NULL;
	if (scene == FIRST) {
		CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
		CU_ASSERT_FALSE(rig_says("ip -d link show dev wan0", "prog/xdp"));
	} else {
		status = rig_read();
		CU_ASSERT_EQUAL(status.size_log2, RIG_SIZE_LOG2);
		gpc_plane_status_release(&status);
		check_bytes(point, &one);
		if (scene != FALL_BACK)
			check_drained(point);
	}
	check_converged(point);
}

static void a_failure_in_an_apply_is_undone(void)
{
	for (size_t i = 0; i < POINTS; i++) {
		enum scene scene = is_of_the_plane(points[i]) ? scene_of(points[i]) : RETIRE;

		if (scene == FIRST || scene == LATER || scene == GROWTH || scene == SAME)
			fail_at(points[i]);
	}
}

/* An interrupt behind `point` ends the apply with nothing changed. */
static void interrupt_at(const char *point, bool stops)
{
	enum scene scene = scene_of(point);

	gpc_interrupts_hold();
	set_stage(scene);
	armed = point;
	kills = false;
	interrupts = true;
	countdown = 1;
	CU_ASSERT_EQUAL(act(scene), stops ? -1 : 0);
	armed = NULL;
	interrupts = false;
	CU_ASSERT_TRUE(gpc_interrupted());
	if (stops)
		CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_INTERRUPTED);
	if (stops && scene == FIRST)
		CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
	if (stops && scene != FIRST)
		check_bytes(point, &one);
	if (!stops)
		check_bytes(point, scene == GROWTH ? &large : &two);
	gpc_interrupts_hold();
	check_converged(point);
}

static void an_interrupt_counts_until_just_before_the_flip(void)
{
	interrupt_at("first.load", true);
	interrupt_at("first.hops", true);
	interrupt_at("growth.pin", true);
	interrupt_at("growth.hops", true);
	interrupt_at("later.stage", true);
	interrupt_at("later.attach", true);
	interrupt_at("first.flip", false);
	interrupt_at("growth.flip", false);
	interrupt_at("later.flip", false);
}

static void make_images(void)
{
	rig_up("plane/kill");
	rig_overrides = &overrides;
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS ", {name: lan0}", RIG_W1));
	two = rig_image(RIG_PLANE(RIG_ALL_HOOKS ", {name: lan0}", RIG_W1 ", " RIG_W2));
	large = rig_image(RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [" RIG_ALL_HOOKS
				   ", {name: lan0}]\n"
				   "backends: [{name: web, table-size: 2097143, endpoints: [" RIG_W1
				   ", " RIG_W2 "]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: dsr, "
				   "backend: web}]\n");
}

GPC_UNIT_MAIN_AFTER("plane/kill", make_images,
		    {"a_kill_anywhere_leaves_the_old_plane_or_the_new",
		     a_kill_anywhere_leaves_the_old_plane_or_the_new},
		    {"a_failure_in_an_apply_is_undone", a_failure_in_an_apply_is_undone},
		    {"an_interrupt_counts_until_just_before_the_flip",
		     an_interrupt_counts_until_just_before_the_flip})
