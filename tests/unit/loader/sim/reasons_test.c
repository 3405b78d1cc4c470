// SPDX-License-Identifier: MIT
/*
 * Every reason happens: in the packets of tests/bpf/cases, or here. One that neither makes stands in `elsewhere`
 * with the test that does; its name must be there. docs/reference.md names them all.
 */
#include <linux/bpf.h>

#include "loader/sim/context.h"
#include "loader/sim/engine.h"
#include "loader/sim/map.h"
#include "sim_rig.h"

#define HEAD "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: reasons}\n"
#define INTERFACES                                                                                 \
	"interfaces:\n"                                                                            \
	"  - {name: wan0, hooks: [xdp, tc-egress]}\n"                                              \
	"  - {name: lan0, hooks: [xdp, tc-ingress]}\n"
#define BACKENDS                                                                                   \
	"backends:\n"                                                                              \
	"  - {name: web, endpoints: [{name: a, address: 10.0.0.1}]}\n"                             \
	"  - {name: gone, endpoints: [{name: a, address: 10.0.0.2, state: drain}]}\n"
#define LISTENERS                                                                                  \
	"listeners:\n"                                                                             \
	"  - {name: web, address: 203.0.113.10, protocol: TCP, port: 80, backend: web}\n"          \
	"  - {name: gone, address: 203.0.113.11, protocol: TCP, port: 80, backend: gone}\n"        \
	"  - {name: snat, address: 203.0.113.12, protocol: UDP, port: 53, backend: web, forward: nat, snat: auto}\n"
#define POLICY(rules)                                                                              \
	"rules:\n"                                                                                 \
	"  - {name: open, ports: [tcp/22], action: allow}\n"                                       \
	"  - {name: slow, ports: [udp/99], action: allow, rate: {limit: 1/h, burst: 1}}\n"         \
	"policies:\n"                                                                              \
	"  - {name: in, interfaces: [wan0], direction: ingress, rules: [" rules "]}\n"

static const char balanced[] = HEAD INTERFACES BACKENDS LISTENERS;
static const char ruled[] = HEAD "defaults: {on-fail: pass}\n" INTERFACES POLICY("open, slow");
static const char ruled_otherwise[] = HEAD "defaults: {on-fail: pass}\n" INTERFACES POLICY("slow");
static const char limited[] = HEAD "defaults: {flow-inserts: 1/s, on-fail: pass}\n" INTERFACES POLICY("open, slow");
static const char baking[] = HEAD "defaults: {flow-inserts: 1/s}\n" INTERFACES
	"listeners:\n"
	"  - {name: web, address: 203.0.113.10, protocol: TCP, port: 80, forward: pass, syn-cookies: true}\n";
static const char spacious[] = HEAD "defaults: {flow-inserts: 1000000/s}\n" INTERFACES BACKENDS LISTENERS;

#define SENT(...) sent(&(const struct packet){__VA_ARGS__}).reason

/* ---- how each happens ---- */

static enum gpc_reason no_endpoint(void)
{
	open_plane(balanced);
	return SENT(.to = "203.0.113.11");
}

static enum gpc_reason no_next_hop(void)
{
	open_plane(balanced);
	memset(gpc_sim_map_values(GPC_SIM_NEXT), 0, sizeof(struct gpc_next));
	gpc_sim_fib_set((uint8_t[6]){0}, (uint8_t[6]){0}, 0, 0);
	return SENT(.to = "203.0.113.10");
}

static enum gpc_reason switched_off(void)
{
	open_plane(balanced);
	((uint64_t *)gpc_sim_map_values(GPC_SIM_CTL))[GPC_CTL_WORD] |= GPC_CTL_OFF;
	return SENT(.to = "203.0.113.10");
}

static enum gpc_reason no_image(void)
{
	open_plane(balanced);
	gpc_sim_map_image(0, NULL);
	return SENT(.to = "203.0.113.10");
}

static enum gpc_reason refused(void)
{
	open_plane(ruled);
	return SENT(.dport = 23);
}

static enum gpc_reason in_mid_stream(void)
{
	open_plane(ruled);
	return SENT(.dport = 22, .flags = GPC_ASK_ACK);
}

static enum gpc_reason beyond_a_rate(void)
{
	open_plane(ruled);
	CU_ASSERT_EQUAL(SENT(.protocol = IPPROTO_UDP, .dport = 99), GPC_REASON_NO_LISTENER);
	return SENT(.protocol = IPPROTO_UDP, .dport = 99, .sport = 40001);
}

static enum gpc_reason beyond_flow_inserts(void)
{
	open_plane(limited);
	CU_ASSERT_EQUAL(SENT(.dport = 22), GPC_REASON_NO_LISTENER);
	return SENT(.dport = 22, .sport = 40001);
}

static enum gpc_reason offered_a_cookie(void)
{
	open_plane(baking);
	CU_ASSERT_EQUAL(SENT(.to = "203.0.113.10"), GPC_REASON_LOCAL);
	return SENT(.to = "203.0.113.10", .sport = 40001);
}

static enum gpc_reason without_a_cookie(void)
{
	CU_ASSERT_EQUAL(offered_a_cookie(), GPC_REASON_SYN_COOKIE);
	return SENT(.to = "203.0.113.10", .sport = 40001, .flags = GPC_ASK_RST);
}

/* The plane changes under a flow that its rules let in: the other image takes the first one's place. */
static enum gpc_reason no_longer_allowed(void)
{
	const struct gpc_sim_device here[] = {{1, 1}, {2, 0}};	/* items in name order: lan0, wan0 */
	struct gpc_image other = linked_compile(ruled_otherwise);
	char *bytes = calloc(1, (size_t)1 << GPC_IMAGE_MAX_LOG2);
	struct gpc_sim_need need;
	enum gpc_reason reason;

	CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
	open_plane(ruled);
	CU_ASSERT_EQUAL(SENT(.dport = 22), GPC_REASON_NO_LISTENER);
	memcpy(bytes, other.bytes, other.size);
	CU_ASSERT(!gpc_sim_link(&other, here, 2, bytes, &need));
	gpc_sim_map_image(0, bytes);
	reason = SENT(.dport = 22, .flags = GPC_ASK_ACK);
	close_plane();
	free(bytes);
	gpc_image_release(&other);
	return reason;
}

/* gpc's own answer comes by the egress hook. */
static enum gpc_reason answered(void)
{
	static uint8_t frame[GPC_FRAME_MAX];
	struct gpc_counter before, after;
	struct gpc_sim_context ctx;
	uint32_t slot = GPC_HOOK_ID_TC_EGRESS * GPC_REASON_MAX + GPC_REASON_ANSWERED;
	size_t size = build(&(const struct packet){0}, frame);

	open_plane(ruled);
	CU_ASSERT(!sim->engine->counter(sim, slot, &before, &failure));
	gpc_sim_context_set(&ctx, frame, size, 1, 0);
	ctx.mark = (uint32_t)GPC_SIM_NONCE | 1;
	gpc_sim_run(GPC_SIM_TC_EGRESS, &ctx);
	CU_ASSERT(!sim->engine->counter(sim, slot, &after, &failure));
	CU_ASSERT_EQUAL(ctx.mark, 0);
	return after.packets == before.packets + 1 ? GPC_REASON_ANSWERED : GPC_REASON_COUNT;
}

/* Metadata of another plane. */
static enum gpc_reason stale_meta(void)
{
	static uint8_t frame[GPC_FRAME_MAX];
	const struct gpc_meta meta = {.nonce = 1, .slot_generation = 1u << 3};
	struct gpc_sim_pass pass = {.program = GPC_SIM_TC_INGRESS,
				    .device = LAN0,
				    .in = frame,
				    .in_size = build(&(const struct packet){0}, frame),
				    .meta_size = sizeof(meta)};
	uint32_t slot = GPC_HOOK_ID_TC_INGRESS * GPC_REASON_MAX + GPC_REASON_STALE_META;
	struct gpc_counter counter;

	open_plane(balanced);
	memcpy(pass.meta, &meta, sizeof(meta));
	CU_ASSERT(!sim->engine->pass(sim, &pass, &failure));
	CU_ASSERT(!sim->engine->counter(sim, slot, &counter, &failure));
	return counter.packets == 1 ? GPC_REASON_STALE_META : GPC_REASON_COUNT;
}

/* A frame that begins where its buffer does. */
static enum gpc_reason no_headroom(void)
{
	static uint8_t frame[GPC_FRAME_MAX];
	const size_t size = build(&(const struct packet){.to = "203.0.113.10"}, frame);
	uint32_t slot = GPC_HOOK_ID_XDP * GPC_REASON_MAX + GPC_REASON_NO_HEADROOM;
	struct gpc_sim_context ctx;
	struct gpc_counter counter;

	open_plane(balanced);
	gpc_sim_context_set(&ctx, frame, size, 1, XDP_REDIRECT);
	CU_ASSERT(!gpc_sim_adjust_head(&ctx, 8 - (int)GPC_SIM_HEADROOM));
	memcpy((void *)(uintptr_t)ctx.data, frame, size);
	ctx.data_end = ctx.data + size;
	gpc_sim_run(GPC_SIM_XDP, &ctx);
	CU_ASSERT(!sim->engine->counter(sim, slot, &counter, &failure));
	return counter.packets == 1 ? GPC_REASON_NO_HEADROOM : GPC_REASON_COUNT;
}

/* 64 clients with more flows to one endpoint and port than there are ports. */
static enum gpc_reason no_port_left(void)
{
	char from[32];

	open_plane(spacious);
	for (uint32_t i = 0; i < 64 * 1024; i++) {
		enum gpc_reason reason;

		snprintf(from, sizeof(from), "198.51.100.%u", 1 + i / 1024);
		reason = SENT(.from = from, .to = "203.0.113.12", .protocol = IPPROTO_UDP, .dport = 53,
			      .sport = (uint16_t)(20000 + i % 1024));
		if (reason != GPC_REASON_FORWARDED)
			return reason;
	}
	return GPC_REASON_COUNT;
}

static const struct {
	enum gpc_reason reason;
	enum gpc_reason (*happens)(void);
} here[] = {
	{GPC_REASON_NO_ENDPOINT, no_endpoint},	  {GPC_REASON_NO_NEXT_HOP, no_next_hop},
	{GPC_REASON_OFF, switched_off},		  {GPC_REASON_ON_FAIL, no_image},
	{GPC_REASON_POLICY, refused},		  {GPC_REASON_MID_STREAM, in_mid_stream},
	{GPC_REASON_RATE, beyond_a_rate},	  {GPC_REASON_FLOW_LIMIT, beyond_flow_inserts},
	{GPC_REASON_REVOKED, no_longer_allowed},  {GPC_REASON_ANSWERED, answered},
	{GPC_REASON_STALE_META, stale_meta},	  {GPC_REASON_NO_HEADROOM, no_headroom},
	{GPC_REASON_SNAT_FULL, no_port_left},	  {GPC_REASON_SYN_COOKIE, offered_a_cookie},
	{GPC_REASON_BAD_COOKIE, without_a_cookie},
};

/* ---- all of them ---- */

/* What can be neither of a packet nor made here, and the test that has it. */
static const struct {
	enum gpc_reason reason;
	const char *file, *says, *why;
} elsewhere[] = {
	{GPC_REASON_INTERNAL, "tests/bpf/verdict_test.c", "GPC_REASON_INTERNAL",
	 "a program is missing, and in user space none is"},
	{GPC_REASON_GOOD_COOKIE, "tests/bpf/cookie_test.c", "GPC_REASON_GOOD_COOKIE",
	 "its packet has a number of the one before it"},
};

static const char *const names[] = {
#define X(id, text, meaning) text,
	GPC_REASONS(X)
#undef X
};

static bool holds(const char *path, const char *text)
{
	static char line[20000];
	FILE *file = fopen(path, "r");
	bool found = false;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);	/* tests run where the tree is */
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	fclose(file);
	return found;
}

/* Is it the reason of a packet that packet_cases_test.c runs? */
static bool is_a_case(enum gpc_reason reason)
{
	static char line[20000];
	FILE *file = fopen("tests/bpf/cases/packets.txt", "r");
	char verdict[16], text[32];
	bool found = false;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "is %15s %31s", verdict, text) == 2 &&
			strcmp(text, names[reason]) == 0;
	fclose(file);
	return found;
}

static bool is_elsewhere(enum gpc_reason reason)
{
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(*elsewhere); i++)
		if (elsewhere[i].reason == reason) {
			printf("%s: %s (%s)\n", names[reason], elsewhere[i].file, elsewhere[i].why);
			return holds(elsewhere[i].file, elsewhere[i].says);
		}
	return false;
}

static void each_happens(void)
{
	bool seen[GPC_REASON_COUNT] = {false};

	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
		enum gpc_reason got = here[i].happens();

		if (got != here[i].reason)
			printf("%s: it is %s\n", names[here[i].reason],
			       got < GPC_REASON_COUNT ? names[got] : "nothing");
		CU_ASSERT_EQUAL(got, here[i].reason);
		seen[here[i].reason] = true;
	}
	close_plane();
	for (int reason = 0; reason < GPC_REASON_COUNT; reason++) {
		if (seen[reason] || is_a_case((enum gpc_reason)reason) ||
		    is_elsewhere((enum gpc_reason)reason))
			continue;
		printf("%s: no test makes it happen\n", names[reason]);
		CU_FAIL("a reason without a test");
	}
}

static void the_reference_names_each(void)
{
	char quoted[40];

	for (int reason = 0; reason < GPC_REASON_COUNT; reason++) {
		snprintf(quoted, sizeof(quoted), "`%s`", names[reason]);
		if (!holds("docs/reference.md", quoted)) {
			printf("%s: not in docs/reference.md\n", names[reason]);
			CU_FAIL("a reason without documentation");
		}
	}
}

GPC_UNIT_MAIN("sim/reasons", {"each_happens", each_happens},
	      {"the_reference_names_each", the_reference_names_each})
