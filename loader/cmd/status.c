/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../override/journal.h"
#include "describe.h"
#include "flow_fill.h"
#include "output.h"
#include "pending.h"
#include "settle.h"
#include "status_overrides.h"
#include "status_policies.h"

#define NAMED_HOPS 5u
#define NAMED_RULES 5u

static const struct gpc_option options[] = {
	{'v', "verbose", NULL, "rules, slots, whole digests, counters that are 0, active flows"},
	{0, "exit-code", NULL, "exit with 2 when something needs attention"},
	GPC_OPTION_JSON,
};

/* ---- counting ---- */

static void count(struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;
	uint32_t endpoints = gpc_image_count(image, GPC_SEC_ENDPOINT);

	gpc_status_count_slots(status);
	status->flows = calloc(endpoints + 1ul, sizeof(*status->flows));
	status->backend_flows = calloc(gpc_image_count(image, GPC_SEC_BACKEND) + 1ul,
				       sizeof(*status->backend_flows));
	if (!status->flows || !status->backend_flows)
		abort();
	for (uint32_t i = 0; i < endpoints; i++) {
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, i);

		status->flows[i] = gpc_endpoint_counter(status, i).flows;
		status->backend_flows[e->backend] += status->flows[i];
	}
}

/* ---- problems ---- */

static void problem(struct gpc_status *status, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void problem(struct gpc_status *status, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	status->problems = reallocarray(status->problems, status->problem_count + 1,
					sizeof(*status->problems));
	if (n < 0 || !status->problems)
		abort();
	status->problems[status->problem_count++] = text;
}

static void add_problem(struct gpc_status *status, const char *text)
{
	problem(status, "%s", text);
}

/* Its apply asks its probes still, or was killed: nobody was told that it succeeded. */
static bool waits_unrecorded(const struct gpc_status *status)
{
	const struct gpc_confirm *confirm = &status->plane.confirm;

	return confirm->armed && !confirm->expired &&
	       (status->last.number != confirm->generation ||
		status->last.became != GPC_RESULT_PENDING);
}

static void check_history(struct gpc_status *status)
{
	char running[65];

	if (status->last.became == GPC_RESULT_ROLLED_BACK && !status->plane.confirm.expired)
		problem(status, "generation %u was %s", status->last.number, status->last.result);
	if (waits_unrecorded(status))
		return;
	gpc_digest_format(status->plane.image.head->decision_digest, running);
	if (!status->newest.number)
		problem(status, "the running image is not recorded in '%s'; gpc apply records it",
			gpc_state_dir());
	else if (strcmp(status->newest.decision, running))
		problem(status,
			"the running image (decision %.12s) is not the one recorded last "
			"(generation %u, decision %.12s); an apply may have been ended before its "
			"probes had passed: apply it again, or gpc restore runs the recorded one",
			running, status->newest.number, status->newest.decision);
}

/* What the control word says about policies, beside what was recorded. */
static void check_stance(struct gpc_status *status)
{
	enum gpc_stance stance = gpc_stance_of(status->plane.image.plane, status->plane.control);

	if (stance == GPC_STANCE_AUDIT)
		problem(status, "AUDIT: policies only audit, nothing that they would deny is "
				"dropped; gpc apply --enforce ends it");
	if (status->newest.number && status->newest.stance != stance &&
	    status->running.number == status->newest.number)
		problem(status, "the policies %s, recorded last (generation %u) is %s; gpc restore",
			gpc_stance_name(stance), status->newest.number,
			gpc_stance_name(status->newest.stance));
}

static void check_device(struct gpc_status *status, const struct gpc_device_status *d)
{
	const char *detail = *d->detail ? d->detail : "no details";

	switch (d->state) {
	case GPC_LINK_OK:
		return;
	case GPC_LINK_GONE:
		problem(status,
			"interface '%s' has vanished (%s); gpc apply binds it when it is back",
			d->name, detail);
		return;
	case GPC_LINK_FOREIGN:
		problem(status, "interface '%s' runs a foreign program (%s)", d->name, detail);
		return;
	case GPC_LINK_MISSING:
		problem(status,
			"the link on interface '%s' is missing (%s); gpc apply makes it anew",
			d->name, detail);
		return;
	}
}

static bool hop_is_unknown(const struct gpc_status *status, uint32_t index)
{
	GPC_AUTO_FREE char *hop = status->slots[index] ? gpc_next_hop_text(status, index) : NULL;

	return hop && !strcmp(hop, "unknown");
}

/* A host that only unwraps sends nothing to endpoints. */
static bool balances(const struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;
	uint32_t count = gpc_image_count(image, GPC_SEC_INTERFACE);

	for (size_t d = 0; d < status->plane.device_count; d++) {
		uint32_t index = status->plane.devices[d].interface;
		const struct gpc_interface *interface =
			index < count ? gpc_image_record(image, GPC_SEC_INTERFACE, index) : NULL;

		if (interface && interface->role == GPC_ROLE_EDGE)
			return true;
	}
	return false;
}

/* The first few by name: when a gateway is gone there are thousands. */
static void check_hops(struct gpc_status *status)
{
	const struct gpc_image *image = &status->plane.image;
	GPC_AUTO_FREE uint32_t *order = gpc_endpoint_order(image);
	uint32_t unknown = 0;

	for (uint32_t n = 0; n < gpc_image_count(image, GPC_SEC_ENDPOINT); n++) {
		const struct gpc_endpoint *e = gpc_image_record(image, GPC_SEC_ENDPOINT, order[n]);
		const struct gpc_backend *b = gpc_image_record(image, GPC_SEC_BACKEND, e->backend);

		if (!hop_is_unknown(status, order[n]) || ++unknown > NAMED_HOPS)
			continue;
		problem(status,
			"the next hop of endpoint '%s/%s' is unknown: its packets are dropped "
			"(is it up? is there a route?)",
			gpc_image_name(image, b->name), gpc_image_name(image, e->name));
	}
	if (unknown > NAMED_HOPS)
		problem(status, "and of %u more endpoints", unknown - NAMED_HOPS);
}

static void check_expired(struct gpc_status *status)
{
	char *texts[NAMED_RULES];
	size_t found = gpc_expired_rules(&status->plane.image, texts, NAMED_RULES);

	for (size_t i = 0; i < found && i < NAMED_RULES; i++) {
		problem(status, "%s", texts[i]);
		free(texts[i]);
	}
	if (found > NAMED_RULES)
		problem(status, "and %zu more expired rules", found - NAMED_RULES);
}

/* What waits for somebody's word, or whose end is not written down yet. */
static void check_confirm(struct gpc_status *status)
{
	const struct gpc_confirm *confirm = &status->plane.confirm;
	char left[GPC_LEFT_TEXT], back[64] = "every packet passes again";

	if (!confirm->armed)
		return;
	if (!confirm->first)
		snprintf(back, sizeof(back), "generation %u decides again", confirm->fallback);
	if (confirm->expired)
		problem(status,
			"ROLLED BACK: generation %u was not confirmed in time, %s; the next command "
			"that changes anything tidies up (gpc abort does)",
			confirm->generation, back);
	else
		problem(status,
			"PENDING: generation %u waits for its confirmation %s, then %s; %s gpc abort "
			"takes it back",
			confirm->generation, gpc_left_text(confirm, left), back,
			waits_unrecorded(status) ? "its apply has not ended, or was killed:"
						 : "gpc confirm keeps it,");
}

static void find_problems(struct gpc_status *status)
{
	if (!status->plane.present) {
		problem(status, "no plane is running below '%s'", gpc_bpffs());
		if (status->newest.number)
			problem(status, "generation %u is recorded; gpc restore runs it",
				status->newest.number);
		return;
	}
	check_confirm(status);
	if (status->plane.control & GPC_CTL_OFF &&
	    !(status->plane.confirm.first && status->plane.confirm.expired))
		problem(status, "SWITCHED OFF: every packet passes, nothing is balanced or denied; "
				"gpc on ends it");
	if (!status->plane.has_image) {
		problem(status, "no image is active: every packet meets on-fail; gpc apply");
		return;
	}
	check_history(status);
	check_stance(status);
	for (size_t i = 0; i < status->plane.device_count; i++)
		check_device(status, &status->plane.devices[i]);
	/* One absent interface may be right: balancers and decap hosts share a plane. None is not.
	 */
	if (!status->plane.device_count)
		problem(status, "no device is bound: none of the plane's interfaces is there");
	if (balances(status))
		check_hops(status);
	check_expired(status);
	gpc_status_check_overrides(status, add_problem);
}

/* ---- gathering ---- */

/* Of several generations with the running decision the one that stands in the image, if it is recorded. */
static int find_running(struct gpc_history *history, uint32_t number, const char *decision,
			struct gpc_generation *ret, struct gpc_failure *failure)
{
	struct gpc_failure unknown;
	bool found;

	if (number && !gpc_history_find(history, number, ret, &unknown) &&
	    !strcmp(ret->decision, decision))
		return 0;
	*ret = (struct gpc_generation){0};
	return gpc_history_find_decision(history, decision, ret, &found, failure);
}

/* A history that cannot be read is one problem more; the plane is shown all the same. */
static void read_history(struct gpc_status *status)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	struct gpc_failure failure;
	uint32_t number = 0;
	char running[65] = "";
	size_t n = 0;
	bool found;

	if (status->plane.has_image) {
		gpc_digest_format(status->plane.image.head->decision_digest, running);
		number = status->link->generation;
	}
	if (gpc_history_open(gpc_state_dir(), false, &history, &failure) ||
	    gpc_history_list(history, 1, &list, &n, &failure) ||
	    gpc_history_standing(history, number, &status->newest, &found, &failure) ||
	    find_running(history, number, running, &status->running, &failure))
		problem(status, "%s", failure.message);
	if (n)
		status->last = list[0];
}

/* Flows that cannot be counted are one problem more. */
static void count_active(const struct gpc_call *call, struct gpc_status *status)
{
	struct gpc_failure failure;

	if (!gpc_call_has(call, "verbose"))
		return;
	status->has_active = !gpc_plane_flows(gpc_bpffs(), &status->plane, GPC_FLOWS_MS,
					      &status->active, &failure);
	if (!status->has_active)
		problem(status, "%s", failure.message);
}

/* A journal that cannot be read is a problem, too. */
static void read_overrides(struct gpc_status *status)
{
	struct gpc_failure failure;

	status->now = gpc_utc_ms();
	status->overrides_known =
		!gpc_journal_load(gpc_state_dir(), &status->overrides, &failure);
	if (!status->overrides_known)
		problem(status, "%s", failure.message);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_status_release) struct gpc_status status = {0};
	struct json_object *result = gpc_json("result");
	struct gpc_failure failure;

	gpc_settle_in_passing(call);
	if (gpc_plane_read(gpc_bpffs(), &status.plane, &failure)) {
		json_object_put(result);
		return gpc_finish_failed(call, &failure);
	}
	if (status.plane.has_image) {
		gpc_status_link(&status);
		count(&status);
		count_active(call, &status);
	}
	read_history(&status);
	read_overrides(&status);
	find_problems(&status);
	(gpc_call_has(call, "json") ? gpc_status_json : gpc_status_text)(call, &status);
	gpc_json_bool(result, "running", status.plane.has_image);
	gpc_json_number(result, "problems", (int64_t)status.problem_count);
	return gpc_finish(call,
			  status.problem_count && gpc_call_has(call, "exit-code")
				  ? GPC_EXIT_DIFFERENT
				  : GPC_EXIT_OK,
			  result);
}

const struct gpc_command gpc_command_status = {
	.name = "status",
	.side = GPC_SIDE_HOST,
	.summary = "what runs: devices, listeners, endpoints, packets",
	.operands = "",
	.description =
		"One screen: the running generation, its devices, what policies do and would "
		"deny, what\n"
		"each listener and endpoint has seen (`due` is the share by the Maglev table, "
		"without\n"
		"overrides, `got` that of the new flows; of a split, each backend's of the listener's),\n"
		"and what needs attention, first. Changes nothing; only what was not confirmed in time is\n"
		"written down, unless another gpc is at work.",
	.objects = "plane, pending, recorded, device, listener, endpoint, override, reason, policy,\n  rule, "
		   "limit, flows, problem",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_DIFFERENT, GPC_EXIT_HOST),
	.run = run,
};
