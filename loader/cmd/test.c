// SPDX-License-Identifier: MIT
#include "test.h"

#include "../../compiler/base/cleanup.h"
#include "output.h"

static const struct gpc_option options[] = {
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	{0, "kernel", NULL, "run the packets through the programs in the kernel; needs root"},
	{0, "tap", NULL, "results as TAP 14"},
	{0, "junit", NULL, "results as JUnit XML"},
	{'v', "verbose", NULL, "name the tests that passed, too"},
	GPC_OPTION_STRICT,
	GPC_OPTION_FORMAT,
	GPC_OPTION_JSON,
};

static int parse_format(const struct gpc_call *call, enum gpc_test_format *ret,
			struct gpc_failure *failure)
{
	static const struct {
		const char *option;
		enum gpc_test_format format;
	} rows[] = {{"tap", GPC_TEST_TAP}, {"junit", GPC_TEST_JUNIT}, {"json", GPC_TEST_JSON}};
	const char *given = NULL;

	*ret = GPC_TEST_TEXT;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!gpc_call_has(call, rows[i].option))
			continue;
		if (given)
			return gpc_fail(failure, GPC_EXIT_USAGE, 0,
					"--%s and --%s cannot both go to standard output", given,
					rows[i].option);
		given = rows[i].option;
		*ret = rows[i].format;
	}
	return 0;
}

static enum gpc_exit run_tests(const struct gpc_call *call, struct gpc_input *input,
			       enum gpc_test_format format)
{
	GPC_CLEANUP(gpc_tests_release) struct gpc_test_results results = {0};
	enum gpc_sim_kind kind = gpc_call_has(call, "kernel") ? GPC_SIM_KERNEL : GPC_SIM_USER;
	struct json_object *result;
	struct gpc_failure failure = {0};

	if (gpc_tests_run(input, kind, &results, &failure))
		return gpc_finish_failed(call, &failure);
	gpc_tests_report(input, &results, format, gpc_call_has(call, "verbose"));
	result = gpc_json("result");
	gpc_json_number(result, "tests", (int64_t)results.count);
	gpc_json_number(result, "failed", (int64_t)results.failed);
	return gpc_finish(call, results.failed ? GPC_EXIT_REFUSED : GPC_EXIT_OK, result);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	enum gpc_test_format format;
	enum gpc_exit rc;

	if (parse_format(call, &format, &input.failure))
		return gpc_input_end(call, &input, GPC_EXIT_USAGE);
	rc = gpc_input_files(call, &input);
	return rc ? gpc_input_end(call, &input, rc) : run_tests(call, &input, format);
}

const struct gpc_command gpc_command_test = {
	.name = "test",
	.side = GPC_SIDE_AUTHOR,
	.summary = "send the packets of `tests` through the compiled image",
	.operands = "[FILE.yaml...]",
	.operands_max = 1000,
	.description =
		"Compiles the intent, sends each test's packets through the data plane and\n"
		"compares what becomes of the last one with what is expected. The programs are\n"
		"those that the kernel runs, compiled into gpc: no root is needed, no device and\n"
		"no running plane. Each test begins with an empty flow table and full buckets.\n"
		"With --kernel the kernel itself runs them, on maps of their own: nothing is\n"
		"attached, and a running plane is not touched. Tests may stand in the plane or in\n"
		"documents of kind Tests beside it. Without a file: ./gpc.yaml and "
		"./gpc.d/*.yaml.",
	.objects = "diagnostic, test",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_REFUSED,
		      GPC_EXIT_HOST),
	.run = run,
};
