/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/*
 * choose.bpf.h: who gets a flow (SEMANTICS 6.3, 7). picked_endpoint() and kept_endpoint() have the short
 * ways, for backends that nothing is said about beside the image and listeners with one backend and the whole
 * flow as hash input; all others go through the functions here, which are small so that the verifier looks at
 * each once: what they pass on lies in c->draw.
 */
#ifndef GPC_CHOOSE_BPF_H
#define GPC_CHOOSE_BPF_H

#include "gpc/lookup/state.h"
#include "walk.bpf.h"

#define GPC_SPARE_TRIES 16u

/* For gpc_keeps() instead of the state of a flow: it stays with an endpoint that is down. */
#define GPC_FLOW_STAYS 0x100u

/* For whom the packet is, and who gets it. */
struct gpc_service {
	const struct gpc_listener *listener;
	__u32 listener_index; /* GPC_NONE: for none */
	__u32 endpoint;	      /* index */
	__u32 new_flow;	      /* 1: counted as one */
	__u32 refused;	      /* enum gpc_reason, when there is no endpoint */
};

static __always_inline const struct gpc_endpoint_state *endpoint_state(struct gpc_view view,
								       __u32 index)
{
	__u32 slot = gpc_link_endpoint_at(view, gpc_view_link(view), index)->counter;

	return bpf_map_lookup_elem(&gpc_endpoints, &slot);
}

static __always_inline const struct gpc_backend_state *backend_state(struct gpc_view view,
								     __u32 index)
{
	__u32 slot = gpc_link_backend_at(view, gpc_view_link(view), index)->counter;

	return bpf_map_lookup_elem(&gpc_backends, &slot);
}

/* Is more to be known of its endpoints than what the image says? */
static __always_inline int is_active(struct gpc_view view, __u32 backend)
{
	return unlikely(gpc_operating(backend_state(view, backend)).flags & GPC_BACKEND_ACTIVE);
}

/*
 * Has all ended that was said of the endpoints of an active backend? Then it is active no more. What is said
 * anew meanwhile has another version in the word that is swapped; the first swap, of nothing, is there because
 * it orders what is read.
 */
__noinline int gpc_settle(const struct gpc_case *c, __u32 index)
{
	const struct gpc_backend_state *state;
	gpc_state_word *word;
	__u64 seen, settled;
	struct gpc_view view;
	__u32 now, end;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	state = backend_state(view, index);
	if (!state)
		return 0;
	now = c->now >> GPC_FLOW_SECOND_SHIFT;
	word = (gpc_state_word *)state;
	seen = READ_ONCE(*word);
	end = READ_ONCE(state->settled);
	if (!gpc_operating(&seen).flags)
		return 1;
	if (!end || now < end || __sync_val_compare_and_swap(word, seen, seen) != seen)
		return 0;
	end = READ_ONCE(state->settled);
	settled = seen & ~((__u64)GPC_BACKEND_ACTIVE << 40);
	return end && now >= end && __sync_val_compare_and_swap(word, seen, settled) == seen;
}

static __always_inline struct gpc_effect effect_of(struct gpc_view view,
						   const struct gpc_endpoint *endpoint,
						   __u32 index, __u64 now)
{
	return gpc_effect(endpoint, endpoint_state(view, index),
			  backend_state(view, endpoint->backend), now >> GPC_FLOW_SECOND_SHIFT);
}

/* ---- known flows ---- */

/*
 * Does a flow whose entry is in `state` stay with an endpoint that is down? One that has not been answered
 * yet opens with another.
 */
static __always_inline int stays(const struct gpc_packet *p, const struct gpc_listener *listener,
				 __u32 state)
{
	if (listener->flags & GPC_LISTENER_STABLE || state == GPC_FLOW_STAYS)
		return 1;
	return p->tuple.protocol == IPPROTO_TCP &&
	       ((state & GPC_FLOW_STATE_MASK) != GPC_FLOW_SYN || !tcp_opens(p->tcp_flags));
}

/* Does the endpoint keep the flow of the listener? `state` is its entry's, or GPC_FLOW_STAYS. */
__noinline int gpc_keeps(const struct gpc_case *c, __u32 index, __u32 listener, __u32 state)
{
	const struct gpc_endpoint *endpoint;
	struct gpc_view view;

	if (!c)
		return 0;
	view = image_of(c->slot);
	if (!view.base)
		return 0;
	endpoint = gpc_endpoint_at(view, index);
	if (gpc_settle(c, endpoint->backend))
		return endpoint->flags & GPC_ENDPOINT_KEEP;
	return gpc_keeps_known(effect_of(view, endpoint, index, c->now),
			       stays(&c->packet, gpc_listener_at(view, listener), state));
}

/* The endpoint that the entry names, if it still keeps its flows; GPC_NONE: pick anew. */
static __always_inline __u32 kept_endpoint(const struct gpc_walk *w, const struct gpc_service *s,
					   struct gpc_flow *seen, __u32 state)
{
	__u32 index = seen->hint;
	const struct gpc_endpoint *endpoint = gpc_endpoint_at(w->view, index);

	/* The hint saves two loads that wait for each other; the id decides, wherever it is found. */
	if (unlikely(endpoint->id != seen->endpoint ||
		     index >= w->plane->section[GPC_SEC_ENDPOINT].count)) {
		index = gpc_endpoint_by_id(w->view, seen->endpoint);
		if (index == GPC_NONE)
			return GPC_NONE;
		endpoint = gpc_endpoint_at(w->view, index);
		if (!(s->listener->flags & GPC_LISTENER_SNAT))
			seen->hint = index;
	}
	if (!gpc_endpoint_takes(endpoint, s->listener->forward, w->c->packet.family))
		return GPC_NONE;
	if (is_active(w->view, endpoint->backend))
		return gpc_keeps(w->c, index, s->listener_index, state) ? index : GPC_NONE;
	return endpoint->flags & GPC_ENDPOINT_KEEP ? index : GPC_NONE;
}

/* ---- new flows ---- */

/* Draw k from c->draw: the endpoint if it takes the flow. */
__noinline int gpc_draw(const struct gpc_case *c, __u32 k)
{
	const struct gpc_draw *d;
	const struct gpc_backend_state *backend;
	struct gpc_effect effect;
	struct gpc_view view;
	__u32 index;
	__u64 hash;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	d = &c->draw;
	hash = gpc_flow_hash(gpc_view_plane(view)->hash_seed, &d->input, k);
	index = gpc_endpoint_by_hash(view, &d->table, hash);
	if (index == GPC_NONE || !d->active)
		return index;
	backend = backend_state(view, d->backend);
	effect = effect_of(view, gpc_endpoint_at(view, index), index, c->now);
	if (!gpc_takes_new(effect) ||
	    !gpc_accepts(hash, effect.ratio,
			 gpc_greatest_ratio(backend, c->now >> GPC_FLOW_SECOND_SHIFT)))
		return GPC_NONE;
	return index;
}

/* Spare number `at` of the backend of c->draw, if it takes the flow. */
__noinline int gpc_spare(const struct gpc_case *c, __u32 at)
{
	const struct gpc_endpoint_state *state;
	const struct gpc_endpoint *endpoint;
	const struct gpc_backend *backend;
	struct gpc_view view;
	__u32 index;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	backend = gpc_backend_at(view, c->draw.backend);
	state = endpoint_state(view, gpc_endpoint_by_name(view, backend, at));
	if (!state || state->spare >= backend->endpoints)
		return GPC_NONE;
	index = gpc_endpoint_by_name(view, backend, state->spare);
	endpoint = gpc_endpoint_at(view, index);
	if (!gpc_endpoint_takes(endpoint, c->draw.forward, c->draw.family) ||
	    !gpc_takes_new(effect_of(view, endpoint, index, c->now)))
		return GPC_NONE;
	return index;
}

/* The last resort: number (hash mod n) of the endpoints that take new flows, the next if not this flow. */
__noinline int gpc_find_spare(const struct gpc_case *c)
{
	const struct gpc_backend_state *state;
	__u32 count, index, i;
	struct gpc_view view;
	__u64 hash;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	state = backend_state(view, c->draw.backend);
	count = state ? READ_ONCE(state->spares) : 0;
	if (!count || count > gpc_backend_at(view, c->draw.backend)->endpoints)
		return GPC_NONE;
	hash = gpc_flow_hash(gpc_view_plane(view)->hash_seed, &c->draw.input, 0) % count;
#pragma clang loop unroll(disable)
	for (i = 0; i < GPC_SPARE_TRIES && i < count; i++) {
		index = gpc_spare(c, (hash + i) % count);
		if (index != GPC_NONE)
			return index;
	}
	return GPC_NONE;
}

/* c->draw becomes that of the pool, for a flow whose input stands there; gives the pool's failover. */
__noinline int gpc_enter_pool(struct gpc_case *c, __u32 index)
{
	const struct gpc_pool *pool;
	struct gpc_view view;

	if (!c)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	pool = gpc_pool_at(view, index);
	c->draw.table = pool->table[c->draw.family & 1];
	c->draw.backend = pool->backend;
	c->draw.active = is_active(view, pool->backend) && !gpc_settle(c, pool->backend);
	return pool->failover;
}

/* c->draw.input becomes what the listener's hash takes of the flow; gives the pool to begin with. */
__noinline int gpc_begin_draw(struct gpc_case *c, const struct gpc_tuple *t, __u32 listener_index)
{
	const struct gpc_listener *listener;
	struct gpc_view view;

	if (!c || !t)
		return GPC_NONE;
	view = image_of(c->slot);
	if (!view.base)
		return GPC_NONE;
	listener = gpc_listener_at(view, listener_index);
	c->draw.input = gpc_hash_input(listener->hash, t);
	c->draw.family = c->packet.family;
	c->draw.forward = listener->forward;
	if (listener->pools < 2)
		return listener->first_pool;
	return gpc_pool_by_hash(view, listener,
				gpc_flow_hash(gpc_view_plane(view)->hash_seed, &c->draw.input,
					      GPC_DRAW_SPLIT));
}

/* Somebody of the backend of c->draw. */
__noinline int gpc_choose_here(const struct gpc_case *c)
{
	__u32 index, k;

	if (!c)
		return GPC_NONE;
	if (!c->draw.active)
		return gpc_draw(c, 0);
#pragma clang loop unroll(disable)
	for (k = 0; k < GPC_DRAWS; k++) {
		index = gpc_draw(c, k);
		if (index != GPC_NONE)
			return index;
	}
	return gpc_find_spare(c);
}

/* The endpoint that takes a new flow `t` of the listener, GPC_NONE: nobody. */
__noinline int gpc_choose(struct gpc_case *c, const struct gpc_tuple *t, __u32 listener_index)
{
	__u32 pool, next, index, i;

	if (!c || !t)
		return GPC_NONE;
	pool = gpc_begin_draw(c, t, listener_index);
#pragma clang loop unroll(disable)
	for (i = 0; i <= GPC_MAX_FAILOVER && pool != GPC_NONE; i++) {
		next = gpc_enter_pool(c, pool);
		index = gpc_choose_here(c);
		if (index != GPC_NONE)
			return index;
		pool = next;
	}
	return GPC_NONE;
}

/* The endpoint that a new flow gets by its hash. */
static __always_inline __u32 picked_endpoint(const struct gpc_walk *w, const struct gpc_service *s,
					     const struct gpc_tuple *tuple)
{
	const struct gpc_listener *listener = s->listener;
	const struct gpc_table_ref *table = &listener->table[w->c->packet.family & 1];

	if (unlikely((listener->flags & GPC_LISTENER_POOLS) | listener->hash) ||
	    is_active(w->view, listener->backend))
		return gpc_choose(w->c, tuple, s->listener_index);
	return gpc_endpoint_by_hash(w->view, table,
				    gpc_flow_hash(w->plane->hash_seed, tuple, 0));
}

#endif
