/* SPDX-License-Identifier: MIT */
/*
 * problem.h: what the YAML scanner complains about, said so that an author can mend it.
 */
#ifndef GPC_SYNTAX_PROBLEM_H
#define GPC_SYNTAX_PROBLEM_H

#include "../diag/diag.h"

struct gpc_yaml_problem {
	const char *problem;	     /* libyaml's words, not NULL */
	const char *context;	     /* NULL if it names none */
	struct gpc_place at;	     /* one character, or empty at the end of the text */
	struct gpc_place context_at; /* GPC_NOWHERE without context */
};

/* Adds the one diagnostic. */
void gpc_yaml_problem_report(struct gpc_diags *diags, const struct gpc_yaml_problem *problem);

#endif
