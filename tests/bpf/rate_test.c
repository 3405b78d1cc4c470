// SPDX-License-Identifier: MIT
/*
 * Rates of rules against the text of SEMANTICS 5.3 in plain integers (credit that grows, not the
 * program's arrival times); whose bucket a source has, by a SipHash of the test's own.
 */
#include <linux/bpf.h>
#include <stdlib.h>

#include "staged.h"
#include "tests/unit/unit.h"

#define SECOND 1000000000ull

static struct stages *stages;

static void start(void)
{
	stages = staged_open();
}

static void stop(void)
{
	stages__destroy(stages);
}

static uint64_t random64(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* ---- the oracle ---- */

struct bucket {
	uint64_t credit, since;
	bool used;
};

static bool oracle(struct bucket *bucket, uint64_t cost, uint64_t burst, uint64_t now)
{
	if (!bucket->used)
		*bucket = (struct bucket){.credit = burst, .since = now, .used = true};
	bucket->credit += now - bucket->since;
	bucket->since = now;
	if (bucket->credit > burst)
		bucket->credit = burst;
	if (bucket->credit < cost)
		return false;
	bucket->credit -= cost;
	return true;
}

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 of whole words. */
static uint64_t siphash(const uint64_t key[2], const uint64_t *words, size_t count)
{
	uint64_t v[4] = {key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
			 key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull};

	for (size_t i = 0; i <= count; i++) {
		uint64_t word = i < count ? words[i] : (uint64_t)count << 59;

		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static int ask(struct stages_ask *ask)
{
	staged_ask(stages, ask);
	return staged_run(stages->progs.rate_at_xdp, NULL, NULL);
}

static void empty_buckets(void)
{
	uint64_t zero = 0;

	for (uint32_t i = 0; i < STAGED_BUCKETS; i++)
		if (bpf_map_update_elem(bpf_map__fd(stages->maps.gpc_rate), &i, &zero, BPF_ANY))
			err(1, "empty a bucket");
}

/* ---- cases ---- */

/* 5 a second, burst 3, at given times: what passes is counted by hand. */
static void by_hand(void)
{
	static const struct {
		unsigned int ms;
		int passes;
	} rows[] = {{0, 1},   {0, 1},   {0, 1},   {0, 0},   {199, 0}, {200, 1}, {200, 0}, {399, 0},
		    {401, 1}, {599, 0}, {600, 1}, {5000, 1}, {5000, 1}, {5000, 1}, {5000, 0}};
	struct stages_ask a = {.rule = {.rate_cost = SECOND / 5, .rate_burst = 3 * SECOND / 5},
			       .packets = 1,
			       .bytes = 1500};

	empty_buckets();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		a.now = 77 * SECOND + rows[i].ms * 1000000ull;
		CU_ASSERT_EQUAL(ask(&a), rows[i].passes);
	}
}

/* Random limits, bursts and gaps, around the limit; packets and bytes. */
static void as_the_oracle(void)
{
	unsigned int passed = 0, asked = 0;

	for (int round = 0; round < 200; round++) {
		struct bucket bucket = {};
		bool bytes = round & 1;
		uint64_t limit = 1 + random64() % (bytes ? 1000000 : 2000);
		uint64_t one = bytes ? SECOND * 1500 / limit : SECOND / limit;
		struct stages_ask a = {.now = 1 + random64() % (1ull << 50), .bucket = 5};

		a.rule.flags = bytes ? GPC_RULE_RATE_BYTES : 0;
		a.rule.rate_cost = bytes ? limit : one;
		a.rule.rate_burst = one * (1 + random64() % 20);
		empty_buckets();
		for (int i = 0; i < 100; i++) {
			uint64_t cost;

			a.packets = random64() % 8 ? 1 : 1 + random64() % 6;
			a.bytes = 40 + random64() % 1460;
			a.now += random64() % 4 ? random64() % (2 * one + 2) / 2 : 0;
			cost = bytes ? a.bytes * SECOND / limit : a.packets * one;
			bool want = oracle(&bucket, cost, a.rule.rate_burst, a.now);

			CU_ASSERT_EQUAL(ask(&a), want);
			passed += want;
			asked++;
		}
	}
	printf("oracle: %u asked, %u passed\n", asked, passed);
	CU_ASSERT(passed > asked / 5 && passed < asked - asked / 5);
}

/* A shorter burst takes what is too much: full again after one burst, not after the old one. */
static void new_limit_clips_the_credit(void)
{
	struct stages_ask a = {.rule = {.rate_cost = SECOND, .rate_burst = 100 * SECOND},
			       .packets = 1,
			       .now = 5 * SECOND};

	empty_buckets();
	for (int i = 0; i < 100; i++)
		CU_ASSERT_EQUAL(ask(&a), 1);
	CU_ASSERT_EQUAL(ask(&a), 0);
	a.rule.rate_burst = 2 * SECOND;
	CU_ASSERT_EQUAL(ask(&a), 0);
	a.now += SECOND;
	CU_ASSERT_EQUAL(ask(&a), 1);
	CU_ASSERT_EQUAL(ask(&a), 0);
	a.now += 50 * SECOND;
	CU_ASSERT_EQUAL(ask(&a), 1);
	CU_ASSERT_EQUAL(ask(&a), 1);
	CU_ASSERT_EQUAL(ask(&a), 0);
}

/* Each source in the bucket of its hash: v4 by its address, v6 by its /64; and by rule. */
static void sources_have_buckets(void)
{
	enum { ENTRIES = 16, FIRST = 128, RUNS = 3000 };
	struct bucket buckets[2][ENTRIES] = {};
	struct stages_ask a = {.rule = {.flags = GPC_RULE_RATE_SOURCE,
					.rate_cost = SECOND,
					.rate_burst = 3 * SECOND,
					.rate_entries = ENTRIES},
			       .packets = 1,
			       .now = SECOND,
			       .seed = {0x0123456789abcdef, 0xfedcba9876543210}};
	unsigned int passed = 0;

	empty_buckets();
	for (int i = 0; i < RUNS; i++) {
		uint32_t rule = random64() & 1;
		uint64_t words[2] = {rule ? 0xaaaa : 0x1234567890, random64() % 200};
		bool v6 = random64() & 1;

		words[1] = v6 ? words[1] << 40 : 0xffff0000ull | words[1] << 56;
		a.question.family = v6 ? GPC_V6 : GPC_V4;
		a.question.source[0] = v6 ? words[1] : 0;
		a.question.source[1] = v6 ? random64() : words[1];
		a.question.destination[0] = random64();
		a.rule.id = words[0];
		a.bucket = FIRST + ENTRIES * rule;
		a.now += random64() % (SECOND / 40);
		bool want = oracle(&buckets[rule][siphash((uint64_t *)a.seed, words, 2) % ENTRIES],
				   SECOND, 3 * SECOND, a.now);

		CU_ASSERT_EQUAL(ask(&a), want);
		passed += want;
	}
	printf("sources: %d asked, %u passed\n", RUNS, passed);
	CU_ASSERT(passed > RUNS / 5 && passed < RUNS - RUNS / 5);
}

/* A slot that the loader did not provide limits nothing. */
static void no_bucket_limits_nothing(void)
{
	struct stages_ask a = {.rule = {.rate_cost = SECOND, .rate_burst = SECOND},
			       .packets = 1,
			       .bucket = GPC_NONE,
			       .now = SECOND};

	for (int i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(ask(&a), 1);
}

GPC_UNIT_MAIN("bpf/rate", {"start", start}, {"by_hand", by_hand}, {"as_the_oracle", as_the_oracle},
	      {"new_limit_clips_the_credit", new_limit_clips_the_credit},
	      {"sources_have_buckets", sources_have_buckets},
	      {"no_bucket_limits_nothing", no_bucket_limits_nothing}, {"stop", stop})
