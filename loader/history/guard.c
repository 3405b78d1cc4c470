/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <git2/sys/odb_backend.h>
#include <zlib.h>

#include "../../compiler/base/file.h"
#include "gpc/limits.h"

#define BEFORE_ALL 1000 /* priority; libgit2's own backends have 1 and 2 */

struct guard {
	git_odb_backend parent;
	char *objects; /* the folder, with a slash */
};

/* Does the stream end where it should? What it holds is libgit2's business. */
static bool inflates(const char *bytes, size_t size)
{
	unsigned char out[16384];
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned int)size};
	int rc;

	if (inflateInit(&z) != Z_OK)
		return false;
	do {
		z.next_out = out;
		z.avail_out = sizeof(out);
		rc = inflate(&z, Z_NO_FLUSH);
	} while (rc == Z_OK && z.total_out <= GPC_MAX_IMAGE_BYTES);
	inflateEnd(&z);
	return rc == Z_STREAM_END;
}

/* NOTFOUND hands on to the next backend: the object is sound, or not a loose one. */
static int check(const git_odb_backend *backend, const git_oid *oid)
{
	const struct guard *guard = (const struct guard *)backend;
	GPC_AUTO_FREE char *bytes = NULL;
	GPC_AUTO_FREE char *path = NULL;
	char hex[GIT_OID_HEXSZ + 1];
	size_t size;
	int error;

	git_oid_tostr(hex, sizeof(hex), oid);
	if (asprintf(&path, "%s%.2s/%s", guard->objects, hex, hex + 2) < 0)
		abort();
	switch (gpc_file_read(AT_FDCWD, path, false, GPC_MAX_IMAGE_BYTES, &bytes, &size, &error)) {
	case GPC_READ_OK:
		if (inflates(bytes, size))
			return GIT_ENOTFOUND;
		git_error_set_str(GIT_ERROR_ODB, "the object is damaged");
		return GIT_ERROR;
	case GPC_READ_MISSING:
		return GIT_ENOTFOUND;
	default:
		git_error_set_str(GIT_ERROR_ODB, "the object cannot be read");
		return GIT_ERROR;
	}
}

static int check_read(void **data, size_t *size, git_object_t *type, git_odb_backend *backend,
		      const git_oid *oid)
{
	(void)data;
	(void)size;
	(void)type;
	return check(backend, oid);
}

static int check_header(size_t *size, git_object_t *type, git_odb_backend *backend,
			const git_oid *oid)
{
	(void)size;
	(void)type;
	return check(backend, oid);
}

static void release(git_odb_backend *backend)
{
	struct guard *guard = (struct guard *)backend;

	free(guard->objects);
	free(guard);
}

int gpc_git_guard(git_repository *repo)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	git_odb *odb;
	int rc;

	if (!guard || asprintf(&guard->objects, "%sobjects/", git_repository_commondir(repo)) < 0)
		abort();
	git_odb_init_backend(&guard->parent, GIT_ODB_BACKEND_VERSION);
	guard->parent.read = check_read;
	guard->parent.read_header = check_header;
	guard->parent.free = release;
	rc = git_repository_odb(&odb, repo);
	if (rc) {
		release(&guard->parent);
		return rc;
	}
	rc = git_odb_add_backend(odb, &guard->parent, BEFORE_ALL);
	if (rc)
		release(&guard->parent);
	git_odb_free(odb);
	return rc;
}

void gpc_git_isolate(void)
{
	static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
				     GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
	git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
	/* gpc_folder_check() judges who owns the history, by a rule that knows root. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}
