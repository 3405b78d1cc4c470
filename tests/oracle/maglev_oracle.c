/* SPDX-License-Identifier: MIT */
/* gpc_maglev_fill() against tests/oracle/slow_maglev.h, slot by slot, and the arithmetic of primes.
 */
#include <inttypes.h>
#include <math.h>

#include "lower/maglev.h"
#include "gpc/limits.h"
#include "tests/unit/unit.h"

#include "random.h"
#include "slow_maglev.h"

#define SMALL_TABLES 10400u
#define LARGE_TABLES 200u /* up to 65,537 slots */
#define HUGE_TABLES 6u	  /* up to 2,097,143 slots */

struct pool {
	struct slow_endpoint *endpoints;
	size_t count;
	uint64_t slots;
};

struct balance {
	double worst_slots;   /* greatest distance from the share among endpoints with a share below
				 100 */
	double worst_percent; /* the same in percent among the others */
	uint64_t endpoints;
	uint64_t beyond; /* endpoints off by more than 1 slot and more than 1 % */
};

static bool slow_is_prime(uint64_t n)
{
	if (n < 2)
		return false;
	for (uint64_t d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return true;
}

static uint64_t random_prime(struct random_source *r, uint64_t low, uint64_t high)
{
	uint64_t n;

	do
		n = random_scale(r, low, high);
	while (!slow_is_prime(n));
	return n;
}

/* ---- pools ----------------------------------------------------------------------------------- */

enum id_kind {
	IDS_RANDOM,
	IDS_EQUAL_LOW,
	IDS_EQUAL_HIGH,
	IDS_TINY,
	IDS_TOP,
	IDS_ONE_LIST,
	ID_KINDS
};

/* Adversarial kinds make offsets, skips or whole preference lists collide; 0 is never an id. */
static uint64_t random_id(struct random_source *r, enum id_kind kind, uint64_t slots, size_t i)
{
	switch (kind) {
	case IDS_EQUAL_LOW:
		return (uint64_t)(i + 1) << 32 | 0x12345678u;
	case IDS_EQUAL_HIGH:
		return 0xcafe000000000000ull + i;
	case IDS_TINY:
		return i + 1;
	case IDS_TOP:
		return UINT64_MAX - i;
	case IDS_ONE_LIST: /* same offset and same skip, different ids */
		return (uint64_t)(7 + (slots - 1) * (i / 64)) << 32 | (3 + slots * (i % 64));
	default:
		return random_u64(r);
	}
}

enum weight_kind {
	WEIGHTS_ONE,
	WEIGHTS_EQUAL,
	WEIGHTS_ANY,
	WEIGHTS_SCALE,
	WEIGHTS_GIANT,
	WEIGHTS_MANY_ONE,
	WEIGHT_KINDS
};

static uint64_t random_weight(struct random_source *r, enum weight_kind kind, size_t i,
			      size_t giant)
{
	switch (kind) {
	case WEIGHTS_ONE:
		return 1;
	case WEIGHTS_EQUAL:
		return GPC_MAX_WEIGHT;
	case WEIGHTS_SCALE:
		return random_scale(r, 1, GPC_MAX_WEIGHT);
	case WEIGHTS_GIANT:
		return i == giant ? GPC_MAX_WEIGHT : random_between(r, 1, 16);
	case WEIGHTS_MANY_ONE:
		return i == giant || random_chance(r, 5) ? random_between(r, 1, GPC_MAX_WEIGHT) : 1;
	default:
		return random_between(r, 1, GPC_MAX_WEIGHT);
	}
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = ((const struct slow_endpoint *)a)->id,
		 y = ((const struct slow_endpoint *)b)->id;

	return (x > y) - (x < y);
}

static struct pool random_pool(struct random_source *r, uint64_t slots, size_t count)
{
	struct pool p = {slow_alloc(count, sizeof(*p.endpoints)), count, slots};
	enum id_kind ids =
		random_chance(r, 60) ? IDS_RANDOM : (enum id_kind)random_below(r, ID_KINDS);
	enum weight_kind weights = (enum weight_kind)random_below(r, WEIGHT_KINDS);
	size_t giant = random_below(r, count), distinct = 0;

	/* one list for all: each endpoint walks over every slot, so keep that product small */
	if (ids == IDS_ONE_LIST && slots * count > 30u * 1000 * 1000)
		ids = IDS_RANDOM;
	for (size_t i = 0; i < count; i++)
		p.endpoints[i] = (struct slow_endpoint){random_id(r, ids, slots, i),
							random_weight(r, weights, i, giant)};
	qsort(p.endpoints, count, sizeof(*p.endpoints), compare_ids);
	for (size_t i = 0; i < count; i++)
		if (distinct == 0 || p.endpoints[i].id != p.endpoints[distinct - 1].id)
			p.endpoints[distinct++] = p.endpoints[i];
	p.count = distinct;
	return p;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static uint16_t *fill(const struct pool *p)
{
	struct gpc_maglev_endpoint *e = slow_alloc(p->count, sizeof(*e));
	uint16_t *table = slow_alloc(p->slots, sizeof(*table));

	for (size_t i = 0; i < p->count; i++)
		e[i] = (struct gpc_maglev_endpoint){p->endpoints[i].id,
						    (uint32_t)p->endpoints[i].weight, (uint16_t)i};
	gpc_maglev_fill(e, p->count, table, (uint32_t)p->slots);
	free(e);
	return table;
}

/* Turns that the obvious way needs: rounds x endpoints. */
static double turns_of(const struct pool *p)
{
	double sum = 0;

	for (size_t i = 0; i < p->count; i++)
		sum += (double)p->endpoints[i].weight;
	return (double)(p->slots + p->count) *
	       (double)slow_greatest_weight(p->endpoints, p->count) / sum * (double)p->count;
}

static uint32_t *oracle_table(const struct pool *p)
{
	uint32_t *owner = slow_alloc(p->slots, sizeof(*owner));

	if (turns_of(p) < 40e6)
		slow_maglev(p->endpoints, p->count, p->slots, owner);
	else
		slow_maglev_by_rounds(p->endpoints, p->count, p->slots, owner);
	return owner;
}

static uint64_t differing_slots(const struct pool *p, const uint16_t *table, const uint32_t *owner)
{
	uint64_t differing = 0;

	for (uint64_t s = 0; s < p->slots; s++)
		differing += table[s] != (uint16_t)owner[s];
	return differing;
}

/*
 * What the cumulative scheme guarantees: after T whole rounds an endpoint of weight w has
 * floor(T * w / W) slots, so its count is less than 2 slots below its share and less than
 * 1 slot + share * N / M above. With N * 100 <= M the last term is at most 1 %: "1 slot or 1 %"
 * holds but for less than one slot (M = 503, weights 59 74 74 72 67: the last is 1.40 slots short).
 * None of the random pools here needs that slot.
 */
static bool balance_holds(const struct pool *p, const uint16_t *table, struct balance *b)
{
	uint64_t *slots_of = slow_alloc(p->count, sizeof(*slots_of));
	double sum = 0;
	bool holds = true;

	for (uint64_t s = 0; s < p->slots; s++)
		slots_of[table[s]]++;
	for (size_t i = 0; i < p->count; i++)
		sum += (double)p->endpoints[i].weight;
	for (size_t i = 0; i < p->count; i++) {
		double share = (double)p->slots * (double)p->endpoints[i].weight / sum;
		double off = (double)slots_of[i] - share;

		holds &= off > -2.0 &&
			 off < 1.0 + share * (double)p->count / (double)p->slots + 1e-6;
		if (p->count * 100 > p->slots)
			continue;
		b->endpoints++;
		b->beyond += fabs(off) > 1.0 && fabs(off) > share / 100;
		if (share < 100)
			b->worst_slots = fmax(b->worst_slots, fabs(off));
		else
			b->worst_percent = fmax(b->worst_percent, fabs(off) / share * 100);
	}
	free(slots_of);
	return holds;
}

static void compare_one(struct random_source *r, uint64_t slots, size_t count, struct balance *b)
{
	uint64_t seed = r->state, differing;
	struct pool p = random_pool(r, slots, count);
	uint32_t *owner = oracle_table(&p);
	uint16_t *table = fill(&p);

	differing = differing_slots(&p, table, owner);
	if (differing)
		printf("maglev: %" PRIu64 " of %" PRIu64
		       " slots differ, %zu endpoints, generator state %#" PRIx64 "\n",
		       differing, p.slots, p.count, seed);
	CU_ASSERT_EQUAL(differing, 0);
	if (!differing)
		CU_ASSERT(balance_holds(&p, table, b));
	free(owner);
	free(table);
	free(p.endpoints);
}

static void say_balance(const char *what, unsigned int tables, const struct balance *b)
{
	CU_ASSERT_EQUAL(b->beyond, 0);
	printf("maglev: %u %s tables equal; N * 100 <= M: %" PRIu64 " endpoints, %" PRIu64
	       " off by more than 1 slot and 1 %%, worst %.3f slots (share < 100), %.3f %% (share "
	       ">= 100)\n",
	       tables, what, b->endpoints, b->beyond, b->worst_slots, b->worst_percent);
}

static void small_tables_are_equal(void)
{
	struct random_source r = {1};
	struct balance b = {0};

	for (unsigned int i = 0; i < SMALL_TABLES; i++) {
		uint64_t slots = random_prime(&r, GPC_MIN_TABLE_SIZE, 2039);
		size_t count = random_chance(&r, 50) ? random_between(&r, 1, slots / 100 + 1)
						     : random_scale(&r, 1, slots + slots / 4);

		compare_one(&r, slots, count, &b);
	}
	say_balance("small", SMALL_TABLES, &b);
}

static void large_tables_are_equal(void)
{
	static const uint64_t usual[] = {4093, 8191, 16381, 32749, 65521, 65537};
	struct random_source r = {2};
	struct balance b = {0};

	for (unsigned int i = 0; i < LARGE_TABLES; i++) {
		uint64_t slots = random_chance(&r, 60) ? usual[random_below(&r, 6)]
						       : random_prime(&r, 2041, 65537);
		size_t count = random_chance(&r, 80) ? random_between(&r, 1, slots / 100)
						     : random_scale(&r, 1, 12000);

		compare_one(&r, slots, count, &b);
	}
	say_balance("large", LARGE_TABLES, &b);
}

static void huge_tables_are_equal(void)
{
	static const uint64_t sizes[HUGE_TABLES] = {131071,  262139,  524287,
						    1048573, 2097143, 2097143};
	static const size_t counts[HUGE_TABLES] = {1310, 65535, 5000, 10485, 20971, 3};
	struct random_source r = {3};
	struct balance b = {0};

	for (unsigned int i = 0; i < HUGE_TABLES; i++)
		compare_one(&r, sizes[i], counts[i], &b);
	say_balance("huge", HUGE_TABLES, &b);
}

static void both_oracles_agree(void)
{
	struct random_source r = {4};

	for (unsigned int i = 0; i < 1000; i++) {
		uint64_t slots = random_prime(&r, GPC_MIN_TABLE_SIZE, 1021);
		struct pool p = random_pool(&r, slots, random_between(&r, 1, slots + 5));
		uint32_t *a = slow_alloc(slots, sizeof(*a)), *b = slow_alloc(slots, sizeof(*b));

		slow_maglev(p.endpoints, p.count, slots, a);
		slow_maglev_by_rounds(p.endpoints, p.count, slots, b);
		CU_ASSERT(memcmp(a, b, slots * sizeof(*a)) == 0);
		free(a);
		free(b);
		free(p.endpoints);
	}
}

/* More endpoints than slots: the first ones in id order get one each, the last ones none. */
static void surplus_endpoints_get_none(void)
{
	struct random_source r = {5};

	for (size_t count = 12; count < 40; count++) {
		struct pool p = random_pool(&r, 11, count);
		unsigned int seen[64] = {0};
		uint16_t *table;

		for (size_t i = 0; i < p.count; i++)
			p.endpoints[i].weight = 9;
		table = fill(&p);
		for (size_t s = 0; s < 11; s++)
			seen[table[s]]++;
		for (size_t i = 0; i < p.count; i++)
			CU_ASSERT_EQUAL(seen[i], i < 11 ? 1 : 0);
		free(table);
		free(p.endpoints);
	}
}

/* Share of the slots that move although neither their old nor their new owner had to. */
static double disruption(uint64_t slots, size_t count, struct random_source *r)
{
	struct pool p = {slow_alloc(count, sizeof(*p.endpoints)), count, slots}, q;
	size_t gone = random_below(r, count);
	uint64_t moved = 0;
	uint16_t *before, *after;

	for (size_t i = 0; i < count; i++)
		p.endpoints[i] = (struct slow_endpoint){random_u64(r), 1};
	qsort(p.endpoints, count, sizeof(*p.endpoints), compare_ids);
	q = (struct pool){slow_alloc(count, sizeof(*q.endpoints)), count - 1, slots};
	for (size_t i = 0; i < count; i++)
		if (i != gone)
			q.endpoints[i - (i > gone)] = p.endpoints[i];
	before = fill(&p);
	after = fill(&q);
	for (uint64_t s = 0; s < slots; s++)
		moved += before[s] != gone && p.endpoints[before[s]].id != q.endpoints[after[s]].id;
	free(before);
	free(after);
	free(p.endpoints);
	free(q.endpoints);
	return 100.0 * (double)moved / (double)slots;
}

static void removing_one_endpoint_moves_few_slots(void)
{
	static const struct {
		uint64_t slots;
		size_t count;
	} rows[] = {{251, 2}, {1021, 10}, {16381, 100}, {65537, 100}, {65537, 1000}};
	struct random_source r = {6};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double worst = 0, sum = 0;

		for (int k = 0; k < 5; k++) {
			double moved = disruption(rows[i].slots, rows[i].count, &r);

			worst = fmax(worst, moved);
			sum += moved;
		}
		printf("maglev: %" PRIu64
		       " slots, %zu endpoints, one removed: %.2f %% of the slots of the others move"
		       " (mean of 5, worst %.2f %%)\n",
		       rows[i].slots, rows[i].count, sum / 5, worst);
		CU_ASSERT(worst < 5.0);
	}
}

/* ---- primes ---------------------------------------------------------------------------------- */

static void primes_match_trial_division(void)
{
	struct random_source r = {7};

	for (uint64_t n = 0; n < 100000; n++)
		CU_ASSERT_EQUAL(gpc_is_prime(n), slow_is_prime(n));
	for (unsigned int i = 0; i < 2000; i++) {
		uint64_t n = random_below(&r, 1ull << random_between(&r, 17, 33));

		CU_ASSERT_EQUAL(gpc_is_prime(n), slow_is_prime(n));
	}
	CU_ASSERT(gpc_is_prime(2097143));
	CU_ASSERT(!gpc_is_prime(65537ull * 65539ull));
}

static void nearest_primes_match_trial_division(void)
{
	struct random_source r = {8};

	for (uint64_t i = 0; i < 6000; i++) {
		uint64_t n = i < 3000 ? i : random_below(&r, 2200000), want_below = n,
			 want_above = n + 1;
		uint64_t below = 99, above = 99;

		while (want_below > 0 && !slow_is_prime(--want_below))
			;
		while (!slow_is_prime(want_above))
			want_above++;
		gpc_nearest_primes(n, &below, &above);
		CU_ASSERT_EQUAL(below, want_below);
		CU_ASSERT_EQUAL(above, want_above);
	}
}

static void default_sizes_follow_the_list(void)
{
	static const uint64_t list[] = {251,   509,   1021,   2039,   4093,   8191,    16381,
					32749, 65521, 131071, 262139, 524287, 1048573, 2097143};
	size_t at = 0;

	for (uint64_t n = 1; n <= 70000; n++) {
		while (at + 1 < sizeof(list) / sizeof(list[0]) && list[at] < 100 * n)
			at++;
		CU_ASSERT_EQUAL(gpc_maglev_default_size(n), list[at]);
	}
	CU_ASSERT_EQUAL(gpc_maglev_default_size(UINT64_MAX),
			2097143); /* 100 x it does not fit 64 bits */
	CU_ASSERT_EQUAL(gpc_maglev_default_size(UINT64_MAX / 100 + 2), 2097143);
}

GPC_UNIT_MAIN("oracle/maglev", {"both_oracles_agree", both_oracles_agree},
	      {"small_tables_are_equal", small_tables_are_equal},
	      {"large_tables_are_equal", large_tables_are_equal},
	      {"huge_tables_are_equal", huge_tables_are_equal},
	      {"surplus_endpoints_get_none", surplus_endpoints_get_none},
	      {"removing_one_endpoint_moves_few_slots", removing_one_endpoint_moves_few_slots},
	      {"primes_match_trial_division", primes_match_trial_division},
	      {"nearest_primes_match_trial_division", nearest_primes_match_trial_division},
	      {"default_sizes_follow_the_list", default_sizes_follow_the_list})
