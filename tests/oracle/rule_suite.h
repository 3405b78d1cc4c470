/* SPDX-License-Identifier: MIT */
/*
 * rule_suite.h: the rule sets that every lookup is held against, with how many packets each: a million, or
 * a tenth of it where going through the rules is slow (a million for all of them with GPC_CHECK_LONG).
 * The packets are those of rule_questions_init(.., RULE_SUITE_SEED), the same for user space and kernel.
 */
#ifndef GPC_ORACLE_RULE_SUITE_H
#define GPC_ORACLE_RULE_SUITE_H

#include "rule_questions.h"

#define RULE_SUITE_SEED 7u

size_t rule_suite_count(void);
const char *rule_suite_name(size_t index);
/* False, *ret untouched: it is a set of ClassBench's and those are not here. */
bool rule_suite_make(size_t index, struct rule_set *ret, unsigned long *ret_questions);

#endif
