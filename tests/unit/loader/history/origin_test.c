/* SPDX-License-Identifier: MIT */
/* The commit in the provenance, against repositories that git itself has made. */
#include "loader/history/origin.h"

#include "base/disk.h"
#include "fixture.h"

static struct folder f;
static char root[PATH_MAX], head[64];

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char command[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command)) {
		fprintf(stderr, "command failed: %s\n", command);
		exit(1);
	}
}

#define GIT "git -C %s -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main "

/* A repository with net/web.yaml and net/overlays/prod.yaml; root is net/. */
static void begin(void)
{
	char command[PATH_MAX];
	FILE *pipe;

	folder_make(&f);
	snprintf(root, sizeof(root), "%s/net", f.base);
	run(GIT "init -q", f.base);
	run("mkdir -p %s/overlays && echo a >%s/web.yaml && echo b >%s/overlays/prod.yaml", root,
	    root, root);
	run(GIT "add -A", f.base);
	run(GIT "commit -q -m one", f.base);
	snprintf(command, sizeof(command), GIT "rev-parse HEAD", f.base);
	pipe = popen(command, "r");
	if (!pipe || !fgets(head, sizeof(head), pipe))
		abort();
	pclose(pipe);
	head[strcspn(head, "\n")] = '\0';
}

/* The commit after `path` was read from root; NULL if none. Lives until the next call. */
static const char *commit_of(const char *place, const char *path)
{
	static char text[64];
	struct gpc_origin *origin;
	struct gpc_provider files, disk_files;
	struct gpc_disk disk;
	const char *commit;
	char *read = NULL;
	size_t size;
	int error;

	if (gpc_disk_init(&disk, place))
		abort();
	disk_files = gpc_disk_provider(&disk);
	origin = gpc_origin_open(place, &disk_files);
	files = gpc_origin_files(origin);
	if (path && files.read(files.context, path, 1000, &read, &size, &error) != GPC_READ_OK)
		abort();
	free(read);
	commit = gpc_origin_commit(origin);
	snprintf(text, sizeof(text), "%s", commit ? commit : "");
	gpc_origin_close(&origin);
	gpc_disk_release(&disk);
	return *text ? text : NULL;
}

static bool gives(const char *place, const char *path, const char *suffix)
{
	const char *commit = commit_of(place, path);

	return commit && !strncmp(commit, head, 40) && !strcmp(commit + 40, suffix);
}

static void sources_as_committed_have_their_commit(void)
{
	begin();
	CU_ASSERT(gives(root, "web.yaml", ""));
	CU_ASSERT(gives(root, "overlays/prod.yaml", ""));
	CU_ASSERT(gives(f.base, "net/web.yaml", ""));
	run("echo other >%s/unrelated", f.base);
	CU_ASSERT(gives(root, "web.yaml", ""));
	folder_drop(&f);
}

static void changed_and_unknown_sources_are_dirty(void)
{
	begin();
	run("echo changed >>%s/web.yaml", root);
	CU_ASSERT(gives(root, "web.yaml", "+dirty"));
	CU_ASSERT(gives(root, "overlays/prod.yaml", ""));
	run(GIT "add -A", f.base);
	CU_ASSERT(gives(root, "web.yaml", "+dirty"));
	run("cp %s/web.yaml %s/new.yaml", root, root);
	CU_ASSERT(gives(root, "new.yaml", "+dirty"));
	CU_ASSERT(gives(root, NULL, ""));
	folder_drop(&f);
}

static void without_a_commit_there_is_none(void)
{
	folder_make(&f);
	run("echo a >%s/web.yaml", f.base);
	CU_ASSERT_PTR_NULL(commit_of(f.base, "web.yaml"));
	run(GIT "init -q", f.base);
	CU_ASSERT_PTR_NULL(commit_of(f.base, "web.yaml"));
	folder_drop(&f);
}

static void a_worktree_has_its_own_head(void)
{
	begin();
	run(GIT "worktree add -q %s/tree -b other", f.base, f.base);
	snprintf(root, sizeof(root), "%s/tree/net", f.base);
	CU_ASSERT(gives(root, "web.yaml", ""));
	folder_drop(&f);
}

GPC_UNIT_MAIN("history/origin",
	      {"sources_as_committed_have_their_commit", sources_as_committed_have_their_commit},
	      {"changed_and_unknown_sources_are_dirty", changed_and_unknown_sources_are_dirty},
	      {"without_a_commit_there_is_none", without_a_commit_there_is_none},
	      {"a_worktree_has_its_own_head", a_worktree_has_its_own_head})
