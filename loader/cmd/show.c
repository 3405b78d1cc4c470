/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "activate.h"
#include "describe.h"
#include "generation.h"
#include "output.h"
#include "settle.h"

static const struct gpc_option options[] = {
	{'s', "source", "PATH", "print this source file of the generation and nothing else"},
	{'v', "verbose", NULL, "show every change"},
	GPC_OPTION_JSON,
};

/* A generation and the one before it (number 0: none). */
struct shown {
	struct gpc_generation after, before;
};

static int choose(const struct gpc_call *call, struct gpc_history *history, struct shown *ret,
		  struct gpc_failure *failure)
{
	unsigned long number = 0;
	bool found;

	if (call->operand_count && !gpc_number_parse(call->operands[0], 1, UINT32_MAX, &number))
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no generation's number",
				call->operands[0]);
	if (gpc_history_find(history, (uint32_t)number, &ret->after, failure))
		return -1;
	return gpc_history_before(history, &ret->after, &ret->before, &found, failure);
}

static enum gpc_exit print_source(const struct gpc_call *call, struct gpc_history *history,
				  const struct shown *shown, const char *path)
{
	GPC_AUTO_FREE char *full = NULL;
	GPC_AUTO_FREE char *text = NULL;
	struct json_object *result;
	struct gpc_failure failure;
	size_t size;

	if (asprintf(&full, "sources/%s", path) < 0)
		abort();
	if (gpc_history_read(history, &shown->after, full, &text, &size, &failure))
		return gpc_finish_failed(call, &failure);
	if (!gpc_call_has(call, "json"))
		fwrite(text, 1, size, stdout);
	result = gpc_json("result");
	gpc_json_text(result, "path", path);
	gpc_json_text(result, "text", text);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

static void print_head(const struct shown *shown)
{
	const struct gpc_generation *g = &shown->after;
	struct gpc_grid grid = {.alignment = "ll"};
	char when[32];

	printf("%sgeneration %u%s\n", gpc_paint(stdout, GPC_BOLD), g->number,
	       gpc_paint(stdout, GPC_PLAIN));
	gpc_grid_add(&grid, GPC_DIM, "plane");
	gpc_grid_add(&grid, GPC_PLAIN, "%s", g->plane);
	gpc_grid_add(&grid, GPC_DIM, "recorded");
	gpc_grid_add(&grid, GPC_PLAIN, "%s by %s, %s", gpc_text_time(g->time, when), g->actor,
		     g->result);
	gpc_grid_add(&grid, GPC_DIM, "source");
	gpc_grid_add(&grid, GPC_PLAIN, "%s", g->source);
	gpc_grid_add(&grid, GPC_DIM, "policies");
	gpc_grid_add(&grid, g->stance == GPC_STANCE_AUDIT ? GPC_YELLOW : GPC_PLAIN, "%s",
		     gpc_stance_name(g->stance));
	gpc_grid_add(&grid, GPC_DIM, "decision");
	gpc_grid_add(&grid, GPC_PLAIN, "%s", g->decision);
	gpc_grid_add(&grid, GPC_DIM, "file");
	gpc_grid_add(&grid, GPC_PLAIN, "%s", g->image);
	gpc_grid_add(&grid, GPC_DIM, "commit");
	gpc_grid_add(&grid, GPC_PLAIN, "%s", g->commit);
	gpc_grid_print(&grid, stdout, 2);
}

/* Images may be gone (kept: the last 20) and not rebuildable; the rest is shown all the same. */
static void print_changes(const struct gpc_call *call, struct gpc_history *history,
			  const struct shown *shown)
{
	struct gpc_image before, after;
	struct gpc_failure failure;

	if (gpc_history_image(history, &shown->after, &after, NULL, &failure)) {
		gpc_say(call, GPC_YELLOW, "warning", "%s", failure.message);
		return;
	}
	if (!shown->before.number) {
		gpc_say_changes(call, NULL, &after);
	} else if (gpc_history_image(history, &shown->before, &before, NULL, &failure)) {
		gpc_say(call, GPC_YELLOW, "warning", "%s", failure.message);
	} else {
		gpc_say_changes(call, &before, &after);
		gpc_image_release(&before);
	}
	gpc_image_release(&after);
}

static enum gpc_paint line_paint(const char *line)
{
	switch (*line) {
	case '+':
		return GPC_GREEN;
	case '-':
		return GPC_RED;
	case '@':
		return GPC_DIM;
	default:
		return GPC_PLAIN;
	}
}

static void print_diff(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		enum gpc_paint paint = line_paint(text);

		printf("%s%.*s%s\n", paint ? gpc_paint(stdout, paint) : "", (int)length, text,
		       paint ? gpc_paint(stdout, GPC_PLAIN) : "");
		text += length + (text[length] == '\n');
	}
}

static enum gpc_exit print_all(const struct gpc_call *call, struct gpc_history *history,
			       const struct shown *shown)
{
	const struct gpc_generation *before = shown->before.number ? &shown->before : NULL;
	bool json = gpc_call_has(call, "json");
	GPC_AUTO_FREE char *diff = NULL;
	struct json_object *result;
	struct gpc_failure failure;
	size_t size;

	if (gpc_history_diff(history, before, &shown->after, &diff, &size, &failure))
		return gpc_finish_failed(call, &failure);
	if (json)
		gpc_json_print(gpc_generation_json(&shown->after, "generation"));
	else
		print_head(shown);
	if (!json && before)
		printf("\nagainst generation %u\n", before->number);
	else if (!json)
		puts("\nthe first generation");
	print_changes(call, history, shown);
	if (!json && size) {
		putchar('\n');
		print_diff(diff);
	}
	result = gpc_json("result");
	gpc_json_number(result, "against", shown->before.number);
	gpc_json_text(result, "diff", diff);
	return gpc_finish(call, GPC_EXIT_OK, result);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	const char *path = gpc_call_value(call, "source");
	struct shown shown = {0};
	struct gpc_failure failure;

	gpc_settle_in_passing(call);
	if (gpc_history_open(gpc_state_dir(), false, &history, &failure) ||
	    choose(call, history, &shown, &failure))
		return gpc_finish_failed(call, &failure);
	return path ? print_source(call, history, &shown, path) : print_all(call, history, &shown);
}

const struct gpc_command gpc_command_show = {
	.name = "show",
	.side = GPC_SIDE_HOST,
	.summary = "one generation: what it is and what it changed",
	.operands = "[N]",
	.operands_max = 1,
	.description = "Generation N (default: the newest): who, when, from what; what it added, "
		       "removed or\n"
		       "changed: interfaces, backends, endpoints, listeners, policies, rules, and what "
		       "this\n"
		       "means for live flows; the diff of its sources.",
	.objects = "generation, change",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID),
	.run = run,
};
