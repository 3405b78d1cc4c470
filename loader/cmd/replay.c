/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "output.h"
#include "rulebook.h"
#include "status.h"
#include "target.h"

#define TOP 10u
#define TOP_MOST 100000u

static const struct gpc_option options[] = {
	{0, "pcap", "FILE", "packets of a capture, pcap or pcapng; - is standard input"},
	{0, "flows", "FILE", "a flow a line, or what gpc events --json wrote; - is standard input"},
	{0, "compare", "IMAGE", "and what would this one have done: what is different?"},
	{0, "in", "IF", "packets arrive by this device"},
	{0, "out", "IF", "packets that leave do so by this device"},
	{0, "mac", "MAC", "of that device: Ethernet frames of the capture that it sent leave"},
	{0, "top", "N", "rows of each list, 10 if not given"},
	{0, "kernel", NULL, "run the packets through the programs in the kernel; needs root"},
	GPC_OPTION_ENV,
	GPC_OPTION_JSON,
};

/* What the command works with. */
struct work {
	struct gpc_target targets[2];
	size_t target_count;
	struct gpc_records *records;
	struct gpc_replay replay;
	unsigned long top;
	struct gpc_failure failure;
};

static void release_work(struct work *work)
{
	gpc_replay_release(&work->replay);
	gpc_records_close(&work->records);
	for (size_t i = 0; i < work->target_count; i++)
		gpc_target_release(&work->targets[i]);
}

/* ---- what is wanted ---- */

static bool hex_digit(char c, unsigned int *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	if (!at)
		return false;
	*ret = (unsigned int)(at - digits);
	return true;
}

/* 02:00:5e:10:00:01 */
static bool parse_mac(const char *text, uint8_t ret[6])
{
	unsigned int high, low;

	for (size_t i = 0; i < 6; i++, text += 3) {
		if (!hex_digit(text[0], &high) || !hex_digit(text[1], &low) ||
		    text[2] != (i < 5 ? ':' : '\0'))
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int check_usage(const struct gpc_call *call, struct work *work)
{
	const char *top = gpc_call_value(call, "top");

	work->top = TOP;
	if (gpc_call_has(call, "pcap") == gpc_call_has(call, "flows"))
		return gpc_fail(&work->failure, GPC_EXIT_USAGE, 0,
				gpc_call_has(call, "pcap") ? "--pcap and --flows exclude each other"
							   : "replay what? give --pcap FILE or --flows FILE");
	if (gpc_call_has(call, "mac") && !gpc_call_has(call, "pcap"))
		return gpc_fail(&work->failure, GPC_EXIT_USAGE, 0, "--mac is for captures");
	if (gpc_call_has(call, "kernel") && gpc_call_has(call, "compare"))
		return gpc_fail(&work->failure, GPC_EXIT_USAGE, 0,
				"--kernel runs one image at a time, not --compare");
	if (top && !gpc_number_parse(top, 1, TOP_MOST, &work->top))
		return gpc_fail(&work->failure, GPC_EXIT_USAGE, 0, "'%s' is no number from 1 to %u",
				top, TOP_MOST);
	return 0;
}

static int open_records(const struct gpc_call *call, struct work *work)
{
	const char *mac = gpc_call_value(call, "mac"), *flows = gpc_call_value(call, "flows");
	uint8_t own[6];

	if (mac && !parse_mac(mac, own))
		return gpc_fail(&work->failure, GPC_EXIT_USAGE, 0, "'%s' is no MAC address", mac);
	if (flows)
		return gpc_flows_open(flows, &work->records, &work->failure);
	return gpc_capture_open(gpc_call_value(call, "pcap"), mac ? own : NULL, &work->records,
				&work->failure);
}

/* Is there a device of that name for any of the images? */
static int check_device(const struct work *work, const char *name, struct gpc_failure *failure)
{
	for (size_t i = 0; name && i < work->target_count; i++)
		if (gpc_image_interface(&work->targets[i].input.image, name) != GPC_NONE)
			return 0;
	if (!name)
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "no interface of the plane takes a device '%s'", name);
	return gpc_fail_hint(failure, "gpc inspect names the interfaces of an image");
}

/* The interface of a plane that has only one, "": of one with several. */
static const char *only_interface(const struct gpc_image *image)
{
	uint32_t count;
	const struct gpc_interface *items = gpc_image_section(image, GPC_SEC_INTERFACE, &count);

	return count == 1 ? gpc_image_name(image, items[0].name) : NULL;
}

static int find_devices(const struct gpc_call *call, struct work *work,
			struct gpc_replay_options *ret)
{
	*ret = (struct gpc_replay_options){
		.in = gpc_call_value(call, "in"),
		.out = gpc_call_value(call, "out"),
		.kind = gpc_call_has(call, "kernel") ? GPC_SIM_KERNEL : GPC_SIM_USER,
	};
	if (!ret->in && !ret->out && !work->records->alone)
		ret->in = ret->out = only_interface(&work->targets[0].input.image);
	if (!ret->in && !ret->out && !work->records->alone) {
		gpc_fail(&work->failure, GPC_EXIT_USAGE, 0,
			 "by which interface do the packets come?");
		return gpc_fail_hint(&work->failure,
				     "give --in IF, --out IF or both; gpc inspect names the interfaces");
	}
	if (check_device(work, ret->in, &work->failure))
		return -1;
	return check_device(work, ret->out, &work->failure);
}

static enum gpc_exit open_targets(const struct gpc_call *call, struct work *work)
{
	const char *texts[2] = {call->operands[0], gpc_call_value(call, "compare")};
	enum gpc_exit rc = GPC_EXIT_OK;

	for (size_t i = 0; i < 2 && texts[i] && !rc; i++) {
		rc = gpc_target_open(call, texts[i], i ? texts[0] : texts[1], &work->targets[i]);
		work->target_count++;
		if (rc)
			gpc_target_end(call, &work->targets[i], rc);
	}
	return rc;
}

/* ---- names ---- */

char *gpc_rule_text(const struct gpc_image *image, uint32_t rule)
{
	const struct gpc_rule *record;
	char *text = NULL;

	if (rule == GPC_NONE) {
		text = strdup("-");
	} else {
		record = gpc_image_record(image, GPC_SEC_RULE, rule);
		if (asprintf(&text, "%s/%s", gpc_rule_owner(image, record),
			     gpc_image_name(image, record->name)) < 0)
			text = NULL;
	}
	if (!text)
		abort();
	return text;
}

/* Reasons that only say again what the verdict says. */
static bool says_more(enum gpc_reason reason)
{
	return reason != GPC_REASON_COUNT && reason != GPC_REASON_FORWARDED &&
	       reason != GPC_REASON_POLICY;
}

char *gpc_fate_text(const struct gpc_image *image, const struct gpc_fate *fate)
{
	const char *reason = fate->verdict == GPC_VERDICT_PASS || !says_more(fate->reason)
				     ? NULL
				     : gpc_reason_name(fate->reason);
	GPC_AUTO_FREE char *rule = gpc_rule_text(image, fate->rule);
	const struct gpc_endpoint *endpoint =
		fate->endpoint == GPC_NONE
			? NULL
			: gpc_image_record(image, GPC_SEC_ENDPOINT, fate->endpoint);
	char *text;

	if (asprintf(&text, "%s%s%s%s%s%s, %s", gpc_verdict_name(fate->verdict),
		     endpoint ? " to " : "", endpoint ? gpc_image_name(image, endpoint->name) : "",
		     reason ? " (" : "", reason ? reason : "", reason ? ")" : "", rule) < 0)
		abort();
	return text;
}

/* ---- order ---- */

struct ranked {
	const struct gpc_sum *sum;
	size_t index;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->sum->packets != y->sum->packets)
		return x->sum->packets < y->sum->packets ? 1 : -1;
	if (x->sum->bytes != y->sum->bytes)
		return x->sum->bytes < y->sum->bytes ? 1 : -1;
	return (x->index > y->index) - (x->index < y->index);
}

size_t *gpc_sums_rank(const struct gpc_sum *sums, size_t stride, size_t count, size_t *ret_count)
{
	GPC_AUTO_FREE struct ranked *list = calloc(count + 1, sizeof(*list));
	size_t *order = calloc(count + 1, sizeof(*order)), used = 0;

	if (!list || !order)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct gpc_sum *sum =
			(const struct gpc_sum *)(const void *)((const char *)sums + i * stride);

		if (sum->packets)
			list[used++] = (struct ranked){sum, i};
	}
	if (used)
		qsort(list, used, sizeof(*list), by_rank);
	for (size_t i = 0; i < used; i++)
		order[i] = list[i].index;
	*ret_count = used;
	return order;
}

/* ---- the command ---- */

static enum gpc_exit report(const struct gpc_call *call, const struct work *work)
{
	const struct gpc_replay *replay = &work->replay;
	struct gpc_replayed replayed = {
		.call = call,
		.replay = replay,
		.losses = &work->records->losses,
		.source = gpc_call_value(call, work->records->alone ? "flows" : "pcap"),
		.names = {work->targets[0].name, work->targets[1].name},
		.top = work->top,
	};
	struct json_object *result = gpc_json("result");

	if (*replayed.losses->damage)
		gpc_say(call, GPC_YELLOW, "warning", "the capture ends early: %s",
			replayed.losses->damage);
	if (gpc_call_has(call, "json"))
		gpc_replay_json(&replayed, result);
	else
		gpc_replay_text(&replayed);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release_work) struct work work = {0};
	const struct gpc_image *images[2];
	struct gpc_replay_options wanted;
	enum gpc_exit rc;

	if (check_usage(call, &work))
		return gpc_finish_failed(call, &work.failure);
	rc = open_targets(call, &work);
	if (rc)
		return rc;
	for (size_t i = 0; i < work.target_count; i++)
		images[i] = &work.targets[i].input.image;
	if (open_records(call, &work) || find_devices(call, &work, &wanted) ||
	    gpc_replay_open(images, work.target_count, &wanted, &work.replay, &work.failure) ||
	    gpc_replay_run(&work.replay, work.records, &work.failure))
		return gpc_finish_failed(call, &work.failure);
	return report(call, &work);
}

const struct gpc_command gpc_command_replay = {
	.name = "replay",
	.side = GPC_SIDE_AUTHOR,
	.summary = "what an image would have done to recorded traffic",
	.operands = "IMAGE",
	.operands_min = 1,
	.operands_max = 1,
	.description =
		"Sends recorded packets through the programs that the kernel runs, compiled into gpc (no\n"
		"root, no device, no running plane), and adds up what becomes of them: by verdict, reason,\n"
		"rule, listener and endpoint; with --compare what another image would have done\n"
		"differently, by rules and by flow, each with a packet that shows it. IMAGE is a file, an\n"
		"intent, a generation, a git revision or `live`, as for gpc diff.\n"
		"\n"
		"--pcap: Ethernet, raw IP or Linux cooked. Flows live from packet to packet, by the capture's\n"
		"time stamps. Packets arrive by --in; those that a cooked capture says to be outgoing, or\n"
		"that --mac sent, leave by --out. What a snap length cut off counts as zeros, and where\n"
		"headers are missing the packet is left out; both are counted.\n"
		"--flows: a line each, 'tcp 10.0.1.5:40000 -> 10.0.9.3:5432 packets 12 bytes 3400 in wan0',\n"
		"or an object as gpc events --json has it. Each is asked about as the packet that opens its\n"
		"flow, with full buckets, and all its packets count as that one.\n"
		"Packets of known flows count for the rule that let the flow in.",
	.objects = "image, verdict, reason, rule, listener, endpoint, change, flow",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
