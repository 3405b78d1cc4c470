// SPDX-License-Identifier: MIT
/*
 * The flow tables of the programs, compiled for this machine: against a list of what ought to be in them, and from
 * several threads at once.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
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
#include "bpf/flow_table.bpf.h"

#include "tests/unit/unit.h"

#define KEYS	  3000u
#define OPERATIONS 1500000u
#define THREADS	  4u
#define TURNS	  40000u
#define HELD	  4096u /* words of a table's heads, and more than it has */

static struct gpc_flow_element4 elements4[GPC_FLOWS];
static struct gpc_flow_element6 elements6[GPC_FLOWS];
static __u64 heads[2][HELD];
static uint64_t state = 88172645463325252ull;
static uint64_t now;

void *gpc_sim_lookup(const void *map, const void *key)
{
	uint32_t at;

	memcpy(&at, key, sizeof(at));
	if (map == &gpc_heads4 || map == &gpc_heads6)
		return at < 2 * GPC_FLOW_SETS ? &heads[map == &gpc_heads6][at] : NULL;
	if (map == &gpc_flows4)
		return at < GPC_FLOWS ? &elements4[at] : NULL;
	return map == &gpc_flows6 && at < GPC_FLOWS ? &elements6[at] : NULL;
}

static uint64_t draw(uint64_t *from)
{
	*from ^= *from << 13;
	*from ^= *from >> 7;
	*from ^= *from << 17;
	return *from;
}

static void begin(uint32_t sets)
{
	memset(heads, 0, sizeof(heads));
	memset(elements4, 0, sizeof(elements4));
	memset(elements6, 0, sizeof(elements6));
	for (int family = 0; family < 2; family++) {
		for (uint32_t i = 0; i < GPC_FLOW_SEED_WORDS; i++)
			gpc_flow_seeds[family].word[i] = draw(&state);
		gpc_flow_seeds[family].mask = sets - 1;
	}
	now = 1000 * GPC_SECOND;
}

static union flow_key key_of(uint32_t number)
{
	union flow_key key = {.word = {number * 7u, number, 2, 3ull << 40, 4}};

	return key;
}

static struct gpc_flow value_of(const union flow_key *key, uint32_t family, uint64_t content)
{
	struct gpc_flow_place place = family == GPC_V4 ? flow_place(GPC_V4, key->word)
						       : flow_place(GPC_V6, key->word);

	return (struct gpc_flow){.endpoint = content,
				 .chains = content,
				 .stamp = {content, ~content},
				 .last_seen = (uint32_t)(now >> GPC_FLOW_SECOND_SHIFT),
				 .state = GPC_FLOW_ESTABLISHED,
				 .flags = flow_tag(&place)};
}

static bool is_whole(const struct gpc_flow *flow, uint64_t *ret_content)
{
	*ret_content = flow->endpoint;
	return flow->chains == flow->endpoint && flow->stamp[0] == flow->endpoint &&
	       flow->stamp[1] == ~flow->endpoint;
}

static struct gpc_flow *find(uint32_t family, const union flow_key *key, uint32_t *ret_at)
{
	struct gpc_flow_place place;
	uint64_t *element;

	if (family == GPC_V6) {
		place = flow_place(GPC_V6, key->word);
		element = (uint64_t *)flow_find(GPC_V6, key, &place, ret_at);
		return element ? flow_value(GPC_V6, (__u64 *)element) : NULL;
	}
	place = flow_place(GPC_V4, key->word);
	element = (uint64_t *)flow_find(GPC_V4, key, &place, ret_at);
	return element ? flow_value(GPC_V4, (__u64 *)element) : NULL;
}

/* ---- one after the other ---- */

/* What ought to be in the table. */
static struct known {
	uint64_t content;
	uint32_t last_seen;
	bool present;
} known[KEYS];

/* Who is in the two sets of a key, and how many ways are free. */
struct around {
	uint32_t number[2 * GPC_FLOW_WAYS];
	uint32_t count, free[2];
};

static struct around look_around(uint32_t family, const union flow_key *key)
{
	struct gpc_flow_place place = family == GPC_V4 ? flow_place(GPC_V4, key->word)
						       : flow_place(GPC_V6, key->word);
	struct around around = {0};

	for (uint32_t i = 0; i < 2 * GPC_FLOW_WAYS; i++) {
		uint32_t set = place.set[i / GPC_FLOW_WAYS], way = i % GPC_FLOW_WAYS;
		uint32_t byte = gpc_flow_byte(heads[family][set], way), at = gpc_flow_at(set, way);

		CU_ASSERT_FALSE(byte & GPC_FLOW_CLAIMED);
		if (byte)
			around.number[around.count++] =
				(uint32_t)(family == GPC_V4 ? flow_element(GPC_V4, at)
							    : flow_element(GPC_V6, at))[1];
		else
			around.free[i / GPC_FLOW_WAYS]++;
	}
	return around;
}

static uint32_t times(const struct around *around, uint32_t number)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < around->count; i++)
		n += around->number[i] == number;
	return n;
}

static uint32_t second_now(void)
{
	return (uint32_t)(now >> GPC_FLOW_SECOND_SHIFT);
}

/* Nobody may have gone but one, that was not seen for so long, and when there was no room. */
static uint32_t evicted_between(const struct around *was, const struct around *is, uint32_t number)
{
	uint32_t evicted = 0;

	for (uint32_t i = 0; i < was->count; i++) {
		uint32_t n = was->number[i];

		if (n == number || times(is, n))
			continue;
		evicted++;
		CU_ASSERT_TRUE(gpc_idle_for((int32_t)(second_now() - known[n].last_seen),
					    GPC_FLOW_SPARED_SECONDS));
		known[n].present = false;
	}
	CU_ASSERT_TRUE(evicted <= 1);
	return evicted;
}

static void store_one(uint32_t family, uint32_t number, uint64_t how, uint32_t *evicted)
{
	union flow_key key = key_of(number);
	struct gpc_flow value = value_of(&key, family, draw(&state));
	struct around was = look_around(family, &key), is;
	bool full = !was.free[0] && !was.free[1];
	uint32_t gone;
	struct gpc_flow_job job;
	int failed = store_value(family, &job, &key, &value, now, how);

	is = look_around(family, &key);
	gone = evicted_between(&was, &is, number);
	*evicted += gone;
	if (how == BPF_NOEXIST && known[number].present) {
		CU_ASSERT_EQUAL(failed, -EEXIST);
	} else if (!failed) {
		known[number] = (struct known){value.endpoint, value.last_seen, true};
	} else {
		CU_ASSERT_TRUE(failed == -EBUSY || failed == -EAGAIN);
		CU_ASSERT_TRUE(!was.free[0] || !was.free[1]);
	}
	if (gone && !times(&was, number))
		CU_ASSERT_TRUE(full);
	CU_ASSERT_EQUAL(times(&is, number), known[number].present);
}

static void check_one(uint32_t family, uint32_t number)
{
	union flow_key key = key_of(number);
	uint32_t at, age;
	const struct gpc_flow *found = find(family, &key, &at);
	uint64_t content;

	CU_ASSERT_EQUAL(found != NULL, known[number].present);
	if (!found)
		return;
	CU_ASSERT_TRUE(is_whole(found, &content));
	CU_ASSERT_EQUAL(content, known[number].content);
	CU_ASSERT_TRUE(holds_key(family, &key, at));
	age = gpc_flow_byte(heads[family][GPC_FLOW_SETS + at / GPC_FLOW_WAYS], at % GPC_FLOW_WAYS);
	CU_ASSERT_EQUAL(age, gpc_flow_age(known[number].last_seen, GPC_FLOW_ESTABLISHED));
}

/* As a packet does to its flow. */
static void see_one(uint32_t family, uint32_t number)
{
	union flow_key key = key_of(number);
	uint32_t at;
	struct gpc_flow *found = find(family, &key, &at);

	if (!found)
		return;
	found->last_seen = known[number].last_seen = second_now();
	gpc_age_flow(family, at, found->last_seen, found->state);
}

static void keeps_what_it_should(uint32_t family)
{
	uint32_t evicted = 0;

	begin(GPC_FLOW_SETS);
	memset(known, 0, sizeof(known));
	for (uint32_t i = 0; i < OPERATIONS; i++) {
		uint64_t drawn = draw(&state);
		uint32_t number = (uint32_t)(drawn >> 32) % KEYS;
		union flow_key key = key_of(number);

		now += drawn & 0xff ? 0 : 700 * 1000000ull;
		switch (drawn >> 12 & 7) {
		case 0:
			CU_ASSERT_EQUAL(delete_value(family, &key),
					known[number].present ? 0 : -ENOENT);
			known[number].present = false;
			break;
		case 1:
		case 2:
			see_one(family, number);
			break;
		case 3:
		case 4:
			check_one(family, number);
			break;
		default:
			store_one(family, number, drawn >> 15 & 1 ? BPF_ANY : BPF_NOEXIST, &evicted);
		}
	}
	for (uint32_t number = 0; number < KEYS; number++)
		check_one(family, number);
	CU_ASSERT_TRUE(evicted > 1000);
}

static void ipv4_keeps_what_it_should(void)
{
	keeps_what_it_should(GPC_V4);
}

static void ipv6_keeps_what_it_should(void)
{
	keeps_what_it_should(GPC_V6);
}

/* Of random keys; more than that two sets of eight ways cannot promise. */
static void few_find_no_room_before_the_table_is_full(void)
{
	struct gpc_flow_job job;
	uint32_t refused = 0, first = 0;

	begin(GPC_FLOW_SETS);
	for (uint32_t n = 0; n < GPC_FLOWS * 9 / 10; n++) {
		union flow_key key = key_of(n);
		struct gpc_flow value = value_of(&key, GPC_V4, n);

		refused += store_value(GPC_V4, &job, &key, &value, now, BPF_ANY) != 0;
		first += !refused;
	}
	CU_ASSERT_TRUE(first > GPC_FLOWS * 6 / 10);
	CU_ASSERT_TRUE(refused < GPC_FLOWS / 40);
}

/* A hundred times as many come as there is room for; who is seen every ten seconds stays. */
static void a_flood_takes_nobody_who_is_seen(void)
{
	enum { STEADY = 200 };
	struct gpc_flow_job job;
	uint32_t entered = 0, at;

	begin(GPC_FLOW_SETS);
	for (uint32_t i = 0; i < 100 * GPC_FLOWS; i++) {
		union flow_key key = key_of(i);
		struct gpc_flow value = value_of(&key, GPC_V4, i);

		if (i >= STEADY)
			value.state = GPC_FLOW_SYN;
		entered += !store_value(GPC_V4, &job, &key, &value, now, BPF_ANY);
		now += 20 * 1000000ull;
		for (uint32_t j = 0; i % 500 == 499 && j < STEADY; j++) {
			key = key_of(j);
			CU_ASSERT_PTR_NOT_NULL_FATAL(find(GPC_V4, &key, &at));
			find(GPC_V4, &key, &at)->last_seen = second_now();
			gpc_age_flow(GPC_V4, at, second_now(), GPC_FLOW_ESTABLISHED);
		}
	}
	CU_ASSERT_TRUE(entered > 50 * GPC_FLOWS);
}

/* What opens goes before what is established, though that was not seen for longer. */
static void brief_entries_go_first(void)
{
	struct gpc_flow_job job;
	uint32_t kept = 0, at;

	begin(2);
	for (uint32_t i = 0; i < 16; i++) {
		union flow_key key = key_of(i);
		struct gpc_flow value = value_of(&key, GPC_V4, i);

		value.state = i < 8 ? GPC_FLOW_ESTABLISHED : GPC_FLOW_SYN;
		CU_ASSERT_EQUAL(store_value(GPC_V4, &job, &key, &value, now, BPF_ANY), 0);
		now += 20 * GPC_SECOND;
	}
	for (uint32_t i = 16; i < 23; i++) {
		union flow_key key = key_of(i);
		struct gpc_flow value = value_of(&key, GPC_V4, i);

		now += 20 * GPC_SECOND;
		CU_ASSERT_EQUAL(store_value(GPC_V4, &job, &key, &value, now, BPF_ANY), 0);
	}
	for (uint32_t i = 0; i < 8; i++) {
		union flow_key key = key_of(i);

		kept += find(GPC_V4, &key, &at) != NULL;
	}
	CU_ASSERT_EQUAL(kept, 8);
}

/* A hint that says old of an entry that was just seen costs nobody his entry, and is put right. */
static void only_the_mark_counts(void)
{
	struct gpc_flow_job job;
	union flow_key key;
	struct gpc_flow value;

	begin(2);
	for (uint32_t i = 0; i < 16; i++) {
		key = key_of(i);
		value = value_of(&key, GPC_V4, i);
		CU_ASSERT_EQUAL(store_value(GPC_V4, &job, &key, &value, now, BPF_ANY), 0);
	}
	heads[GPC_V4][2] = 0; /* the ages of a table of two sets */
	heads[GPC_V4][3] = 0;
	key = key_of(16);
	value = value_of(&key, GPC_V4, 16);
	CU_ASSERT_TRUE(store_value(GPC_V4, &job, &key, &value, now, BPF_ANY) < 0);
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t at;

		key = key_of(i);
		CU_ASSERT_PTR_NOT_NULL(find(GPC_V4, &key, &at));
	}
	CU_ASSERT_TRUE((heads[GPC_V4][2] | heads[GPC_V4][3]) != 0);
}

/* ---- several at once ---- */

static struct hammer {
	pthread_t thread;
	uint32_t family;
	uint64_t state;
	uint64_t torn, lost, found;
} hammers[THREADS];

static uint32_t same_key, winners;
static pthread_barrier_t together;

/* Reads an entry as the programs do, and says whether all of it is one entry's. */
static void read_one(struct hammer *hammer, const union flow_key *key)
{
	struct gpc_flow copy;
	const struct gpc_flow *found;
	uint64_t content;
	uint32_t at;
	uint8_t tag;

	found = find(hammer->family, key, &at);
	if (!found)
		return;
	copy.mark = READ_ONCE(found->mark);
	tag = copy.flags;
	copy = *found;
	if (!holds_key(hammer->family, key, at) || (tag ^ value_of(key, hammer->family, 0).flags) & ~1)
		return;
	hammer->found++;
	hammer->torn += !is_whole(&copy, &content) || content >> 32 != key->word[1];
}

static void *hammer(void *data)
{
	struct hammer *h = data;
	struct gpc_flow_job job;

	for (uint32_t i = 0; i < TURNS; i++) {
		uint64_t drawn = draw(&h->state);
		uint32_t number = (uint32_t)(drawn >> 40) % 40;
		union flow_key key = key_of(number);
		struct gpc_flow value =
			value_of(&key, h->family, (uint64_t)number << 32 | (drawn & 0xffff));

		/* far enough apart for everybody to be evicted */
		value.last_seen += (uint32_t)i * 40;
		switch (drawn & 7) {
		case 0:
			delete_value(h->family, &key);
			break;
		case 1:
		case 2:
			store_value(h->family, &job, &key, &value,
				    (uint64_t)value.last_seen << GPC_FLOW_SECOND_SHIFT,
				    drawn & 8 ? BPF_ANY : BPF_NOEXIST);
			break;
		default:
			read_one(h, &key);
		}
	}
	return NULL;
}

/* Others get their turn at every word, as it were by chance. */
static void yield_sometimes(void)
{
	if ((steps * 2654435761u) >> 28 == 0)
		sched_yield();
}

static void start_all(uint32_t family, void *(*run)(void *))
{
	at_each_step = yield_sometimes;
	for (uint32_t i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer){.family = family, .state = draw(&state) | 1};
		CU_ASSERT_EQUAL_FATAL(pthread_create(&hammers[i].thread, NULL, run, &hammers[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(hammers[i].thread, NULL);
	at_each_step = NULL;
}

static void nothing_torn_nothing_twice(uint32_t family)
{
	uint64_t torn = 0, found = 0;

	begin(2); /* all keys want the same 16 ways */
	start_all(family, hammer);
	for (uint32_t i = 0; i < THREADS; i++) {
		torn += hammers[i].torn;
		found += hammers[i].found;
	}
	CU_ASSERT_EQUAL(torn, 0);
	CU_ASSERT_TRUE(found > 1000);
	for (uint32_t number = 0; number < 40; number++) {
		union flow_key key = key_of(number);
		struct around around = look_around(family, &key); /* and no claim is left */

		CU_ASSERT_TRUE(times(&around, number) <= 1);
	}
}

static void ipv4_nothing_torn_nothing_twice(void)
{
	nothing_torn_nothing_twice(GPC_V4);
}

static void ipv6_nothing_torn_nothing_twice(void)
{
	nothing_torn_nothing_twice(GPC_V6);
}

/* ---- one in the midst of another ---- */

static union flow_key contended;

static void store_contended(uint64_t content)
{
	struct gpc_flow value = value_of(&contended, GPC_V4, content);
	struct gpc_flow_job job;

	store_value(GPC_V4, &job, &contended, &value, now, BPF_ANY);
}

/* Puts others into a set until so many ways are free. */
static void fill_set(uint32_t set, uint32_t free)
{
	for (uint32_t way = 0; way < GPC_FLOW_WAYS - free; way++) {
		heads[GPC_V4][set] |= gpc_flow_byte_at(way + 1, way);
		flow_element(GPC_V4, gpc_flow_at(set, way))[1] = 1000000 + way;
	}
}

static void meanwhile_it_is_stored(void)
{
	store_contended(2);
}

/* The first set gets room, and so the key. */
static void meanwhile_it_goes_to_the_first(void)
{
	struct gpc_flow_place place = flow_place(GPC_V4, contended.word);

	heads[GPC_V4][place.set[0]] &= 0xff;
	store_contended(2);
}

static void meanwhile_it_is_deleted(void)
{
	delete_value(GPC_V4, &contended);
}

/* At each word that a store touches somebody else does his: afterwards the key is there once, whole and unlocked. */
static void interrupt(bool present, void (*other)(void))
{
	for (interrupted_at = 1;; interrupted_at++) {
		struct gpc_flow_place place;
		struct around around;
		const struct gpc_flow *found;
		uint64_t content;
		uint32_t at;

		begin(GPC_FLOW_SETS);
		contended = key_of(77);
		place = flow_place(GPC_V4, contended.word);
		if (present)
			store_contended(0);
		else
			fill_set(place.set[0], 1);
		interruption = other;
		steps = 0;
		store_contended(1);
		if (interruption)
			break;
		around = look_around(GPC_V4, &contended);
		found = find(GPC_V4, &contended, &at);
		CU_ASSERT_EQUAL(times(&around, 77), found != NULL);
		CU_ASSERT_TRUE(other == meanwhile_it_is_deleted || found != NULL);
		if (found)
			CU_ASSERT_TRUE(is_whole(found, &content) && content <= 2);
	}
	interruption = NULL;
	CU_ASSERT_TRUE(interrupted_at > 10);
}

static void whoever_comes_between_finds_order(void)
{
	interrupt(false, meanwhile_it_is_stored);
	interrupt(false, meanwhile_it_goes_to_the_first);
	interrupt(false, meanwhile_it_is_deleted);
	interrupt(true, meanwhile_it_is_stored);
	interrupt(true, meanwhile_it_is_deleted);
}

static void *enter_first(void *data)
{
	struct hammer *h = data;
	struct gpc_flow_job job;

	for (uint32_t round = 0; round < 3000; round++) {
		union flow_key key = key_of(1000 + round);
		struct gpc_flow value = value_of(&key, h->family, round);
		int failed;

		pthread_barrier_wait(&together);
		failed = store_value(h->family, &job, &key, &value, now, BPF_NOEXIST);
		__sync_fetch_and_add(&winners, !failed);
		same_key = pthread_barrier_wait(&together) == PTHREAD_BARRIER_SERIAL_THREAD
				   ? same_key + (winners > 1)
				   : same_key;
		pthread_barrier_wait(&together);
		if (winners)
			h->lost += gpc_find_flow4(&key) == (int)GPC_NONE;
		pthread_barrier_wait(&together);
		winners = 0;
		delete_value(h->family, &key);
	}
	return NULL;
}

/* Of those who enter one key at once, as with the port of a `snat` flow, one gets it at most. */
static void one_of_many_enters_a_key(void)
{
	uint64_t lost = 0;

	begin(GPC_FLOW_SETS);
	same_key = winners = 0;
	CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&together, NULL, THREADS), 0);
	start_all(GPC_V4, enter_first);
	pthread_barrier_destroy(&together);
	for (uint32_t i = 0; i < THREADS; i++)
		lost += hammers[i].lost;
	CU_ASSERT_EQUAL(same_key, 0);
	CU_ASSERT_EQUAL(lost, 0);
}

GPC_UNIT_MAIN("sim/flow_table", {"ipv4_keeps_what_it_should", ipv4_keeps_what_it_should},
	      {"ipv6_keeps_what_it_should", ipv6_keeps_what_it_should},
	      {"few_find_no_room_before_the_table_is_full", few_find_no_room_before_the_table_is_full},
	      {"a_flood_takes_nobody_who_is_seen", a_flood_takes_nobody_who_is_seen},
	      {"brief_entries_go_first", brief_entries_go_first},
	      {"only_the_mark_counts", only_the_mark_counts},
	      {"ipv4_nothing_torn_nothing_twice", ipv4_nothing_torn_nothing_twice},
	      {"ipv6_nothing_torn_nothing_twice", ipv6_nothing_torn_nothing_twice},
	      {"whoever_comes_between_finds_order", whoever_comes_between_finds_order},
	      {"one_of_many_enters_a_key", one_of_many_enters_a_key})
