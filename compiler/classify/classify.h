/* SPDX-License-Identifier: MIT */
/*
 * classify.h: boxes -> the words of an image that lookup/classify.h reads: grouped class pairs. The
 * steps stand in files of their own: classes (of addresses), groups, cells, placement, services (L4),
 * tries. Same input, same words, on every machine.
 */
#ifndef GPC_CLASSIFY_CLASSIFY_H
#define GPC_CLASSIFY_CLASSIFY_H

#include "boxes.h"
#include "gpc/image.h"

struct gpc_classified {
	struct gpc_tries tries;
	struct gpc_classifier *classifiers;	/* one per list, in order; all zero for an empty list */
	uint32_t *words;			/* WORDS; offsets in it count words from byte 0 of the image */
	size_t word_count;
};

enum gpc_classify_status {
	GPC_CLASSIFY_OK,
	GPC_CLASSIFY_TOO_LARGE,		/* beyond max_bytes, the fallbacks tried */
	GPC_CLASSIFY_MATCHES,		/* more than GPC_MAX_MATCH_CLASSES in one list: costs[0].list */
};

/* Which positions of which list made it too large; the costliest first. */
struct gpc_classify_cost {
	uint32_t list, position;
	uint64_t pairs;			/* pairs of address classes that its boxes touch */
};
struct gpc_classify_refusal {
	uint64_t bytes;			/* that it would have taken, estimated */
	struct gpc_classify_cost costs[8];
	size_t cost_count;
};

/*
 * Compiles all lists over one space. `max_bytes`: the most that the words may take. On a refusal *ret is
 * untouched and *ret_refusal is filled in. Everything lives in the arena.
 */
enum gpc_classify_status gpc_classify_compile(struct gpc_arena *arena, const struct gpc_space *space,
					      const struct gpc_box_list *lists, size_t list_count,
					      uint64_t max_bytes, struct gpc_classified *ret,
					      struct gpc_classify_refusal *ret_refusal);

#endif
