/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * flow_table.bpf.h: the flow tables: find, store, delete, keep young. Layout and what readers may rely on stand in
 * abi.h, where a key belongs in flow_table.h.
 *
 * The kernel's LRU hash would do all this, at the price of two misses that wait for each other and, for each
 * entry made, of locks and lists (PERFORMANCE.md). Here a known flow costs one miss; the tags of a
 * million entries are 1 MB.
 *
 * A number (gpc_flow_at()) stands for an element: every function finds its address again, so that no pointer has to cross a call.
 * `family` is a constant but where it is said.
 *
 * Storing. A way that is free, or whose entry may be evicted, is claimed by compare-and-swap of the set's tags as they
 * were when the key was looked for in them. Then:
 *
 *   - If the key is new, its other set is read again, after the claim: two who want to store one key in different
 *     sets at once cannot both see the other's unchanged. Who sees a change gives the claim back and tries once
 *     more. Nor is anything new stored beside a claim of somebody else, which might be for the same key.
 *   - If the key has an element, that is locked together with the claim, in the same set. The one operation that shows
 *     the new element takes the old one away: who finds the entry finds all of it, old or new.
 *
 * What does not succeed in two tries is left: the packet is decided without an entry, as beyond `flow-inserts`.
 * A claim lasts for the few stores between; BPF programs do not end in between.
 */
#ifndef GPC_FLOW_TABLE_BPF_H
#define GPC_FLOW_TABLE_BPF_H

#include <linux/errno.h>

#include "gpc/lookup/flow.h"
#include "gpc/lookup/flow_table.h"
#include "busy.bpf.h"

/*
 * The keys are written in words of 8 bytes, as they are read: a load of bytes that several smaller stores have just
 * written waits for all of them.
 */
union flow_key {
	struct gpc_flow_key4 v4;
	struct gpc_flow_key6 v6;
	__u64 word[GPC_FLOW_WORDS6];
};
_Static_assert(sizeof(struct gpc_flow_key4) == GPC_FLOW_WORDS4 * 8 &&
		       sizeof(struct gpc_flow_key6) == GPC_FLOW_WORDS6 * 8,
	       "words");

#define GPC_FLOW_VALUE_WORDS (sizeof(struct gpc_flow) / 8)
#define GPC_FLOW_MARK_WORD   1u /* of a value */
#define GPC_FLOW_TRIES	     2u
#define GPC_FLOW_ROOM	     4u /* free ways with which the first set is taken without a look at the second */

static __always_inline __u32 flow_words(__u32 family)
{
	return family == GPC_V4 ? GPC_FLOW_WORDS4 : GPC_FLOW_WORDS6;
}

static __always_inline __u64 *flow_tags(__u32 family, __u32 set)
{
	__u64 *word;

	if (family == GPC_V4) {
		word = bpf_map_lookup_elem(&gpc_heads4, &set);
		opaque(word); /* two calls that were merged into one could not be inlined */
	} else {
		word = bpf_map_lookup_elem(&gpc_heads6, &set);
	}
	return word;
}

static __always_inline __u64 *flow_ages(__u32 family, __u32 set)
{
	return flow_tags(family, gpc_flow_seeds[family].mask + 1 + set);
}

/* The element: its key, and behind it its value. */
static __always_inline __u64 *flow_element(__u32 family, __u32 at)
{
	__u64 *element;

	at = gpc_flow_element(at, gpc_flow_seeds[family].mask);
	if (family == GPC_V4) {
		element = bpf_map_lookup_elem(&gpc_flows4, &at);
		opaque(element);
	} else {
		element = bpf_map_lookup_elem(&gpc_flows6, &at);
	}
	return element;
}

static __always_inline struct gpc_flow *flow_value(__u32 family, __u64 *element)
{
	return (struct gpc_flow *)(element + flow_words(family));
}

static __always_inline struct gpc_flow_place flow_place(__u32 family, const __u64 *key)
{
	return gpc_flow_place(&gpc_flow_seeds[family], key, flow_words(family));
}

/* The tag, where gpc_flow.flags has it. */
static __always_inline __u8 flow_tag(const struct gpc_flow_place *place)
{
	return place->tag << GPC_FLOW_TAG_SHIFT;
}

/* ---- find ---- */

static __always_inline int has_key(__u32 family, const __u64 *element, const __u64 *key)
{
	if (READ_ONCE(element[0]) != key[0] || READ_ONCE(element[1]) != key[1])
		return 0;
	return family == GPC_V4 || (element[2] == key[2] && element[3] == key[3] &&
				    READ_ONCE(element[4]) == key[4]);
}

/* The element if it is the key's. */
static __always_inline __u64 *probe(__u32 family, const __u64 *key, __u32 at)
{
	__u64 *element = flow_element(family, at);

	return element && has_key(family, element, key) ? element : 0;
}

static __always_inline __u32 search(__u32 family, const __u64 *key, __u32 set, __u64 ways)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_FLOW_WAYS && ways; i++) {
		__u32 at = gpc_flow_at(set, gpc_flow_first_way(ways));

		if (probe(family, key, at))
			return at;
		ways &= ways - 1;
	}
	return GPC_NONE;
}

/* Index of the key's element among these ways of a set; GPC_NONE: it is not there. */
__noinline int gpc_search_flow4(const union flow_key *key, __u32 set, __u64 ways)
{
	return key ? (int)search(GPC_V4, key->word, set, ways) : (int)GPC_NONE;
}

__noinline int gpc_search_flow6(const union flow_key *key, __u32 set, __u64 ways)
{
	return key ? (int)search(GPC_V6, key->word, set, ways) : (int)GPC_NONE;
}

/* In both sets, with these tags. */
static __always_inline __u32 search_both(__u32 family, const union flow_key *key,
					 const struct gpc_flow_place *place, __u64 first,
					 __u64 second)
{
	__u32 at;

	first = gpc_flow_tagged(first, place->tag);
	second = gpc_flow_tagged(second, place->tag);
	at = family == GPC_V4 ? gpc_search_flow4(key, place->set[0], first)
			      : gpc_search_flow6(key, place->set[0], first);
	if (at != GPC_NONE)
		return at;
	return family == GPC_V4 ? gpc_search_flow4(key, place->set[1], second)
				: gpc_search_flow6(key, place->set[1], second);
}

static __always_inline __u32 find_away(__u32 family, const union flow_key *key)
{
	struct gpc_flow_place place = flow_place(family, key->word);
	__u64 *first = flow_tags(family, place.set[0]);
	__u64 *second = flow_tags(family, place.set[1]);

	return first && second ? search_both(family, key, &place, READ_ONCE(*first),
					     READ_ONCE(*second))
			       : GPC_NONE;
}

/* Index of a key's element, GPC_NONE: it has none. */
__noinline int gpc_find_flow4(const union flow_key *key)
{
	return key ? (int)find_away(GPC_V4, key) : (int)GPC_NONE;
}

__noinline int gpc_find_flow6(const union flow_key *key)
{
	return key ? (int)find_away(GPC_V6, key) : (int)GPC_NONE;
}

/* Element of a key, and *ret_at its number; NULL: none. */
static __always_inline __u64 *flow_find_away(__u32 family, const union flow_key *key, __u32 *ret_at)
{
	*ret_at = family == GPC_V4 ? gpc_find_flow4(key) : gpc_find_flow6(key);
	return flow_element(family, *ret_at);
}

/*
 * The same, where it is asked for with every packet: what lies at home, or nowhere, is decided here. A branch and
 * not arithmetic leads from the tag to the element: it can be foreseen.
 */
static __always_inline __u64 *flow_find(__u32 family, const union flow_key *key,
					const struct gpc_flow_place *place, __u32 *ret_at)
{
	__u64 *first = flow_tags(family, place->set[0]), *second;
	__u32 at = gpc_flow_at(place->set[0], place->home);
	__u64 tags, *element;

	if (!first)
		return 0;
	tags = READ_ONCE(*first);
	if (likely(gpc_flow_byte(tags, place->home) == place->tag)) {
		element = probe(family, key->word, at);
		if (likely(element != 0)) {
			*ret_at = at;
			return element;
		}
	}
	second = flow_tags(family, place->set[1]);
	if (!second || !(gpc_flow_tagged(tags, place->tag) |
			 gpc_flow_tagged(READ_ONCE(*second), place->tag)))
		return 0;
	return flow_find_away(family, key, ret_at);
}

/* The value of a number, of any family; NULL if it stands for none. */
static __always_inline struct gpc_flow *value_at(__u32 family, __u32 at)
{
	struct gpc_flow *value = 0;
	__u64 *element;

	if (family == GPC_V4) {
		element = flow_element(GPC_V4, at);
		if (element)
			value = flow_value(GPC_V4, element);
	} else {
		element = flow_element(GPC_V6, at);
		if (element)
			value = flow_value(GPC_V6, element);
	}
	return value;
}

/* That of a key, of any family; *ret_at is GPC_NONE when there is none. */
static __always_inline struct gpc_flow *find_value(__u32 family, const union flow_key *key,
						   __u32 *ret_at)
{
	*ret_at = family == GPC_V4 ? gpc_find_flow4(key) : gpc_find_flow6(key);
	return value_at(family, *ret_at);
}

/* Is the element still the key's? Of any family. What was read of it before is then the key's, too. */
static __always_inline int holds_key(__u32 family, const union flow_key *key, __u32 at)
{
	asm volatile("" ::: "memory"); /* what was read before is read before */
	return family == GPC_V4 ? probe(GPC_V4, key->word, at) != 0
				: probe(GPC_V6, key->word, at) != 0;
}

/* ---- store: which way ---- */

/*
 * What is known about an element that is being stored. It lies in memory of the caller's: the stack of all functions
 * that call each other has 512 bytes.
 */
struct gpc_flow_job {
	struct gpc_flow_place place;
	__u64 tags[2]; /* of the sets, as the key was looked for in them */
	__u64 ages[2];
	__u64 now;
	__u64 how;
	/* the way that is about to get the element */
	__u32 second;  /* it is in the second set */
	__u32 way;
	__u32 evicted; /* tag that stands there, 0: the way is free */
	__u32 old_way; /* of the key's present element; GPC_NONE: it has none */
	__u32 old_tag;
	__u32 pad0;
};

/* The greater one, without a branch: a verifier would look at 2^8 ways through eight of them. */
static __always_inline __u64 greater(__u64 a, __u64 b)
{
	__u64 less = (__u64)((__s64)(a - b) >> 63);

	opaque(less);
	return a + ((b - a) & less);
}

/* The way that is worth least, above the byte of gpc_flow_worth() that says how little; 0: none may be taken. */
__noinline int gpc_least_way(__u64 tags, __u64 ages, __u64 now)
{
	__u64 worth = gpc_flow_worth(tags, ages, now >> GPC_FLOW_AGE_SHIFT), best = 0;
	__u32 i;

#pragma unroll
	for (i = 0; i < GPC_FLOW_WAYS; i++)
		best = greater(best, (worth >> i * 8 & 0xff) * GPC_FLOW_WAYS + i);
	return best < GPC_FLOW_WAYS ? 0 : best;
}

/* Beside the key's present element, in the same set. */
static __always_inline int claim_beside(struct gpc_flow_job *job, __u32 at)
{
	__u32 second = at / GPC_FLOW_WAYS == job->place.set[1], old_way = at % GPC_FLOW_WAYS, least;
	__u64 tags = second ? job->tags[1] : job->tags[0];
	__u64 ages = second ? job->ages[1] : job->ages[0];
	__u64 free = gpc_flow_zero(tags);

	job->second = second;
	job->old_way = old_way;
	job->old_tag = gpc_flow_byte(tags, old_way);
	job->evicted = 0;
	if (job->old_tag & GPC_FLOW_CLAIMED)
		return -EAGAIN;
	if (free) {
		job->way = gpc_flow_first_way(free);
		return 0;
	}
	/* itself is spared */
	least = gpc_least_way(tags | gpc_flow_byte_at(GPC_FLOW_CLAIMED, old_way), ages, job->now);
	job->way = least % GPC_FLOW_WAYS;
	job->evicted = gpc_flow_byte(tags, least % GPC_FLOW_WAYS);
	return least ? 0 : -EBUSY;
}

/* The home if it is free, else the first free way. */
static __always_inline int claim_free(struct gpc_flow_job *job, __u64 free)
{
	job->evicted = 0;
	if (!job->second && free & gpc_flow_byte_at(0x80, job->place.home))
		job->way = job->place.home;
	else
		job->way = gpc_flow_first_way(free);
	return 0;
}

/* For a key that has none. */
static __always_inline int claim_anew(struct gpc_flow_job *job)
{
	__u64 free0 = gpc_flow_zero(job->tags[0]), free1 = gpc_flow_zero(job->tags[1]);
	__u32 room = gpc_flow_ways(free0), least0, least1;

	job->old_way = GPC_NONE;
	job->old_tag = 0;
	if (gpc_flow_claimed(job->tags[0]) | gpc_flow_claimed(job->tags[1]))
		return -EAGAIN;
	job->second = room < GPC_FLOW_ROOM && room < gpc_flow_ways(free1);
	if (free0 | free1)
		return claim_free(job, job->second ? free1 : free0);
	least0 = gpc_least_way(job->tags[0], job->ages[0], job->now);
	least1 = gpc_least_way(job->tags[1], job->ages[1], job->now);
	job->second = least1 / GPC_FLOW_WAYS > least0 / GPC_FLOW_WAYS;
	job->way = (job->second ? least1 : least0) % GPC_FLOW_WAYS;
	job->evicted = gpc_flow_byte(job->second ? job->tags[1] : job->tags[0], job->way);
	return least0 | least1 ? 0 : -EBUSY;
}

static __always_inline int claim(__u32 family, struct gpc_flow_job *job, const union flow_key *key)
{
	__u64 *first, *second, *first_ages, *second_ages;
	__u32 at;

	job->place = flow_place(family, key->word);
	first = flow_tags(family, job->place.set[0]);
	second = flow_tags(family, job->place.set[1]);
	first_ages = flow_ages(family, job->place.set[0]);
	second_ages = flow_ages(family, job->place.set[1]);
	if (!first || !second || !first_ages || !second_ages)
		return -ENOENT;
	job->tags[0] = READ_ONCE(*first);
	job->tags[1] = READ_ONCE(*second);
	job->ages[0] = READ_ONCE(*first_ages);
	job->ages[1] = READ_ONCE(*second_ages);
	at = search_both(family, key, &job->place, job->tags[0], job->tags[1]);
	if (at == GPC_NONE)
		return claim_anew(job);
	return job->how == BPF_NOEXIST ? -EEXIST : claim_beside(job, at);
}

/* job->now and job->how are given; the rest becomes what is to be done for a key. */
__noinline int gpc_claim_flow4(struct gpc_flow_job *job, const union flow_key *key)
{
	return job && key ? claim(GPC_V4, job, key) : -ENOENT;
}

__noinline int gpc_claim_flow6(struct gpc_flow_job *job, const union flow_key *key)
{
	return job && key ? claim(GPC_V6, job, key) : -ENOENT;
}

/* ---- store: the way is ours ---- */

/* What changes in the set's tags when the claim is taken, and when the new element is shown. */
static __always_inline __u64 claims(const struct gpc_flow_job *job)
{
	__u64 change = gpc_flow_byte_at(job->evicted ^ GPC_FLOW_CLAIMED, job->way);

	if (job->old_way != GPC_NONE)
		change |= gpc_flow_byte_at(GPC_FLOW_CLAIMED, job->old_way);
	return change;
}

static __always_inline __u64 shows(const struct gpc_flow_job *job)
{
	__u64 change = gpc_flow_byte_at(job->place.tag ^ GPC_FLOW_CLAIMED, job->way);

	if (job->old_way != GPC_NONE)
		change |= gpc_flow_byte_at(job->old_tag | GPC_FLOW_CLAIMED, job->old_way);
	return change;
}

static __always_inline void write_age(__u64 *ages, __u32 way, __u8 age)
{
	__u8 *byte = (__u8 *)ages + (way & (GPC_FLOW_WAYS - 1));

	if (READ_ONCE(*byte) != age)
		WRITE_ONCE(*byte, age);
}

/*
 * What stood there is nobody's from now on; 0: it is spared, or somebody used it just now. Then the set's hint was
 * wrong, and is put right.
 */
static __always_inline int give_up(__u64 *mark, __u64 *ages, const struct gpc_flow_job *job)
{
	struct gpc_flow seen = {.mark = READ_ONCE(*mark)};
	__s32 idle = (__u32)(job->now >> GPC_FLOW_SECOND_SHIFT) - seen.last_seen;

	if (!job->evicted) {
		WRITE_ONCE(*mark, 0);
		return 1;
	}
	if (gpc_idle_for(idle, GPC_FLOW_SPARED_SECONDS) &&
	    __sync_val_compare_and_swap(mark, seen.mark, 0) == seen.mark)
		return 1;
	write_age(ages, job->way, gpc_flow_age(seen.last_seen, seen.state));
	return 0;
}

/* All but the mark, and then the mark. */
static __always_inline void write_element(__u32 family, __u64 *element, const __u64 *key,
					  const __u64 *value)
{
	__u64 *to = element + flow_words(family);

	WRITE_ONCE(element[0], key[0]);
	WRITE_ONCE(element[1], key[1]);
	if (family == GPC_V6) {
		WRITE_ONCE(element[2], key[2]);
		WRITE_ONCE(element[3], key[3]);
		WRITE_ONCE(element[4], key[4]);
	}
	WRITE_ONCE(to[0], value[0]);
	WRITE_ONCE(to[2], value[2]);
	WRITE_ONCE(to[3], value[3]);
	WRITE_ONCE(to[4], value[4]);
	WRITE_ONCE(to[5], value[5]);
	WRITE_ONCE(to[GPC_FLOW_MARK_WORD], value[GPC_FLOW_MARK_WORD]);
}
_Static_assert(sizeof(struct gpc_flow) == 6 * 8, "write_element() writes all");

static __always_inline int fill(__u32 family, struct gpc_flow_job *job, const union flow_key *key,
				const struct gpc_flow *value)
{
	__u32 second = job->second & 1, set = job->place.set[second], way = job->way;
	__u64 *tags = flow_tags(family, set), *ages = flow_ages(family, set);
	__u64 *other = flow_tags(family, job->place.set[!second]);
	__u64 *element = flow_element(family, gpc_flow_at(set, way));
	__u64 was = job->tags[second], change = claims(job);

	if (!tags || !ages || !other || !element)
		return -ENOENT;
	if (__sync_val_compare_and_swap(tags, was, was ^ change) != was)
		return -EAGAIN;
	if ((job->old_way == GPC_NONE && READ_ONCE(*other) != job->tags[!second]) ||
	    !give_up(element + flow_words(family) + GPC_FLOW_MARK_WORD, ages, job)) {
		__sync_fetch_and_xor(tags, change);
		return -EAGAIN;
	}
	write_element(family, element, key->word, (const __u64 *)value);
	write_age(ages, way, gpc_flow_age(value->last_seen, value->state));
	__sync_fetch_and_xor(tags, shows(job));
	if (family == GPC_V4 && job->old_way != GPC_NONE)
		gpc_forget_busy(job->place.set[0]);
	return 0;
}

/* Does what gpc_claim_flow4() has found; -EAGAIN: what it has found is no longer so. */
__noinline int gpc_fill_flow4(struct gpc_flow_job *job, const union flow_key *key,
			      const struct gpc_flow *value)
{
	return job && key && value ? fill(GPC_V4, job, key, value) : -ENOENT;
}

__noinline int gpc_fill_flow6(struct gpc_flow_job *job, const union flow_key *key,
			      const struct gpc_flow *value)
{
	return job && key && value ? fill(GPC_V6, job, key, value) : -ENOENT;
}

/*
 * The value, a struct gpc_flow or gpc_twin, is the key's from now on; of any family. `how`: BPF_ANY, or BPF_NOEXIST:
 * only if it has none, else -EEXIST. Other failures: there is no room (-EBUSY), somebody else was at work there
 * (-EAGAIN).
 */
static __always_inline int store_value(__u32 family, struct gpc_flow_job *job,
				       const union flow_key *key, const void *value, __u64 now,
				       __u64 how)
{
	int failed = -EAGAIN;
	__u32 i;

	job->now = now;
	job->how = how;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_FLOW_TRIES && failed == -EAGAIN; i++) {
		failed = family == GPC_V4 ? gpc_claim_flow4(job, key) : gpc_claim_flow6(job, key);
		if (!failed)
			failed = family == GPC_V4 ? gpc_fill_flow4(job, key, value)
						  : gpc_fill_flow6(job, key, value);
	}
	return failed;
}

/* ---- delete, keep young ---- */

static __always_inline int delete(__u32 family, const union flow_key *key)
{
	__u32 i;

#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_FLOW_WAYS; i++) {
		__u32 at = family == GPC_V4 ? gpc_find_flow4(key) : gpc_find_flow6(key), tag;
		__u64 *tags = flow_tags(family, at / GPC_FLOW_WAYS), was, *element;

		if (at == GPC_NONE || !tags)
			return -ENOENT;
		was = READ_ONCE(*tags);
		element = probe(family, key->word, at);
		tag = gpc_flow_byte(was, at % GPC_FLOW_WAYS);
		if (!tag || tag & GPC_FLOW_CLAIMED || !element)
			continue;
		if (__sync_val_compare_and_swap(
			    tags, was, was ^ gpc_flow_byte_at(tag, at % GPC_FLOW_WAYS)) == was) {
			if (family == GPC_V4)
				gpc_forget_busy(flow_place(GPC_V4, key->word).set[0]);
			return 0;
		}
	}
	return -EAGAIN;
}

/* The key has no element any more; -ENOENT: it had none. */
__noinline int gpc_delete_flow4(const union flow_key *key)
{
	return key ? delete(GPC_V4, key) : -ENOENT;
}

__noinline int gpc_delete_flow6(const union flow_key *key)
{
	return key ? delete(GPC_V6, key) : -ENOENT;
}

/* An entry has been seen, or its state has changed: gpc_flow_age() says what its set gets. `family` is none constant. */
__noinline int gpc_age_flow(__u32 family, __u32 at, __u32 last_seen, __u32 state)
{
	__u64 *ages = family == GPC_V4 ? flow_ages(GPC_V4, at / GPC_FLOW_WAYS)
				       : flow_ages(GPC_V6, at / GPC_FLOW_WAYS);

	if (ages)
		write_age(ages, at, gpc_flow_age(last_seen, state));
	return 0;
}

/* The same for any family. */
static __always_inline int delete_value(__u32 family, const union flow_key *key)
{
	return family == GPC_V4 ? gpc_delete_flow4(key) : gpc_delete_flow6(key);
}

/* ---- busy flows ---- */

/* Is the element as it was, in a set that nobody is at? */
static __always_inline int is_same4(const union flow_key *key, const struct gpc_flow_place *place,
				    __u32 at, __u64 endpoint)
{
	const __u64 *tags = flow_tags(GPC_V4, at / GPC_FLOW_WAYS);
	__u64 *element = probe(GPC_V4, key->word, at);

	return tags && element &&
	       gpc_flow_byte(READ_ONCE(*tags), at % GPC_FLOW_WAYS) == place->tag &&
	       READ_ONCE(flow_value(GPC_V4, element)->endpoint) == endpoint;
}

/* A flow of which a line may say something: its key there, and its entry as it was read. */
struct gpc_busy_flow {
	struct gpc_busy_line *line;
	__u64 line_key;
	const union flow_key *key;
	struct gpc_flow_place place;
	__u32 at;
	__u64 endpoint;
};

/* Says for the time of the stamp that the flow goes to the endpoint with this index. 0: its line is full. */
static __always_inline int note_busy4(const struct gpc_busy_flow *flow, __u64 stamp, __u16 index)
{
	struct gpc_busy_line *line = flow->line;
	__u32 way = busy_claim(line, flow->line_key, stamp);

	if (way == GPC_NONE)
		return 0;
	WRITE_ONCE(line->key[way & (GPC_BUSY_WAYS - 1)], flow->line_key);
	busy_show(line, way,
		  is_same4(flow->key, &flow->place, flow->at, flow->endpoint)
			  ? stamp << GPC_BUSY_INDEX_BITS | index
			  : GPC_BUSY_FREE);
	return 1;
}

#endif
