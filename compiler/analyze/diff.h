/* SPDX-License-Identifier: MIT */
/*
 * diff.h: what is different for packets when one image takes the place of another: exactly, from the compiled
 * tables. Who decides is no difference, nor is what nobody can see: a rule that was split, renamed or moved.
 *
 *   spaces    what is newly allowed, denied, ... as few lines of FROM -> TO services, each with a witness
 *   pools     slots of the Maglev tables that have another endpoint, and the least that had to
 *   changes   objects that were added, removed, changed (changes.h): listeners, endpoints, settings
 *   warnings  what follows from identity (SEMANTICS 1)
 *
 * Where an image is stateful spaces are about the packets that its rules are asked about as if there were no flow,
 * without TCP in mid-stream (GPC_ATLAS_ASKED); that is looked at where nothing else is different. And without bans,
 * built-ins and rates: a limited allow is an allow, and so is a deny whose rate lets through what exceeds it. Everything but the changes lives in the arena.
 */
#ifndef GPC_ANALYZE_DIFF_H
#define GPC_ANALYZE_DIFF_H

#include "changes.h"
#include "party.h"

enum gpc_diff_effect {
	GPC_DIFF_ALLOWED,
	GPC_DIFF_DENIED,	/* or rejected */
	GPC_DIFF_ANSWERED,	/* denied before and now, with an answer (reject) before or now only */
	GPC_DIFF_LISTENER,	/* let through, to another listener */
	GPC_DIFF_LIMITED,	/* let through as before, or not, under another rate */
	GPC_DIFF_MARKED,	/* let through, with another mark */
	GPC_DIFF_LOGGED,
	GPC_DIFF_UNLOGGED,
	GPC_DIFF_EFFECTS
};

struct gpc_diff_space {
	enum gpc_diff_effect effect;
	bool enforced;		/* only once all audit policies enforce */
	uint32_t move;		/* of one effect, equal: from the same listener, mark, rate or answer to the same */
	const size_t *places;	/* of gpc_diff.places, ascending */
	size_t place_count;
	struct gpc_party from, to;
	bool services_but;	/* all but these: */
	const char *const *services;	/* "tcp/443", as in a rule's `ports` */
	size_t service_count;
	double radius;		/* share of all packets there: what spaces are sorted by */
	struct gpc_question witness;
	size_t witness_place;
	bool opens;		/* some of these packets open a flow, or no chain is stateful there */
	struct gpc_atlas_verdict verdict[2];	/* of the witness, before and after */
};

struct gpc_diff_share {
	const char *name;	/* of the endpoint */
	uint32_t slots[2];	/* before, after; 0: none */
	bool there[2];		/* takes new flows */
};

struct gpc_diff_pool {
	const char *backend;	/* "web -> web2" of a listener that is led to another */
	uint32_t size[2];
	uint32_t moved, least;	/* least: of a table made as with `rebalance: minimal` */
	const struct gpc_diff_share *shares;	/* by name */
	size_t share_count;
};

struct gpc_diff {
	bool same_bytes;	/* one decision digest */
	bool same;		/* no packet is treated differently */
	bool equivalent;	/* and no invariant says another thing: what --exit-code takes for no difference */
	const char *fault;	/* why spaces are not known; NULL: they are */
	const struct gpc_atlas_place *places;
	size_t place_count;
	const struct gpc_diff_space *spaces;	/* greatest radius first */
	size_t space_count;
	/* Tables of backends in both images, and of listeners that are led to another; those that moved, most first. */
	const struct gpc_diff_pool *pools;
	size_t pool_count;
	struct gpc_changes changes;
	const char *const *warnings;
	size_t warning_count;
};

/* The images outlive the result; gpc_diff_release() is due. */
void gpc_diff_images(struct gpc_arena *arena, const struct gpc_image *before,
		     const struct gpc_image *after, struct gpc_diff *ret);
void gpc_diff_release(struct gpc_diff *diff);

/* "newly allowed"; and as a word of JSON: "allowed". */
const char *gpc_diff_effect_text(enum gpc_diff_effect effect);
const char *gpc_diff_effect_name(enum gpc_diff_effect effect);

/* "192.0.2.10 tcp/443 -> web (ipip)", in the arena. */
const char *gpc_diff_listener_text(struct gpc_arena *arena, const struct gpc_image *image,
				   uint32_t listener);

#endif
