/* SPDX-License-Identifier: MIT */
/*
 * rule_questions.h: packets to ask a rule set about. By turns: anything, the corners of a rule and one
 * beyond them, the inside of a rule, and the set's own header trace if it has one. The same seed gives
 * the same packets.
 */
#ifndef GPC_ORACLE_RULE_QUESTIONS_H
#define GPC_ORACLE_RULE_QUESTIONS_H

#include "rule_sets.h"

struct rule_questions {
	const struct rule_set *set;
	struct random_source random;
	size_t next_header;
};

void rule_questions_init(struct rule_questions *questions, const struct rule_set *set, uint64_t seed);
void rule_questions_next(struct rule_questions *questions, struct gpc_question *ret);
/* Only packets that some rule was aimed at (or the trace): what a benchmark sends. */
void rule_questions_next_header(struct rule_questions *questions, struct gpc_question *ret);

#endif
