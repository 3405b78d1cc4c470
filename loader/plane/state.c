/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "failpoint.h"
#include "gpc/lookup/device.h"
#include "gpc/lookup/endpoint.h"

#define ENDPOINT_WORDS (sizeof(struct gpc_endpoint_state) / sizeof(uint64_t))
#define BACKEND_WORDS (sizeof(struct gpc_backend_state) / sizeof(uint64_t))

_Static_assert(offsetof(struct gpc_endpoint_state, ratio) == 8 &&
		       offsetof(struct gpc_backend_state, spares) == 8,
	       "the first word is the one that says that others hold");

/* ---- words ---- */

static void store(volatile uint64_t *word, uint64_t value)
{
	if (*word != value)
		__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* All but the first word, which is told apart. */
static void store_rest(volatile uint64_t *words, const uint64_t *values, size_t count)
{
	for (size_t i = 1; i < count; i++)
		store(&words[i], values[i]);
}

/* The first word of an endpoint with the observed bit that stands there. */
static void store_endpoint_head(volatile uint64_t *word, uint64_t value)
{
	struct gpc_endpoint_state state;
	uint64_t mask = 0, old = __atomic_load_n(word, __ATOMIC_ACQUIRE), new;

	memset(&state, 0, sizeof(state));
	state.flags = GPC_STATE_DOWN;
	memcpy(&mask, &state, sizeof(mask));
	do {
		new = (value & ~mask) | (old & mask);
	} while (new != old && !__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_ACQ_REL,
							    __ATOMIC_ACQUIRE));
}

static void store_endpoint(volatile struct gpc_endpoint_state *at,
			   const struct gpc_endpoint_state *state)
{
	volatile uint64_t *words = (volatile uint64_t *)at;
	uint64_t values[ENDPOINT_WORDS];

	memcpy(values, state, sizeof(values));
	if (!(state->flags & GPC_STATE_WEIGHTED))
		store_endpoint_head(&words[0], values[0]);
	store_rest(words, values, ENDPOINT_WORDS);
	store_endpoint_head(&words[0], values[0]);
}

/* ---- publish ---- */

struct publication {
	const struct gpc_instance *instance;
	const struct gpc_image *image;
	const struct gpc_link_endpoint *endpoints;
	const struct gpc_link_backend *backends;
	const bool *down;
	struct gpc_words words;
};

static void open_publication(struct publication *p, struct gpc_view linked)
{
	const struct gpc_link_head *head = gpc_view_link(linked);

	p->endpoints = (const void *)(linked.base + (head->endpoint_offset & linked.mask));
	p->backends = (const void *)(linked.base + (head->backend_offset & linked.mask));
}

/* By endpoint; NULL without memory. */
static bool *read_down(const struct publication *p)
{
	uint32_t count, i;
	bool *down;

	(void)gpc_image_section(p->image, GPC_SEC_ENDPOINT, &count);
	down = calloc(count + 1ul, sizeof(*down));
	for (i = 0; down && i < count; i++)
		down[i] = p->instance->endpoints[p->endpoints[i].counter].flags & GPC_STATE_DOWN;
	return down;
}

/* The first word of a backend with its next version. */
static void store_backend_head(volatile uint64_t *word, uint64_t value)
{
	struct gpc_backend_state old, state;
	uint64_t was = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	memcpy(&old, &was, sizeof(was));
	memcpy(&state, &value, sizeof(value));
	state.version = (uint16_t)(old.version + 1);
	memcpy(&value, &state, sizeof(value));
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* Is nothing said of a backend, and was nothing? */
static bool is_silent(const volatile uint64_t *words, const struct gpc_backend_state *state)
{
	for (size_t i = 1; i < BACKEND_WORDS; i++)
		if (words[i])
			return false;
	return !state->flags && !((const volatile struct gpc_backend_state *)words)->flags &&
	       !((const volatile struct gpc_backend_state *)words)->state;
}

static int store_backend(const struct publication *p, uint32_t index, struct gpc_failure *failure)
{
	const struct gpc_backend *backend = gpc_image_section(p->image, GPC_SEC_BACKEND,
							      &(uint32_t){0});
	const struct gpc_backend_state *state = &p->words.backends[index];
	volatile uint64_t *words =
		(volatile uint64_t *)&p->instance->backends[p->backends[index].counter];
	uint64_t values[BACKEND_WORDS];
	bool silent = is_silent(words, state);
	uint32_t i;

	backend += index;
	memcpy(values, state, sizeof(values));
	if (!silent)
		store_backend_head(&words[0],
				   state->flags & GPC_BACKEND_ACTIVE ? words[0] : values[0]);
	store_rest(words, values, BACKEND_WORDS);
	for (i = backend->first_endpoint; i < backend->first_endpoint + backend->endpoints; i++) {
		store_endpoint(&p->instance->endpoints[p->endpoints[i].counter],
			       &p->words.endpoints[i]);
		if (p->words.endpoints[i].state && gpc_failpoint("states.one"))
			return gpc_failpoint_fail(failure, "states.one");
	}
	if (!silent)
		store_backend_head(&words[0], values[0]);
	return 0;
}

static bool has_slots(const struct publication *p)
{
	uint32_t endpoints = p->instance->entries[GPC_MAP_ENDPOINTS];
	uint32_t backends = p->instance->entries[GPC_MAP_BACKENDS], i;

	for (i = 0; i < p->words.endpoint_count; i++)
		if (p->endpoints[i].counter >= endpoints)
			return false;
	for (i = 0; i < p->words.backend_count; i++)
		if (p->backends[i].counter >= backends)
			return false;
	return true;
}

int gpc_states_publish(const struct gpc_instance *instance, const struct gpc_image *image,
		       struct gpc_view linked, const struct gpc_overrides *overrides,
		       struct gpc_failure *failure)
{
	struct publication p = {.instance = instance, .image = image};
	GPC_AUTO_FREE bool *down = NULL;
	uint32_t i;
	int r;

	if (!instance->endpoints || !instance->backends)
		return 0; /* an older gpc's: its programs know no overrides */
	(void)gpc_image_section(image, GPC_SEC_ENDPOINT, &p.words.endpoint_count);
	(void)gpc_image_section(image, GPC_SEC_BACKEND, &p.words.backend_count);
	open_publication(&p, linked);
	if (!has_slots(&p))
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the image's slots are not those of its maps");
	down = read_down(&p);
	r = down ? gpc_words_make(image, overrides, gpc_moment_now(), down, &p.words) : -ENOMEM;
	if (r)
		return gpc_fail(failure, GPC_EXIT_FAILED, -r, "cannot set the states of endpoints");
	for (i = 0; i < p.words.backend_count && !r; i++)
		r = store_backend(&p, i, failure);
	gpc_words_release(&p.words);
	return r;
}

/* ---- two images ---- */

static int make_words(const struct gpc_image *image, const struct gpc_overrides *overrides,
		      struct gpc_moment now, struct publication *p, struct gpc_view linked)
{
	p->image = image;
	open_publication(p, linked);
	return gpc_words_make(image, overrides, now, NULL, &p->words);
}

static bool same_endpoints(const struct publication *a, uint32_t ia, const struct publication *b,
			   uint32_t ib)
{
	const struct gpc_backend *x = gpc_image_section(a->image, GPC_SEC_BACKEND, &(uint32_t){0});
	const struct gpc_backend *y = gpc_image_section(b->image, GPC_SEC_BACKEND, &(uint32_t){0});
	uint32_t i, j;

	for (i = 0; i < x[ia].endpoints; i++)
		for (j = 0; j < y[ib].endpoints; j++) {
			uint32_t ea = x[ia].first_endpoint + i, eb = y[ib].first_endpoint + j;

			if (a->endpoints[ea].counter == b->endpoints[eb].counter &&
			    memcmp(&a->words.endpoints[ea], &b->words.endpoints[eb],
				   sizeof(struct gpc_endpoint_state)))
				return false;
		}
	return true;
}

/* What nobody overrides is not looked up. */
static bool same_backends(const struct publication *a, uint32_t ia, const struct publication *b,
			  uint32_t ib)
{
	const struct gpc_backend_state *x = &a->words.backends[ia], *y = &b->words.backends[ib];

	if (!((x->flags | y->flags) & GPC_BACKEND_ACTIVE) && !x->state && !y->state)
		return true;
	return !memcmp(x, y, sizeof(*x)) && same_endpoints(a, ia, b, ib);
}

int gpc_states_compare(const struct gpc_image *before, struct gpc_view before_linked,
		       const struct gpc_image *after, struct gpc_view after_linked,
		       const struct gpc_overrides *overrides, uint32_t *ret_backend)
{
	struct gpc_moment now = gpc_moment_now();
	struct publication a = {0}, b = {0};
	uint32_t i, j, found = GPC_NONE;
	int r = make_words(before, overrides, now, &a, before_linked);

	if (!r)
		r = make_words(after, overrides, now, &b, after_linked);
	for (i = 0; i < a.words.backend_count && !r && found == GPC_NONE; i++)
		for (j = 0; j < b.words.backend_count; j++)
			if (a.backends[i].counter == b.backends[j].counter &&
			    !same_backends(&a, i, &b, j))
				found = j;
	gpc_words_release(&a.words);
	gpc_words_release(&b.words);
	if (!r)
		*ret_backend = found;
	return r;
}

/* ---- copy and zero ---- */

static void copy_words(volatile uint64_t *to, const volatile uint64_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = from[i];
}

void gpc_states_copy(const struct gpc_instance *from, const struct gpc_instance *to)
{
	if (from->endpoints && from->map_id[GPC_MAP_ENDPOINTS] != to->map_id[GPC_MAP_ENDPOINTS])
		copy_words((volatile uint64_t *)to->endpoints,
			   (const volatile uint64_t *)from->endpoints,
			   from->entries[GPC_MAP_ENDPOINTS] * ENDPOINT_WORDS);
	if (from->backends && from->map_id[GPC_MAP_BACKENDS] != to->map_id[GPC_MAP_BACKENDS])
		copy_words((volatile uint64_t *)to->backends,
			   (const volatile uint64_t *)from->backends,
			   from->entries[GPC_MAP_BACKENDS] * BACKEND_WORDS);
}

static void zero_words(volatile uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		store(&words[i], 0);
}

void gpc_states_zero(const struct gpc_instance *instance, const uint32_t *slots, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slots[i] < instance->entries[GPC_MAP_ENDPOINTS] && instance->endpoints)
			zero_words((volatile uint64_t *)&instance->endpoints[slots[i]],
				   ENDPOINT_WORDS);
		if (slots[i] < instance->entries[GPC_MAP_BACKENDS] && instance->backends)
			zero_words((volatile uint64_t *)&instance->backends[slots[i]], BACKEND_WORDS);
	}
}
