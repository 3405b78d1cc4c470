/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../link/device.h"
#include "gpc/lookup/chain.h"

struct judging {
	struct gpc_view view;
	const struct gpc_tcp_session *session;
	const struct gpc_chain *chain[2]; /* by enum gpc_direction, NULL: none */
};

static struct gpc_question packet_of(const struct gpc_tcp_session *s, enum gpc_direction direction,
				     uint8_t flags)
{
	bool in = direction == GPC_INGRESS;
	struct gpc_question question = {
		.source_port = in ? s->remote_port : s->local_port,
		.destination_port = in ? s->local_port : s->remote_port,
		.vlan = GPC_VLAN_NONE,
		.protocol = IPPROTO_TCP,
		.tcp_flags = flags,
		.family = gpc_ip_is_v4(&s->remote) ? GPC_V4 : GPC_V6,
	};

	memcpy(question.source, in ? s->remote.bytes : s->local.bytes, sizeof(question.source));
	memcpy(question.destination, in ? s->local.bytes : s->remote.bytes,
	       sizeof(question.destination));
	return question;
}

static struct gpc_guard_verdict ask(const struct judging *j, enum gpc_direction direction,
				    uint8_t flags, uint32_t how)
{
	struct gpc_guard_verdict verdict = {.direction = direction,
					    .mid_stream = how & GPC_HOW_MID_STREAM};
	struct gpc_question question = packet_of(j->session, direction, flags);
	struct gpc_answer answer;

	if (!j->chain[direction])
		return verdict;
	gpc_chain_ask(j->view, j->chain[direction], &question, how, &answer);
	if (answer.protect != GPC_NONE || answer.decider == GPC_NONE)
		return verdict;
	verdict.rule = answer.rule[answer.decider];
	verdict.cut = gpc_rule_at(j->view, verdict.rule)->action != GPC_ACTION_ALLOW;
	return verdict;
}

static bool is_stateful(const struct judging *j, enum gpc_direction direction)
{
	return j->chain[direction] && j->chain[direction]->flags & GPC_CHAIN_STATEFUL;
}

/* A packet in mid-stream whose flow no entry knows. */
static struct gpc_guard_verdict ask_unknown(const struct judging *j, enum gpc_direction direction)
{
	bool allowed = !is_stateful(j, direction) ||
		       j->chain[direction]->flags & GPC_CHAIN_MID_STREAM_ALLOW;

	return ask(j, direction, GPC_ASK_ACK, allowed ? 0 : GPC_HOW_MID_STREAM);
}

/*
 * The flow opened in direction `opened`. At a stateful chain of that direction its first packet counts;
 * what goes the other way is a reply if an entry can be there, which is made at a stateful chain or,
 * where the flow leaves without any chain, in passing.
 */
struct gpc_guard_verdict gpc_guard_judge(const struct gpc_image *image, uint32_t interface,
					 const struct gpc_tcp_session *session, bool fresh)
{
	struct judging j = {.view = image->view, .session = session};
	enum gpc_direction opened = session->inbound ? GPC_INGRESS : GPC_EGRESS;
	enum gpc_direction back = session->inbound ? GPC_EGRESS : GPC_INGRESS;
	bool known = !fresh || image->plane->pickup;
	struct gpc_guard_verdict verdict;
	uint32_t count;
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	for (uint32_t i = 0; i < count; i++)
		if (chains[i].interface == interface)
			j.chain[chains[i].direction] = &chains[i];
	if (is_stateful(&j, opened) && known)
		verdict = ask(&j, opened, GPC_ASK_SYN, 0);
	else
		verdict = ask_unknown(&j, opened);
	if (verdict.cut)
		return verdict;
	if (is_stateful(&j, back) && known &&
	    (is_stateful(&j, opened) || (opened == GPC_EGRESS && !j.chain[opened])))
		return verdict;
	return ask_unknown(&j, back);
}

/* ---- the host ---- */

static void describe(const struct gpc_tcp_session *s, char out[GPC_GUARD_SESSION])
{
	char remote[GPC_IP_TEXT], local[GPC_IP_TEXT];
	const char *format = gpc_ip_is_v4(&s->remote) ? "%s:%u %s %s:%u" : "[%s]:%u %s [%s]:%u";

	gpc_ip_format(&s->remote, remote);
	gpc_ip_format(&s->local, local);
	snprintf(out, GPC_GUARD_SESSION, format, remote, s->remote_port, s->inbound ? "->" : "<-",
		 local, s->local_port);
}

static void add_finding(struct gpc_guard_report *report, const struct gpc_tcp_session *session,
			const struct gpc_device *device, const struct gpc_guard_verdict *verdict)
{
	struct gpc_guard_finding *findings =
		reallocarray(report->findings, report->count + 1, sizeof(*findings));
	struct gpc_guard_finding *finding;

	if (!findings)
		abort();
	report->findings = findings;
	finding = &findings[report->count++];
	*finding = (struct gpc_guard_finding){
		.ssh = session->ssh,
		.direction = verdict->direction,
		.rule = verdict->rule,
		.mid_stream = verdict->mid_stream,
	};
	describe(session, finding->session);
	snprintf(finding->device, sizeof(finding->device), "%s", device->name);
}

static void release_netlink(struct gpc_netlink *netlink)
{
	if (netlink->socket)
		gpc_netlink_close(netlink);
}

int gpc_plane_guard(const struct gpc_image *image, bool fresh, struct gpc_guard_report *ret,
		    struct gpc_failure *failure)
{
	GPC_CLEANUP(gpc_tcp_sessions_release) struct gpc_tcp_sessions sessions = {0};
	GPC_CLEANUP(gpc_devices_release) struct gpc_devices devices = {0};
	GPC_CLEANUP(release_netlink) struct gpc_netlink netlink = {0};
	struct gpc_guard_report report = {0};

	if (gpc_netlink_open(&netlink, failure) ||
	    gpc_tcp_sessions_read(&netlink, &sessions, failure) ||
	    gpc_devices_read(&netlink, &devices, failure))
		return -1;
	report.sessions = sessions.count;
	report.ssh_found = sessions.ssh_found;
	for (size_t i = 0; i < sessions.count; i++) {
		const struct gpc_tcp_session *session = &sessions.items[i];
		const struct gpc_device *device = gpc_devices_find(&devices, session->ifindex);
		uint16_t interface = device ? gpc_device_interface(image, device->name) : GPC_NONE16;
		struct gpc_guard_verdict verdict;

		if (interface == GPC_NONE16)
			continue;
		verdict = gpc_guard_judge(image, interface, session, fresh);
		if (verdict.cut)
			add_finding(&report, session, device, &verdict);
	}
	*ret = report;
	return 0;
}

void gpc_guard_report_release(struct gpc_guard_report *report)
{
	free(report->findings);
	*report = (struct gpc_guard_report){0};
}
