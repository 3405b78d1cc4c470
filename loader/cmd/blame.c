/* SPDX-License-Identifier: MIT */
#include "../history/blame.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "generation.h"
#include "output.h"
#include "point.h"
#include "rulebook.h"
#include "target.h"

#define LINES 2u

static const struct gpc_option options[] = {
	GPC_OPTION_IN,
	GPC_OPTION_OUT,
	{0, "repo", "FOLDER", "where the sources of an image lie in their repository; . if not given"},
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	GPC_OPTION_JSON,
};

/* A place in the sources, and where it comes from. */
struct line {
	const char *what; /* "rule", "policy" */
	const char *path;
	uint32_t line, column;
	bool committed, recorded;
	struct gpc_revision revision;
	struct gpc_generation generation;
	const char *why; /* no commit is known */
};

struct blame {
	const struct gpc_call *call;
	struct gpc_target target;
	struct gpc_explain_point point;
	const char *interface;
	struct gpc_question packet;
	struct gpc_explanation explanation;
	struct line lines[LINES];
	size_t line_count;
	struct gpc_failure failure;
};

static void release_blame(struct blame *b)
{
	gpc_target_release(&b->target);
}

/* ---- places ---- */

static void add_place(struct blame *b, const char *what, uint64_t id)
{
	struct line *line = &b->lines[b->line_count];

	*line = (struct line){.what = what};
	b->line_count += gpc_image_place(&b->target.input.image, &b->target.input.arena, id,
					 &line->path, &line->line, &line->column);
}

static void find_places(struct blame *b)
{
	const struct gpc_image *image = &b->target.input.image;
	uint32_t rule = b->explanation.rule;
	const struct gpc_rule *record;
	const struct gpc_policy *policy;

	if (rule == GPC_NONE)
		rule = b->explanation.would_rule;
	if (rule == GPC_NONE)
		return;
	record = gpc_rule_at(image->view, rule);
	add_place(b, "rule", record->id);
	if (record->policy == GPC_NONE || record->flags & (GPC_RULE_PROTECT | GPC_RULE_BUILTIN))
		return;
	policy = gpc_policy_at(image->view, record->policy);
	add_place(b, "policy", policy->id);
}

/* ---- the source repository ---- */

/* The commit that an image says it was compiled from: 40 digits; NULL: it says none, or a changed one. */
static const char *commit_of(struct blame *b)
{
	size_t size;
	const char *text = gpc_image_provenance(&b->target.input.image, &size), *commit = NULL;
	GPC_AUTO_FREE char *copy = text ? strndup(text, size) : NULL;
	struct json_object *object = copy ? json_tokener_parse(copy) : NULL, *value;

	if (object && json_object_object_get_ex(object, "commit", &value) && value)
		commit = gpc_arena_strdup(&b->target.input.arena, json_object_get_string(value));
	json_object_put(object);
	return commit && strlen(commit) == 40 ? commit : NULL;
}

static const struct gpc_target_source *source_of(struct blame *b, const char *path)
{
	struct gpc_target_source *sources;
	struct gpc_failure ignored;
	size_t count;

	if (b->target.kind != GPC_TARGET_FILES ||
	    gpc_target_sources(&b->target, &sources, &count, &ignored))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(sources[i].path, path))
			return &sources[i];
	return NULL;
}

static const char *join(struct blame *b, const char *folder, const char *path)
{
	bool none = !folder || !*folder || !strcmp(folder, ".");

	return none ? path : gpc_arena_printf(&b->target.input.arena, "%s/%s", folder, path);
}

/* The line's file from the top of the repository; NULL: the commit has none such. */
static const char *path_in(struct blame *b, struct gpc_revisions *revisions,
			   const struct gpc_revision *at, const char *path)
{
	const char *tries[] = {join(b, gpc_revisions_place(revisions), path),
			       join(b, b->target.input.project.root, path), path};

	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		if (gpc_revision_entry(revisions, at, tries[i]) == GPC_REVISION_FILE)
			return tries[i];
	return NULL;
}

static int find_commit(struct blame *b, struct gpc_revisions *revisions, const char *commit,
		       struct line *line)
{
	const struct gpc_target_source *source = commit ? NULL : source_of(b, line->path);
	struct gpc_revision at;
	const char *path;

	line->why = "not committed yet";
	if (gpc_revision_find(revisions, commit ? commit : "HEAD", &at, &b->failure)) {
		line->why = "this repository does not have the commit that it was compiled from";
		return 0;
	}
	path = path_in(b, revisions, &at, line->path);
	if (!path)
		return 0;
	return gpc_revision_blame(revisions, commit, path, source ? source->text : NULL,
				  source ? source->size : 0, line->line, &line->revision,
				  &line->committed, &b->failure);
}

static int ask_repository(struct blame *b)
{
	GPC_CLEANUP(gpc_revisions_close) struct gpc_revisions *revisions = NULL;
	const char *folder = gpc_call_value(b->call, "repo");
	const char *commit = b->target.kind == GPC_TARGET_REVISION ? b->target.commit : NULL;
	const char *why = NULL;

	if (!folder)
		folder = b->target.kind == GPC_TARGET_FILES ? b->target.input.project.root : ".";
	if (b->target.kind != GPC_TARGET_FILES && b->target.kind != GPC_TARGET_REVISION) {
		commit = commit_of(b);
		why = commit ? NULL : "the image does not say from which commit it was compiled";
	}
	if (!why && gpc_revisions_open(folder, &revisions, &b->failure))
		why = "its sources lie in no repository that can be read from here";
	for (size_t i = 0; i < b->line_count; i++) {
		b->lines[i].why = why;
		if (!why && find_commit(b, revisions, commit, &b->lines[i]))
			return -1;
	}
	return 0;
}

/* ---- the history of this host ---- */

static int ask_history(struct blame *b)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	struct gpc_generation generation;

	if (b->target.kind != GPC_TARGET_GENERATION && b->target.kind != GPC_TARGET_LIVE)
		return 0;
	if (gpc_history_open(gpc_state_dir(), false, &history, &b->failure) ||
	    gpc_history_find(history, b->target.generation, &generation, &b->failure))
		return -1;
	for (size_t i = 0; i < b->line_count; i++)
		if (gpc_history_blame(history, &generation, b->lines[i].path, b->lines[i].line,
				      &b->lines[i].generation, &b->lines[i].recorded, &b->failure))
			return -1;
	return 0;
}

/* ---- words ---- */

static const char *shown_rule(struct blame *b, uint32_t rule)
{
	const struct gpc_image *image = &b->target.input.image;
	const struct gpc_rule *record = gpc_rule_at(image->view, rule);

	return gpc_arena_printf(&b->target.input.arena, "%s/%s", gpc_rule_owner(image, record),
				gpc_image_name(image, record->name));
}

static void show_line(const struct line *line)
{
	char when[32];

	printf("%-9s %s:%u:%u\n", line->what, line->path, line->line, line->column);
	if (line->committed) {
		printf("  commit  %s%.12s%s  %s  %s\n", gpc_paint(stdout, GPC_YELLOW),
		       line->revision.commit, gpc_paint(stdout, GPC_PLAIN), line->revision.author,
		       gpc_text_time(line->revision.time, when));
		printf("          %s\n", line->revision.subject);
	} else if (line->why) {
		printf("  commit  unknown: %s\n", line->why);
	}
	if (line->recorded)
		printf("  since   generation %u  %s  %s\n", line->generation.number,
		       line->generation.actor, gpc_text_time(line->generation.time, when));
}

static void show_text(struct blame *b)
{
	const struct gpc_explanation *e = &b->explanation;
	char text[GPC_PACKET_TEXT];

	printf("packet    %s, %s %s\n", gpc_packet_format(&b->packet, text),
	       b->point.direction == GPC_INGRESS ? "in by" : "out by", b->interface);
	printf("verdict   %s%s%s\n", gpc_action_name(e->action),
	       e->rule == GPC_NONE ? ", nobody decides" : ", by ",
	       e->rule == GPC_NONE ? "" : shown_rule(b, e->rule));
	if (e->rule == GPC_NONE && e->would_rule != GPC_NONE)
		printf("would     %s, by %s in audit\n", gpc_action_name(e->would),
		       shown_rule(b, e->would_rule));
	if (e->rule != GPC_NONE && !b->line_count)
		puts("rule      written nowhere: it is built in, or the image does not say where");
	for (size_t i = 0; i < b->line_count; i++)
		show_line(&b->lines[i]);
}

static struct json_object *line_json(const struct line *line)
{
	struct json_object *object = json_object_new_object();
	char time[32];

	gpc_json_text(object, "what", line->what);
	gpc_json_text(object, "file", line->path);
	gpc_json_number(object, "line", line->line);
	gpc_json_number(object, "column", line->column);
	gpc_json_text(object, "commit", line->committed ? line->revision.commit : NULL);
	if (line->committed) {
		gpc_json_text(object, "author", line->revision.author);
		gpc_json_text(object, "time", gpc_text_time(line->revision.time, time));
		gpc_json_text(object, "subject", line->revision.subject);
	} else if (line->why) {
		gpc_json_text(object, "why", line->why);
	}
	if (line->recorded)
		json_object_object_add(object, "since",
				       gpc_generation_json(&line->generation, "generation"));
	return object;
}

static void show_json(struct blame *b)
{
	const struct gpc_explanation *e = &b->explanation;
	struct json_object *object = gpc_json("blame"), *lines = json_object_new_array();
	const struct gpc_image *image = &b->target.input.image;
	char text[GPC_PACKET_TEXT];

	gpc_json_text(object, "packet", gpc_packet_format(&b->packet, text));
	gpc_json_text(object, "interface", b->interface);
	gpc_json_text(object, "direction", gpc_direction_name(b->point.direction));
	gpc_json_text(object, "verdict", gpc_action_name(e->action));
	if (e->rule != GPC_NONE) {
		const struct gpc_rule *record = gpc_rule_at(image->view, e->rule);

		gpc_json_text(object, "policy", gpc_rule_owner(image, record));
		gpc_json_text(object, "rule", gpc_image_name(image, record->name));
	}
	if (e->would_rule != GPC_NONE)
		gpc_json_text(object, "would", gpc_action_name(e->would));
	for (size_t i = 0; i < b->line_count; i++)
		json_object_array_add(lines, line_json(&b->lines[i]));
	json_object_object_add(object, "lines", lines);
	gpc_json_print(object);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release_blame) struct blame b = {.call = call};
	const char *text = call->operand_count > 1 ? call->operands[1] : NULL;
	enum gpc_exit rc;

	if (gpc_point_packet(call->operands[0], &b.packet, &b.failure))
		return gpc_finish_failed(call, &b.failure);
	rc = gpc_target_open(call, text, NULL, &b.target);
	if (rc)
		return gpc_target_end(call, &b.target, rc);
	if (gpc_point_find(call, &b.target.input.image, &b.point, &b.interface, &b.failure))
		return gpc_finish_failed(call, &b.failure);
	gpc_explain(&b.target.input.image, &b.point, &b.packet, b.target.control & GPC_CTL_AUDIT,
		    &b.explanation);
	find_places(&b);
	if (ask_repository(&b) || ask_history(&b))
		return gpc_finish_failed(call, &b.failure);
	if (gpc_call_has(call, "json"))
		show_json(&b);
	else
		show_text(&b);
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
		"Asks the tables which rule decides PACKET, as gpc explain does, and git who wrote the line\n"
		"of that rule and of its policy: commit, author, date. IMAGE is what gpc diff takes (a file,\n"
		"an intent, a generation, a git revision, `live`); without it the intent is compiled: -f, or\n"
		"./gpc.yaml and ./gpc.d/*.yaml. Of a generation and of `live` also since which generation of\n"
		"this host the line is what it is. What was compiled from files that are not committed says so.\n"
		"Nothing is asked over a network, and nothing is written.",
	.objects = "blame",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
