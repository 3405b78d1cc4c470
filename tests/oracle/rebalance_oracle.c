/* SPDX-License-Identifier: MIT */
/*
 * gpc_rebalance() against what it is defined to be: on small tables every table there is is looked at, so
 * that none that is fair moves fewer slots; on large ones over a thousand generations of edits.
 */
#include <inttypes.h>
#include <string.h>

#include "gpc/limits.h"
#include "lower/rebalance.h"
#include "tests/unit/unit.h"

#include "random.h"
#include "slow_maglev.h"

#define SMALL_SLOTS 11u
#define MOST_ENDPOINTS 512u
#define GENERATIONS 1000u
#define STRETCHES 16u

struct pool {
	struct slow_endpoint endpoints[MOST_ENDPOINTS]; /* by id */
	size_t count;
	uint64_t slots;
};

/* ---- pools and edits ---- */

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = ((const struct slow_endpoint *)a)->id,
		 y = ((const struct slow_endpoint *)b)->id;

	return (x > y) - (x < y);
}

static void add_endpoint(struct pool *p, struct random_source *r, uint64_t most)
{
	p->endpoints[p->count++] = (struct slow_endpoint){random_u64(r), random_between(r, 1, most)};
	qsort(p->endpoints, p->count, sizeof(p->endpoints[0]), compare_ids);
}

static void remove_endpoint(struct pool *p, size_t i)
{
	p->count--;
	memmove(&p->endpoints[i], &p->endpoints[i + 1], (p->count - i) * sizeof(p->endpoints[0]));
}

static struct pool random_pool(struct random_source *r, uint64_t slots, size_t count, uint64_t most)
{
	struct pool p = {.slots = slots};

	while (p.count < count)
		add_endpoint(&p, r, most);
	return p;
}

/* Between `fewest` and `greatest` endpoints stay. */
static void edit(struct pool *p, struct random_source *r, size_t fewest, size_t greatest, uint64_t most)
{
	for (uint64_t edits = random_scale(r, 1, 8); edits; edits--) {
		switch (random_below(r, 3)) {
		case 0:
			if (p->count < greatest)
				add_endpoint(p, r, most);
			break;
		case 1:
			if (p->count > fewest)
				remove_endpoint(p, random_below(r, p->count));
			break;
		default:
			p->endpoints[random_below(r, p->count)].weight = random_between(r, 1, most);
		}
	}
}

/* ---- the function under test ---- */

static uint32_t index_of(const struct pool *p, uint64_t id)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->endpoints[i].id == id)
			return (uint32_t)i;
	return GPC_SLOT_NOBODY;
}

static uint32_t *translate(const struct pool *from, const uint32_t *table, const struct pool *to)
{
	uint32_t *before = slow_alloc(from->slots, sizeof(*before));
	uint32_t map[MOST_ENDPOINTS];

	for (size_t i = 0; i < from->count; i++)
		map[i] = index_of(to, from->endpoints[i].id);
	for (uint64_t s = 0; s < from->slots; s++)
		before[s] = map[table[s]];
	return before;
}

static uint32_t rebalance(const struct pool *p, const uint32_t *before, uint32_t *ret_table)
{
	struct gpc_maglev_endpoint *e = slow_alloc(p->count, sizeof(*e));
	uint16_t *table = slow_alloc(p->slots, sizeof(*table));
	uint32_t moved;

	for (size_t i = 0; i < p->count; i++)
		e[i] = (struct gpc_maglev_endpoint){p->endpoints[i].id,
						    (uint32_t)p->endpoints[i].weight, (uint16_t)i};
	moved = gpc_rebalance(e, p->count, before, table, (uint32_t)p->slots);
	for (uint64_t s = 0; s < p->slots; s++)
		ret_table[s] = table[s];
	free(table);
	free(e);
	return moved;
}

/* ---- what is fair, and what must move ---- */

static void fresh_counts(const struct pool *p, uint64_t *counts)
{
	uint32_t *owner = slow_alloc(p->slots, sizeof(*owner));

	slow_maglev(p->endpoints, p->count, p->slots, owner);
	memset(counts, 0, p->count * sizeof(*counts));
	for (uint64_t s = 0; s < p->slots; s++)
		counts[owner[s]]++;
	free(owner);
}

struct fairness {
	uint64_t least[MOST_ENDPOINTS], most[MOST_ENDPOINTS];
};

static struct fairness judge(const struct pool *p)
{
	struct fairness f;
	uint64_t fresh[MOST_ENDPOINTS], sum = 0;

	fresh_counts(p, fresh);
	for (size_t i = 0; i < p->count; i++)
		sum += p->endpoints[i].weight;
	for (size_t i = 0; i < p->count; i++) {
		uint64_t below = 0, above;

		while ((below + 1) * sum <= p->slots * p->endpoints[i].weight)
			below++;
		above = below * sum == p->slots * p->endpoints[i].weight ? below : below + 1;
		f.least[i] = fresh[i] < below ? fresh[i] : below;
		f.most[i] = fresh[i] > above ? fresh[i] : above;
	}
	return f;
}

static bool is_fair(const struct pool *p, const struct fairness *f, const uint64_t *counts)
{
	for (size_t i = 0; i < p->count; i++)
		if (counts[i] < f->least[i] || counts[i] > f->most[i])
			return false;
	return true;
}

static void count_slots(const struct pool *p, const uint32_t *table, uint64_t *counts)
{
	memset(counts, 0, p->count * sizeof(*counts));
	for (uint64_t s = 0; s < p->slots; s++)
		if (table[s] != GPC_SLOT_NOBODY)
			counts[table[s]]++;
}

static uint64_t differing(const uint32_t *a, const uint32_t *b, uint64_t slots)
{
	uint64_t n = 0;

	for (uint64_t s = 0; s < slots; s++)
		n += a[s] != b[s];
	return n;
}

/* Looks at every table with as many slots: the fewest moves among those that are fair. */
static uint64_t fewest_of_all_tables(const struct pool *p, const struct fairness *f,
				     const uint32_t *before)
{
	uint32_t table[SMALL_SLOTS] = {0};
	uint64_t counts[MOST_ENDPOINTS] = {p->slots}, fewest = UINT64_MAX, moved;
	size_t s;

	moved = differing(before, table, p->slots);
	do {
		if (moved < fewest && is_fair(p, f, counts))
			fewest = moved;
		for (s = 0; s < p->slots; s++) {
			moved -= table[s] != before[s];
			counts[table[s]]--;
			table[s] = (table[s] + 1) % (uint32_t)p->count;
			moved += table[s] != before[s];
			counts[table[s]]++;
			if (table[s])
				break;
		}
	} while (s < p->slots);
	return fewest;
}

/* The same over all fair counts: with given counts, who held more than its count gives the difference. */
static uint64_t fewest_of_all_counts(const struct pool *p, const struct fairness *f,
				     const uint64_t *held, size_t i, uint64_t left, uint64_t kept)
{
	uint64_t fewest = UINT64_MAX;

	if (i == p->count)
		return left ? UINT64_MAX : p->slots - kept;
	for (uint64_t c = f->least[i]; c <= f->most[i] && c <= left; c++) {
		uint64_t moved = fewest_of_all_counts(p, f, held, i + 1, left - c,
						      kept + (c < held[i] ? c : held[i]));

		fewest = moved < fewest ? moved : fewest;
	}
	return fewest;
}

/* ---- tests ---- */

static bool is_minimal(struct random_source *r, size_t most_endpoints)
{
	uint64_t most = random_chance(r, 40) ? 1 : random_scale(r, 1, 100);
	struct pool p = random_pool(r, SMALL_SLOTS, random_between(r, 1, most_endpoints), most), q = p;
	uint32_t owner[SMALL_SLOTS], table[SMALL_SLOTS], *before;
	uint64_t counts[MOST_ENDPOINTS];
	struct fairness f;
	bool good;

	if (random_chance(r, 50))
		slow_maglev(p.endpoints, p.count, p.slots, owner);
	else /* one that no fair step can have made */
		for (uint64_t s = 0; s < p.slots; s++)
			owner[s] = (uint32_t)random_below(r, p.count);
	edit(&q, r, 1, most_endpoints, most);
	before = translate(&p, owner, &q);
	f = judge(&q);
	good = rebalance(&q, before, table) == differing(before, table, q.slots);
	count_slots(&q, table, counts);
	good = good && is_fair(&q, &f, counts) &&
	       differing(before, table, q.slots) == fewest_of_all_tables(&q, &f, before);
	free(before);
	return good;
}

static void no_fair_table_moves_fewer_slots(void)
{
	struct random_source r = {100};

	for (unsigned int i = 0; i < 600; i++)
		CU_ASSERT(is_minimal(&r, 3));
	for (unsigned int i = 0; i < 30; i++)
		CU_ASSERT(is_minimal(&r, 4));
	for (unsigned int i = 0; i < 2; i++)
		CU_ASSERT(is_minimal(&r, 5));
}

static void no_fair_counts_move_fewer_slots(void)
{
	struct random_source r = {101};

	for (unsigned int i = 0; i < 4000; i++) {
		uint64_t slots = (const uint64_t[]){11, 13, 31, 101, 251}[random_below(&r, 5)];
		uint64_t most = random_scale(&r, 1, GPC_MAX_WEIGHT);
		struct pool p = random_pool(&r, slots, random_between(&r, 1, 7), most), q = p;
		uint32_t *owner = slow_alloc(slots, sizeof(*owner)), *before;
		uint64_t held[MOST_ENDPOINTS];
		struct fairness f;

		slow_maglev(p.endpoints, p.count, slots, owner);
		edit(&q, &r, 1, 7, most);
		before = translate(&p, owner, &q);
		count_slots(&q, before, held);
		f = judge(&q);
		CU_ASSERT_EQUAL(rebalance(&q, before, owner),
				fewest_of_all_counts(&q, &f, held, 0, slots, 0));
		free(before);
		free(owner);
	}
}

/* Who lacks must be given, who has too much or is gone must give: by the counts alone. */
static uint64_t must_move(const struct pool *p, const struct fairness *f, const uint64_t *held)
{
	uint64_t lacking = 0, kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		lacking += held[i] < f->least[i] ? f->least[i] - held[i] : 0;
		kept += held[i] < f->most[i] ? held[i] : f->most[i];
	}
	return lacking > p->slots - kept ? lacking : p->slots - kept;
}

struct lineage {
	struct pool pool;
	uint32_t *table;
	uint64_t moved_in[STRETCHES];
};

/* One generation; false when it is not fair, not the least, or not what it says. */
static bool next_generation(struct lineage *l, const struct pool *q)
{
	uint32_t *before = translate(&l->pool, l->table, q), *again;
	struct fairness f = judge(q);
	uint64_t held[MOST_ENDPOINTS], counts[MOST_ENDPOINTS], moved;
	bool good;

	count_slots(q, before, held);
	moved = rebalance(q, before, l->table);
	again = slow_alloc(q->slots, sizeof(*again));
	rebalance(q, before, again);
	count_slots(q, l->table, counts);
	good = is_fair(q, &f, counts) && moved == differing(before, l->table, q->slots) &&
	       moved == must_move(q, &f, held) && !differing(l->table, again, q->slots) &&
	       rebalance(q, l->table, again) == 0 && !differing(l->table, again, q->slots);
	for (uint64_t s = 0; s < q->slots; s++)
		l->moved_in[s * STRETCHES / q->slots] += before[s] != l->table[s];
	l->pool = *q;
	free(again);
	free(before);
	return good;
}

/* What moved, and what each endpoint has in the end, lies all over the table. */
static bool is_spread(const struct lineage *l)
{
	uint64_t sum = 0, mean, has[MOST_ENDPOINTS][STRETCHES / 4] = {{0}}, counts[MOST_ENDPOINTS];

	for (unsigned int i = 0; i < STRETCHES; i++)
		sum += l->moved_in[i];
	mean = sum / STRETCHES;
	for (unsigned int i = 0; i < STRETCHES; i++) {
		int64_t off = (int64_t)l->moved_in[i] - (int64_t)mean;

		if ((uint64_t)(off * off) > 30 * mean) /* five and a half standard deviations */
			return false;
	}
	count_slots(&l->pool, l->table, counts);
	for (uint64_t s = 0; s < l->pool.slots; s++)
		has[l->table[s]][s * (STRETCHES / 4) / l->pool.slots]++;
	for (size_t i = 0; i < l->pool.count; i++)
		for (unsigned int k = 0; k < STRETCHES / 4; k++)
			if (counts[i] >= 100 && (has[i][k] * 8 < counts[i] || has[i][k] * 2 > counts[i]))
				return false;
	return true;
}

static void run_lineage(uint64_t seed, uint64_t slots, size_t count, uint64_t most)
{
	struct random_source r = {seed};
	struct lineage l = {.pool = random_pool(&r, slots, count, most),
			    .table = slow_alloc(slots, sizeof(uint32_t))};
	unsigned int bad = 0;

	slow_maglev(l.pool.endpoints, l.pool.count, slots, l.table);
	for (unsigned int i = 0; i < GENERATIONS; i++) {
		struct pool q = l.pool;

		edit(&q, &r, count / 2, count * 3 / 2, most);
		bad += !next_generation(&l, &q);
	}
	CU_ASSERT_EQUAL(bad, 0);
	CU_ASSERT(is_spread(&l));
	free(l.table);
}

static void a_thousand_generations_stay_fair_and_move_the_least(void)
{
	run_lineage(1, 4093, 40, 1);
	run_lineage(2, 4093, 40, 10);
	run_lineage(3, 2039, 20, 1000);
	run_lineage(4, 1021, 200, 3); /* five slots each */
}

/* The figures of the issue: 16,381 slots of 100 endpoints, one goes. */
static void one_of_a_hundred_moves_one_percent(void)
{
	struct random_source r = {5};
	double fresh_sum = 0, least_sum = 0;

	for (unsigned int i = 0; i < 20; i++) {
		struct pool p = random_pool(&r, 16381, 100, 1), q = p;
		uint32_t *owner = slow_alloc(p.slots, sizeof(*owner)), *before;
		uint32_t *table = slow_alloc(p.slots, sizeof(*table));

		slow_maglev(p.endpoints, p.count, p.slots, owner);
		remove_endpoint(&q, random_below(&r, q.count));
		before = translate(&p, owner, &q);
		slow_maglev(q.endpoints, q.count, q.slots, table);
		fresh_sum += 100.0 * (double)differing(before, table, p.slots) / 16381 / 20;
		least_sum += 100.0 * (double)rebalance(&q, before, table) / 16381 / 20;
		free(table);
		free(before);
		free(owner);
	}
	printf("oracle/rebalance: one of 100 endpoints goes, 16,381 slots: fresh %.2f %%, minimal %.2f %%\n",
	       fresh_sum, least_sum);
	CU_ASSERT(fresh_sum > 2.0 && fresh_sum < 2.7);
	CU_ASSERT(least_sum >= 0.995 && least_sum < 1.005);
}

GPC_UNIT_MAIN("oracle/rebalance", {"no_fair_table_moves_fewer_slots", no_fair_table_moves_fewer_slots},
	      {"no_fair_counts_move_fewer_slots", no_fair_counts_move_fewer_slots},
	      {"a_thousand_generations_stay_fair_and_move_the_least",
	       a_thousand_generations_stay_fair_and_move_the_least},
	      {"one_of_a_hundred_moves_one_percent", one_of_a_hundred_moves_one_percent})
