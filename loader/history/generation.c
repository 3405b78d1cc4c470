/* SPDX-License-Identifier: MIT */
/* Reading generations: the chain of commits from the branch along first parents. */
#include "git.h"

#include <string.h>

int gpc_git_head(const struct gpc_history *history, git_oid *ret_oid, bool *ret_found,
		 struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_reference) *ref = NULL;
	int rc;

	*ret_found = false;
	if (!history->repo)
		return 0;
	rc = git_reference_lookup(&ref, history->repo, GPC_HISTORY_REF);
	if (rc == GIT_ENOTFOUND)
		return 0;
	if (rc)
		return gpc_git_fail(history, failure, "cannot read '%s/" GPC_HISTORY_REF "'",
				    history->repo_path);
	if (!git_reference_target(ref)) {
		git_error_set_str(GIT_ERROR_REFERENCE, "it is not a commit's name");
		return gpc_git_fail(history, failure, "cannot use '%s/" GPC_HISTORY_REF "'",
				    history->repo_path);
	}
	*ret_oid = *git_reference_target(ref);
	*ret_found = true;
	return 0;
}

static bool parse_number(const char *text, uint32_t *ret)
{
	unsigned long value;
	char *end;

	if (text[0] < '1' || text[0] > '9')
		return false;
	value = strtoul(text, &end, 10);
	if (*end || value >= 1ul << 29)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* Digests name files: nothing but 64 hex digits may pass. */
static bool parse_digest(const char *text, char out[65])
{
	if (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
		return false;
	memcpy(out, text, 65);
	return true;
}

static bool parse_layout(const char *text, uint32_t *ret)
{
	if (strlen(text) != 8 || strspn(text, "0123456789abcdef") != 8)
		return false;
	*ret = (uint32_t)strtoul(text, NULL, 16);
	return true;
}

static enum gpc_result parse_result(const char *text)
{
	if (!strcmp(text, "applied(pending)"))
		return GPC_RESULT_PENDING;
	if (!strcmp(text, "confirmed"))
		return GPC_RESULT_CONFIRMED;
	return strncmp(text, "rolled-back", strlen("rolled-back")) ? GPC_RESULT_APPLIED
								   : GPC_RESULT_ROLLED_BACK;
}

static bool parse_trailer(const char *key, const char *value, struct gpc_generation *g)
{
	if (!strcmp(key, "Gpc-Generation"))
		return parse_number(value, &g->number);
	if (!strcmp(key, "Gpc-Rollback-Of"))
		return parse_number(value, &g->rollback_of);
	if (!strcmp(key, "Gpc-Upgrade-Of"))
		return parse_number(value, &g->upgrade_of);
	if (!strcmp(key, "Gpc-Layout"))
		return parse_layout(value, &g->layout);
	if (!strcmp(key, "Gpc-Image"))
		return parse_digest(value, g->image);
	if (!strcmp(key, "Gpc-Decision"))
		return parse_digest(value, g->decision);
	if (!strcmp(key, "Gpc-Parent"))
		return parse_digest(value, g->parent);
	if (!strcmp(key, "Gpc-Policies"))
		return gpc_stance_parse(value, &g->stance);
	if (!strcmp(key, "Gpc-Result"))
		snprintf(g->result, sizeof(g->result), "%s", value);
	else if (!strcmp(key, "Gpc-Actor"))
		snprintf(g->actor, sizeof(g->actor), "%s", value);
	else if (!strcmp(key, "Gpc-Source"))
		snprintf(g->source, sizeof(g->source), "%s", value);
	else if (!strcmp(key, "Gpc-Plane"))
		snprintf(g->plane, sizeof(g->plane), "%s", value);
	return true;
}

/* Is the commit about what became of a generation? Then *ret has its number and its result. */
static bool read_outcome(git_commit *commit, struct gpc_generation *ret)
{
	git_message_trailer_array trailers = {0};
	struct gpc_generation g = {0};

	if (git_message_trailers(&trailers, git_commit_message(commit)))
		return false;
	for (size_t i = 0; i < trailers.count; i++) {
		const char *key = trailers.trailers[i].key, *value = trailers.trailers[i].value;

		if (!strcmp(key, "Gpc-Settles"))
			(void)parse_number(value, &g.number);
		else if (!strcmp(key, "Gpc-Result"))
			snprintf(g.result, sizeof(g.result), "%s", value);
	}
	git_message_trailer_array_free(&trailers);
	*ret = g;
	return g.number && g.result[0];
}

int gpc_git_generation(const struct gpc_history *history, git_commit *commit,
		       struct gpc_generation *ret, struct gpc_failure *failure)
{
	git_message_trailer_array trailers = {0};
	struct gpc_generation g = {0};
	bool good = true;

	git_oid_tostr(g.commit, sizeof(g.commit), git_commit_id(commit));
	g.time = git_commit_time(commit);
	if (git_message_trailers(&trailers, git_commit_message(commit)))
		good = false;
	for (size_t i = 0; i < trailers.count && good; i++)
		good = parse_trailer(trailers.trailers[i].key, trailers.trailers[i].value, &g);
	git_message_trailer_array_free(&trailers);
	if (!good || !g.number || !g.image[0] || !g.decision[0]) {
		git_error_set_str(GIT_ERROR_OBJECT, "its trailers are not those of a generation");
		return gpc_git_fail_object(history, failure, "commit", git_commit_id(commit));
	}
	g.became = parse_result(g.result);
	*ret = g;
	return 0;
}

/* ---- the chain, newest first ---- */

struct walk {
	const struct gpc_history *history;
	git_oid next;
	bool more;
	struct gpc_generation outcome; /* seen on the way: number and result, number 0: none */
};

static int walk_begin(struct walk *walk, const struct gpc_history *history,
		      struct gpc_failure *failure)
{
	*walk = (struct walk){.history = history};
	return gpc_git_head(history, &walk->next, &walk->more, failure);
}

/* The next commit; *ret_outcome: it is about a generation further down. */
static int next_commit(struct walk *walk, struct gpc_generation *ret, bool *ret_outcome,
		       struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_commit) *commit = NULL;

	if (git_commit_lookup(&commit, walk->history->repo, &walk->next))
		return gpc_git_fail_object(walk->history, failure, "commit", &walk->next);
	*ret_outcome = git_commit_parentcount(commit) > 0 && read_outcome(commit, ret);
	if (!*ret_outcome && gpc_git_generation(walk->history, commit, ret, failure))
		return -1;
	walk->more = git_commit_parentcount(commit) > 0;
	if (walk->more)
		walk->next = *git_commit_parent_id(commit, 0);
	return 0;
}

/* One generation, with what became of it; only while walk->more. */
static int walk_step(struct walk *walk, struct gpc_generation *ret, struct gpc_failure *failure)
{
	struct gpc_generation g;
	bool outcome;

	do {
		if (next_commit(walk, &g, &outcome, failure))
			return -1;
		if (outcome && walk->outcome.number != g.number)
			walk->outcome = g;
	} while (outcome);
	if (walk->outcome.number == g.number) {
		memcpy(g.result, walk->outcome.result, sizeof(g.result));
		g.became = parse_result(g.result);
	}
	*ret = g;
	return 0;
}

int gpc_history_list(struct gpc_history *history, size_t limit, struct gpc_generation **ret,
		     size_t *ret_count, struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	size_t count = 0, room = 0;
	struct walk walk;

	if (walk_begin(&walk, history, failure))
		return -1;
	while (walk.more && (limit == 0 || count < limit)) {
		if (count == room) {
			room = room ? room * 2 : 32;
			list = reallocarray(list, room, sizeof(*list));
			if (!list)
				abort();
		}
		if (walk_step(&walk, &list[count], failure))
			return -1;
		count++;
	}
	*ret = GPC_TAKE_PTR(list);
	*ret_count = count;
	return 0;
}

int gpc_history_find(struct gpc_history *history, uint32_t number, struct gpc_generation *ret,
		     struct gpc_failure *failure)
{
	struct gpc_generation g;
	uint32_t newest = 0;
	struct walk walk;

	if (walk_begin(&walk, history, failure))
		return -1;
	if (!walk.more) {
		gpc_fail(failure, GPC_EXIT_INVALID, 0, "no generation is recorded in '%s'",
			 history->state_dir);
		return gpc_fail_hint(failure, "gpc apply records the first one");
	}
	while (walk.more) {
		if (walk_step(&walk, &g, failure))
			return -1;
		if (number == 0 || g.number == number) {
			*ret = g;
			return 0;
		}
		if (!newest)
			newest = g.number;
		if (g.number < number)
			break;
	}
	gpc_fail(failure, GPC_EXIT_INVALID, 0, "no generation %u is recorded, the newest is %u",
		 number, newest);
	return gpc_fail_hint(failure, "gpc log lists them");
}

/* For `running`: whatever waits counts. */
#define WAITING_TOO UINT32_MAX

bool gpc_generation_stands(const struct gpc_generation *generation, uint32_t running)
{
	if (generation->became == GPC_RESULT_PENDING)
		return running == WAITING_TOO || generation->number == running;
	return generation->became != GPC_RESULT_ROLLED_BACK;
}

bool gpc_generation_quarantined(const struct gpc_generation *generation)
{
	static const char head[] = "rolled-back(probe ";

	return !strncmp(generation->result, head, strlen(head));
}

/* The first from `walk` on that stands, if wanted, and is of that decision, if one is given. */
static int walk_to(struct walk *walk, bool stands, uint32_t running, const char *decision,
		   struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure)
{
	struct gpc_generation g;

	*ret_found = false;
	while (walk->more && !*ret_found) {
		if (walk_step(walk, &g, failure))
			return -1;
		*ret_found = (!stands || gpc_generation_stands(&g, running)) &&
			     (!decision || !strcmp(g.decision, decision));
	}
	if (*ret_found)
		*ret = g;
	return 0;
}

int gpc_history_standing(struct gpc_history *history, uint32_t running, struct gpc_generation *ret,
			 bool *ret_found, struct gpc_failure *failure)
{
	struct walk walk;

	if (walk_begin(&walk, history, failure))
		return -1;
	return walk_to(&walk, true, running, NULL, ret, ret_found, failure);
}

int gpc_history_waiting(struct gpc_history *history, struct gpc_generation *ret,
			struct gpc_failure *failure)
{
	GPC_AUTO_FREE struct gpc_generation *list = NULL;
	size_t count;

	if (gpc_history_list(history, 1, &list, &count, failure))
		return -1;
	*ret = count && list[0].became == GPC_RESULT_PENDING ? list[0] : (struct gpc_generation){0};
	return 0;
}

int gpc_history_find_decision(struct gpc_history *history, const char *decision,
			      struct gpc_generation *ret, bool *ret_found,
			      struct gpc_failure *failure)
{
	struct walk walk;

	if (walk_begin(&walk, history, failure))
		return -1;
	return walk_to(&walk, true, WAITING_TOO, decision, ret, ret_found, failure);
}

int gpc_history_judged(struct gpc_history *history, const char *decision,
		       struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure)
{
	struct gpc_generation g;
	struct walk walk;

	if (walk_begin(&walk, history, failure))
		return -1;
	do {
		if (walk_to(&walk, false, 0, decision, &g, ret_found, failure))
			return -1;
	} while (*ret_found && !gpc_generation_stands(&g, 0) && !gpc_generation_quarantined(&g));
	if (*ret_found)
		*ret = g;
	return 0;
}

/* A walk that goes on behind `generation`. */
static int walk_behind(struct walk *walk, struct gpc_history *history,
		       const struct gpc_generation *generation, struct gpc_failure *failure)
{
	struct gpc_generation g;

	*walk = (struct walk){.history = history, .more = true};
	if (git_oid_fromstr(&walk->next, generation->commit))
		return gpc_git_fail(history, failure, "cannot use commit '%s'", generation->commit);
	return walk_step(walk, &g, failure);
}

int gpc_history_before(struct gpc_history *history, const struct gpc_generation *generation,
		       struct gpc_generation *ret, bool *ret_found, struct gpc_failure *failure)
{
	struct walk walk;

	if (walk_behind(&walk, history, generation, failure))
		return -1;
	return walk_to(&walk, false, 0, NULL, ret, ret_found, failure);
}

int gpc_history_stood_before(struct gpc_history *history, const struct gpc_generation *generation,
			     struct gpc_generation *ret, bool *ret_found,
			     struct gpc_failure *failure)
{
	struct walk walk;

	if (walk_behind(&walk, history, generation, failure))
		return -1;
	return walk_to(&walk, true, 0, NULL, ret, ret_found, failure);
}
