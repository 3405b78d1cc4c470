/* SPDX-License-Identifier: MIT */
/*
 * test.h: the `tests` of an intent run, and what came of them. Sources: test.c (the command),
 * test_run.c (packets and judgement), test_report.c (text, TAP, JUnit, JSON).
 */
#ifndef GPC_LOADER_CMD_TEST_H
#define GPC_LOADER_CMD_TEST_H

#include "../../compiler/model/model.h"
#include "../sim/sim.h"
#include "input.h"

/* What the last packet of a test showed; names live in the image, "-" where there is none. */
struct gpc_test_seen {
	const char *verdict, *policy, *rule, *would, *listener, *backend, *endpoint, *reason;
	uint32_t mark;
};

/* An expectation that was not met. */
struct gpc_test_failure {
	const char *key;
	char *expected, *seen;
	struct gpc_place at;
};

struct gpc_test_result {
	const struct gpc_test_intent *test;
	struct gpc_test_seen seen;
	struct gpc_test_failure *failures;
	size_t failure_count;
};

struct gpc_test_results {
	struct gpc_test_result *items;
	size_t count, failed;
};

/* Runs all tests of a compiled input, each with empty flow tables and full buckets. */
int gpc_tests_run(struct gpc_input *input, enum gpc_sim_kind kind, struct gpc_test_results *ret,
		  struct gpc_failure *failure);
void gpc_tests_release(struct gpc_test_results *results);

enum gpc_test_format { GPC_TEST_TEXT, GPC_TEST_TAP, GPC_TEST_JUNIT, GPC_TEST_JSON };

/* To stdout. `verbose`: text names tests that passed, too. */
void gpc_tests_report(const struct gpc_input *input, const struct gpc_test_results *results,
		      enum gpc_test_format format, bool verbose);

#endif
