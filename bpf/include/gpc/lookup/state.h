/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * state.h: effective state of an endpoint (SEMANTICS 7), from the image and the two state records. Times
 * are coarse ktime >> 30. A state record that is not there says nothing.
 */
#ifndef GPC_LOOKUP_STATE_H
#define GPC_LOOKUP_STATE_H

#include "../abi.h"
#include "view.h"

#define GPC_RATIO_ONE 65536u

/* Two fields or more that are read as one. */
typedef __u64 __attribute__((__may_alias__)) gpc_state_word;

/* The first word of both records. */
struct gpc_operating {
	__u32 until;
	__u8 state;	/* 0 none, else 1 + enum gpc_state */
	__u8 flags;
};

GPC_INLINE struct gpc_operating gpc_operating(const void *record)
{
	__u64 word = record ? *(const volatile gpc_state_word *)record : 0;

	return (struct gpc_operating){.until = (__u32)word,
				      .state = (__u8)(word >> 32),
				      .flags = (__u8)(word >> 40)};
}

GPC_INLINE int gpc_holds(__u32 until, __u32 now)
{
	return !until || now < until;
}

/* What is so at this moment. */
struct gpc_effect {
	__u32 ratio;	/* r = weight / intent weight, times GPC_RATIO_ONE; 0: weight 0 */
	__u8 admin;	/* enum gpc_state */
	__u8 up;	/* or in panic */
};

GPC_INLINE struct gpc_effect gpc_effect(const struct gpc_endpoint *endpoint,
					const struct gpc_endpoint_state *state,
					const struct gpc_backend_state *backend, __u32 now)
{
	struct gpc_operating own = gpc_operating(state), all = gpc_operating(backend);
	struct gpc_effect effect = {.ratio = endpoint->weight ? GPC_RATIO_ONE : 0,
				    .admin = endpoint->state,
				    .up = 1};

	if (own.state && gpc_holds(own.until, now))
		effect.admin = own.state - 1;
	else if (all.state && gpc_holds(all.until, now))
		effect.admin = all.state - 1;
	if (own.flags & GPC_STATE_DOWN && !(all.flags & GPC_BACKEND_PANIC))
		effect.up = 0;
	if (own.flags & GPC_STATE_WEIGHTED) {
		__u64 weight = *(const volatile gpc_state_word *)&state->ratio;

		if (gpc_holds((__u32)(weight >> 32), now))
			effect.ratio = (__u32)weight;
	}
	return effect;
}

GPC_INLINE int gpc_takes_new(struct gpc_effect effect)
{
	return effect.admin == GPC_STATE_READY && effect.ratio && effect.up;
}

/* `stays`: it would stay with an endpoint that is down (TCP, a `stable` listener). */
GPC_INLINE int gpc_keeps_known(struct gpc_effect effect, int stays)
{
	return effect.admin != GPC_STATE_MAINT && (effect.up || stays);
}

/* The greatest ratio of the backend's endpoints that count. */
GPC_INLINE __u32 gpc_greatest_ratio(const struct gpc_backend_state *backend, __u32 now)
{
	__u32 i;

	if (!backend)
		return GPC_RATIO_ONE;
	for (i = 0; i < GPC_BACKEND_STEPS; i++)
		if (backend->step[i].max && gpc_holds(backend->step[i].until, now))
			return backend->step[i].max;
	return GPC_RATIO_ONE;
}

/* Is a draw with this hash accepted: its upper 16 bits below 65536 * r / greatest r? */
GPC_INLINE int gpc_accepts(__u64 hash, __u32 ratio, __u32 greatest)
{
	return (hash >> 48) * greatest < (__u64)ratio << 16;
}

#endif
