/* SPDX-License-Identifier: MIT */
#include "diff_parts.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../base/words.h"
#include "listener_places.h"

static const struct {
	const char *name, *text;
} effects[] = {
	[GPC_DIFF_ALLOWED] = {"allowed", "newly allowed"},
	[GPC_DIFF_DENIED] = {"denied", "newly denied"},
	[GPC_DIFF_ANSWERED] = {"answered", "denied in another way"},
	[GPC_DIFF_LISTENER] = {"listener", "to another listener"},
	[GPC_DIFF_LIMITED] = {"limited", "under another rate"},
	[GPC_DIFF_MARKED] = {"marked", "with another mark"},
	[GPC_DIFF_LOGGED] = {"logged", "newly logged"},
	[GPC_DIFF_UNLOGGED] = {"unlogged", "no longer logged"},
};
_Static_assert(sizeof(effects) / sizeof(effects[0]) == GPC_DIFF_EFFECTS, "one row per effect");

const char *gpc_diff_effect_text(enum gpc_diff_effect effect)
{
	return effects[effect].text;
}

const char *gpc_diff_effect_name(enum gpc_diff_effect effect)
{
	return effects[effect].name;
}

/* ---- spaces ---- */

/* What is different now; then what is so only once audit policies enforce. */
static void compare_scope(struct gpc_arena *arena, const struct gpc_image *before,
			  const struct gpc_image *after, enum gpc_atlas_scope scope,
			  struct gpc_diff *ret)
{
	gpc_diff_space_list list = {0}, later = {0};
	struct gpc_intern moves = {.arena = arena, .most = SIZE_MAX};
	struct gpc_diff_pair now, enforced;

	gpc_diff_pair_open(arena, before, after, scope, false, &moves, &now);
	ret->places = now.places;
	ret->place_count = now.place_count;
	if (!gpc_diff_spaces(&now, NULL, &list)) {
		ret->fault = gpc_atlas_fault(now.atlas);
		return;
	}
	if (gpc_atlas_audits(before) || gpc_atlas_audits(after)) {
		gpc_diff_pair_open(arena, before, after, scope, true, &moves, &enforced);
		if (!gpc_diff_spaces(&enforced, &now, &later))
			ret->fault = gpc_atlas_fault(enforced.atlas);
		for (size_t i = 0; i < later.n; i++)
			*GPC_PUSH(arena, &list) = later.items[i];
	}
	ret->spaces = list.items;
	ret->space_count = list.n;
}

/* Stateful or not, what becomes of live flows, of mid-stream packets. */
static bool same_chains(const struct gpc_diff *diff)
{
	for (size_t i = 0; i < diff->place_count; i++) {
		const struct gpc_chain *const *chain = diff->places[i].chain;
		uint8_t a = chain[0] ? chain[0]->flags : 0, b = chain[1] ? chain[1]->flags : 0;

		if (a != b)
			return false;
	}
	return true;
}

/*
 * A rule that was allowed is the default in mid-stream, so most changes of rules are told twice there; it is told
 * only where else it would be said that nothing is different.
 */
static void compare_packets(struct gpc_arena *arena, const struct gpc_image *before,
			    const struct gpc_image *after, struct gpc_diff *ret)
{
	compare_scope(arena, before, after, GPC_ATLAS_ASKED, ret);
	if (!ret->fault && !ret->space_count && same_chains(ret))
		compare_scope(arena, before, after, GPC_ATLAS_EVERY, ret);
}

/* ---- identity ---- */

static const struct gpc_endpoint *endpoints_of(const struct gpc_image *image, uint32_t *ret_count)
{
	return gpc_image_section(image, GPC_SEC_ENDPOINT, ret_count);
}

static const struct gpc_backend *backend_of(const struct gpc_image *image, uint32_t index)
{
	uint32_t count;

	return (const struct gpc_backend *)gpc_image_section(image, GPC_SEC_BACKEND, &count) +
	       index;
}

static bool same_address(const struct gpc_endpoint *a, const struct gpc_endpoint *b)
{
	return a->address4_be == b->address4_be &&
	       !memcmp(a->address6_be, b->address6_be, sizeof(a->address6_be)) &&
	       (a->flags & (GPC_ENDPOINT_V4 | GPC_ENDPOINT_V6)) ==
		       (b->flags & (GPC_ENDPOINT_V4 | GPC_ENDPOINT_V6));
}

typedef GPC_VEC(const struct gpc_endpoint *) endpoint_list;

struct warning {
	struct gpc_arena *arena;
	const struct gpc_image *before, *after;
	GPC_VEC(const char *) texts;
};

static int compare_address(const struct gpc_endpoint *a, const struct gpc_endpoint *b)
{
	int order = memcmp(&a->address4_be, &b->address4_be, sizeof(a->address4_be));

	return order ? order : memcmp(a->address6_be, b->address6_be, sizeof(a->address6_be));
}

static int by_address(const void *a, const void *b)
{
	const struct gpc_endpoint *x = *(const struct gpc_endpoint *const *)a;
	const struct gpc_endpoint *y = *(const struct gpc_endpoint *const *)b;
	int order = compare_address(x, y);

	return order ? order : (x->id > y->id) - (x->id < y->id);
}

/* Those that are new, and those that are gone: by their addresses. */
static void warn_renamed(struct warning *w, const char *backend, endpoint_list *gone,
			 endpoint_list *new)
{
	size_t k = 0;

	if (!gone->n || !new->n)
		return;
	qsort(gone->items, gone->n, sizeof(*gone->items), by_address);
	qsort(new->items, new->n, sizeof(*new->items), by_address);
	for (size_t i = 0; i < new->n; i++) {
		while (k < gone->n && compare_address(gone->items[k], new->items[i]) < 0)
			k++;
		if (k == gone->n || !same_address(gone->items[k], new->items[i]))
			continue;
		*GPC_PUSH(w->arena, &w->texts) = gpc_arena_printf(
			w->arena,
			"endpoint %s/%s is %s under another name: a new one, for the name is the "
			"identity; its flows are picked anew",
			backend, gpc_image_name(w->after, new->items[i]->name),
			gpc_image_name(w->before, gone->items[k]->name));
	}
}

/* Endpoints of a backend stand by id. */
static void warn_backend(struct warning *w, const struct gpc_backend *a, const struct gpc_backend *b)
{
	uint32_t count, i = 0, k = 0;
	const struct gpc_endpoint *x = endpoints_of(w->before, &count) + a->first_endpoint;
	const struct gpc_endpoint *y = endpoints_of(w->after, &count) + b->first_endpoint;
	const char *backend = gpc_image_name(w->after, b->name);
	endpoint_list gone = {0}, new = {0};

	while (i < a->endpoints || k < b->endpoints) {
		if (k == b->endpoints || (i < a->endpoints && x[i].id < y[k].id)) {
			*GPC_PUSH(w->arena, &gone) = &x[i++];
		} else if (i == a->endpoints || y[k].id < x[i].id) {
			*GPC_PUSH(w->arena, &new) = &y[k++];
		} else {
			if (!same_address(&x[i], &y[k]))
				*GPC_PUSH(w->arena, &w->texts) = gpc_arena_printf(
					w->arena,
					"endpoint %s/%s has another address under its old name: it "
					"keeps its flows, and those of TCP break",
					backend, gpc_image_name(w->after, y[k].name));
			i++;
			k++;
		}
	}
	warn_renamed(w, backend, &gone, &new);
}

/* Backends stand by name. */
static void warn(struct gpc_arena *arena, const struct gpc_image *before,
		 const struct gpc_image *after, struct gpc_diff *ret)
{
	struct warning w = {.arena = arena, .before = before, .after = after};
	uint32_t old, new, i = 0, k = 0;
	const struct gpc_backend *a = gpc_image_section(before, GPC_SEC_BACKEND, &old);
	const struct gpc_backend *b = gpc_image_section(after, GPC_SEC_BACKEND, &new);

	while (i < old && k < new) {
		int order = strcmp(gpc_image_name(before, a[i].name), gpc_image_name(after, b[k].name));

		if (!order)
			warn_backend(&w, &a[i], &b[k]);
		i += order <= 0;
		k += order >= 0;
	}
	ret->warnings = w.texts.items;
	ret->warning_count = w.texts.n;
}

/* ---- in all ---- */

static bool is_used(const struct gpc_image *image, const char *name)
{
	uint32_t pools, backends;
	const struct gpc_pool *pool = gpc_image_section(image, GPC_SEC_POOL, &pools);
	const struct gpc_backend *backend = gpc_image_section(image, GPC_SEC_BACKEND, &backends);
	size_t length = strcspn(name, "/");

	for (uint32_t i = 0; i < pools; i++) {
		const char *found = gpc_image_name(image, backend[pool[i].backend].name);

		if (!strncmp(found, name, length) && !found[length])
			return true;
	}
	return false;
}

/* Can packets feel it? What policies and rules do to them, the spaces say. */
static bool is_felt(const struct gpc_change *change, const struct gpc_image *before,
		    const struct gpc_image *after)
{
	switch (change->object) {
	case GPC_CHANGE_PLANE:
		return strncmp(change->text, "name ", 5) || strchr(change->text, ',');
	case GPC_CHANGE_INTERFACE:
	case GPC_CHANGE_LISTENER:
		return true;
	case GPC_CHANGE_BACKEND:
	case GPC_CHANGE_ENDPOINT:
		return is_used(before, change->name) || is_used(after, change->name);
	case GPC_CHANGE_RULE:
		return change->alone;
	default:
		return false;
	}
}

static bool is_same(const struct gpc_diff *diff, const struct gpc_image *before,
		    const struct gpc_image *after)
{
	if (diff->fault || diff->space_count || diff->pool_count || !same_chains(diff))
		return false;
	for (size_t i = 0; i < diff->changes.count; i++)
		if (is_felt(&diff->changes.items[i], before, after))
			return false;
	return true;
}

static bool changes_invariants(const struct gpc_diff *diff)
{
	const uint32_t *counts = diff->changes.counts[GPC_CHANGE_INVARIANT];

	return counts[GPC_CHANGE_ADDED] || counts[GPC_CHANGE_REMOVED] || counts[GPC_CHANGE_CHANGED];
}

void gpc_diff_images(struct gpc_arena *arena, const struct gpc_image *before,
		     const struct gpc_image *after, struct gpc_diff *ret)
{
	*ret = (struct gpc_diff){0};
	if (!memcmp(before->head->decision_digest, after->head->decision_digest,
		    sizeof(before->head->decision_digest))) {
		ret->same_bytes = ret->same = ret->equivalent = true;
		return;
	}
	gpc_changes_compare(before, after, &ret->changes);
	compare_packets(arena, before, after, ret);
	ret->pools = gpc_diff_pools(arena, before, after, &ret->pool_count);
	warn(arena, before, after, ret);
	ret->same = is_same(ret, before, after);
	ret->equivalent = ret->same && !changes_invariants(ret);
}

void gpc_diff_release(struct gpc_diff *diff)
{
	gpc_changes_release(&diff->changes);
	*diff = (struct gpc_diff){0};
}

/* ---- listeners in words ---- */

const char *gpc_diff_listener_text(struct gpc_arena *arena, const struct gpc_image *image,
				   uint32_t listener)
{
	uint32_t count;
	const struct gpc_listener *l =
		(const struct gpc_listener *)gpc_image_section(image, GPC_SEC_LISTENER, &count) +
		listener;
	char ports[GPC_PORTS_TEXT];
	uint64_t interfaces;

	gpc_ports_format(ntohs(l->port_be), ntohs(l->port_last_be), ports);
	return gpc_arena_printf(arena, "%s %s %s -> %s (%s)",
				gpc_listener_places(arena, image, listener, &interfaces), gpc_transport_name(l->protocol),
				ports,
				l->backend == GPC_NONE
					? "the local stack"
					: gpc_image_name(image, backend_of(image, l->backend)->name),
				gpc_forward_name(l->forward));
}
