/* SPDX-License-Identifier: MIT */
/*
 * classify_sets.h: the rule sets that bench-classify measures, by name, and the same rules for nftables:
 * ClassBench's own; gen of the shape of its access lists, mix with a fifth of its IP chains; seg.
 */
#ifndef GPC_BENCH_CLASSIFY_SETS_H
#define GPC_BENCH_CLASSIFY_SETS_H

#include "tests/oracle/rule_questions.h"

extern const char *const classify_set_names[]; /* ends with NULL */

/* False, with a line on stderr, if it is a set of ClassBench's and those are not here. */
bool classify_set(struct rule_set *ret, const char *name);

/* FOLDER/gpc.yaml, and the rules in files of their own that it includes: one file may have 10 MB. */
bool classify_write_plane(const struct rule_set *set, const struct rule_yaml *how, const char *folder);

/*
 * As a netdev table with a chain on the ingress of the device; `device` NULL: an inet table. Every verdict is accept, so that all
 * packets go on and only the looking up is measured. Linear: the rules one by one. Set: one set of
 * concatenated intervals, which takes no overlaps: as many of the rules, in order, as meet none that is
 * in it already, up to CLASSIFY_NFT_ELEMENTS; the number of rules is returned.
 */
#define CLASSIFY_NFT_ELEMENTS 20000u
void classify_nft_linear(const struct rule_set *set, const char *device, FILE *out);
size_t classify_nft_set(const struct rule_set *set, const char *device, FILE *out);

#endif
