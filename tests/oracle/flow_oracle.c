/* SPDX-License-Identifier: MIT */
/*
 * The way of a new flow: gpc_flow_hash() against SipHash-1-3 over the bytes that SEMANTICS 6.3
 * names, and gpc_endpoint_by_hash() against that hash and the slow Maglev table of the YAML's own
 * objects.
 */
#include <inttypes.h>
#include <math.h>
#include <openssl/sha.h>

#include "gpc/image.h"
#include "gpc/lookup/view.h"
#include "gpc/lookup/hash.h"
#include "gpc/lookup/endpoint.h"
#include "tests/unit/unit.h"

#include "random_plane.h"
#include "slow_maglev.h"
#include "slow_siphash.h"

#define TUPLES 1200000u
#define PLANES 40u
#define FLOWS 200u /* per listener and family */

/* ---- the hash -------------------------------------------------------------------------------- */

static void siphash_matches_published_vectors(void)
{
	uint8_t key[16], data[64], zero[16] = {0};

	for (int i = 0; i < 64; i++)
		data[i] = (uint8_t)i;
	memcpy(key, data, 16);
	/* the paper's appendix (15 bytes) and the authors' first vector, SipHash-2-4 */
	CU_ASSERT_EQUAL(slow_siphash(2, 4, key, data, 15), 0xa129ca6149be45e5ull);
	CU_ASSERT_EQUAL(slow_siphash(2, 4, key, data, 0), 0x726fdb47dd0e0e31ull);
	/* SipHash-1-3: what CPython 3.11 gives for hash(bytes(range(n))) under PYTHONHASHSEED=0
	 * (key 0) */
	CU_ASSERT_EQUAL(slow_siphash(1, 3, zero, data, 1), 7541581120933061747ull);
	CU_ASSERT_EQUAL(slow_siphash(1, 3, zero, data, 13), (uint64_t)-6859208656633754099ll);
	CU_ASSERT_EQUAL(slow_siphash(1, 3, zero, data, 25), (uint64_t)-1444719898350436817ll);
	CU_ASSERT_EQUAL(slow_siphash(1, 3, zero, data, 37), 4767789530095809126ull);
}

/* A flow as the oracle sees it: numbers and bytes, no struct of the data plane. */
struct flow {
	struct plane_address source, destination;
	unsigned int protocol, source_port, destination_port;
};

static uint64_t slow_flow_hash(const uint8_t seed[16], const struct flow *f, unsigned int draw)
{
	uint8_t bytes[38];

	memcpy(bytes, f->source.bytes, 16);
	memcpy(bytes + 16, f->destination.bytes, 16);
	bytes[32] = (uint8_t)f->protocol;
	bytes[33] = (uint8_t)(f->source_port >> 8);
	bytes[34] = (uint8_t)f->source_port;
	bytes[35] = (uint8_t)(f->destination_port >> 8);
	bytes[36] = (uint8_t)f->destination_port;
	bytes[37] = (uint8_t)draw;
	return slow_siphash(1, 3, seed, bytes, sizeof(bytes));
}

static uint64_t asked_flow_hash(const uint8_t seed[16], const struct flow *f, unsigned int draw)
{
	struct gpc_tuple t = {.source_port = htons((uint16_t)f->source_port),
			      .destination_port = htons((uint16_t)f->destination_port),
			      .protocol = (uint8_t)f->protocol};
	__u64 key[2];

	memcpy(t.source, f->source.bytes, 16);
	memcpy(t.destination, f->destination.bytes, 16);
	memcpy(key, seed, 16);
	return gpc_flow_hash(key, &t, (__u8)draw);
}

static struct plane_address random_address(struct random_source *r)
{
	struct plane_address a;

	if (random_chance(r, 50))
		return plane_v4((uint32_t)random_u64(r));
	for (int i = 0; i < 16; i++)
		a.bytes[i] = random_chance(r, 10) ? 0xff : (uint8_t)random_u64(r);
	return a;
}

static struct flow random_flow(struct random_source *r)
{
	struct flow f = {random_address(r), random_address(r), IPPROTO_TCP,
			 (unsigned int)random_below(r, 65536),
			 (unsigned int)random_below(r, 65536)};

	f.protocol = random_chance(r, 80) ? (random_chance(r, 50) ? IPPROTO_TCP : IPPROTO_UDP)
					  : (unsigned int)random_below(r, 256);
	if (random_chance(r, 2))
		memset(&f, random_chance(r, 50) ? 0 : 0xff, sizeof(f.source) * 2);
	return f;
}

static void flow_hashes_agree(void)
{
	struct random_source r = {31};
	unsigned long wrong = 0;
	uint8_t seed[16];

	for (unsigned int i = 0; i < TUPLES; i++) {
		struct flow f = random_flow(&r);
		unsigned int draw = random_chance(&r, 50) ? 0 : (unsigned int)random_below(&r, 256);

		for (int k = 0; k < 16 && i % 16 == 0; k++)
			seed[k] = i % 4096 == 0 ? (uint8_t)(i >> 12 & 1 ? 0xff : 0)
						: (uint8_t)random_u64(&r);
		wrong += slow_flow_hash(seed, &f, draw) != asked_flow_hash(seed, &f, draw);
	}
	printf("flow: %u hashes, %lu wrong\n", TUPLES, wrong);
	CU_ASSERT_EQUAL(wrong, 0);
}

/* ---- balance of the slots -------------------------------------------------------------------- */

static struct flow numbered_flow(unsigned int pattern, uint32_t n)
{
	struct flow f = {plane_v4(0x08080808), plane_v4(0xcb00710a), IPPROTO_TCP, 40000, 443};

	if (pattern == 0) { /* one address after the other */
		f.source = plane_v4(0x0a000000u + n);
	} else if (pattern == 1) { /* all ports of some addresses */
		f.source = plane_v4(0x0a000000u + (n >> 16));
		f.source_port = n & 0xffff;
	} else if (pattern == 2) { /* v6, one bit pattern in the high half */
		f.source = plane_v6(1, (uint64_t)n << 32);
		f.destination = plane_v6(0xff, 0x10);
	} else { /* addresses in steps of 256: networks behind NAT */
		f.source = plane_v4(n << 8 | 1);
	}
	return f;
}

static void slots_are_drawn_evenly(void)
{
	static const char *const names[] = {"sequential addresses", "sequential ports",
					    "v6 prefixes", "steps of 256"};
	enum { SLOTS = 1021, DRAWS = 1 << 20 };
	const uint8_t seed[16] = "a seed of a test";

	for (unsigned int pattern = 0; pattern < 4; pattern++) {
		double expected = (double)DRAWS / SLOTS, chi = 0, freedom = SLOTS - 1;
		unsigned int *drawn = slow_alloc(SLOTS, sizeof(*drawn));

		for (uint32_t n = 0; n < DRAWS; n++) {
			struct flow f = numbered_flow(pattern, n);

			drawn[(asked_flow_hash(seed, &f, 0) & 0xffffffffull) * SLOTS >> 32]++;
		}
		for (unsigned int s = 0; s < SLOTS; s++)
			chi += (drawn[s] - expected) * (drawn[s] - expected) / expected;
		printf("flow: chi-square of %s over %d slots: %.0f (%.0f degrees of freedom)\n",
		       names[pattern], SLOTS, chi, freedom);
		/* six standard deviations either way: too even would be as wrong */
		CU_ASSERT(fabs(chi - freedom) < 6 * sqrt(2 * freedom));
		free(drawn);
	}
}

/* ---- endpoints of compiled planes ------------------------------------------------------------ */

static uint64_t first_digest_word(const char *bytes, size_t size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)bytes, size, digest);
	return sip_word(digest);
}

static uint64_t endpoint_id(const char *backend, const char *name)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "gpc/v1%cendpoint%c%s%c%s", 0, 0, backend, 0, name);

	return first_digest_word(text, (size_t)n);
}

static void plane_seed(const struct random_plane *p, uint8_t seed[16])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[128];
	int n = snprintf(text, sizeof(text), "gpc/v1%cseed%c%s", 0, 0, p->name);

	SHA256((unsigned char *)text, (size_t)n, digest);
	memcpy(seed, p->seed_written ? p->seed : digest, 16);
}

static uint64_t table_size(const struct plane_backend *b)
{
	static const uint64_t sizes[] = {251, 509, 1021, 2039,
					 4093}; /* enough for PLANE_ENDPOINTS */
	size_t i = 0;

	if (b->table_size)
		return b->table_size;
	while (sizes[i] < 100 * b->count)
		i++;
	return sizes[i];
}

struct expected_table {
	struct slow_endpoint pool[PLANE_ENDPOINTS];
	const char *names[PLANE_ENDPOINTS];
	size_t count;
	uint64_t slots;
	uint32_t *owner;
};

/* Who takes new flows of this listener's family: ready, with weight, and reachable that way. */
static void expect_table(const struct random_plane *p, const struct plane_listener *l, bool v6,
			 struct expected_table *t)
{
	const struct plane_backend *b = &p->backends[l->backend];

	*t = (struct expected_table){.slots = table_size(b)};
	for (size_t i = 0; i < b->count; i++) {
		const struct plane_endpoint *e = &b->endpoints[i];
		uint64_t id = endpoint_id(b->name, e->name);
		size_t at = t->count;

		if (strcmp(e->state, "ready") != 0 || e->weight == 0 || (v6 && !l->dsr && !e->has6))
			continue;
		for (; at > 0 && t->pool[at - 1].id > id; at--) {
			t->pool[at] = t->pool[at - 1];
			t->names[at] = t->names[at - 1];
		}
		t->pool[at] = (struct slow_endpoint){id, e->weight};
		t->names[at] = e->name;
		t->count++;
	}
	t->owner = slow_alloc(t->slots, sizeof(*t->owner));
	if (t->count)
		slow_maglev(t->pool, t->count, t->slots, t->owner);
}

static const struct gpc_listener *image_listener(const struct gpc_image *image, const char *name)
{
	uint32_t count;
	const struct gpc_listener *l = gpc_image_section(image, GPC_SEC_LISTENER, &count);

	for (uint32_t i = 0; i < count; i++)
		if (strcmp(gpc_image_name(image, l[i].name), name) == 0)
			return &l[i];
	return NULL;
}

/* Name of the endpoint that the image gives to a hash, "-" for none, also of another backend. */
static const char *asked_endpoint(const struct gpc_image *image, const struct gpc_table_ref *table,
				  uint64_t hash, const char *backend)
{
	uint32_t index = gpc_endpoint_by_hash(image->view, table, hash), endpoints, backends;
	const struct gpc_endpoint *e = gpc_image_section(image, GPC_SEC_ENDPOINT, &endpoints);
	const struct gpc_backend *b = gpc_image_section(image, GPC_SEC_BACKEND, &backends);

	if (index == GPC_NONE)
		return "-";
	if (index >= endpoints || e[index].backend >= backends ||
	    strcmp(gpc_image_name(image, b[e[index].backend].name), backend) != 0)
		return "(of another backend)";
	return gpc_image_name(image, e[index].name);
}

struct endpoint_tally {
	unsigned long slots, flows, nobody, wrong;
};

static void expect_endpoint(const struct gpc_image *image, const struct gpc_table_ref *ref,
			    const struct expected_table *t, uint64_t hash,
			    const struct plane_listener *l, const char *backend,
			    struct endpoint_tally *tally)
{
	uint64_t slot = (hash & 0xffffffffull) * t->slots >> 32;
	const char *want = t->count ? t->names[t->owner[slot]] : "-";
	const char *got = asked_endpoint(image, ref, hash, backend);

	tally->nobody += t->count == 0;
	if (strcmp(want, got) != 0 && tally->wrong++ < 10)
		printf("flow: listener %s, hash %#" PRIx64 ", slot %" PRIu64 ": want %s, got %s\n",
		       l->name, hash, slot, want, got);
}

/* Every slot once, then flows as they come. */
static void ask_table(struct random_source *r, const struct random_plane *p,
		      const struct gpc_image *image, const struct plane_listener *l, bool v6,
		      struct endpoint_tally *tally)
{
	const struct gpc_listener *record = image_listener(image, l->name);
	const char *backend = p->backends[l->backend].name;
	const struct gpc_table_ref *ref;
	struct expected_table t;
	uint8_t seed[16];

	CU_ASSERT_PTR_NOT_NULL_FATAL(record);
	ref = &record->table[v6 ? GPC_V6 : GPC_V4];
	expect_table(p, l, v6, &t);
	plane_seed(p, seed);
	for (uint64_t s = 0; s < t.slots; s++, tally->slots++)
		expect_endpoint(image, ref, &t,
				random_u64(r) << 32 | ((s << 32) + t.slots - 1) / t.slots, l,
				backend, tally);
	for (unsigned int i = 0; i < FLOWS; i++, tally->flows++) {
		struct flow f = random_flow(r);
		__u64 key[2] = {image->plane->hash_seed[0], image->plane->hash_seed[1]};
		uint8_t key_bytes[16];

		memcpy(key_bytes, key, 16);
		f.protocol = l->protocol;
		f.destination_port = l->port;
		expect_endpoint(image, ref, &t, asked_flow_hash(key_bytes, &f, 0), l, backend,
				tally);
		CU_ASSERT_EQUAL(asked_flow_hash(key_bytes, &f, 0), slow_flow_hash(seed, &f, 0));
	}
	free(t.owner);
}

static bool listener_has_family(const struct plane_listener *l, bool v6)
{
	for (size_t i = 0; i < l->count; i++)
		if (plane_is_v4(&l->addresses[i]) == !v6)
			return true;
	return false;
}

static void ask_plane(struct random_source *r, struct endpoint_tally *tally)
{
	struct random_plane *p = slow_alloc(1, sizeof(*p));
	struct gpc_image image;
	uint8_t digest[32];
	char *yaml;

	random_plane(p, r, random_scale(r, 1, 60));
	yaml = plane_yaml(p, r);
	if (plane_compile(yaml, &image, digest)) {
		for (size_t i = 0; i < p->listener_count; i++)
			for (int v6 = 0; v6 < 2; v6++)
				if (listener_has_family(&p->listeners[i], v6))
					ask_table(r, p, &image, &p->listeners[i], v6, tally);
		gpc_image_release(&image);
	} else {
		fprintf(stderr, "%s", yaml);
		CU_FAIL("a random plane was refused");
	}
	free(yaml);
	free(p);
}

static void endpoints_of_new_flows_agree(void)
{
	struct random_source r = {32};
	struct endpoint_tally t = {0};

	for (unsigned int i = 0; i < PLANES; i++)
		ask_plane(&r, &t);
	printf("flow: %u planes, %lu slots and %lu flows asked (%lu with nobody to take them), %lu "
	       "wrong\n",
	       PLANES, t.slots, t.flows, t.nobody, t.wrong);
	CU_ASSERT_EQUAL(t.wrong, 0);
	CU_ASSERT(t.slots > 100000 && t.nobody > 0);
}

/* ---- endpoints by identity: how a known flow finds its endpoint again ------------------------ */

static const char *endpoint_by_id(const struct gpc_image *image, uint64_t id)
{
	uint32_t count, index = gpc_endpoint_by_id(image->view, id);
	const struct gpc_endpoint *e = gpc_image_section(image, GPC_SEC_ENDPOINT, &count);

	if (index == GPC_NONE)
		return "-";
	return index < count ? gpc_image_name(image, e[index].name) : "(out of range)";
}

/* A random number is no endpoint's id, nor is a neighbour of one (2^-48 that it is). */
static unsigned int wrong_ids(struct random_source *r, const struct random_plane *p,
			      const struct gpc_image *image)
{
	unsigned int wrong = strcmp(endpoint_by_id(image, 0), "-") != 0;

	for (size_t b = 0; b < p->backend_count; b++)
		for (size_t i = 0; i < p->backends[b].count; i++) {
			const char *name = p->backends[b].endpoints[i].name;
			uint64_t id = endpoint_id(p->backends[b].name, name);
			uint64_t near = id ^ 1ull << random_below(r, 64);

			wrong += strcmp(endpoint_by_id(image, id), name) != 0;
			wrong += strcmp(endpoint_by_id(image, near), "-") != 0;
			wrong += strcmp(endpoint_by_id(image, random_u64(r)), "-") != 0;
		}
	return wrong;
}

static void endpoints_are_found_by_identity(void)
{
	struct random_source r = {34};
	struct random_plane *p = slow_alloc(1, sizeof(*p));

	for (unsigned int i = 0; i < PLANES; i++) {
		struct gpc_image image;
		uint8_t digest[32];
		char *yaml;

		random_plane(p, &r, 1);
		yaml = plane_yaml(p, &r);
		CU_ASSERT_FATAL(plane_compile(yaml, &image, digest));
		CU_ASSERT_EQUAL(wrong_ids(&r, p, &image), 0);
		gpc_image_release(&image);
		free(yaml);
	}
	free(p);
}

/* The same objects written down in another order are the same plane. */
static void order_in_the_text_does_not_matter(void)
{
	struct random_source r = {33};
	struct random_plane *p = slow_alloc(1, sizeof(*p));

	for (unsigned int i = 0; i < 30; i++) {
		uint8_t want[32] = {0}, got[32] = {0};

		random_plane(p, &r, random_scale(&r, 1, 100));
		for (unsigned int k = 0; k < 4; k++) {
			char *yaml = plane_yaml(p, k ? &r : NULL);
			struct gpc_image image;
			bool ok = plane_compile(yaml, &image, k ? got : want);

			CU_ASSERT(ok);
			if (ok)
				gpc_image_release(&image);
			CU_ASSERT(k == 0 || memcmp(want, got, 32) == 0);
			free(yaml);
		}
	}
	free(p);
}

GPC_UNIT_MAIN("oracle/flow",
	      {"siphash_matches_published_vectors", siphash_matches_published_vectors},
	      {"flow_hashes_agree", flow_hashes_agree},
	      {"slots_are_drawn_evenly", slots_are_drawn_evenly},
	      {"endpoints_of_new_flows_agree", endpoints_of_new_flows_agree},
	      {"endpoints_are_found_by_identity", endpoints_are_found_by_identity},
	      {"order_in_the_text_does_not_matter", order_in_the_text_does_not_matter})
