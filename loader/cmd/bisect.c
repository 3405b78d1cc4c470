/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../../compiler/analyze/packet.h"
#include "../../compiler/base/cleanup.h"
#include "../../compiler/base/words.h"
#include "../history/revision.h"
#include "generation.h"
#include "output.h"
#include "point.h"
#include "rulebook.h"
#include "target.h"
#include "gpc/lookup/vip_entry.h"

#define STEPS_MOST 100000u

static const struct gpc_option options[] = {
	{0, "good", "REV", "a revision or generation in which the packet is still treated well"},
	{0, "bad", "REV", "one in which it is not; HEAD, or the newest generation, if not given"},
	GPC_OPTION_IN,
	GPC_OPTION_OUT,
	GPC_OPTION_FILE,
	GPC_OPTION_ENV,
	{'v', "verbose", NULL, "name every revision that is looked at"},
	GPC_OPTION_JSON,
};

/* What becomes of the packet in one revision; texts in the arena of the search. */
struct answer {
	enum { UNKNOWN, ANSWERED, SKIPPED } state;
	const char *verdict; /* "deny", "allow to listener web" */
	const char *rule, *place;
};

/* A revision, or a generation. */
struct step {
	struct gpc_revision revision;
	struct gpc_generation generation;
	struct answer answer;
};

struct search {
	const struct gpc_call *call;
	struct gpc_call quiet;
	struct gpc_arena arena;
	struct gpc_question packet;
	bool over_history;
	struct step *steps; /* from bad back to good */
	size_t count, room;
	size_t skipped, asked;
	struct gpc_failure failure;
};

static void release_search(struct search *s)
{
	gpc_arena_release(&s->arena);
	free(s->steps);
}

/* ---- the steps ---- */

static struct step *add_step(struct search *s)
{
	if (s->count == s->room) {
		s->room = 2 * s->room + 64;
		s->steps = reallocarray(s->steps, s->room, sizeof(*s->steps));
		if (!s->steps)
			abort();
	}
	s->steps[s->count] = (struct step){0};
	return &s->steps[s->count++];
}

static int no_way(struct search *s, const char *good)
{
	gpc_fail(&s->failure, GPC_EXIT_INVALID, 0, "'%s' does not stand before the bad one", good);
	return gpc_fail_hint(&s->failure, "they are looked for along first parents, and in order of "
					  "generations");
}

/* Along first parents. */
static int list_revisions(struct search *s, const char *good, const char *bad)
{
	GPC_CLEANUP(gpc_revisions_close) struct gpc_revisions *revisions = NULL;
	const char *file = gpc_call_value(s->call, "file");
	const char *slash = file ? strrchr(file, '/') : NULL;
	const char *folder =
		slash ? gpc_arena_strndup(&s->arena, file, (size_t)(slash - file)) : ".";
	struct gpc_revision first, at;
	bool more = true;

	if (gpc_revisions_open(*folder ? folder : "/", &revisions, &s->failure) ||
	    gpc_revision_find(revisions, good, &first, &s->failure) ||
	    gpc_revision_find(revisions, bad ? bad : "HEAD", &at, &s->failure))
		return -1;
	while (more && s->count < STEPS_MOST) {
		add_step(s)->revision = at;
		if (!strcmp(at.commit, first.commit))
			return 0;
		if (gpc_revision_before(revisions, &at, &at, &more, &s->failure))
			return -1;
	}
	return no_way(s, good);
}

static bool is_number(const char *text, uint32_t *ret)
{
	unsigned long number;

	if (!gpc_number_parse(text + (*text == '@'), 1, UINT32_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static int list_generations(struct search *s, uint32_t good, const char *bad)
{
	GPC_CLEANUP(gpc_history_free) struct gpc_history *history = NULL;
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	uint32_t last = UINT32_MAX;
	size_t count;

	if (bad && !is_number(bad, &last))
		return gpc_fail(&s->failure, GPC_EXIT_USAGE, 0,
				"--good is a generation, '%s' is none", bad);
	if (gpc_history_open(gpc_state_dir(), false, &history, &s->failure) ||
	    gpc_history_list(history, 0, &list, &count, &s->failure))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (list[i].number >= good && list[i].number <= last)
			add_step(s)->generation = list[i];
	if (s->count < 2 || s->steps[s->count - 1].generation.number != good ||
	    (bad && s->steps[0].generation.number != last))
		return no_way(s, gpc_call_value(s->call, "good"));
	return 0;
}

static int list_steps(struct search *s)
{
	const char *good = gpc_call_value(s->call, "good"), *bad = gpc_call_value(s->call, "bad");
	uint32_t number;

	if (!good)
		return gpc_fail(&s->failure, GPC_EXIT_USAGE, 0,
				"since when was it good? give --good REV or --good N");
	s->over_history = is_number(good, &number) &&
			  (*good == '@' || strlen(good) < 7); /* no commit's id is that short */
	if (s->over_history)
		return list_generations(s, number, bad);
	return list_revisions(s, good, bad);
}

/* ---- a step ---- */

static const char *step_name(const struct search *s, const struct step *step, char out[64])
{
	if (s->over_history)
		snprintf(out, 64, "generation %u", step->generation.number);
	else
		snprintf(out, 64, "commit %.12s", step->revision.commit);
	return out;
}

static void put_rule(struct search *s, const struct gpc_image *image, uint32_t rule,
		     struct answer *ret)
{
	const struct gpc_rule *record;
	char place[GPC_RULE_PLACE];

	ret->rule = "-";
	ret->place = "";
	if (rule == GPC_NONE)
		return;
	record = gpc_rule_at(image->view, rule);
	ret->rule = gpc_arena_printf(&s->arena, "%s/%s", gpc_rule_owner(image, record),
				     gpc_image_name(image, record->name));
	ret->place = gpc_arena_strdup(&s->arena, gpc_rule_place(image, record, place));
}

/* A plane that does not cover the interface lets the packet through. */
static void judge(struct search *s, const struct gpc_image *image, struct answer *ret)
{
	bool out = gpc_call_has(s->call, "out");
	const char *name = gpc_call_value(s->call, out ? "out" : "in");
	struct gpc_explain_point point;
	struct gpc_explanation e = {.action = GPC_ACTION_PASS,
				    .rule = GPC_NONE,
				    .would_rule = GPC_NONE,
				    .listener = GPC_NONE};
	const char *listener = NULL;
	struct gpc_failure ignored;
	bool passes;

	if (!gpc_point_find(s->call, image, &point, &name, &ignored))
		gpc_explain(image, &point, &s->packet, false, &e);
	passes = e.action == GPC_ACTION_PASS || e.action == GPC_ACTION_ALLOW;
	if (passes && e.listener != GPC_NONE)
		listener = gpc_image_name(image, gpc_listener_at(image->view, e.listener)->name);
	ret->state = ANSWERED;
	ret->verdict = gpc_arena_printf(&s->arena, "%s%s%s%s",
					passes ? "let through" : gpc_action_name(e.action),
					listener ? " to listener " : "", listener ? listener : "",
					e.would_rule == GPC_NONE ? "" : ", would be denied");
	put_rule(s, image, e.rule == GPC_NONE ? e.would_rule : e.rule, ret);
}

/* What does not compile here, or is no longer to be had, is passed over, and said to be. */
static struct answer *ask(struct search *s, size_t i)
{
	GPC_CLEANUP(gpc_target_release) struct gpc_target target = {0};
	struct step *step = &s->steps[i];
	char name[64];
	enum gpc_exit rc;

	if (step->answer.state != UNKNOWN)
		return &step->answer;
	rc = s->over_history
		     ? gpc_target_generation(&s->quiet, step->generation.number, &target)
		     : gpc_target_commit(&s->quiet, step->revision.commit, NULL, &target);
	step->answer.state = SKIPPED;
	if (!rc)
		judge(s, &target.input.image, &step->answer);
	s->asked++;
	s->skipped += rc != GPC_EXIT_OK;
	if (rc)
		gpc_say(s->call, GPC_YELLOW, "note", "%s is passed over: it does not compile%s%s",
			step_name(s, step, name), *target.input.failure.message ? ": " : "",
			target.input.failure.message);
	else if (gpc_call_has(s->call, "verbose"))
		gpc_say(s->call, GPC_DIM, "note", "%s: %s", step_name(s, step, name),
			step->answer.verdict);
	return &step->answer;
}

/* The step nearest to the middle of (bad, good), both apart, that answers; `good` if none does. */
static size_t middle(struct search *s, size_t bad, size_t good)
{
	size_t centre = bad + (good - bad) / 2;

	for (size_t away = 0; away <= good - bad; away++) {
		if (centre + away < good && ask(s, centre + away)->state == ANSWERED)
			return centre + away;
		if (away && centre >= bad + 1 + away && ask(s, centre - away)->state == ANSWERED)
			return centre - away;
	}
	return good;
}

/*
 * Between the one at *ret_bad and the one behind it the verdict is no longer that of the good one; what
 * stands between these two, if anything, does not compile.
 */
static int search(struct search *s, size_t *ret_bad, size_t *ret_good)
{
	size_t bad = 0, good = s->count - 1;
	const char *verdict;
	char name[64];

	for (size_t end = 0; end < s->count; end += s->count > 1 ? s->count - 1 : 1)
		if (ask(s, end)->state == SKIPPED)
			return gpc_fail(&s->failure, GPC_EXIT_INVALID, 0, "%s does not compile",
					step_name(s, &s->steps[end], name));
	verdict = s->steps[good].answer.verdict;
	if (!strcmp(verdict, s->steps[bad].answer.verdict)) {
		gpc_fail(&s->failure, GPC_EXIT_INVALID, 0,
			 "the good one and the bad one both say: %s", verdict);
		return gpc_fail_hint(&s->failure, "gpc explain says what becomes of the packet");
	}
	while (good - bad > 1) {
		size_t at = middle(s, bad, good);

		if (at == good)
			break;
		if (strcmp(verdict, s->steps[at].answer.verdict))
			bad = at;
		else
			good = at;
	}
	*ret_bad = bad;
	*ret_good = good;
	return 0;
}

/* ---- words ---- */

static void show_answer(const struct search *s, const char *word, const struct step *step)
{
	char name[64];

	printf("%-7s %s: %s, by %s%s%s\n", word, step_name(s, step, name), step->answer.verdict,
	       step->answer.rule, *step->answer.place ? "  " : "", step->answer.place);
}

static void show_text(const struct search *s, size_t bad, size_t good)
{
	const struct step *first = &s->steps[bad];
	char text[GPC_PACKET_TEXT], when[32], name[64];

	printf("packet  %s\n", gpc_packet_format(&s->packet, text));
	printf("%sfirst   %s%s\n", gpc_paint(stdout, GPC_BOLD), step_name(s, first, name),
	       gpc_paint(stdout, GPC_PLAIN));
	if (s->over_history)
		printf("        %s  %s, from %s\n", first->generation.actor,
		       gpc_text_time(first->generation.time, when), first->generation.source);
	else
		printf("        %s  %s\n        %s\n", first->revision.author,
		       gpc_text_time(first->revision.time, when), first->revision.subject);
	if (good - bad > 1)
		printf("        or one of the %zu before it, which do not compile\n", good - bad - 1);
	show_answer(s, "before", &s->steps[good]);
	show_answer(s, "since", first);
}

static struct json_object *step_json(const struct search *s, const struct step *step)
{
	struct json_object *object;
	char when[32];

	if (s->over_history) {
		object = gpc_generation_json(&step->generation, "generation");
	} else {
		object = gpc_json("revision");
		gpc_json_text(object, "commit", step->revision.commit);
		gpc_json_text(object, "author", step->revision.author);
		gpc_json_text(object, "time", gpc_text_time(step->revision.time, when));
		gpc_json_text(object, "subject", step->revision.subject);
	}
	gpc_json_text(object, "verdict", step->answer.verdict);
	gpc_json_text(object, "rule", step->answer.rule);
	gpc_json_text(object, "place", *step->answer.place ? step->answer.place : NULL);
	return object;
}

static void show_json(const struct search *s, size_t bad, size_t good)
{
	struct json_object *object = gpc_json("bisect");
	char text[GPC_PACKET_TEXT];

	gpc_json_text(object, "packet", gpc_packet_format(&s->packet, text));
	json_object_object_add(object, "before", step_json(s, &s->steps[good]));
	json_object_object_add(object, "first", step_json(s, &s->steps[bad]));
	gpc_json_number(object, "between", (int64_t)(good - bad - 1));
	gpc_json_number(object, "steps", (int64_t)s->count);
	gpc_json_number(object, "asked", (int64_t)s->asked);
	gpc_json_number(object, "skipped", (int64_t)s->skipped);
	gpc_json_print(object);
}

static enum gpc_exit run(const struct gpc_call *call)
{
	GPC_CLEANUP(release_search) struct search s = {.call = call, .quiet = *call};
	size_t bad = 0, good = 0;

	s.quiet.quiet = true;
	if (gpc_call_has(call, "in") && gpc_call_has(call, "out")) {
		gpc_fail(&s.failure, GPC_EXIT_USAGE, 0, "--in and --out exclude each other");
		return gpc_finish_failed(call, &s.failure);
	}
	if (gpc_point_packet(call->operands[0], &s.packet, &s.failure) || list_steps(&s) ||
	    search(&s, &bad, &good))
		return gpc_finish_failed(call, &s.failure);
	if (gpc_call_has(call, "json"))
		show_json(&s, bad, good);
	else
		show_text(&s, bad, good);
	return gpc_finish(call, GPC_EXIT_OK, NULL);
}

const struct gpc_command gpc_command_bisect = {
	.name = "bisect",
	.side = GPC_SIDE_AUTHOR,
	.summary = "since which commit or generation a packet is treated otherwise",
	.operands = "PACKET",
	.operands_min = 1,
	.operands_max = 1,
	.description =
		"Looks between --good and --bad for the first revision whose verdict about PACKET is not the\n"
		"good one's any more, and names its author and date and the rules that decide before and\n"
		"since. --good N (or @N): generations of this host, up to the newest; --good REV: commits of\n"
		"the repository that the intent lies in (-f, or this folder), along first parents, up to HEAD;\n"
		"gpc diff says what a REV is. What does not compile is passed over, and said to be. It halves\n"
		"what is left each time: if the verdict changed several times, one of the changes is found.\n"
		"Give --in or --out where the plane has several interfaces with policies. Nothing is checked\n"
		"out and nothing written.",
	.objects = "bisect",
	GPC_ROWS(options),
	GPC_EXIT_LIST(GPC_EXIT_OK, GPC_EXIT_FAILED, GPC_EXIT_INVALID, GPC_EXIT_HOST),
	.run = run,
};
