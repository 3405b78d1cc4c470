// SPDX-License-Identifier: MIT
#include "policy_rig.h"

#include <err.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memfiles.h"
#include "image/image_file.h"
#include "loader/sim/host.h"
#include "pipeline.h"

#define MOST_RULES 64u
#define MOST_BUCKETS (1u << 18)

static struct kernel kernel;
static struct gpc_image image;
static uint32_t slots; /* the first of the images in use */

struct kernel *policy_kernel(void)
{
	return &kernel;
}

void policy_start(void)
{
	const struct kernel_sizes sizes = {.flows = 4096,
					   .next = 1,
					   .counters = GPC_COUNTER_FIRST_OBJECT + 64,
					   .rules = MOST_RULES,
					   .rate = MOST_BUCKETS};

	kernel_alone();
	kernel_load(&kernel, 22, &sizes);
	kernel_next(&kernel, 0, gpc_sim_hop());
}

void policy_stop(void)
{
	gpc_image_release(&image);
	kernel_unload(&kernel);
}

/* ---- planes ---- */

static struct gpc_image compile(const char *text)
{
	const char *path = "gpc.yaml";
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_compiled compiled;
	struct gpc_diags diags;
	struct gpc_image opened = {0};

	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	gpc_diags_init(&diags, &arena, false);
	if (!gpc_compile(&diags, &provider, &options, &compiled) ||
	    !gpc_image_open(&diags, "plane.gpi", compiled.bytes, compiled.size, false, &opened)) {
		for (size_t i = 0; i < diags.records.n; i++)
			fprintf(stderr, "%s\n", diags.records.items[i].message);
		errx(1, "the plane was refused");
	}
	gpc_arena_release(&arena);
	return opened;
}

/* Index of an item by the names of policy_rig.h; items stand in name order. */
static uint16_t interface_index(const struct gpc_image *of, unsigned int interface)
{
	static const char *const names[POLICY_INTERFACES] = {
		[WAN] = "wan0", [LAN] = "lan*", [DMZ] = "dmz0"};
	uint32_t count;
	const struct gpc_interface *items = gpc_image_section(of, GPC_SEC_INTERFACE, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!strcmp(gpc_image_name(of, items[i].name), names[interface]))
			return (uint16_t)i;
	return GPC_NONE16;
}

/* The image's bytes for 2^log2, as if lo were the interface; the caller frees. */
static char *linked(const struct gpc_image *of, unsigned int interface)
{
	size_t size = (size_t)1 << kernel.log2;
	struct gpc_sim_device device = {.ifindex = 1, .interface = interface_index(of, interface)};
	struct gpc_sim_need need;
	char *bytes = malloc(size);

	if (!bytes)
		err(1, "image");
	memcpy(bytes, of->bytes, size);
	if (gpc_sim_link(of, &device, device.interface != GPC_NONE16, bytes, &need) ||
	    need.rules > MOST_RULES || need.rate > MOST_BUCKETS)
		errx(1, "the plane is too large for the rig");
	return bytes;
}

void policy_use(const char *yaml)
{
	gpc_image_release(&image);
	image = compile(yaml);
	slots = slots ? 0 : 4;
	for (unsigned int i = 0; i < POLICY_INTERFACES; i++) {
		char *bytes = linked(&image, i);

		kernel_install(&kernel, slots + i, bytes);
		free(bytes);
	}
}

struct gpc_image policy_compile(const char *yaml)
{
	return compile(yaml);
}

void policy_install(const struct gpc_image *of, const struct policy_link *link)
{
	char *bytes = linked(of, WAN);
	struct gpc_link_head *head = (struct gpc_link_head *)(bytes + of->head->link_offset);
	struct gpc_link_rule *rules = (struct gpc_link_rule *)(bytes + head->rule_offset);
	uint32_t count;

	gpc_image_section(of, GPC_SEC_RULE, &count);
	if (link->first_counter + count > MOST_RULES)
		errx(1, "the plane is too large for the rig");
	head->generation = link->generation;
	for (uint32_t i = 0; i < count; i++)
		rules[i].counter = link->first_counter + i;
	kernel_install(&kernel, link->slot, bytes);
	free(bytes);
}

static uint64_t control_flags;

void policy_control(uint64_t flags)
{
	control_flags = flags;
}

void policy_reset(uint32_t age)
{
	struct timespec now;

	kernel_forget_flows(&kernel);
	kernel_full_buckets(&kernel);
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	kernel_flows_since(&kernel, (uint64_t)(now.tv_sec - age) * 1000000000ull + 1);
}

/* ---- what counted ---- */

struct counts {
	uint64_t reasons[GPC_REASON_COUNT];
	struct gpc_rule_counter rules[MOST_RULES];
};

static void read_counts(enum gpc_hook hook, struct counts *ret)
{
	uint32_t rules;

	gpc_image_section(&image, GPC_SEC_RULE, &rules);
	for (int r = 0; r < GPC_REASON_COUNT; r++)
		ret->reasons[r] = kernel_reason(&kernel, hook, (enum gpc_reason)r);
	for (uint32_t i = 0; i < rules; i++)
		ret->rules[i] = kernel_rule(&kernel, i);
}

static const char *rule_name(uint32_t index)
{
	static char text[160];
	uint32_t count;
	const struct gpc_rule *rule =
		(const struct gpc_rule *)gpc_image_section(&image, GPC_SEC_RULE, &count) + index;
	const struct gpc_policy *policies = gpc_image_section(&image, GPC_SEC_POLICY, &count);

	snprintf(text, sizeof(text), "%s/%s",
		 rule->flags & GPC_RULE_BUILTIN	  ? "builtin"
		 : rule->flags & GPC_RULE_PROTECT ? "protect"
						  : gpc_image_name(&image,
								   policies[rule->policy].name),
		 gpc_image_name(&image, rule->name));
	return text;
}

/* Is the name one of those in `names`, which stand apart by spaces? */
static bool is_among(const char *name, const char *names)
{
	size_t size = strlen(name);
	const char *at = names;

	while (at && (at = strstr(at, name))) {
		if ((at == names || at[-1] == ' ') && (!at[size] || at[size] == ' '))
			return true;
		at++;
	}
	return false;
}

/* Have exactly the counters of the rules in `want` (NULL: of none) moved? */
static bool same_rules(const char *step, const char *what, const char *want,
		       const struct counts *before, const struct counts *after, bool would)
{
	uint32_t rules;
	bool ok = true;

	gpc_image_section(&image, GPC_SEC_RULE, &rules);
	for (uint32_t i = 0; i < rules; i++) {
		const struct gpc_rule_counter *a = &before->rules[i], *b = &after->rules[i];
		bool moved = would ? a->would_deny != b->would_deny : a->packets != b->packets;

		if (moved == is_among(rule_name(i), want))
			continue;
		printf("%s: %s%s %s\n", step, moved ? "" : "not ", rule_name(i), what);
		ok = false;
	}
	return ok;
}

static enum gpc_reason counted(const struct counts *before, const struct counts *after)
{
	enum gpc_reason found = GPC_REASON_COUNT;

	for (int r = 0; r < GPC_REASON_COUNT; r++) {
		if (after->reasons[r] == before->reasons[r])
			continue;
		if (found != GPC_REASON_COUNT || after->reasons[r] != before->reasons[r] + 1)
			return GPC_REASON_COUNT;
		found = (enum gpc_reason)r;
	}
	return found;
}

/* ---- steps ---- */

static enum policy_verdict verdict_of(const struct kernel_run *run, enum policy_hook hook,
				      bool rejects)
{
	if (hook == IN) {
		if (run->action == XDP_PASS)
			return PASS;
		if (run->action == XDP_DROP)
			return DROP;
		return rejects ? REJECT : FORWARD;
	}
	return run->action == TC_ACT_UNSPEC ? PASS : run->action == TC_ACT_SHOT ? DROP : REJECT;
}

/* The mark that goes on: of the skb, or in XDP's metadata, which a test run returns in front. */
static uint32_t mark_of(const struct kernel_run *run, enum policy_hook hook)
{
	uint32_t mark = 0;

	if (hook != IN)
		return run->mark;
	if (run->out_size == run->in_size + sizeof(struct gpc_meta_mark))
		memcpy(&mark, run->out + offsetof(struct gpc_meta_mark, mark), sizeof(mark));
	return mark;
}

static const enum kernel_program programs[] = {KERNEL_XDP, KERNEL_TC_EGRESS, KERNEL_TC_INGRESS};

void policy_send(enum policy_hook hook, unsigned int interface, const struct frame_spec *spec)
{
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.out = out};
	struct frame frame;

	frame_build(spec, &frame);
	run.in = frame.bytes;
	run.in_size = frame.size;
	kernel_control(&kernel, (slots + interface) | control_flags);
	kernel_run(&kernel, programs[hook], &run);
}

bool policy_step(const char *name, const struct policy_step *step)
{
	static const enum gpc_hook hooks[] = {GPC_HOOK_ID_XDP, GPC_HOOK_ID_TC_EGRESS,
					      GPC_HOOK_ID_TC_INGRESS};
	static const char *const reasons[] = {
#define X(id, text, meaning) text,
		GPC_REASONS(X)
#undef X
			"none or several"};
	static const char *const verdicts[] = {"pass", "forward", "drop", "reject"};
	uint8_t out[KERNEL_FRAME_MAX];
	struct counts before, after;
	enum policy_verdict verdict;
	struct kernel_run run = {.out = out};
	enum gpc_reason reason;
	struct frame frame;
	bool ok = true;

	frame_build(&step->frame, &frame);
	run.in = frame.bytes;
	run.in_size = frame.size;
	kernel_control(&kernel, (slots + step->interface) | control_flags);
	read_counts(hooks[step->hook], &before);
	kernel_run(&kernel, programs[step->hook], &run);
	read_counts(hooks[step->hook], &after);
	reason = counted(&before, &after);
	verdict = verdict_of(&run, step->hook, step->verdict == REJECT);
	if (verdict != step->verdict || reason != step->reason) {
		printf("%s: %s, reason %s (action %d); wanted %s, %s\n", name, verdicts[verdict],
		       reasons[reason], run.action, verdicts[step->verdict],
		       reasons[step->reason]);
		ok = false;
	}
	ok &= same_rules(name, "counts", step->rule, &before, &after, false);
	ok &= same_rules(name, "would have denied", step->would, &before, &after, true);
	if (verdict == PASS && mark_of(&run, step->hook) != step->mark) {
		printf("%s: mark %u\n", name, mark_of(&run, step->hook));
		ok = false;
	}
	return ok;
}
