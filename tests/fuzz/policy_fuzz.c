/* SPDX-License-Identifier: MIT */
/*
 * Bytes as a small policy: sets of addresses, services, boxes in one or more lists. What the library
 * compiles must name the same first rule as going through the boxes does, for packets at the corners of
 * the boxes and for some of anything; the cap on memory is kept; only what may be refused is refused.
 *
 * Each choice takes one byte or two; where the bytes end, every choice is the first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oracle/rule_questions.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MAX_BYTES (64u << 20)
#define QUESTIONS 160
#define ENDS 12u
#define SERVICES 10u
#define RULES 40u
#define LISTS 3u

struct input {
	const uint8_t *at, *end;
	uint64_t sum; /* of all bytes taken: seeds the questions */
};

static unsigned int take(struct input *in, unsigned int bound)
{
	unsigned int value = 0;

	for (unsigned int wide = 1; wide < bound && in->at < in->end; wide <<= 8)
		value = value << 8 | *in->at++;
	in->sum = (in->sum ^ value) * 0x100000001b3ull;
	return value % bound;
}

/* Addresses lie close together, around 10.0.0.0, 2001:db8:: and the ends of the line and of v4 on it. */
static struct rule_prefix take_prefix(struct input *in)
{
	static const uint64_t high[] = {0x20010db800000000ull, 0, ~0ull, 0x2a02000000000000ull};
	static const uint64_t low[] = {0, 0xffff00000000ull, 0xfffe00000000ull, 0x1000000000000ull, ~0ull};
	static const uint32_t host[] = {0x0a000000u, 0, 0xffffffffu, 0x7fffffffu};

	if (take(in, 3)) {
		uint32_t base = host[take(in, 4)];

		base ^= take(in, 256) << take(in, 25);
		return rule_prefix4(base, take(in, 33));
	}
	return rule_prefix6(high[take(in, 4)] ^ (uint64_t)take(in, 256) << take(in, 57),
			    low[take(in, 5)] ^ take(in, 256), take(in, 129));
}

static uint32_t take_end(struct input *in, struct rule_set *set)
{
	struct rule_prefix prefixes[8];
	size_t held = take(in, 5), except = take(in, 4);

	for (size_t i = 0; i < held + except; i++)
		prefixes[i] = take_prefix(in);
	return rule_set_add_addresses(set, prefixes, held, prefixes + held, except);
}

static void take_ports(struct input *in, uint32_t *first, uint32_t *last)
{
	static const uint32_t edges[] = {0, 1, 80, 255, 256, 2048, 32767, 32768, 65534, 65535, 65536};
	uint32_t a = edges[take(in, 11)], b = take(in, 2) ? edges[take(in, 11)] : a + take(in, 300);

	if (b > GPC_PORT_NONE)
		b = GPC_PORT_NONE;
	*first = a < b ? a : b;
	*last = a < b ? b : a;
}

static struct rule_item take_item(struct input *in)
{
	static const uint8_t protocols[] = {6, 17, 1, 58, 132, 0, 255, 47};
	struct rule_item item = rule_any_item();
	unsigned int what = take(in, 16);

	if (what & 1)
		item.protocol_first = item.protocol_last = protocols[take(in, 8)];
	else if (what & 8)
		item.protocol_first = protocols[take(in, 8)];
	if (what & 2)
		take_ports(in, &item.destination_first, &item.destination_last);
	if (what & 4)
		take_ports(in, &item.source_first, &item.source_last);
	return item;
}

/* Of one kind each, so that the classes that they tell apart stay few. */
static struct gpc_match take_match(struct input *in)
{
	struct gpc_match match = GPC_MATCH_ANY;

	switch (take(in, 4)) {
	case 0:
		match.tcp_flags = (uint16_t)(take(in, 32768) << 1);
		break;
	case 1:
		match.vlan = take(in, 3) ? (uint16_t)take(in, 4096) : GPC_VLAN_NONE;
		break;
	case 2:
		match.dscp = 1ull << take(in, 64);
		break;
	default:
		match.fragments = (uint8_t)(1 + take(in, 6));
	}
	return match;
}

static uint32_t take_service(struct input *in, struct rule_set *set, const struct gpc_match matches[4])
{
	struct rule_item items[3];
	size_t count = 1 + take(in, 3);
	unsigned int which = take(in, 8);

	for (size_t i = 0; i < count; i++) {
		items[i] = take_item(in);
		if (which < 4 && matches[which].tcp_flags != 0xffff)
			items[i].protocol_first = items[i].protocol_last = 6;
	}
	return rule_set_add_service(set, items, count, which < 4 ? matches[which] : (struct gpc_match)GPC_MATCH_ANY);
}

struct policy {
	struct rule_set set;
	uint8_t list_of[RULES + RULES];
	size_t lists;
};

static void take_rules(struct input *in, struct policy *p, const uint32_t *ends, unsigned int end_count,
		       const uint32_t *services, unsigned int service_count)
{
	for (unsigned int rules = 1 + take(in, RULES); rules > 0 && in->at < in->end; rules--) {
		uint32_t source = ends[take(in, end_count)], destination = ends[take(in, end_count)];
		uint8_t list = (uint8_t)take(in, (unsigned int)p->lists);

		p->list_of[p->set.box_count] = list;
		rule_set_add_rule(&p->set, source, destination, services[take(in, service_count)]);
		if (take(in, 4) == 3) {
			p->list_of[p->set.box_count] = list;
			rule_set_add_box(&p->set, destination, source, services[take(in, service_count)]);
		}
	}
}

static void take_policy(struct input *in, struct policy *p)
{
	unsigned int end_count = 1 + take(in, ENDS - 1), service_count = 1 + take(in, SERVICES - 1);
	uint32_t ends[ENDS] = {RULE_SET_ANYWHERE}, services[SERVICES];
	struct gpc_match matches[4];

	memset(p, 0, sizeof(*p));
	rule_set_init(&p->set, "fuzz");
	p->lists = 1 + take(in, LISTS);
	for (unsigned int i = 1; i < end_count; i++)
		ends[i] = take_end(in, &p->set);
	for (unsigned int i = 0; i < 4; i++)
		matches[i] = take_match(in);
	for (unsigned int i = 0; i < service_count; i++)
		services[i] = take_service(in, &p->set, matches);
	take_rules(in, p, ends, end_count, services, service_count);
}

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "policy_fuzz: %s\n", what);
	abort();
}

static void ask(const struct policy *p, const struct rule_compiled *compiled, size_t list, uint64_t seed)
{
	struct rule_set part = p->set;
	struct rule_box boxes[RULES + RULES];
	struct rule_questions questions;
	struct rule_linear linear;

	part.boxes = boxes;
	part.box_count = 0;
	for (size_t i = 0; i < p->set.box_count; i++)
		if (p->list_of[i] == list)
			boxes[part.box_count++] = p->set.boxes[i];
	rule_linear_init(&linear, &part);
	rule_questions_init(&questions, &p->set, seed);
	for (unsigned int i = 0; i < QUESTIONS; i++) {
		struct gpc_question q;
		uint32_t want, got;

		rule_questions_next(&questions, &q);
		want = rule_linear_first(&linear, &q);
		got = rule_compiled_ask(compiled, list, &q);
		if (want != got) {
			fprintf(stderr, "list %zu: want %d, got %d: ", list, (int)want, (int)got);
			rule_question_say(&q, stderr);
			fputc('\n', stderr);
		}
		require(want == got, "the first rule is the same");
	}
	rule_linear_release(&linear);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = {bytes, bytes + size, 0xcbf29ce484222325ull};
	struct rule_compiled compiled;
	struct policy policy;
	uint64_t cap;

	take_policy(&in, &policy);
	cap = take(&in, 4) == 3 ? 1u << take(&in, 20) : MAX_BYTES;
	rule_compile_lists(&compiled, &policy.set, policy.list_of, policy.lists, cap);
	if (compiled.status == GPC_CLASSIFY_OK) {
		require(compiled.classified.word_count * sizeof(uint32_t) <= cap, "the cap is kept");
		for (size_t list = 0; list < policy.lists; list++)
			ask(&policy, &compiled, list, in.sum + list);
	} else {
		/* four kinds of match make at most 16 classes */
		require(compiled.status == GPC_CLASSIFY_TOO_LARGE && cap < MAX_BYTES, "it may be refused");
	}
	rule_compiled_release(&compiled);
	rule_set_release(&policy.set);
	return 0;
}
