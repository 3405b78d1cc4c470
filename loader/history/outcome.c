/* SPDX-License-Identifier: MIT */
/* Writing down what became of a generation that waited: a commit on top, with the same tree. */
#include "git.h"

#include <string.h>

/* malloc'ed. */
static char *message_of(const struct gpc_generation *generation, enum gpc_result became,
			const char *reason, const char *actor)
{
	char *text = NULL, result[64];

	if (became == GPC_RESULT_CONFIRMED)
		snprintf(result, sizeof(result), "confirmed");
	else
		snprintf(result, sizeof(result), "rolled-back(%s)", reason);
	if (asprintf(&text,
		     "generation %u: %s\n\n"
		     "Gpc-Settles: %u\n"
		     "Gpc-Result: %s\n"
		     "Gpc-Actor: %s\n",
		     generation->number, result, generation->number, result, actor) < 0)
		abort();
	/* A user may be called anything; a trailer is one line of printable text. */
	for (char *p = strstr(text, "Gpc-Actor: "); p && *p; p++)
		if (((unsigned char)*p < ' ' || *p == 0x7f) && p[1])
			*p = '?';
	return text;
}

int gpc_history_prepare_settle(struct gpc_history *history, const struct gpc_generation *generation,
			       enum gpc_result became, const char *reason, const char *actor,
			       struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *message = message_of(generation, became, reason, actor);
	struct gpc_pending pending = {.set = true};
	GPC_AUTO_GIT(git_commit) *parent = NULL;
	GPC_AUTO_GIT(git_tree) *tree = NULL;

	history->pending.set = false;
	gpc_git_unlock(history);
	if (gpc_git_head(history, &pending.parent, &pending.has_parent, failure))
		return -1;
	if (!pending.has_parent)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "no generation is recorded in '%s'",
				history->state_dir);
	if (git_commit_lookup(&parent, history->repo, &pending.parent) ||
	    git_commit_tree(&tree, parent))
		return gpc_git_fail_object(history, failure, "commit", &pending.parent);
	if (gpc_git_commit(history, tree, parent, message, &pending.commit, failure))
		return -1;
	history->pending = pending;
	return 0;
}

int gpc_history_settle(struct gpc_history *history, const struct gpc_generation *generation,
		       enum gpc_result became, const char *reason, const char *actor,
		       struct gpc_failure *failure)
{
	if (gpc_history_prepare_settle(history, generation, became, reason, actor, failure))
		return -1;
	return gpc_git_publish(history, failure);
}
