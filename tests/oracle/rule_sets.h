/* SPDX-License-Identifier: MIT */
/*
 * rule_sets.h: rule sets to test and to measure with, the same on every machine: by name and size, or
 * by a seed. All are made by rule_sets_*(), which leaves a set that the caller releases.
 *
 *   acl, fw, ipc     of ClassBench's shapes, with parameters of our own; gen is a mix of the three
 *   seg              500 segments of several prefixes, rules between pairs of them
 *   odd              adversarial sets, each by a name of rule_sets_odd_names
 *   tiny             a few rules of everything, by seed
 *   classbench       files of ${GPC_CLASSBENCH:-../shared/classbench}, with their header traces
 */
#ifndef GPC_ORACLE_RULE_SETS_H
#define GPC_ORACLE_RULE_SETS_H

#include "random.h"
#include "rule_set.h"

enum rule_shape { RULE_ACL, RULE_FW, RULE_IPC, RULE_GEN };
enum rule_families { RULE_ONLY_V4, RULE_ONLY_V6, RULE_BOTH };

void rule_sets_shaped(struct rule_set *ret, const char *name, enum rule_shape shape, enum rule_families families,
		      uint32_t rules, uint64_t seed);
void rule_sets_segments(struct rule_set *ret, const char *name, enum rule_families families, uint32_t rules,
			uint64_t seed);

extern const char *const rule_sets_odd_names[]; /* ends with NULL */
void rule_sets_odd(struct rule_set *ret, const char *name, uint64_t seed);

void rule_sets_tiny(struct rule_set *ret, uint64_t seed);

/*
 * "acl1_1000" and so on; false, with *ret untouched, when the folder has no such files or they cannot
 * be read. Whoever asks says so and goes on.
 */
bool rule_sets_classbench(struct rule_set *ret, const char *name);
const char *rule_sets_classbench_folder(void);

/* ---- parts of which generators and questions are made ---- */

/* A random address of the family, inside the prefix. */
rule_address rule_random_inside(struct random_source *r, const struct rule_prefix *p);
struct rule_prefix rule_prefix4(uint32_t host, unsigned int length);
struct rule_prefix rule_prefix6(uint64_t high, uint64_t low, unsigned int length);
struct rule_item rule_any_item(void);
/* One protocol, any source port; last = GPC_PORT_NONE: packets without ports too. */
struct rule_item rule_port_item(uint8_t protocol, uint32_t first, uint32_t last);

#endif
