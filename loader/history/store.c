/* SPDX-License-Identifier: MIT */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "../file.h"

static char *image_path(const char *folder, const char *digest)
{
	char *path;

	if (asprintf(&path, "%s/%s.gpi", folder, digest) < 0)
		abort();
	return path;
}

/* The first diagnostic of a refused image as a failure. */
static int fail_image(struct gpc_failure *failure, const char *path, const struct gpc_diags *diags)
{
	return gpc_fail(failure, GPC_EXIT_FAILED, 0, "the stored image '%s' is damaged: %s", path,
			diags->records.n ? diags->records.items[0].message : "it was refused");
}

static int open_image(const char *path, const char *digest, const void *bytes, size_t size,
		      struct gpc_image *ret, struct gpc_failure *failure)
{
	struct gpc_arena arena = {0};
	struct gpc_image image;
	struct gpc_diags diags;
	char found[65];
	int rc = 0;

	gpc_diags_init(&diags, &arena, false);
	if (!gpc_image_open(&diags, path, bytes, size, false, &image)) {
		rc = fail_image(failure, path, &diags);
	} else if (strcmp(gpc_digest_format(image.head->file_digest, found), digest)) {
		gpc_image_release(&image);
		rc = gpc_fail(failure, GPC_EXIT_FAILED, 0,
			      "the stored image '%s' is another one, its digest is %s", path,
			      found);
	} else {
		*ret = image;
	}
	gpc_arena_release(&arena);
	return rc;
}

enum gpc_store_status gpc_store_get(const char *folder, const char *digest, struct gpc_image *ret,
				    struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *path = image_path(folder, digest);
	GPC_AUTO_FREE char *bytes = NULL;
	size_t size;

	if (gpc_file_load(path, GPC_MAX_IMAGE_BYTES, &bytes, &size, failure))
		return failure->error == ENOENT ? GPC_STORE_MISSING : GPC_STORE_BROKEN;
	return open_image(path, digest, bytes, size, ret, failure) ? GPC_STORE_BROKEN
								   : GPC_STORE_OK;
}

int gpc_store_put(const char *folder, const struct gpc_image *image, struct gpc_failure *failure)
{
	GPC_AUTO_FREE char *path = NULL;
	GPC_AUTO_FREE char *bytes = NULL;
	struct gpc_failure ignored;
	char digest[65];
	size_t size;

	path = image_path(folder, gpc_digest_format(image->head->file_digest, digest));
	if (!gpc_file_load(path, GPC_MAX_IMAGE_BYTES, &bytes, &size, &ignored) &&
	    size == image->size && !memcmp(bytes, image->bytes, size))
		return 0;
	return gpc_file_save(path, image->bytes, image->size, 0600, failure);
}

static bool is_kept(const char *name, char (*keep)[65], size_t count)
{
	size_t length = strlen(name);

	/* Only what put writes is pruned: <digest>.gpi and its .tmp. */
	if (strcmp(length > 4 ? name + length - 4 : name, name[0] == '.' ? ".tmp" : ".gpi"))
		return true;
	for (size_t i = 0; i < count; i++)
		if (!strncmp(name, keep[i], 64) && !strcmp(name + 64, ".gpi"))
			return true;
	return false;
}

void gpc_store_prune(const char *folder, char (*keep)[65], size_t count)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (!is_kept(name, keep, count))
			unlinkat(dirfd(dir), name, 0);
	}
	closedir(dir);
}
