/* SPDX-License-Identifier: MIT */
/* Writing down what became of a generation that waited: a commit on top, with the same tree. */
#include "git.h"

#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static int write_commit(struct gpc_history *history, const git_oid *head, const char *message,
			git_oid *ret, struct gpc_failure *failure)
{
	char host[HOST_NAME_MAX + 1] = "localhost", email[HOST_NAME_MAX + 8];
	GPC_AUTO_GIT(git_signature) *who = NULL;
	GPC_AUTO_GIT(git_commit) *parent = NULL;
	GPC_AUTO_GIT(git_tree) *tree = NULL;
	const git_commit *parents[1];

	gethostname(host, sizeof(host) - 1);
	snprintf(email, sizeof(email), "gpc@%s", host);
	if (git_commit_lookup(&parent, history->repo, head) || git_commit_tree(&tree, parent))
		return gpc_git_fail_object(history, failure, "commit", head);
	parents[0] = parent;
	if (git_signature_new(&who, "gpc", email, (git_time_t)time(NULL), 0) ||
	    git_commit_create(ret, history->repo, NULL, who, who, "UTF-8", message, tree, 1,
			      parents))
		return gpc_git_fail(history, failure, "cannot record the commit");
	return 0;
}

int gpc_history_settle(struct gpc_history *history, const struct gpc_generation *generation,
		       enum gpc_result became, const char *reason, const char *actor,
		       struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *message = message_of(generation, became, reason, actor);
	GPC_AUTO_GIT(git_reference) *ref = NULL;
	git_oid head, commit;
	bool found;

	gpc_git_unlock(history);
	if (gpc_git_head(history, &head, &found, failure))
		return -1;
	if (!found)
		return gpc_fail(failure, GPC_EXIT_FAILED, 0, "no generation is recorded in '%s'",
				history->state_dir);
	if (write_commit(history, &head, message, &commit, failure))
		return -1;
	if (git_reference_create_matching(&ref, history->repo, GPC_HISTORY_REF, &commit, 1, &head,
					  NULL))
		return gpc_git_fail(history, failure, "cannot move '%s/" GPC_HISTORY_REF "'",
				    history->repo_path);
	return 0;
}
