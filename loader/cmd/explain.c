/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <string.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "input.h"
#include "output.h"
#include "point.h"

static const struct gpc_option options[] = {
	{0, "in", "IF", "the packet arrives by this device or interface"},
	{0, "out", "IF", "the packet leaves by it"},
	{0, "batch", "FILE", "one packet a line of FILE (- is standard input), one answer a line"},
	{0, "image", "IMAGE", "ask this image"},
	{0, "running", NULL, "ask the running plane"},
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_STRICT,
	GPC_OPTION_JSON,
};

/* What is asked, wherever it comes from. */
struct asked {
	struct gpc_input input;
	struct gpc_plane_status plane;
	struct gpc_explain_call explain;
};

static void release_asked(struct asked *asked)
{
	gpc_input_release(&asked->input);
	gpc_plane_status_release(&asked->plane);
}

static enum gpc_exit load_running(struct asked *asked)
{
	struct gpc_failure *failure = &asked->input.failure;

	if (gpc_plane_read(gpc_bpffs(), &asked->plane, failure))
		return failure->code;
	if (!asked->plane.has_image) {
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "%s",
			 asked->plane.present ? asked->plane.problem : "no plane is running");
		return failure->code;
	}
	asked->explain.image = &asked->plane.image;
	asked->explain.audit = asked->plane.control & GPC_CTL_AUDIT;
	return GPC_EXIT_OK;
}

static enum gpc_exit load(const struct gpc_call *call, struct asked *asked)
{
	const char *image = gpc_call_value(call, "image");
	enum gpc_exit rc;

	if (gpc_call_has(call, "running"))
		return load_running(asked);
	if (image)
		rc = gpc_input_image(call, image, &asked->input);
	else
		rc = gpc_input_load(call, NULL, false, &asked->input);
	if (rc)
		return rc;
	asked->explain.image = &asked->input.image;
	asked->explain.model = asked->input.compiled.model;
	return GPC_EXIT_OK;
}

static int check_usage(const struct gpc_call *call, struct gpc_failure *failure)
{
	bool batch = gpc_call_has(call, "batch");
	bool sources = gpc_call_has(call, "file") || gpc_call_has(call, "env");

	if (batch == (call->operand_count == 1))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0,
				batch ? "a packet and --batch exclude each other"
				      : "there is no packet to explain");
	if (gpc_call_has(call, "image") + gpc_call_has(call, "running") + sources > 1)
		return gpc_fail(failure, GPC_EXIT_USAGE, 0,
				"--image, --running and -f or -e exclude each other");
	if (batch && gpc_call_has(call, "json"))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0,
				"--batch answers in lines of its own form, not in JSON");
	return 0;
}

static enum gpc_exit explain_packet(const struct gpc_call *call, struct asked *asked)
{
	const char *text = call->operands[0];
	struct gpc_question packet;

	if (gpc_point_packet(text, &packet, &asked->input.failure))
		return gpc_finish_failed(call, &asked->input.failure);
	if (gpc_call_has(call, "json"))
		gpc_explain_json(&asked->explain, &packet);
	else
		gpc_explain_text(&asked->explain, &packet, stdout);
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release_asked) struct asked asked = {.explain.call = call};
	const char *batch = gpc_call_value(call, "batch");
	enum gpc_exit rc;

	if (check_usage(call, &asked.input.failure))
		return gpc_finish_failed(call, &asked.input.failure);
	rc = load(call, &asked);
	if (rc)
		return gpc_input_end(call, &asked.input, rc);
	if (gpc_point_find(call, asked.explain.image, &asked.explain.point, &asked.explain.interface,
			   &asked.input.failure))
		return gpc_finish_failed(call, &asked.input.failure);
	if (!batch)
		return explain_packet(call, &asked);
	if (gpc_explain_batch(&asked.explain, batch, &asked.input.failure))
		return gpc_finish_failed(call, &asked.input.failure);
	return GPC_EXIT_OK;
}

const struct gpc_command gpc_command_explain = {
	.name = "explain",
	.side = GPC_SIDE_AUTHOR,
	.summary = "what becomes of a packet, by which rule, and which rules lost",
	.operands = "[PACKET]",
	.operands_max = 1,
	.description =
		"Asks the tables that the kernel asks, by the same code. PACKET is\n"
		"  'tcp 10.0.1.5:40000 -> 10.0.9.3:5432'    'udp [2001:db8::1]:53 -> [2001:db8::2]:53'\n"
		"  'icmp 10.0.1.5 -> 10.0.9.3 type echo-reply'\n"
		"and may go on with flags syn,ack (of syn ack fin rst, or none), vlan N, dscp N,\n"
		"fragment first|later, type T, code N. It is taken as the first of its flow; TCP "
		"without\n"
		"flags is a SYN. Without --image or --running the intent is compiled: -f, or "
		"./gpc.yaml\n"
		"and ./gpc.d/*.yaml. --batch prints the chain's verdict, policy and rule, "
		"separated by tabs\n"
		"(`default`: no rule matched; `pass - -`: nobody decides; would-deny or "
		"would-reject in a\n"
		"fourth column: an audit policy would have).",
	.objects = "explanation",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
