/* SPDX-License-Identifier: MIT */
#include "rule_suite.h"

#include <stdlib.h>

enum kind { SHAPED, SEGMENTS, ODD, CLASSBENCH };

static const struct entry {
	const char *name;
	enum kind kind;
	enum rule_shape shape;
	enum rule_families families;
	uint32_t rules;
	unsigned int thousands; /* of packets */
} entries[] = {
	{"ranges", ODD, 0, 0, 0, 1000},
	{"wildcards", ODD, 0, 0, 0, 1000},
	{"nested", ODD, 0, 0, 0, 1000},
	{"nested_ranges", ODD, 0, 0, 0, 1000},
	{"chain", ODD, 0, 0, 0, 1000},
	{"borders", ODD, 0, 0, 0, 1000},
	{"ports", ODD, 0, 0, 0, 1000},
	{"matches", ODD, 0, 0, 0, 1000},
	{"twins", ODD, 0, 0, 0, 1000},
	{"many_ports", ODD, 0, 0, 0, 100},
	{"nothing", ODD, 0, 0, 0, 1000},
	{"one", ODD, 0, 0, 0, 1000},
	{"acl_1000", SHAPED, RULE_ACL, RULE_ONLY_V4, 1000, 1000},
	{"fw_1000", SHAPED, RULE_FW, RULE_ONLY_V4, 1000, 1000},
	{"ipc_1000", SHAPED, RULE_IPC, RULE_ONLY_V4, 1000, 1000},
	{"acl6_1000", SHAPED, RULE_ACL, RULE_ONLY_V6, 1000, 1000},
	{"fw6_1000", SHAPED, RULE_FW, RULE_ONLY_V6, 1000, 1000},
	{"both_1000", SHAPED, RULE_IPC, RULE_BOTH, 1000, 1000},
	{"fw_10000", SHAPED, RULE_FW, RULE_ONLY_V4, 10000, 100},
	{"gen_10000", SHAPED, RULE_GEN, RULE_ONLY_V4, 10000, 100},
	{"gen6_10000", SHAPED, RULE_GEN, RULE_ONLY_V6, 10000, 100},
	{"both_10000", SHAPED, RULE_GEN, RULE_BOTH, 10000, 100},
	{"gen_100000", SHAPED, RULE_GEN, RULE_ONLY_V4, 100000, 100},
	{"seg_5000", SEGMENTS, 0, RULE_ONLY_V4, 5000, 1000},
	{"seg6_5000", SEGMENTS, 0, RULE_ONLY_V6, 5000, 100},
	{"segboth_5000", SEGMENTS, 0, RULE_BOTH, 5000, 100},
	{"seg_50000", SEGMENTS, 0, RULE_ONLY_V4, 50000, 100},
	{"acl1_1000", CLASSBENCH, 0, 0, 0, 1000},
	{"fw1_1000", CLASSBENCH, 0, 0, 0, 1000},
	{"ipc1_1000", CLASSBENCH, 0, 0, 0, 1000},
	{"acl1_10000", CLASSBENCH, 0, 0, 0, 100},
	{"fw1_10000", CLASSBENCH, 0, 0, 0, 100},
	{"ipc1_10000", CLASSBENCH, 0, 0, 0, 100},
};

size_t rule_suite_count(void)
{
	return sizeof(entries) / sizeof(entries[0]);
}

const char *rule_suite_name(size_t index)
{
	return entries[index].name;
}

bool rule_suite_make(size_t index, struct rule_set *ret, unsigned long *ret_questions)
{
	const struct entry *e = &entries[index];
	const char *checking_long = getenv("GPC_CHECK_LONG");

	*ret_questions = checking_long && *checking_long ? 1000000 : e->thousands * 1000ul;
	switch (e->kind) {
	case SHAPED:
		rule_sets_shaped(ret, e->name, e->shape, e->families, e->rules, 100 + index);
		return true;
	case SEGMENTS:
		rule_sets_segments(ret, e->name, e->families, e->rules, 100 + index);
		return true;
	case ODD:
		rule_sets_odd(ret, e->name, 100 + index);
		return true;
	default:
		return rule_sets_classbench(ret, e->name);
	}
}
