/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "describe.h"
#include "generation.h"
#include "output.h"
#include "settle.h"

static const struct gpc_option options[] = {
	{'n', "number", "N", "the newest N (default 20, 0: all)"},
	GPC_OPTION_JSON,
};

/* In one word; of one that waits nobody knows yet. */
static void add_result(struct gpc_grid *grid, const struct gpc_generation *generation)
{
	if (generation->became == GPC_RESULT_PENDING)
		gpc_grid_add(grid, GPC_YELLOW, "pending");
	else
		gpc_grid_add(grid,
			     generation->became == GPC_RESULT_ROLLED_BACK ? GPC_RED : GPC_PLAIN,
			     "%.*s", (int)strcspn(generation->result, "("), generation->result);
}

static void print_list(const struct gpc_generation *list, size_t count)
{
	static const char *const titles[] = {"generation", "recorded", "by",
					     "decision",   "result",   "policies", "source"};
	struct gpc_grid grid = {.alignment = "rllllll"};
	char when[32], digest[13];

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		gpc_grid_add(&grid, GPC_DIM, "%s", titles[i]);
	for (size_t i = 0; i < count; i++) {
		gpc_grid_add(&grid, i ? GPC_PLAIN : GPC_BOLD, "%u", list[i].number);
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_text_time(list[i].time, when));
		gpc_grid_add(&grid, GPC_PLAIN, "%s", list[i].actor);
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_digest_short(list[i].decision, digest));
		add_result(&grid, &list[i]);
		gpc_grid_add(&grid, list[i].stance == GPC_STANCE_AUDIT ? GPC_YELLOW : GPC_PLAIN,
			     "%s", gpc_stance_name(list[i].stance));
		gpc_grid_add(&grid, GPC_PLAIN, "%s", list[i].source);
	}
	gpc_grid_print(&grid, stdout, 0);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	const char *number = gpc_call_value(call, "number");
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	struct gpc_history *history = NULL;
	struct gpc_failure failure;
	unsigned long limit = 20;
	size_t count = 0;
	int rc;

	if (number && !gpc_number_parse(number, 0, UINT32_MAX, &limit)) {
		gpc_fail(&failure, GPC_EXIT_USAGE, 0, "'%s' is no number of generations", number);
		return gpc_finish_failed(call, &failure);
	}
	gpc_settle_in_passing(call);
	if (gpc_history_open(gpc_state_dir(), false, &history, &failure))
		return gpc_finish_failed(call, &failure);
	rc = gpc_history_list(history, limit, &list, &count, &failure);
	gpc_history_free(&history);
	if (rc)
		return gpc_finish_failed(call, &failure);
	if (gpc_call_has(call, "json"))
		for (size_t i = 0; i < count; i++)
			gpc_json_print(gpc_generation_json(&list[i], "generation"));
	else if (count)
		print_list(list, count);
	else
		printf("no generation is recorded in '%s' yet\n", gpc_state_dir());
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

const struct gpc_command gpc_command_log = {
	.name = "log",
	.side = GPC_SIDE_HOST,
	.summary = "the generations of this host, newest first",
	.operands = "",
	.description = "One line per generation; gpc show N says why one was rolled back. What was not "
		       "confirmed in\n"
		       "time is written down by this and by any other command that looks at it. The same "
		       "history in\n"
		       "plain git:\n"
		       "  git -C /var/lib/gpc/history.git log",
	.objects = "generation",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED),
	.run = run,
};
