/* SPDX-License-Identifier: MIT */
#include "project.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../compiler/base/cleanup.h"
#include "gpc/limits.h"

/* Absolute, without `.`, `..` and double slashes, by the text alone; malloc'ed, NULL with errno. */
static char *normalise(const char *path)
{
	GPC_AUTO_FREE char *cwd = *path == '/' ? strdup("") : getcwd(NULL, 0);
	GPC_AUTO_FREE char *full = NULL;
	char *out;
	size_t used = 0;

	if (!cwd)
		return NULL;
	if (asprintf(&full, "%s/%s", cwd, path) < 0)
		abort();
	out = calloc(1, strlen(full) + 2);
	if (!out)
		abort();
	for (const char *p = full; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && !memcmp(p, "..", 2)) {
			while (used && out[--used] != '/')
				;
		} else if (length && !(length == 1 && *p == '.')) {
			out[used++] = '/';
			memcpy(out + used, p, length);
			used += length;
		}
		p += length + (p[length] == '/');
	}
	out[used] = '\0';
	return out;
}

static void add_path(struct gpc_project *project, const char *path)
{
	project->paths = reallocarray(project->paths, project->count + 1, sizeof(*project->paths));
	if (!project->paths || !(project->paths[project->count] = strdup(path)))
		abort();
	project->count++;
}

static int use_files(struct gpc_project *project, const char *const *files, size_t count,
		     struct gpc_failure *failure)
{
	size_t root = 0;

	for (size_t i = 0; i < count; i++) {
		GPC_AUTO_FREE char *path = normalise(files[i]);

		if (!path)
			return gpc_fail(failure, GPC_EXIT_FAILED, errno,
					"cannot tell the current folder");
		if (i == 0) {
			root = (size_t)(strrchr(path, '/') - path);
			project->root = root ? strndup(path, root) : strdup("/");
			if (!project->root)
				abort();
		}
		if (root && (strncmp(path, project->root, root) || path[root] != '/')) {
			gpc_fail(failure, GPC_EXIT_INVALID, 0,
				 "input '%s' is outside the project root '%s'", files[i],
				 project->root);
			return gpc_fail_hint(failure,
					     "the root is the folder of the first input; give "
					     "the topmost file first");
		}
		add_path(project, path + root + 1);
	}
	return 0;
}

static int use_defaults(struct gpc_project *project, struct gpc_failure *failure)
{
	glob_t found = {0};

	if (!access("gpc.yaml", F_OK))
		add_path(project, "gpc.yaml");
	if (!glob("gpc.d/*.yaml", 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc; i++)
			add_path(project, found.gl_pathv[i]);
	globfree(&found);
	project->root = strdup(".");
	if (!project->root)
		abort();
	if (project->count)
		return 0;
	gpc_fail(failure, GPC_EXIT_USAGE, 0,
		 "no input: there is neither ./gpc.yaml nor a ./gpc.d/*.yaml");
	return gpc_fail_hint(failure, "give a file");
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_parts(struct gpc_project *project, const struct gpc_provider *files)
{
	char **names = NULL;
	size_t count = 0;
	int error;

	if (files->list(files->context, "gpc.d", &names, &count, &error) != GPC_READ_OK)
		return;
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);
		GPC_AUTO_FREE char *path = NULL;

		if (asprintf(&path, "gpc.d/%s", names[i]) < 0)
			abort();
		if (length > 5 && !strcmp(names[i] + length - 5, ".yaml"))
			add_path(project, path);
		free(names[i]);
	}
	free(names);
}

int gpc_project_folder(const char *folder, const struct gpc_provider *files, struct gpc_project *ret,
		       struct gpc_failure *failure)
{
	struct gpc_project project = {.root = strdup(folder)};
	GPC_AUTO_FREE char *text = NULL;
	size_t size;
	int error;

	if (!project.root)
		abort();
	if (files->read(files->context, "gpc.yaml", GPC_MAX_FILE_BYTES, &text, &size, &error) !=
	    GPC_READ_MISSING)
		add_path(&project, "gpc.yaml");
	add_parts(&project, files);
	if (!project.count) {
		gpc_project_release(&project);
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"there is neither gpc.yaml nor a gpc.d/*.yaml in '%s'", folder);
	}
	*ret = project;
	return 0;
}

int gpc_project_find(const char *const *files, size_t count, struct gpc_project *ret,
		     struct gpc_failure *failure)
{
	struct gpc_project project = {0};
	int rc = count ? use_files(&project, files, count, failure)
		       : use_defaults(&project, failure);

	if (rc)
		gpc_project_release(&project);
	else
		*ret = project;
	return rc;
}

void gpc_project_release(struct gpc_project *project)
{
	for (size_t i = 0; i < project->count; i++)
		free(project->paths[i]);
	free(project->paths);
	free(project->root);
	*project = (struct gpc_project){0};
}
