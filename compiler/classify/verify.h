/* SPDX-License-Identifier: MIT */
/*
 * verify.h: are tries and classifiers of an image that nobody vouches for what a lookup expects? Every
 * offset and index lies inside WORDS, classes are within their counts, tries end, positions are within
 * their lists. Lookups never leave the image in any case; that they find what they look for is seen here.
 * The work is linear in the size of WORDS.
 */
#ifndef GPC_CLASSIFY_VERIFY_H
#define GPC_CLASSIFY_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "gpc/image.h"

struct gpc_classified_view {
	const struct gpc_tries *tries;
	const struct gpc_classifier *classifiers;
	const uint32_t *positions;	/* by classifier: positions are below it */
	size_t classifier_count;
	const uint32_t *words;		/* WORDS */
	size_t word_count;
};

/*
 * NULL, or what is wrong: a clause such as "a cell names a position beyond the list". *ret_classifier is then
 * the classifier at fault, SIZE_MAX for the tries. Classifiers that are all zero ask nothing and are right.
 */
const char *gpc_classified_check(struct gpc_arena *scratch, const struct gpc_classified_view *view,
				 size_t *ret_classifier);

#endif
