/* SPDX-License-Identifier: MIT */
/*
 * An apply that waits for its confirmation, on a real kernel. Which image decides is asked of the program
 * that is attached: `before` lets the frame through, whatever comes after it does not. To load programs takes
 * the verifier long: tests go on with the plane that the one before has left.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <time.h>

#include "../../../../loader/clock.h"
#include "../../../../loader/plane/control.h"
#include "../../../../loader/plane/instance.h"
#include "gpc/lookup/device.h"
#include "rig.h"

#define LONG_MS 60000u
#define PLANE(endpoint, more, state, allowed)                                                      \
	RIG_HEAD "defaults: {flows: 4096}\n"                                                       \
		 "interfaces: [{name: wan0, mode: any, hooks: [xdp, tc-egress]}]\n"                \
		 "backends: [{name: web, endpoints: [" endpoint "]" more "}]\n"                    \
		 "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "         \
		 "forward: dsr, backend: web}]\n"                                                  \
		 "rules: [{name: one, ports: [" allowed "], action: allow}]\n"                     \
		 "policies: [{name: in, interfaces: [wan0], direction: ingress, stateful: " state  \
		 ", rules: [one]}]\n"

static struct gpc_image before, after, large, many, wide, keeps_state;

/* ---- looking ---- */

static struct gpc_instance current(void)
{
	struct gpc_instance_id *ids;
	struct gpc_instance instance;
	char name[GPC_INSTANCE_NAME];
	size_t count;

	CU_ASSERT_EQUAL_FATAL(gpc_instance_list(rig_bpffs, &ids, &count, &rig_failure), 0);
	CU_ASSERT_TRUE_FATAL(count > 0);
	gpc_instance_name(&ids[0], true, name);
	CU_ASSERT_EQUAL_FATAL(gpc_instance_open(rig_bpffs, name, &instance, &rig_failure), 0);
	free(ids);
	return instance;
}

static uint64_t control_at(uint32_t index)
{
	struct gpc_instance instance = current();
	uint64_t word = instance.control[index];

	gpc_instance_close(&instance);
	return word;
}

/* The time is over, one unit ago. */
static void let_expire(void)
{
	struct gpc_instance instance = current();
	uint64_t word = gpc_control_load(instance.control);
	uint64_t past = (gpc_clock_coarse() >> GPC_CTL_DEADLINE_UNIT_SHIFT) - 1;
	uint64_t low = (1ull << GPC_CTL_DEADLINE_SHIFT) - 1;

	CU_ASSERT_NOT_EQUAL(gpc_ctl_deadline(word), 0);
	CU_ASSERT_TRUE(gpc_control_swap(instance.control, word,
					(word & low) | past << GPC_CTL_DEADLINE_SHIFT));
	gpc_instance_close(&instance);
}

static const uint8_t frame[60] = {
	[12] = 0x08, [14] = 0x45, [17] = 28,  [22] = 64, [23] = 17, [24] = 0x5b,
	[25] = 0xf8, [26] = 10,	  [27] = 99,  [28] = 1,	 [29] = 11, [30] = 10,
	[31] = 99,   [32] = 9,	  [33] = 9,   [34] = 4,	 [35] = 1,  [37] = 53,
	[39] = 8,
};

/* Through the XDP program of wan0. */
static int verdict(void)
{
	uint8_t out[256];
	struct xdp_md context = {.data_end = sizeof(frame), .ingress_ifindex = if_nametoindex("wan0")};
	struct bpf_xdp_query_opts query = {.sz = sizeof(query)};
	struct bpf_test_run_opts run = {
		.sz = sizeof(run),
		.data_in = frame,
		.data_size_in = sizeof(frame),
		.data_out = out,
		.data_size_out = sizeof(out),
		.ctx_in = &context,
		.ctx_size_in = sizeof(context),
	};
	int fd, r;

	CU_ASSERT_EQUAL_FATAL(bpf_xdp_query((int)context.ingress_ifindex, 0, &query), 0);
	fd = bpf_prog_get_fd_by_id(query.prog_id);
	CU_ASSERT_FATAL(fd >= 0);
	r = bpf_prog_test_run_opts(fd, &run);
	close(fd);
	return r ? r : (int)run.retval;
}

static bool runs(const struct gpc_image *image)
{
	return rig_runs(image) && verdict() == (image == &before ? XDP_PASS : XDP_DROP);
}

static struct gpc_confirm standing(void)
{
	struct gpc_confirm confirm;

	CU_ASSERT_EQUAL(gpc_confirm_read(rig_bpffs, &confirm, &rig_failure), 0);
	return confirm;
}

static uint32_t apply_as(const struct gpc_image *image, enum gpc_stance stance, uint64_t confirm_ms)
{
	struct gpc_apply_outcome outcome;

	rig_stance = stance;
	rig_confirm_ms = confirm_ms;
	outcome = rig_must_apply(image);
	rig_stance = GPC_STANCE_NONE;
	rig_confirm_ms = 0;
	return outcome.generation;
}

static uint32_t apply(const struct gpc_image *image, uint64_t confirm_ms)
{
	return apply_as(image, GPC_STANCE_ENFORCE, confirm_ms);
}

static void must_fall_back(void)
{
	struct gpc_confirm found;

	CU_ASSERT_EQUAL(gpc_confirm_fall_back(rig_bpffs, NULL, &found, &rig_failure), 0);
	CU_ASSERT_TRUE(found.armed);
}

static int keep(uint32_t generation)
{
	struct gpc_confirm found;

	return gpc_confirm_keep(rig_bpffs, generation, NULL, &found, &rig_failure);
}

/* Nothing waits, and an apply finds the way on. */
static void must_converge(void)
{
	CU_ASSERT_FALSE(standing().armed);
	CU_ASSERT_EQUAL(control_at(GPC_CTL_WORD) >> GPC_CTL_DEADLINE_SHIFT, 0);
	apply(&after, 0);
	CU_ASSERT_TRUE(runs(&after));
	CU_ASSERT_EQUAL(rig_verify(&after), 0);
	apply(&before, 0);
	CU_ASSERT_TRUE(runs(&before));
	CU_ASSERT_EQUAL(rig_verify(&before), 0);
}

/* ---- the same instance ---- */

static void past_the_deadline_what_ran_before_decides(void)
{
	uint32_t first, second;
	struct gpc_confirm confirm;

	first = apply(&before, 0);
	CU_ASSERT_TRUE(runs(&before));
	second = apply(&after, LONG_MS);
	CU_ASSERT_TRUE(runs(&after));
	confirm = standing();
	CU_ASSERT_TRUE(confirm.armed && !confirm.expired && !confirm.first);
	CU_ASSERT_EQUAL(confirm.generation, second);
	CU_ASSERT_EQUAL(confirm.fallback, first);
	CU_ASSERT_TRUE(confirm.left_ms <= LONG_MS && confirm.left_ms > LONG_MS / 2);
	let_expire();
	CU_ASSERT_TRUE(runs(&before));
	confirm = standing();
	CU_ASSERT_TRUE(confirm.armed && confirm.expired);
	CU_ASSERT_EQUAL(confirm.left_ms, 0);
	CU_ASSERT_EQUAL(keep(second), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_ROLLED_BACK);
	CU_ASSERT_TRUE(runs(&before));
	must_fall_back();
	CU_ASSERT_TRUE(runs(&before));
	CU_ASSERT_EQUAL(rig_verify(&before), 0);
	must_converge();
}

/* By the clock alone: nobody writes the word. */
static void the_clock_is_enough(void)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	uint64_t word;

	apply(&before, 0);
	apply(&after, 150);
	word = control_at(GPC_CTL_WORD);
	for (int i = 0; i < 100 && !standing().expired; i++)
		nanosleep(&pause, NULL);
	CU_ASSERT_TRUE(runs(&before));
	CU_ASSERT_EQUAL(control_at(GPC_CTL_WORD), word);
	must_fall_back();
}

static void an_answer_that_may_come_too_late_is_refused(void)
{
	uint32_t second;

	apply(&before, 0);
	second = apply(&after, GPC_CONFIRM_TOO_LATE_MS - 20);
	CU_ASSERT_EQUAL(keep(second), -1);
	CU_ASSERT_TRUE(gpc_ctl_deadline(control_at(GPC_CTL_WORD)) != 0);
	must_fall_back();
	CU_ASSERT_TRUE(runs(&before));
}

static void only_what_waits_is_kept(void)
{
	uint32_t second;

	apply(&before, 0);
	second = apply(&after, LONG_MS);
	CU_ASSERT_EQUAL(keep(second + 1), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	CU_ASSERT_TRUE(standing().armed);
	CU_ASSERT_EQUAL(keep(second), 0);
	CU_ASSERT_TRUE(runs(&after));
	CU_ASSERT_EQUAL(keep(second), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	must_converge();
}

static void off_while_it_waits_ends_nothing(void)
{
	apply(&before, 0);
	apply(&after, LONG_MS);
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, true, NULL, &rig_failure), 0);
	CU_ASSERT_TRUE(standing().armed);
	let_expire();
	CU_ASSERT_EQUAL(gpc_plane_switch(rig_bpffs, false, NULL, &rig_failure), 0);
	CU_ASSERT_TRUE(standing().expired);
	CU_ASSERT_TRUE(runs(&before));
	must_fall_back();
	CU_ASSERT_TRUE(runs(&before));
	must_converge();
}

/* Where nothing ran everything passes, and nothing stays. */
static void the_first_apply_falls_back_to_nothing(void)
{
	rig_detach();
	apply(&after, LONG_MS);
	CU_ASSERT_EQUAL(verdict(), XDP_DROP);
	CU_ASSERT_TRUE(standing().first);
	let_expire();
	CU_ASSERT_EQUAL(verdict(), XDP_PASS);
	must_fall_back();
	CU_ASSERT_NOT_EQUAL(access(rig_bpffs, F_OK), 0);
	CU_ASSERT_FALSE(rig_says("ip link show dev wan0", "xdp"));
}

static void undo_of_what_waits_leaves_nothing_waiting(void)
{
	apply(&before, 0);
	apply(&after, LONG_MS);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(runs(&before));
	/* An undo that comes after the deadline goes to where the programs are already. */
	apply(&after, LONG_MS);
	let_expire();
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(runs(&before));
	must_converge();
}

/* ---- rule R ---- */

/* Refused or not, what comes while it waits must leave the fallback's image where it is. */
static void the_fallback_is_not_retired_nor_overwritten(void)
{
	struct gpc_apply_outcome outcome;

	for (int i = 0; i < 10; i++)
		apply(i % 2 ? &before : &after, 0);
	CU_ASSERT_TRUE(runs(&before));
	apply(&after, LONG_MS);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_EQUAL(rig_apply(&large, 999, &outcome), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_CONFLICT);
	let_expire();
	CU_ASSERT_TRUE(runs(&before));
	/* Not stored yet: an apply of somebody who did not settle it would take its slot. */
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_EQUAL(rig_apply(&after, 999, &outcome), -1);
	CU_ASSERT_TRUE(runs(&before));
	must_fall_back();
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(runs(&before));
	must_converge();
}

/* ---- audit ---- */

/* What would be denied passes again. */
static void audit_expires(void)
{
	CU_ASSERT_EQUAL(verdict(), XDP_DROP);
	CU_ASSERT_FALSE(control_at(GPC_CTL_WORD) & GPC_CTL_AUDIT);
	CU_ASSERT_TRUE(control_at(GPC_CTL_WORD) & GPC_CTL_FALLBACK_AUDIT);
	let_expire();
	CU_ASSERT_EQUAL(verdict(), XDP_PASS);
}

static void audit_is_back(void)
{
	must_fall_back();
	CU_ASSERT_EQUAL(verdict(), XDP_PASS);
	CU_ASSERT_TRUE(control_at(GPC_CTL_WORD) & GPC_CTL_AUDIT);
	CU_ASSERT_FALSE(control_at(GPC_CTL_WORD) & GPC_CTL_FALLBACK_AUDIT);
}

/* Only the stance changes: that has its time, too. */
static void audit_comes_back_to_the_same_image(void)
{
	apply_as(&after, GPC_STANCE_AUDIT, 0);
	CU_ASSERT_EQUAL(verdict(), XDP_PASS);
	apply_as(&after, GPC_STANCE_ENFORCE, LONG_MS);
	audit_expires();
	audit_is_back();
}

static void audit_ends_when_it_is_kept(void)
{
	uint32_t second;

	apply_as(&after, GPC_STANCE_AUDIT, 0);
	second = apply_as(&after, GPC_STANCE_ENFORCE, LONG_MS);
	CU_ASSERT_EQUAL(keep(second), 0);
	CU_ASSERT_EQUAL(verdict(), XDP_DROP);
	CU_ASSERT_FALSE(control_at(GPC_CTL_WORD) & (GPC_CTL_AUDIT | GPC_CTL_FALLBACK_AUDIT));
}

/* ---- growth: each grows the instance that the one before has left ---- */

static uint32_t number_now(void)
{
	struct gpc_instance instance = current();
	uint32_t number = instance.id.number;

	gpc_instance_close(&instance);
	return number;
}

static uint32_t grow(const struct gpc_image *grown)
{
	uint32_t number = number_now(), first, second;
	uint64_t word;

	apply(&before, 0);
	first = standing().generation;
	second = apply(grown, LONG_MS);
	word = control_at(GPC_CTL_WORD);
	CU_ASSERT_NOT_EQUAL(number_now(), number);
	CU_ASSERT_NOT_EQUAL(gpc_ctl_active(word), gpc_ctl_fallback(word));
	CU_ASSERT_TRUE(runs(grown));
	CU_ASSERT_EQUAL(standing().generation, second);
	CU_ASSERT_EQUAL(standing().fallback, first);
	return second;
}

static void growth_that_waits_is_undone(void)
{
	uint32_t number = number_now();

	grow(&many);
	CU_ASSERT_EQUAL(gpc_plane_undo(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_EQUAL(number_now(), number);
	CU_ASSERT_TRUE(runs(&before));
	CU_ASSERT_EQUAL(rig_verify(&before), 0);
	CU_ASSERT_FALSE(standing().armed);
}

/* The instance before goes, the image that ran in it stands in the new one, and audits as it did. */
static void growth_falls_back_past_the_deadline(void)
{
	uint32_t first = apply_as(&after, GPC_STANCE_AUDIT, 0), number = number_now();
	uint32_t second = apply_as(&large, GPC_STANCE_ENFORCE, LONG_MS);

	CU_ASSERT_NOT_EQUAL(number_now(), number);
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(runs(&large));
	audit_expires();
	CU_ASSERT_TRUE(rig_runs(&after));
	CU_ASSERT_EQUAL(rig_verify(&after), 0);
	CU_ASSERT_EQUAL(keep(second), -1);
	CU_ASSERT_EQUAL(rig_failure.code, GPC_EXIT_ROLLED_BACK);
	audit_is_back();
	CU_ASSERT_EQUAL(standing().generation, first);
	CU_ASSERT_TRUE(rig_runs(&after));
	CU_ASSERT_EQUAL(rig_verify(&after), 0);
	must_converge();
}

static void growth_is_kept(void)
{
	CU_ASSERT_EQUAL(keep(grow(&wide)), 0);
	CU_ASSERT_TRUE(runs(&wide));
	CU_ASSERT_EQUAL(gpc_plane_retire(rig_bpffs, &rig_failure), 0);
	CU_ASSERT_TRUE(runs(&wide));
	CU_ASSERT_EQUAL(rig_verify(&wide), 0);
	must_converge();
}

/* ---- since when flows are known ---- */

/* Policies with state that come back: what was opened without them may be picked up then, not before. */
static void pickup_begins_when_the_time_is_over(void)
{
	uint64_t now, since;

	apply(&keeps_state, 0);
	apply(&after, LONG_MS);
	now = gpc_clock_coarse();
	since = control_at(GPC_CTL_FLOWS_SINCE);
	CU_ASSERT_TRUE(since > now + LONG_MS * 500000ull && since <= now + LONG_MS * 1000000ull);
	must_fall_back();
	now = gpc_clock_coarse();
	since = control_at(GPC_CTL_FLOWS_SINCE);
	CU_ASSERT_TRUE(since <= now && since > now - 5000000000ull);
}

/* ---- */

static struct gpc_image many_rules(void)
{
	static char text[200000];
	size_t at = (size_t)snprintf(
		text, sizeof(text),
		RIG_HEAD "defaults: {flows: 4096}\n"
			 "interfaces: [{name: wan0, mode: any, hooks: [xdp, tc-egress]}]\n"
			 "backends: [{name: web, endpoints: [" RIG_W1 "]}]\n"
			 "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "
			 "forward: dsr, backend: web}]\nrules:\n");

	for (unsigned int i = 0; i < 1200; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       "  - {name: r%u, ports: [tcp/%u], action: allow}\n", i, 1000 + i);
	at += (size_t)snprintf(text + at, sizeof(text) - at,
			       "policies: [{name: in, interfaces: [wan0], direction: ingress, "
			       "stateful: false, rules: [r0");
	for (unsigned int i = 1; i < 1200; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, ", r%u", i);
	snprintf(text + at, sizeof(text) - at, "]}]\n");
	return rig_image(text);
}

static void make_images(void)
{
	rig_up("plane/confirm");
	before = rig_image(PLANE(RIG_W1, "", "false", "udp/53"));
	after = rig_image(PLANE(RIG_W1, "", "false", "tcp/22"));
	large = rig_image(PLANE(RIG_W1, ", table-size: 2097143", "false", "tcp/22"));
	keeps_state = rig_image(PLANE(RIG_W1, "", "true", "tcp/22"));
	wide = rig_image(RIG_HEAD
			 "defaults: {flows: 4096}\n"
			 "interfaces: [{name: wan0, mode: any, hooks: [xdp, tc-egress]}]\n"
			 "backends: [{name: web, endpoints: [" RIG_W1 "]}]\n"
			 "listeners: [{name: http, address: 192.0.2.10, protocol: TCP, port: 80, "
			 "forward: dsr, backend: web}]\n"
			 "rules: [{name: one, ports: [tcp/22], action: allow, rate: {limit: 10/s, per: "
			 "source-ip, entries: 65536, exceed: deny}}]\n"
			 "policies: [{name: in, interfaces: [wan0], direction: ingress, stateful: false, "
			 "rules: [one]}]\n");
	many = many_rules();
}

GPC_UNIT_MAIN_AFTER(
	"plane/confirm", make_images,
	{"past_the_deadline_what_ran_before_decides", past_the_deadline_what_ran_before_decides},
	{"the_clock_is_enough", the_clock_is_enough},
	{"an_answer_that_may_come_too_late_is_refused", an_answer_that_may_come_too_late_is_refused},
	{"only_what_waits_is_kept", only_what_waits_is_kept},
	{"off_while_it_waits_ends_nothing", off_while_it_waits_ends_nothing},
	{"undo_of_what_waits_leaves_nothing_waiting", undo_of_what_waits_leaves_nothing_waiting},
	{"the_fallback_is_not_retired_nor_overwritten", the_fallback_is_not_retired_nor_overwritten},
	{"audit_comes_back_to_the_same_image", audit_comes_back_to_the_same_image},
	{"audit_ends_when_it_is_kept", audit_ends_when_it_is_kept},
	{"pickup_begins_when_the_time_is_over", pickup_begins_when_the_time_is_over},
	{"growth_that_waits_is_undone", growth_that_waits_is_undone},
	{"growth_falls_back_past_the_deadline", growth_falls_back_past_the_deadline},
	{"growth_is_kept", growth_is_kept},
	{"the_first_apply_falls_back_to_nothing", the_first_apply_falls_back_to_nothing})
