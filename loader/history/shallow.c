/* SPDX-License-Identifier: MIT */
#include "shallow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "revision.h"

/* libgit2 says that a clone is shallow, not where; the file has one id a line. */
static FILE *open_list(git_repository *repo)
{
	GPC_AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%sshallow", git_repository_commondir(repo)) < 0)
		abort();
	return fopen(path, "re");
}

int gpc_shallow_read(git_repository *repo, struct gpc_shallow *ret, struct gpc_failure *failure)
{
	struct gpc_shallow shallow = {0};
	char line[GIT_OID_HEXSZ + 2];
	FILE *list;
	bool bad;

	*ret = shallow;
	if (git_repository_is_shallow(repo) <= 0)
		return 0;
	list = open_list(repo);
	if (!list)
		return gpc_fail(failure, GPC_EXIT_FAILED, errno,
				"cannot read where the shallow clone ends");
	while (fgets(line, sizeof(line), list)) {
		shallow.cuts = reallocarray(shallow.cuts, shallow.count + 1, sizeof(*shallow.cuts));
		if (!shallow.cuts)
			abort();
		if (!git_oid_fromstrn(&shallow.cuts[shallow.count], line, strcspn(line, "\n")))
			shallow.count++;
	}
	bad = ferror(list);
	fclose(list);
	if (bad) {
		gpc_shallow_release(&shallow);
		return gpc_fail(failure, GPC_EXIT_FAILED, EIO,
				"cannot read where the shallow clone ends");
	}
	*ret = shallow;
	return 0;
}

void gpc_shallow_release(struct gpc_shallow *shallow)
{
	free(shallow->cuts);
	*shallow = (struct gpc_shallow){0};
}

bool gpc_shallow_is_cut(const struct gpc_shallow *shallow, const git_oid *commit)
{
	for (size_t i = 0; i < shallow->count; i++)
		if (git_oid_equal(&shallow->cuts[i], commit))
			return true;
	return false;
}

int gpc_shallow_explain(git_repository *repo, struct gpc_failure *failure)
{
	return git_repository_is_shallow(repo) > 0 ? gpc_fail_hint(failure, GPC_HINT_UNSHALLOW) : -1;
}
