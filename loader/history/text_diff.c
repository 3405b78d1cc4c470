/* SPDX-License-Identifier: MIT */
#include "text_diff.h"

#include <errno.h>
#include <string.h>

#include "git.h"
#include "guard.h"

GPC_GIT_CLEANUP(git_patch)

static int make_patch(const struct gpc_diff_text *before, const struct gpc_diff_text *after,
		      char **ret)
{
	git_diff_options options;
	GPC_AUTO_GIT(git_patch) *patch = NULL;
	git_buf text = {0};

	git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.flags = GIT_DIFF_FORCE_TEXT;
	if (git_patch_from_buffers(&patch, before->text, before->text ? before->size : 0,
				   before->path, after->text, after->text ? after->size : 0,
				   after->path, &options) ||
	    git_patch_to_buf(&text, patch))
		return -1;
	*ret = strndup(text.ptr ? text.ptr : "", text.size);
	git_buf_dispose(&text);
	if (!*ret)
		abort();
	return 0;
}

int gpc_text_diff(const struct gpc_diff_text *before, const struct gpc_diff_text *after, char **ret,
		  struct gpc_failure *failure)
{
	const git_error *error;
	int rc;

	git_libgit2_init();
	gpc_git_isolate();
	rc = make_patch(before, after, ret);
	error = git_error_last();
	if (rc)
		gpc_fail(failure, GPC_EXIT_FAILED, 0, "cannot compare '%s' with '%s': %s",
			 before->path, after->path,
			 error && error->message ? error->message : "libgit2 gives no reason");
	git_libgit2_shutdown();
	return rc;
}
