/* SPDX-License-Identifier: MIT */
/*
 * override.h: what an operator set at run time over the intent (SEMANTICS 7): a state of a backend or an
 * endpoint, or a weight of an endpoint, with an end, a reason and who did it. Bound to names, which are
 * identities: never to addresses or positions. words.h says what they mean to packets, journal.h keeps
 * them.
 */
#ifndef GPC_LOADER_OVERRIDE_OVERRIDE_H
#define GPC_LOADER_OVERRIDE_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../compiler/image/image_file.h"

enum gpc_override_kind {
	GPC_OVERRIDE_DRAIN,
	GPC_OVERRIDE_MAINT,
	GPC_OVERRIDE_WEIGHT,	/* of an endpoint */
	GPC_OVERRIDE_KINDS
};

enum gpc_override_end {
	GPC_END_NONE,		/* it holds, unless its time is over */
	GPC_END_TIME,
	GPC_END_UNDRAINED,
	GPC_END_REPLACED,	/* by a later one of the same object */
	GPC_END_GONE,		/* its object is in the image no longer */
	GPC_ENDS
};

#define GPC_OVERRIDE_REASON 201	/* bytes, with the NUL */
#define GPC_OVERRIDE_ACTOR 64

struct gpc_override {
	char backend[GPC_MAX_NAME_BYTES + 1];
	char endpoint[GPC_MAX_NAME_BYTES + 1];	/* empty: the backend itself */
	enum gpc_override_kind kind;
	uint32_t weight;			/* of kind WEIGHT */
	int64_t since, until;			/* UTC milliseconds; until 0: as long as nobody ends it */
	char actor[GPC_OVERRIDE_ACTOR];
	char reason[GPC_OVERRIDE_REASON];	/* empty: none given */
	enum gpc_override_end end;
	int64_t ended;				/* UTC milliseconds, unless GPC_END_NONE */
	char ended_by[GPC_OVERRIDE_ACTOR];	/* of UNDRAINED and REPLACED */
};

/* In the order in which they were made. */
struct gpc_overrides {
	struct gpc_override *items;
	size_t count;
};
void gpc_overrides_release(struct gpc_overrides *overrides);

const char *gpc_override_kind_name(enum gpc_override_kind kind);	/* "drain" */
const char *gpc_override_end_name(enum gpc_override_end end);		/* "time"; NULL of NONE */
bool gpc_override_kind_parse(const char *text, enum gpc_override_kind *ret);
bool gpc_override_end_parse(const char *text, enum gpc_override_end *ret);

/* "web" or "web/web-1" */
#define GPC_OVERRIDE_OBJECT (2 * (GPC_MAX_NAME_BYTES + 1))
char *gpc_override_object(const struct gpc_override *override, char out[GPC_OVERRIDE_OBJECT]);

bool gpc_override_is_live(const struct gpc_override *override, int64_t now);
/* Are they about the same object, and both about its state or both about its weight? */
bool gpc_override_is_same(const struct gpc_override *a, const struct gpc_override *b);
/* Index of the object in the image (endpoint GPC_NONE: a backend itself); false if it is not there. */
bool gpc_override_find(const struct gpc_override *override, const struct gpc_image *image,
		       uint32_t *ret_backend, uint32_t *ret_endpoint);

/* Index of a name, GPC_NONE; an endpoint's is that in the whole section. */
uint32_t gpc_backend_named(const struct gpc_image *image, const char *name);
uint32_t gpc_endpoint_named(const struct gpc_image *image, uint32_t backend, const char *name);

/*
 * Adds one, ending those of the same object and kind (or state) as REPLACED at its `since` by its actor.
 * Takes a copy. Aborts without memory.
 */
void gpc_overrides_add(struct gpc_overrides *overrides, const struct gpc_override *override);
/* Ends what holds of an object as `end`, by `actor`; the number of those ended. */
size_t gpc_overrides_end(struct gpc_overrides *overrides, const struct gpc_override *object,
			 enum gpc_override_end end, const char *actor, int64_t now);
/*
 * Writes down what has ended by itself: by time, at its time, or because its object is not in `image`
 * (NULL: none runs, nobody knows). The number of those ended.
 */
size_t gpc_overrides_settle(struct gpc_overrides *overrides, const struct gpc_image *image,
			    int64_t now);

int64_t gpc_utc_ms(void);

#endif
