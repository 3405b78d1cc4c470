/* SPDX-License-Identifier: MIT */
#include "blame.h"

#include <json-c/json.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "generation.h"
#include "output.h"
#include "point.h"
#include "rulebook.h"

#define BLAMES 2u

static const struct gpc_option options[] = {
	GPC_OPTION_IN,
	GPC_OPTION_OUT,
	{0, "repo", "FOLDER", "where the sources of an image lie in their repository; . if not given"},
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	{'v', "verbose", NULL, "say it of every line"},
	GPC_OPTION_JSON,
};

struct question {
	const struct gpc_call *call;
	struct gpc_target target;
	struct gpc_explain_point point;
	const char *interface;
	struct gpc_question packet;
	struct gpc_explanation explanation;
	struct gpc_blame blames[BLAMES];
	size_t blame_count;
	struct gpc_failure failure;
};

static void release_question(struct question *q)
{
	gpc_target_release(&q->target);
}

static void add_place(struct question *q, const char *what, uint64_t id)
{
	struct gpc_blame *blame = &q->blames[q->blame_count];

	*blame = (struct gpc_blame){.what = what};
	q->blame_count += gpc_image_place(&q->target.input.image, &q->target.input.arena, id,
					  &blame->path, &blame->line, &blame->column);
}

static void find_places(struct question *q)
{
	const struct gpc_image *image = &q->target.input.image;
	uint32_t rule = q->explanation.rule;
	const struct gpc_rule *record;
	const struct gpc_policy *policy;

	if (rule == GPC_NONE)
		rule = q->explanation.would_rule;
	if (rule == GPC_NONE)
		return;
	record = gpc_rule_at(image->view, rule);
	add_place(q, "rule", record->id);
	if (record->policy == GPC_NONE || record->flags & (GPC_RULE_PROTECT | GPC_RULE_BUILTIN))
		return;
	policy = gpc_policy_at(image->view, record->policy);
	add_place(q, "policy", policy->id);
}

/* ---- words ---- */

static const char *shown_rule(struct question *q, uint32_t rule)
{
	const struct gpc_image *image = &q->target.input.image;
	const struct gpc_rule *record = gpc_rule_at(image->view, rule);

	return gpc_arena_printf(&q->target.input.arena, "%s/%s", gpc_rule_owner(image, record),
				gpc_image_name(image, record->name));
}

static void show_origin(const struct gpc_line_origin *origin)
{
	char when[32];

	if (origin->state == GPC_LINE_CHANGED) {
		printf("  line %-5u %-12s  not committed yet\n", origin->line, "-");
		return;
	}
	printf("  line %-5u %.12s  %s%s  %s  %s\n", origin->line, origin->revision.commit,
	       origin->state == GPC_LINE_CUT ? "or before: " : "", origin->revision.author,
	       gpc_text_time(origin->revision.time, when), origin->revision.subject);
}

/* Which line it is, where it is not the one that the place names. */
static void show_commit(const struct gpc_blame *blame)
{
	const struct gpc_line_origin *newest =
		blame->origin_count ? &blame->origins[blame->newest] : NULL;
	char when[32];

	if (blame->why) {
		printf("  commit  unknown: %s\n", blame->why);
	} else {
		printf("  commit  %s%.12s%s  %s  %s\n", gpc_paint(stdout, GPC_YELLOW),
		       newest->revision.commit, gpc_paint(stdout, GPC_PLAIN),
		       newest->revision.author, gpc_text_time(newest->revision.time, when));
		printf("          %s\n", newest->revision.subject);
	}
	if (newest && newest->line != blame->line)
		printf("          line %u\n", newest->line);
	if (blame->next)
		printf("          next: %s\n", blame->next);
}

static void show_blame(const struct gpc_blame *blame, bool verbose)
{
	char when[32];

	printf("%-9s %s:%u:%u\n", blame->what, blame->path, blame->line, blame->column);
	show_commit(blame);
	if (blame->recorded)
		printf("  since   generation %u  %s  %s\n", blame->generation.number,
		       blame->generation.actor, gpc_text_time(blame->generation.time, when));
	for (size_t i = 0; verbose && i < blame->origin_count; i++)
		show_origin(&blame->origins[i]);
}

static void show_text(struct question *q)
{
	const struct gpc_explanation *e = &q->explanation;
	char text[GPC_PACKET_TEXT];

	printf("packet    %s, %s %s\n", gpc_packet_format(&q->packet, text),
	       q->point.direction == GPC_INGRESS ? "in by" : "out by", q->interface);
	printf("verdict   %s%s%s\n", gpc_action_name(e->action),
	       e->rule == GPC_NONE ? ", nobody decides" : ", by ",
	       e->rule == GPC_NONE ? "" : shown_rule(q, e->rule));
	if (e->rule == GPC_NONE && e->would_rule != GPC_NONE)
		printf("would     %s, by %s in audit\n", gpc_action_name(e->would),
		       shown_rule(q, e->would_rule));
	if (e->rule != GPC_NONE && !q->blame_count)
		puts("rule      written nowhere: it is built in, or the image does not say where");
	for (size_t i = 0; i < q->blame_count; i++)
		show_blame(&q->blames[i], gpc_call_has(q->call, "verbose"));
}

static void put_commit(struct json_object *object, const struct gpc_revision *revision)
{
	char time[32];

	gpc_json_text(object, "commit", revision->commit);
	gpc_json_text(object, "author", revision->author);
	gpc_json_text(object, "time", gpc_text_time(revision->time, time));
	gpc_json_text(object, "subject", revision->subject);
}

static struct json_object *origin_json(const struct gpc_line_origin *origin)
{
	struct json_object *object = json_object_new_object();

	gpc_json_number(object, "line", origin->line);
	if (origin->state == GPC_LINE_CHANGED)
		gpc_json_text(object, "commit", NULL);
	else
		put_commit(object, &origin->revision);
	gpc_json_bool(object, "or-before", origin->state == GPC_LINE_CUT);
	return object;
}

static struct json_object *blame_json(const struct gpc_blame *blame)
{
	struct json_object *object = json_object_new_object(), *all = json_object_new_array();

	gpc_json_text(object, "what", blame->what);
	gpc_json_text(object, "file", blame->path);
	gpc_json_number(object, "line", blame->line);
	gpc_json_number(object, "column", blame->column);
	if (blame->why) {
		gpc_json_text(object, "commit", NULL);
		gpc_json_text(object, "why", blame->why);
	} else {
		put_commit(object, &blame->origins[blame->newest].revision);
	}
	if (blame->origin_count)
		gpc_json_number(object, "newest-line", blame->origins[blame->newest].line);
	for (size_t i = 0; i < blame->origin_count; i++)
		json_object_array_add(all, origin_json(&blame->origins[i]));
	json_object_object_add(object, "all", all);
	if (blame->recorded)
		json_object_object_add(object, "since",
				       gpc_generation_json(&blame->generation, "generation"));
	return object;
}

static void show_json(struct question *q)
{
	const struct gpc_explanation *e = &q->explanation;
	struct json_object *object = gpc_json("blame"), *lines = json_object_new_array();
	const struct gpc_image *image = &q->target.input.image;
	char text[GPC_PACKET_TEXT];

	gpc_json_text(object, "packet", gpc_packet_format(&q->packet, text));
	gpc_json_text(object, "interface", q->interface);
	gpc_json_text(object, "direction", gpc_direction_name(q->point.direction));
	gpc_json_text(object, "verdict", gpc_action_name(e->action));
	if (e->rule != GPC_NONE) {
		const struct gpc_rule *record = gpc_rule_at(image->view, e->rule);

		gpc_json_text(object, "policy", gpc_rule_owner(image, record));
		gpc_json_text(object, "rule", gpc_image_name(image, record->name));
	}
	if (e->would_rule != GPC_NONE)
		gpc_json_text(object, "would", gpc_action_name(e->would));
	for (size_t i = 0; i < q->blame_count; i++)
		json_object_array_add(lines, blame_json(&q->blames[i]));
	json_object_object_add(object, "lines", lines);
	gpc_json_print(object);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release_question) struct question q = {.call = call};
	const char *text = call->operand_count > 1 ? call->operands[1] : NULL;
	enum gpc_exit rc;

	if (gpc_point_packet(call->operands[0], &q.packet, &q.failure))
		return gpc_finish_failed(call, &q.failure);
	rc = gpc_target_open(call, text, NULL, &q.target);
	if (rc)
		return gpc_target_end(call, &q.target, rc);
	if (gpc_point_find(call, &q.target.input.image, &q.point, &q.interface, &q.failure))
		return gpc_finish_failed(call, &q.failure);
	gpc_explain(&q.target.input.image, &q.point, &q.packet, q.target.control & GPC_CTL_AUDIT,
		    &q.explanation);
	find_places(&q);
	if (gpc_blame_ask(&q.target, gpc_call_value(call, "repo"), q.blames, q.blame_count,
			  &q.failure))
		return gpc_finish_failed(call, &q.failure);
	if (gpc_call_has(call, "json"))
		show_json(&q);
	else
		show_text(&q);
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

const struct gpc_command gpc_command_blame = {
	.name = "blame",
	.side = GPC_SIDE_AUTHOR,
	.summary = "who wrote the rule that decides a packet, and when",
	.operands = "PACKET [IMAGE]",
	.operands_min = 1,
	.operands_max = 2,
	.description =
		"Asks the tables which rule decides PACKET, as gpc explain does, and git who last wrote\n"
		"one of the lines of that rule and of its policy: commit, author, date; with -v of each line.\n"
		"IMAGE is what gpc diff takes (a file, an intent, a generation, a git revision, `live`); without\n"
		"it the intent is compiled: -f, or ./gpc.yaml and ./gpc.d/*.yaml. Of a generation and of `live`\n"
		"also since which generation of this host these lines are what they are. A rule with a line that\n"
		"is not committed says so, and one that was written in or before the commit at which a shallow\n"
		"clone ends. Nothing is asked over a network, and nothing is written.",
	.objects = "blame",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
