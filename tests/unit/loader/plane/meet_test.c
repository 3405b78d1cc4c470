/* SPDX-License-Identifier: MIT */
/*
 * gpc off and gpc on, which need no lock, in the middle of an apply: at every failpoint of it. The
 * strong gpc_failpoint() of this file is where they come in.
 */
#include "../../../../loader/plane/failpoint.h"
#include "rig.h"

static struct gpc_image one, two, large;

static const char *meeting; /* the point at which the operator comes */
static bool turns_off, fails, met;

int gpc_failpoint(const char *name)
{
	struct gpc_failure failure;

	if (!meeting || strcmp(meeting, name) || met)
		return 0;
	met = true;
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, turns_off, NULL, &failure), 0);
	return fails;
}

static bool is_off(void)
{
	struct gpc_plane_status status = rig_read();
	bool off = status.control & GPC_CTL_OFF;

	gpc_plane_status_release(&status);
	return off;
}

/* `one` runs, on or off; at `point` of the apply of `image` the operator turns that round. */
static void meet_at(const char *point, const struct gpc_image *image, bool off)
{
	struct gpc_apply_outcome outcome;
	int r;

	rig_stand(&one);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, !off, NULL, &rig_failure), 0);
	turns_off = off;
	met = false;
	meeting = point;
	r = rig_apply(image, 100, &outcome);
	meeting = NULL;
	CU_ASSERT_TRUE(met);
	CU_ASSERT_EQUAL(r, fails ? -1 : 0);
	if (is_off() != off)
		fprintf(stderr, "%s: %s was lost\n", point, off ? "off" : "on");
	CU_ASSERT_EQUAL(is_off(), off);
	CU_ASSERT_TRUE(rig_runs(fails ? &one : image));
	/* Loads the programs, to compare them: they are others only where the plane has grown. */
	if (image == &large)
		CU_ASSERT_EQUAL(rig_verify(fails ? &one : image), 0);
}

static void meet_everywhere(void)
{
	static const char *const later[] =
		{
#define X(name) !strncmp(name, "later.", 6) ? name : NULL,
			GPC_FAILPOINTS(X)
#undef X
		},
				 *const growth[] = {
#define X(name) !strncmp(name, "growth.", 7) ? name : NULL,
					 GPC_FAILPOINTS(X)
#undef X
				 };
	size_t i;

	for (i = 0; i < sizeof(later) / sizeof(*later); i++) {
		if (later[i]) {
			meet_at(later[i], &two, true);
			meet_at(later[i], &two, false);
		}
		/* `on` is the same store: at growth, seconds in the verifier each, `off` stands for it. */
		if (growth[i])
			meet_at(growth[i], &large, true);
	}
}

static void off_in_the_middle_of_an_apply_is_kept(void)
{
	fails = false;
	meet_everywhere();
}

/* And the apply fails right there: its undo keeps it, too. */
static void off_before_an_undo_is_kept(void)
{
	fails = true;
	meet_everywhere();
}

static void make_images(void)
{
	rig_up("plane/meet");
	one = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1));
	two = rig_image(RIG_PLANE(RIG_ALL_HOOKS, RIG_W1 ", " RIG_W2));
	large = rig_image(RIG_HEAD "defaults: {flows: 4096}\ninterfaces: [" RIG_ALL_HOOKS "]\n"
				   "backends: [{name: web, table-size: 2097143, endpoints: [" RIG_W1
				   ", " RIG_W2 "]}]\n"
				   "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, "
				   "port: 80, forward: dsr, "
				   "backend: web}]\n");
}

GPC_UNIT_MAIN_AFTER("plane/meet", make_images,
		    {"off_in_the_middle_of_an_apply_is_kept",
		     off_in_the_middle_of_an_apply_is_kept},
		    {"off_before_an_undo_is_kept", off_before_an_undo_is_kept})
