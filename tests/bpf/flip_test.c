// SPDX-License-Identifier: MIT
/*
 * Flips of the control word between two resident images, A and B, under packets. Each packet must be
 * treated as one of the two treats it, from its verdict to the counter of the rule that decided, the mark
 * and the generation in its metadata. What that is, user space looks up in the images.
 *
 * A flip waits for a packet to have begun, and then a while that is never the same, so that it falls
 * into the packet.
 */
#include <err.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "gpc/lookup/chain.h"
#include "policy_rig.h"
#include "tests/unit/unit.h"

#define FLIPS 10000u
#define FLOWS 64u
#define FIRST_PORT 1000u /* flow f goes to port FIRST_PORT + f */
#define RULE_SLOTS 32u	 /* of the counters, for each image */
#define SENDERS 2u

/*
 * Of a flow's number bit 0 says that A lets it through, bit 1 that B does, bit 2 that the second policy
 * decides. B stands differently in memory: it has more rules, more sets, other marks.
 */
#define HEAD                                                                                       \
	"apiVersion: gpc/v1\n"                                                                     \
	"kind: Plane\n"                                                                            \
	"metadata: {name: test}\n"                                                                 \
	"defaults: {pickup: never}\n"                                                              \
	"interfaces:\n"                                                                            \
	"  - {name: wan0, hooks: [xdp, tc-ingress, tc-egress]}\n"                                  \
	"  - {name: \"lan*\", hooks: [xdp, tc-egress]}\n"                                          \
	"  - {name: dmz0, hooks: [tc-ingress, tc-egress]}\n"
#define POLICIES(state, early, late)                                                               \
	"policies:\n"                                                                              \
	"  - {name: first, interfaces: [wan0], direction: ingress, " state ", default: pass,\n"    \
	"     priority: 1, rules: [" early "]}\n"                                                  \
	"  - {name: second, interfaces: [wan0], direction: ingress, " state ", priority: 2,\n"     \
	"     rules: [" late "]}\n"
#define RULES_OF_B                                                                                 \
	"  - {name: f1, from: 10.0.0.0/8, ports: [tcp/2000-3000], action: deny}\n"                 \
	"  - {name: f2, from: 198.51.100.128/25, ports: [udp], action: allow}\n"                   \
	"  - {name: f3, to: 2001:db8::/32, action: allow}\n"

enum which { A, B, IMAGES };

struct expected {
	bool pass;
	uint32_t rule; /* of RULE: it decides */
	uint32_t mark;
};

static struct gpc_image images[IMAGES];
static struct expected expected[IMAGES][FLOWS];
static volatile uint64_t *control;
static atomic_uint begun; /* packets */
static atomic_bool over;

static bool lets_through(enum which which, uint32_t flow)
{
	return flow >> which & 1;
}

/* "tcp/1001, tcp/1003, ...": the flows that the image lets through, or not, in one of its policies. */
static void write_ports(FILE *out, enum which which, bool through, bool second)
{
	const char *comma = "";

	for (uint32_t f = 0; f < FLOWS; f++) {
		if (lets_through(which, f) != through || (f >> 2 & 1) != second)
			continue;
		fprintf(out, "%stcp/%u", comma, FIRST_PORT + f);
		comma = ", ";
	}
}

static void write_rule(FILE *out, enum which which, const char *name, bool through, bool second)
{
	fprintf(out, "  - {name: %s, from: 198.51.100.0/24, ports: [", name);
	write_ports(out, which, through, second);
	if (through)
		fprintf(out, "], action: allow, mark: %u}\n", 10 * (which + 1) + second);
	else
		fputs("], action: deny}\n", out);
}

static struct gpc_image make(enum which which, bool stateful)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct gpc_image image;

	if (!out)
		err(1, "memory");
	fputs(HEAD "rules:\n", out);
	write_rule(out, which, "early", true, false);
	write_rule(out, which, "never", false, false);
	write_rule(out, which, "late", true, true);
	if (which == B)
		fputs(RULES_OF_B, out);
	fputs(which == A ? stateful ? POLICIES("stateful: true", "early, never", "late")
				    : POLICIES("stateful: false", "early, never", "late")
	      : stateful ? POLICIES("stateful: true", "f1, f2, never, early", "f3, late")
			 : POLICIES("stateful: false", "f1, f2, never, early", "f3, late"),
	      out);
	fclose(out);
	image = policy_compile(text);
	free(text);
	return image;
}

/* ---- what user space says ---- */

static const struct gpc_chain *chain_of(const struct gpc_image *image)
{
	uint32_t count;
	const struct gpc_chain *chains = gpc_image_section(image, GPC_SEC_CHAIN, &count);

	CU_ASSERT_EQUAL_FATAL(count, 1);
	return chains;
}

static struct gpc_question question_of(uint32_t flow)
{
	struct gpc_question question = {
		.source_port = 40000,
		.destination_port = FIRST_PORT + flow,
		.vlan = GPC_VLAN_NONE,
		.protocol = IPPROTO_TCP,
		.tcp_flags = GPC_ASK_SYN,
		.family = GPC_V4,
	};
	const uint8_t source[16] = {[10] = 0xff, 0xff, 198, 51, 100, 7};
	const uint8_t destination[16] = {[10] = 0xff, 0xff, 203, 0, 113, 9};

	memcpy(question.source, source, sizeof(source));
	memcpy(question.destination, destination, sizeof(destination));
	return question;
}

static void expect(enum which which)
{
	for (uint32_t f = 0; f < FLOWS; f++) {
		struct gpc_question question = question_of(f);
		struct expected *e = &expected[which][f];
		const struct gpc_rule *rule;
		struct gpc_answer answer;

		gpc_chain_ask(images[which].view, chain_of(&images[which]), &question, 0, &answer);
		CU_ASSERT_NOT_EQUAL_FATAL(answer.decider, GPC_NONE);
		e->rule = answer.rule[answer.decider];
		rule = gpc_rule_at(images[which].view, e->rule);
		e->pass = rule->action == GPC_ACTION_ALLOW;
		e->mark = rule->mark;
		CU_ASSERT_EQUAL_FATAL(e->pass, lets_through(which, f));
	}
}

/* Both in their slots, with counters of their own, generations 1 and 2. */
static void install(bool stateful)
{
	for (uint32_t i = 0; i < IMAGES; i++) {
		struct policy_link link = {i, i + 1, i * RULE_SLOTS};

		gpc_image_release(&images[i]);
		images[i] = make(i, stateful);
		policy_install(&images[i], &link);
		expect(i);
	}
}

/* ---- packets ---- */

struct seen {
	int action;
	uint32_t generation, mark; /* 0: no metadata */
	uint32_t counter;	   /* slot of the one rule that counted; GPC_NONE: none or several */
	bool counted;		   /* once, for the reason that goes with the action */
	bool flipped;		   /* meanwhile */
};

static void build(uint32_t flow, uint8_t flags, struct frame *frame)
{
	struct frame_spec spec = {.from = "198.51.100.7",
				  .to = "203.0.113.9",
				  .source_port = 40000,
				  .port = (uint16_t)(FIRST_PORT + flow),
				  .flags = flags};

	frame_build(&spec, frame);
}

static struct seen send_packet(const struct frame *frame)
{
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.in = frame->bytes, .in_size = frame->size, .out = out};
	uint64_t before = *control;
	struct gpc_meta_mark meta = {0};
	struct seen seen = {0};

	atomic_fetch_add(&begun, 1);
	kernel_run(policy_kernel(), KERNEL_XDP, &run);
	seen.flipped = *control != before;
	seen.action = run.action;
	if (run.out_size > frame->size && run.out_size <= frame->size + sizeof(meta))
		memcpy(&meta, out, run.out_size - frame->size);
	seen.generation = meta.meta.slot_generation >> 3;
	seen.mark = meta.mark;
	return seen;
}

struct counts {
	uint64_t passed, denied, rules[IMAGES * RULE_SLOTS];
};

static struct counts read_counts(void)
{
	struct kernel *kernel = policy_kernel();
	struct counts counts = {
		.passed = kernel_reason(kernel, GPC_HOOK_ID_XDP, GPC_REASON_NO_LISTENER),
		.denied = kernel_reason(kernel, GPC_HOOK_ID_XDP, GPC_REASON_POLICY),
	};

	for (uint32_t i = 0; i < IMAGES; i++) {
		uint32_t rules;

		gpc_image_section(&images[i], GPC_SEC_RULE, &rules);
		for (uint32_t r = 0; r < rules; r++)
			counts.rules[i * RULE_SLOTS + r] =
				kernel_rule(kernel, i * RULE_SLOTS + r).packets;
	}
	return counts;
}

static struct seen send_counted(uint32_t flow, struct counts *counts)
{
	struct frame frame;
	struct counts after;
	struct seen seen;
	uint32_t moved = 0;

	build(flow, SYN, &frame);
	seen = send_packet(&frame);
	after = read_counts();
	seen.counter = GPC_NONE;
	for (uint32_t i = 0; i < IMAGES * RULE_SLOTS; i++) {
		if (after.rules[i] == counts->rules[i])
			continue;
		moved += (uint32_t)(after.rules[i] - counts->rules[i]);
		seen.counter = i;
	}
	if (moved != 1)
		seen.counter = GPC_NONE;
	seen.counted = after.passed - counts->passed == (seen.action == XDP_PASS) &&
		       after.denied - counts->denied == (seen.action == XDP_DROP);
	*counts = after;
	return seen;
}

static bool is_of(enum which which, uint32_t flow, const struct seen *seen)
{
	const struct expected *e = &expected[which][flow];

	if (seen->counter != which * RULE_SLOTS + e->rule || !seen->counted)
		return false;
	if (!e->pass)
		return seen->action == XDP_DROP && !seen->generation;
	return seen->action == XDP_PASS && seen->generation == which + 1 && seen->mark == e->mark;
}

/* ---- flips ---- */

/* Without giving the processor away as long as packets come, or the flips would wait for their turn. */
static void wait_for_packet(void)
{
	uint32_t last = atomic_load(&begun);

	for (uint32_t i = 1; atomic_load(&begun) == last; i++)
		if (i % 65536 == 0)
			sched_yield();
}

static void *flip(void *unused)
{
	uint64_t state = 1;

	for (uint32_t i = 1; i <= FLIPS; i++) {
		wait_for_packet();
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		for (uint32_t n = state >> 33 & 4095; n; n--)
			__asm__ volatile("" ::: "memory");
		__atomic_store_n(control, i % 2 ? B : A, __ATOMIC_SEQ_CST);
	}
	atomic_store(&over, true);
	return unused;
}

static pthread_t start(void *(*run)(void *argument), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, argument))
		errx(1, "no thread");
	return thread;
}

static pthread_t start_flips(void)
{
	*control = A;
	atomic_store(&over, false);
	return start(flip, NULL);
}

static void each_image_alone(void)
{
	struct counts counts;

	install(false);
	counts = read_counts();
	for (uint32_t i = 0; i < IMAGES; i++) {
		*control = i;
		for (uint32_t f = 0; f < FLOWS; f++) {
			struct seen seen = send_counted(f, &counts);

			CU_ASSERT(is_of(i, f, &seen));
			CU_ASSERT_FALSE(is_of(!i, f, &seen));
		}
	}
}

/* An image that decides as A and counts as B is neither. */
static void mixtures_are_seen(void)
{
	struct policy_link link = {2, 2, RULE_SLOTS};
	struct counts counts;

	install(false);
	policy_install(&images[A], &link);
	*control = link.slot;
	counts = read_counts();
	for (uint32_t f = 0; f < FLOWS; f++) {
		struct seen seen = send_counted(f, &counts);

		CU_ASSERT_FALSE(is_of(A, f, &seen) || is_of(B, f, &seen));
	}
}

static void each_packet_is_of_one_image(void)
{
	uint32_t of[IMAGES] = {0}, flipped = 0, mixed = 0, f = 0;
	struct counts counts;
	pthread_t flips;

	install(false);
	counts = read_counts();
	flips = start_flips();
	while (!atomic_load(&over)) {
		struct seen seen = send_counted(f, &counts);

		of[A] += is_of(A, f, &seen);
		of[B] += is_of(B, f, &seen);
		mixed += !is_of(A, f, &seen) && !is_of(B, f, &seen);
		flipped += seen.flipped;
		f = (f + 1) % FLOWS;
	}
	pthread_join(flips, NULL);
	printf("%u flips, %u during a packet; %u packets of A, %u of B, %u of neither\n", FLIPS,
	       flipped, of[A], of[B], mixed);
	CU_ASSERT_EQUAL(mixed, 0);
	CU_ASSERT(of[A] && of[B] && flipped);
}

/* ---- known flows ---- */

struct sender {
	uint32_t first; /* flow */
	uint64_t packets, flipped, passed, wrong;
};

/* What passes says by which image; what does not, one of them must have revoked. */
static bool may_be(uint32_t flow, const struct seen *seen)
{
	if (seen->action == XDP_DROP)
		return !seen->generation && !(lets_through(A, flow) && lets_through(B, flow));
	return seen->action == XDP_PASS && (seen->generation == 1 || seen->generation == 2) &&
	       lets_through(seen->generation - 1, flow);
}

static void *keep_sending(void *argument)
{
	struct sender *sender = argument;
	struct frame frames[FLOWS];

	for (uint32_t f = 0; f < FLOWS; f++)
		build(f, ACK, &frames[f]);
	for (uint32_t f = sender->first; !atomic_load(&over); f = (f + 1) % FLOWS) {
		struct seen seen = send_packet(&frames[f]);

		sender->packets++;
		sender->flipped += seen.flipped;
		sender->passed += seen.action == XDP_PASS;
		sender->wrong += !may_be(f, &seen);
	}
	return NULL;
}

/* Opened under the image that lets it through. */
static void open_flows(void)
{
	policy_reset(3600);
	for (uint32_t f = 0; f < FLOWS; f++) {
		struct frame frame;

		*control = lets_through(A, f) ? A : B;
		build(f, SYN, &frame);
		CU_ASSERT_EQUAL(send_packet(&frame).action == XDP_PASS,
				lets_through(A, f) || lets_through(B, f));
	}
}

static void known_flows_follow_the_image(void)
{
	struct sender senders[SENDERS] = {{.first = 0}, {.first = FLOWS / 2}};
	uint64_t packets = 0, flipped = 0, passed = 0, wrong = 0;
	pthread_t threads[SENDERS], flips;

	install(true);
	open_flows();
	flips = start_flips();
	for (uint32_t i = 0; i < SENDERS; i++)
		threads[i] = start(keep_sending, &senders[i]);
	pthread_join(flips, NULL);
	for (uint32_t i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		packets += senders[i].packets;
		flipped += senders[i].flipped;
		passed += senders[i].passed;
		wrong += senders[i].wrong;
	}
	printf("%u flips, %lu during a packet; %lu packets of known flows, %lu passed, %lu wrongly\n",
	       FLIPS, flipped, packets, passed, wrong);
	CU_ASSERT_EQUAL(wrong, 0);
	CU_ASSERT(flipped && passed && passed < packets);
}

/* Afterwards each image finds the flows as if there had been no other. */
static void flows_end_where_they_belong(void)
{
	for (uint32_t i = 0; i < IMAGES; i++) {
		*control = i;
		for (uint32_t f = 0; f < FLOWS; f++) {
			struct frame frame;
			struct seen seen;

			build(f, ACK, &frame);
			seen = send_packet(&frame);
			CU_ASSERT_EQUAL(seen.action == XDP_PASS, lets_through(i, f));
			CU_ASSERT(may_be(f, &seen));
		}
	}
}

/* ---- a word with a deadline ---- */

/* The two may be one slot. Units are those of the word, from now. */
static uint64_t armed(uint32_t active, uint32_t fallback, int64_t units)
{
	struct timespec now;
	uint64_t unit;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	unit = ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) >>
	       GPC_CTL_DEADLINE_UNIT_SHIFT;
	return active << GPC_CTL_ACTIVE_SHIFT | fallback << GPC_CTL_FALLBACK_SHIFT |
	       fallback << GPC_CTL_PREVIOUS_SHIFT |
	       (unit + (uint64_t)units) << GPC_CTL_DEADLINE_SHIFT;
}
#define FUTURE 100000
#define PAST 0 /* it begins with its unit */

/* Verdict, rule, mark and generation of the one until the deadline, of the other from it on. */
static void the_deadline_says_which_image(void)
{
	struct counts counts;

	install(false);
	counts = read_counts();
	for (uint32_t f = 0; f < FLOWS; f++)
		for (uint32_t active = 0; active < IMAGES; active++) {
			struct seen seen;

			*control = armed(active, !active, FUTURE);
			seen = send_counted(f, &counts);
			CU_ASSERT(is_of(active, f, &seen));
			*control = armed(active, !active, PAST);
			seen = send_counted(f, &counts);
			CU_ASSERT(is_of(!active, f, &seen));
		}
}

static int send_out(uint64_t word)
{
	uint8_t out[KERNEL_FRAME_MAX];
	struct kernel_run run = {.out = out};
	struct frame frame;

	build(0, SYN, &frame);
	run.in = frame.bytes;
	run.in_size = frame.size;
	*control = word;
	kernel_run(policy_kernel(), KERNEL_TC_EGRESS, &run);
	return run.action;
}

static int send_in(uint64_t word)
{
	struct frame frame;

	build(0, SYN, &frame);
	*control = word;
	return send_packet(&frame).action;
}

#define BOTH_WAYS(ports)                                                                           \
	HEAD "rules: [{name: one, ports: [" ports "], action: allow}]\n"                           \
	     "policies:\n"                                                                         \
	     "  - {name: in, interfaces: [wan0], direction: ingress, stateful: false, rules: [one]}\n" \
	     "  - {name: out, interfaces: [wan0], direction: egress, stateful: false, rules: [one]}\n"
enum { ALLOWS = 2, DENIES }; /* slots */

/* The same for what leaves; and the flags of the word that the fallback has. */
static void the_deadline_holds_for_flags_and_for_what_leaves(void)
{
	const struct policy_link allow = {ALLOWS, 3, 0}, deny = {DENIES, 4, RULE_SLOTS};
	struct gpc_image allows = policy_compile(BOTH_WAYS("tcp/1000"));
	struct gpc_image denies = policy_compile(BOTH_WAYS("tcp/9"));

	policy_install(&allows, &allow);
	policy_install(&denies, &deny);
	CU_ASSERT_EQUAL(send_out(armed(ALLOWS, DENIES, FUTURE)), TC_ACT_UNSPEC);
	CU_ASSERT_EQUAL(send_out(armed(ALLOWS, DENIES, PAST)), TC_ACT_SHOT);
	CU_ASSERT_EQUAL(send_out(armed(DENIES, ALLOWS, FUTURE)), TC_ACT_SHOT);
	CU_ASSERT_EQUAL(send_out(armed(DENIES, ALLOWS, PAST)), TC_ACT_UNSPEC);
	/* Audit of the one is not that of the other. */
	CU_ASSERT_EQUAL(send_in(armed(DENIES, DENIES + 1, FUTURE) | GPC_CTL_AUDIT), XDP_PASS);
	CU_ASSERT_EQUAL(send_in(armed(ALLOWS, DENIES, PAST) | GPC_CTL_AUDIT), XDP_DROP);
	CU_ASSERT_EQUAL(send_in(armed(ALLOWS, DENIES, PAST) | GPC_CTL_FALLBACK_AUDIT), XDP_PASS);
	CU_ASSERT_EQUAL(send_out(armed(ALLOWS, DENIES, PAST) | GPC_CTL_FALLBACK_AUDIT),
			TC_ACT_UNSPEC);
	CU_ASSERT_EQUAL(send_in(armed(DENIES, ALLOWS, FUTURE) | GPC_CTL_FALLBACK_AUDIT), XDP_DROP);
	/* Nothing ran before: everything passes. */
	CU_ASSERT_EQUAL(send_in(armed(DENIES, DENIES, FUTURE)), XDP_DROP);
	CU_ASSERT_EQUAL(send_in(armed(DENIES, DENIES, PAST)), XDP_PASS);
	CU_ASSERT_EQUAL(send_out(armed(DENIES, DENIES, PAST)), TC_ACT_UNSPEC);
	gpc_image_release(&allows);
	gpc_image_release(&denies);
}

static void start_kernel(void)
{
	policy_start();
	control = mmap(NULL, (size_t)getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
		       policy_kernel()->control, 0);
	if (control == MAP_FAILED)
		err(1, "mapping of the control word");
}

static void stop_kernel(void)
{
	munmap((void *)control, (size_t)getpagesize());
	for (uint32_t i = 0; i < IMAGES; i++)
		gpc_image_release(&images[i]);
	policy_stop();
}

GPC_UNIT_MAIN("bpf/flip", {"start", start_kernel}, {"each image alone", each_image_alone},
	      {"mixtures are seen", mixtures_are_seen},
	      {"each packet is of one image", each_packet_is_of_one_image},
	      {"known flows follow the image", known_flows_follow_the_image},
	      {"flows end where they belong", flows_end_where_they_belong},
	      {"the deadline says which image", the_deadline_says_which_image},
	      {"the deadline holds for flags and for what leaves",
	       the_deadline_holds_for_flags_and_for_what_leaves},
	      {"stop", stop_kernel})
