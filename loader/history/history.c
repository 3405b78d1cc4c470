/* SPDX-License-Identifier: MIT */
#include "git.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "guard.h"

static int make_folder(const char *path, struct gpc_failure *failure)
{
	bool missing;

	if (gpc_folder_check(path, &missing, failure))
		return -1;
	if (missing && mkdir(path, 0700))
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot make folder '%s'", path);
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void sync_folder(const char *path)
{
	GPC_AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		fsync(fd);
}

/* Built aside and renamed: a killed first apply leaves no half repository under the real name. */
static int make_repository(struct gpc_history *history, struct gpc_failure *failure)
{
	git_repository_init_options options;
	GPC_AUTO_GIT(git_repository) *made = NULL;
	GPC_AUTO_FREE char *aside = NULL;
	mode_t mask;
	int rc;

	if (asprintf(&aside, "%s.new", history->repo_path) < 0)
		abort();
	nftw(aside, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR |
			GIT_REPOSITORY_INIT_NO_REINIT;
	options.initial_head = "main";
	options.description = "generations of gpc; read with git log, written by gpc only\n";
	mask = umask(077);
	rc = git_repository_init_ext(&made, aside, &options);
	umask(mask);
	if (rc)
		return gpc_git_fail(history, failure, "cannot make the history '%s'", aside);
	if (rename(aside, history->repo_path))
		return gpc_fail(failure, GPC_EXIT_FAILED, errno, "cannot rename '%s' to '%s'",
				aside, history->repo_path);
	sync_folder(history->state_dir);
	return 0;
}

static int make_store(struct gpc_history *history, struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *images = NULL;

	if (asprintf(&images, "%s/images", history->state_dir) < 0)
		abort();
	if (make_folder(images, failure))
		return -1;
	if (make_folder(history->store_path, failure))
		return -1;
	return make_folder(history->parents_path, failure);
}

/* gpc names its branch itself; HEAD is for people's `git log`, and damage to it is told, not
 * mended. */
static int check_head(const struct gpc_history *history, struct gpc_failure *failure)
{
	GPC_AUTO_GIT(git_reference) *head = NULL;
	const char *target;

	if (git_reference_lookup(&head, history->repo, "HEAD"))
		return gpc_git_fail(history, failure, "cannot read '%s/HEAD'", history->repo_path);
	target = git_reference_symbolic_target(head);
	if (target && !strcmp(target, GPC_HISTORY_REF))
		return 0;
	git_error_set_str(GIT_ERROR_REFERENCE, "it does not name " GPC_HISTORY_REF);
	return gpc_git_fail(history, failure, "cannot use '%s/HEAD'", history->repo_path);
}

static int open_repository(struct gpc_history *history, bool create, struct gpc_failure *failure)
{
	bool missing;

	if (gpc_folder_check(history->state_dir, &missing, failure))
		return -1;
	if (missing && !create)
		return 0;
	if (missing && make_folder(history->state_dir, failure))
		return -1;
	if (gpc_folder_check(history->repo_path, &missing, failure))
		return -1;
	if (missing && !create)
		return 0;
	if (missing && make_repository(history, failure))
		return -1;
	if (git_repository_open_bare(&history->repo, history->repo_path) ||
	    gpc_git_guard(history->repo))
		return gpc_git_fail(history, failure, "cannot open the history '%s'",
				    history->repo_path);
	if (check_head(history, failure))
		return -1;
	if (create)
		return make_store(history, failure);
	if (gpc_folder_check(history->store_path, &missing, failure))
		return -1;
	return gpc_folder_check(history->parents_path, &missing, failure);
}

int gpc_history_open(const char *state_dir, bool create, struct gpc_history **ret,
		     struct gpc_failure *failure)
{
	struct gpc_history *history = calloc(1, sizeof(*history));

	if (!history || !(history->state_dir = strdup(state_dir)) ||
	    asprintf(&history->repo_path, "%s/history.git", state_dir) < 0 ||
	    asprintf(&history->store_path, "%s/images/sha256", state_dir) < 0 ||
	    asprintf(&history->parents_path, "%s/images/parents", state_dir) < 0)
		abort();
	git_libgit2_init();
	gpc_git_isolate();
	if (open_repository(history, create, failure)) {
		gpc_history_free(&history);
		return -1;
	}
	*ret = history;
	return 0;
}

void gpc_history_free(struct gpc_history **history)
{
	struct gpc_history *h = *history;

	if (!h)
		return;
	git_repository_free(h->repo);
	git_libgit2_shutdown();
	free(h->state_dir);
	free(h->repo_path);
	free(h->store_path);
	free(h->parents_path);
	free(h);
	*history = NULL;
}

/* ---- failures ---- */

int gpc_git_fail(const struct gpc_history *history, struct gpc_failure *failure, const char *format,
		 ...)
{
	const git_error *error = git_error_last();
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	gpc_fail(failure, GPC_EXIT_FAILED, 0, "%s: %s", what,
		 error && error->message ? error->message : "libgit2 gives no reason");
	if (error && error->klass == GIT_ERROR_OS)
		return gpc_fail_hint(failure,
				     "mend the disk or the permissions of '%s' and try again; the "
				     "running plane is as it was",
				     history->state_dir);
	return gpc_fail_hint(
		failure,
		"find the damage: git -C %s fsck --full; or begin a new history: mv %s "
		"%s.broken; the running plane is as it was",
		history->repo_path, history->repo_path, history->repo_path);
}

int gpc_git_fail_object(const struct gpc_history *history, struct gpc_failure *failure,
			const char *kind, const git_oid *oid)
{
	char hex[GIT_OID_HEXSZ + 1];

	git_oid_tostr(hex, sizeof(hex), oid);
	return gpc_git_fail(history, failure, "cannot read %s '%s/objects/%.2s/%s'", kind,
			    history->repo_path, hex, hex + 2);
}
