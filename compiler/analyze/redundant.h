/* SPDX-License-Identifier: MIT */
/*
 * redundant.h: rules that act, but whose removal would change no verdict, because every packet that
 * they take would be taken by a later rule with the same action. Only among rules without log, mark and
 * rate, and not against the default: a rule is often written beside it for its own counter. The index
 * leaves out what never acts, so that of two rules that make each other idle one is named.
 */
#ifndef GPC_ANALYZE_REDUNDANT_H
#define GPC_ANALYZE_REDUNDANT_H

#include "index.h"

enum gpc_redundant_verdict { GPC_RULE_NEEDED, GPC_RULE_REDUNDANT, GPC_RULE_UNKNOWN };

/* `witness`: a packet that reaches the rule. *ret_after: the first of the rules that would take over. */
enum gpc_redundant_verdict gpc_redundant_of(const struct gpc_list *list,
					    struct gpc_index *index, uint32_t position,
					    const struct gpc_question *witness, uint32_t *ret_after);

#endif
