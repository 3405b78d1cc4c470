// SPDX-License-Identifier: MIT
/*
 * The busy flows of the programs, compiled for this machine. Each of two that meet in a line is interrupted by all of
 * the other's work before every word that it reads or writes: afterwards nothing is said but what the entry says.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GPC_IMAGE_LOG2 22
#define GPC_FLOWS      1024
/* As they are told to programs that are loaded they could not be written here. */
#define gpc_flow_seeds gpc_flow_seeds_in_maps
#include "bpf/maps.bpf.h"
#undef gpc_flow_seeds
static struct gpc_flow_seed gpc_flow_seeds[2];

#include "interrupt.h"

#include "bpf/slot.bpf.h"
#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x) (step(), *(volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (step(), *(volatile __typeof__(x) *)&(x) = (v))
#define __sync_val_compare_and_swap(at, was, is)                                                   \
	(step(), __sync_val_compare_and_swap((at), (was), (is)))
#include "bpf/flow_table.bpf.h"

#include "tests/unit/unit.h"

#define HELD 4096u

static struct gpc_flow_element4 elements[GPC_FLOWS];
static __u64 heads[HELD];
static struct gpc_busy_line lines[GPC_BUSY_LINES];
static uint64_t now;
static uint32_t refused;

void *gpc_sim_lookup(const void *map, const void *key)
{
	uint32_t at;

	memcpy(&at, key, sizeof(at));
	if (map == &gpc_heads4)
		return at < 2 * GPC_FLOW_SETS ? &heads[at] : NULL;
	if (map == &gpc_flows4)
		return at < GPC_FLOWS ? &elements[at] : NULL;
	return map == &gpc_busy && at < GPC_BUSY_LINES ? &lines[at] : NULL;
}

/* ---- flows: number n has the entry of endpoint e, that is number e of the image, too ---- */

static union flow_key key_of(uint32_t number)
{
	return (union flow_key){.word = {number * 7u + 1, number}};
}

static struct gpc_flow_place place_of(uint32_t number)
{
	union flow_key key = key_of(number);

	return flow_place(GPC_V4, key.word);
}

static void begin(void)
{
	memset(heads, 0, sizeof(heads));
	memset(elements, 0, sizeof(elements));
	memset(lines, 0, sizeof(lines));
	for (uint32_t i = 0; i < GPC_FLOW_SEED_WORDS; i++)
		gpc_flow_seeds[GPC_V4].word[i] = (i + 1) * 0x9e3779b97f4a7c15ull;
	gpc_flow_seeds[GPC_V4].mask = GPC_FLOW_SETS - 1;
	now = 1000 * GPC_SECOND;
	interruption = NULL;
}

/* Somebody who is at work in the same set may stand in the way: then nothing has changed. */
static void send_to(uint32_t number, uint16_t endpoint)
{
	const union flow_key key = key_of(number);
	struct gpc_flow_place place = place_of(number);
	struct gpc_flow value = {.endpoint = endpoint,
				 .last_seen = (uint32_t)(now >> GPC_FLOW_SECOND_SHIFT),
				 .state = GPC_FLOW_ESTABLISHED,
				 .flags = flow_tag(&place),
				 .hint = endpoint};
	struct gpc_flow_job job = {0};

	refused += store_value(GPC_V4, &job, &key, &value, now, BPF_ANY) != 0;
}

static uint16_t endpoint_of(uint32_t number)
{
	const union flow_key key = key_of(number);
	struct gpc_flow_place place = place_of(number);
	uint32_t at;
	uint64_t *element = (uint64_t *)flow_find(GPC_V4, &key, &place, &at);

	return element ? (uint16_t)flow_value(GPC_V4, (__u64 *)element)->endpoint : 0;
}

static uint64_t stamp(void)
{
	return busy_stamp((uint32_t)(now >> GPC_FLOW_SECOND_SHIFT), 5, 1);
}

/* As the programs do with a packet of a flow that they know; it goes to the endpoint that they note. */
static void note(uint32_t number)
{
	const union flow_key key = key_of(number);
	struct gpc_flow_place place = place_of(number);
	struct gpc_busy_flow flow = {busy_line(place.set[0]), number, &key, place, 0, 0};
	uint64_t *element = (uint64_t *)flow_find(GPC_V4, &key, &place, &flow.at);

	if (!element)
		return;
	flow.endpoint = READ_ONCE(flow_value(GPC_V4, (__u64 *)element)->endpoint);
	note_busy4(&flow, stamp(), (uint16_t)flow.endpoint);
}

/* What a packet of the flow is told at the time of a stamp; 0: nothing. */
static uint16_t told(uint32_t number, uint64_t then)
{
	uint64_t what = busy_find(busy_line(place_of(number).set[0]), number);

	return what >> GPC_BUSY_INDEX_BITS == then ? (uint16_t)what : 0;
}

static uint32_t in_the_way(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < GPC_BUSY_LINES; i++)
		for (uint32_t way = 0; way < GPC_BUSY_WAYS; way++)
			count += lines[i].what[way] && !(lines[i].what[way] >> GPC_BUSY_INDEX_BITS);
	return count;
}

/* ---- who meets whom ---- */

static void first_notes(void)
{
	note(1);
}

static void first_moves(void)
{
	send_to(1, 20);
}

static void first_moves_there_and_back(void)
{
	send_to(1, 20);
	send_to(1, 10);
	send_to(1, 20);
}

static void first_ends(void)
{
	const union flow_key key = key_of(1);

	refused += delete_value(GPC_V4, &key) != 0;
}

static void first_ends_and_begins(void)
{
	first_ends();
	send_to(1, 20);
}

static void first_moves_and_notes(void)
{
	first_moves();
	note(1);
}

/* Others of the same line take all ways that are free. */
static void others_fill_the_line(void)
{
	for (uint32_t number = 2, found = 0; found < GPC_BUSY_WAYS; number++)
		if (place_of(number).set[0] == place_of(1).set[0]) {
			found++;
			if (!endpoint_of(number))
				send_to(number, (uint16_t)(30 + found));
			note(number);
		}
}

static void first_moves_and_others_fill_the_line(void)
{
	first_moves();
	others_fill_the_line();
}

static void a_second_passes(void)
{
	now += 2ull << GPC_FLOW_SECOND_SHIFT;
	others_fill_the_line();
}

static void check_told(const char *name)
{
	for (uint32_t number = 1; number < 400; number++) {
		uint16_t says = told(number, stamp());

		if (says && says != endpoint_of(number)) {
			printf("%s, word %u: flow %u is told %u, its entry says %u\n", name,
			       interrupted_at, number, says, endpoint_of(number));
			CU_FAIL("what is said is not so");
		}
	}
}

/* A packet comes at every word. */
static void watch(void)
{
	const uint32_t before = steps;
	void (*other)(void) = interruption;

	at_each_step = NULL;
	interruption = NULL;
	check_told("meanwhile");
	interruption = other;
	steps = before;
	at_each_step = watch;
}

/* Every word of `one`, interrupted by `other`; `noted`: the flow is busy before. */
static void interrupt(const char *name, bool noted, void (*one)(void), void (*other)(void))
{
	bool done = false;

	for (uint32_t word = 1; !done; word++) {
		begin();
		send_to(1, 10);
		if (noted)
			note(1);
		steps = 0;
		interrupted_at = word;
		interruption = other;
		one();
		done = interruption != NULL;
		interruption = NULL;
		check_told(name);
		CU_ASSERT_EQUAL(in_the_way(), 0);
		CU_ASSERT_FATAL(word < 1000);
	}
}

static void (*const changes[])(void) = {
	first_moves, first_moves_there_and_back,	   first_ends,	   first_ends_and_begins,
	first_notes, first_moves_and_notes, first_moves_and_others_fill_the_line,
	others_fill_the_line,
};
#define CHANGES (sizeof(changes) / sizeof(*changes))

static void who_notes_is_interrupted(void)
{
	for (size_t i = 0; i < CHANGES; i++) {
		interrupt("new, interrupted", false, first_notes, changes[i]);
		interrupt("noted, interrupted", true, first_notes, changes[i]);
	}
	interrupt("later", true, first_notes, a_second_passes);
	CU_ASSERT_EQUAL(refused, 0);
}

/* Nothing moves, so what is said is true at any time. */
static void who_notes_is_watched(void)
{
	at_each_step = watch;
	interrupt("watched", false, first_notes, others_fill_the_line);
	interrupt("watched", true, others_fill_the_line, first_notes);
	at_each_step = NULL;
}

static void who_changes_is_interrupted(void)
{
	for (int noted = 0; noted < 2; noted++) {
		interrupt("moves", noted, first_moves, first_notes);
		interrupt("ends", noted, first_ends, first_notes);
		interrupt("ends and begins", noted, first_ends_and_begins, first_notes);
		interrupt("moves", noted, first_moves, others_fill_the_line);
	}
}

/* While the flow moves others may get its way, in the same second. */
static void who_reads_is_interrupted(void)
{
	bool done = false;

	for (uint32_t word = 1; !done; word++) {
		uint16_t says;

		begin();
		send_to(1, 10);
		note(1);
		steps = 0;
		interrupted_at = word;
		interruption = first_moves_and_others_fill_the_line;
		says = told(1, stamp());
		done = interruption != NULL;
		CU_ASSERT(says == 10 || (says == 0 && !done));
	}
}

static struct gpc_busy_line *claimed_line;

static void the_claim_is_shown(void)
{
	busy_show(claimed_line, 2, 77ull << GPC_BUSY_INDEX_BITS | 10);
}

/* Whoever noted it had looked at the entry before that changed. */
static void a_claim_that_is_being_shown_is_taken_back(void)
{
	bool done = false;

	for (uint32_t word = 1; !done; word++) {
		begin();
		claimed_line = busy_line(5);
		claimed_line->what[2] = GPC_BUSY_CLAIMED;
		steps = 0;
		interrupted_at = word;
		interruption = the_claim_is_shown;
		gpc_forget_busy(5);
		done = interruption != NULL;
		interruption = NULL;
		if (done)
			the_claim_is_shown();
		CU_ASSERT_EQUAL(claimed_line->what[2], GPC_BUSY_FREE);
	}
}

static void a_flow_stands_in_one_way(void)
{
	uint32_t count = 0;
	const struct gpc_busy_line *line;

	begin();
	others_fill_the_line();
	send_to(1, 10);
	note(1);
	CU_ASSERT_EQUAL(told(1, stamp()), 0); /* there is no room */
	for (int second = 0; second < 5; second++) {
		now += 2ull << GPC_FLOW_SECOND_SHIFT;
		note(1);
		CU_ASSERT_EQUAL(told(1, stamp()), 10);
		others_fill_the_line();
		CU_ASSERT_EQUAL(told(1, stamp()), 10);
	}
	line = busy_line(place_of(1).set[0]);
	for (uint32_t way = 0; way < GPC_BUSY_WAYS; way++)
		count += line->key[way] == 1;
	CU_ASSERT_EQUAL(count, 1);
}

/* Looks in vain are left to one packet in many, until they pay again. */
static void looks_in_vain_become_few(void)
{
	struct gpc_busy_use use = {0};
	uint32_t looks = 0;

	for (uint32_t i = 0; i < 64000; i++)
		if (busy_worth(&use)) {
			looks++;
			busy_in_vain(&use);
		}
	CU_ASSERT(looks > 1000 && looks < 1200);
	looks = 0;
	for (uint32_t i = 0; i < 64000; i++)
		if (busy_worth(&use)) {
			looks++;
			busy_paid(&use);
		}
	CU_ASSERT(looks > 50000);
}

GPC_UNIT_MAIN("sim/busy", {"who_notes_is_interrupted", who_notes_is_interrupted},
	      {"who_notes_is_watched", who_notes_is_watched},
	      {"a_claim_that_is_being_shown_is_taken_back",
	       a_claim_that_is_being_shown_is_taken_back},
	      {"who_changes_is_interrupted", who_changes_is_interrupted},
	      {"who_reads_is_interrupted", who_reads_is_interrupted},
	      {"a_flow_stands_in_one_way", a_flow_stands_in_one_way},
	      {"looks_in_vain_become_few", looks_in_vain_become_few})
