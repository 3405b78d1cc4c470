/* SPDX-License-Identifier: MIT */
/* What an argument stands for: files, folders, images, generations, revisions; and when it is refused. */
#include "loader/cmd/target.h"

#include "tests/unit/loader/history/fixture.h"

#define GIT "git -C %s -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main "
#define ONE "{name: a, address: 10.0.0.1}"

static const struct gpc_option options[] = {GPC_OPTION_FILE, GPC_OPTION_ENV, GPC_OPTION_TODAY};
static const struct gpc_command command = {.name = "test", .operands = "", GPC_ROWS(options)};

static struct folder f;
static char before[PATH_MAX];
static struct gpc_target target;
static struct gpc_call call;

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
	char line[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (system(line)) {
		fprintf(stderr, "command failed: %s\n", line);
		exit(1);
	}
}

static void put(const char *path, const char *text)
{
	FILE *out = fopen(path, "we");

	if (!out || fputs(text, out) < 0 || fclose(out))
		abort();
}

/* One commit with one endpoint, tag v1; a second one with two; we stand in net/. */
static void begin(void)
{
	static char word[] = "test";
	char *argv[] = {word, NULL};
	struct gpc_failure failure;

	folder_make(&f);
	setenv("GPC_STATE_DIR", f.path, 1);
	if (!getcwd(before, sizeof(before)))
		abort();
	run(GIT "init -q", f.base);
	run("mkdir -p %s/net", f.base);
	if (chdir(f.base) || chdir("net"))
		abort();
	put("web.yaml", PLANE(ONE));
	put("gpc.yaml", PLANE(ONE));
	run(GIT "add -A", f.base);
	run(GIT "commit -q -m one", f.base);
	run(GIT "tag v1", f.base);
	put("web.yaml", PLANE(TWO_ENDPOINTS));
	run(GIT "commit -q -a -m two", f.base);
	if (gpc_call_parse(&command, 1, argv, &call, &failure))
		abort();
}

static void end(void)
{
	gpc_call_release(&call);
	if (chdir(before))
		abort();
	folder_drop(&f);
}

/* Number of endpoints; negative: the exit code. */
static int opens(const char *text, const char *like)
{
	enum gpc_exit rc = gpc_target_open(&call, text, like, &target);
	int count = rc ? -(int)rc
		       : (int)target.input.image.plane->section[GPC_SEC_ENDPOINT].count;

	return count;
}

static int count_of(const char *text, const char *like)
{
	int count = opens(text, like);

	gpc_target_release(&target);
	return count;
}

static bool refused(const char *text, enum gpc_exit code, const char *said)
{
	int count = opens(text, NULL);
	bool good = count == -(int)code && strstr(target.input.failure.message, said);

	if (!good)
		fprintf(stderr, "%s: %d %s\n", text, count, target.input.failure.message);
	gpc_target_release(&target);
	return good;
}

static void files_folders_and_images_are_found(void)
{
	begin();
	CU_ASSERT_EQUAL(count_of("web.yaml", NULL), 2);
	CU_ASSERT_EQUAL(count_of("file:web.yaml", NULL), 2);
	CU_ASSERT_EQUAL(count_of("../net", NULL), 1);
	CU_ASSERT_EQUAL(count_of(NULL, NULL), 1);
	CU_ASSERT_EQUAL(opens("web.yaml", NULL), 2);
	CU_ASSERT_STRING_EQUAL(target.name, "web.yaml");
	FILE *out = fopen("x.gpi", "we");
	CU_ASSERT_EQUAL_FATAL(fwrite(target.input.image.bytes, 1, target.input.image.size, out),
			      target.input.image.size);
	fclose(out);
	gpc_target_release(&target);
	CU_ASSERT_EQUAL(opens("x.gpi", NULL), 2);
	CU_ASSERT_EQUAL(target.kind, GPC_TARGET_IMAGE);
	gpc_target_release(&target);
	run("mv x.gpi x");
	CU_ASSERT_EQUAL(count_of("x", NULL), 2);
	end();
}

static void revisions_are_compiled_without_a_checkout(void)
{
	begin();
	CU_ASSERT_EQUAL(count_of("HEAD", "web.yaml"), 2);
	CU_ASSERT_EQUAL(count_of("HEAD~1", "web.yaml"), 1);
	CU_ASSERT_EQUAL(count_of("HEAD^", "web.yaml"), 1);
	CU_ASSERT_EQUAL(count_of("v1", "web.yaml"), 1);
	CU_ASSERT_EQUAL(count_of("refs/heads/main", "web.yaml"), 2);
	CU_ASSERT_EQUAL(count_of("main", NULL), 1);
	CU_ASSERT_EQUAL(count_of("main:net/web.yaml", NULL), 2);
	CU_ASSERT_EQUAL(count_of("git:v1:./web.yaml", NULL), 1);
	CU_ASSERT_EQUAL(count_of("main:net", NULL), 1);
	CU_ASSERT_EQUAL_FATAL(opens("HEAD~1", "web.yaml"), 1);
	CU_ASSERT_EQUAL(strlen(target.commit), 40);
	gpc_target_release(&target);
	end();
}

static void sources_are_those_of_the_target(void)
{
	struct gpc_target_source *sources;
	struct gpc_failure failure;
	size_t count;

	begin();
	CU_ASSERT_EQUAL_FATAL(opens("v1:net/web.yaml", NULL), 1);
	CU_ASSERT_FATAL(!gpc_target_sources(&target, &sources, &count, &failure));
	CU_ASSERT_EQUAL_FATAL(count, 1);
	CU_ASSERT_STRING_EQUAL(sources[0].path, "web.yaml");
	CU_ASSERT_STRING_EQUAL(sources[0].text, PLANE(ONE));
	gpc_target_release(&target);
	end();
}

static void what_fits_in_two_ways_is_refused(void)
{
	begin();
	put("12", PLANE(ONE));
	put("live", PLANE(ONE));
	put("v1", PLANE(ONE));
	CU_ASSERT(refused("12", GPC_EXIT_USAGE, "a file or folder and a generation"));
	CU_ASSERT(refused("live", GPC_EXIT_USAGE, "a file or folder and what this host runs"));
	CU_ASSERT(refused("v1", GPC_EXIT_USAGE, "a file or folder and a git revision"));
	CU_ASSERT_EQUAL(count_of("file:12", NULL), 1);
	CU_ASSERT_EQUAL(count_of("./live", NULL), 1);
	run(GIT "branch v1", f.base);
	CU_ASSERT(refused("git:v1", GPC_EXIT_INVALID, "both refs/tags/v1 and refs/heads/v1"));
	CU_ASSERT_EQUAL(count_of("git:refs/tags/v1:net/web.yaml", NULL), 1);
	CU_ASSERT(refused("@12", GPC_EXIT_INVALID, "no generation is recorded"));
	CU_ASSERT(refused("@~3", GPC_EXIT_INVALID, "there are only 0 generations"));
	end();
}

static void what_is_nothing_is_refused(void)
{
	static const char *const texts[] = {"nothing",	"main@{1}", "-x",     "HEAD..main", "HEAD^{tree}",
					    ":/one",	"HEAD~1x",  "v1 v1",  "ma*n",	    "^main",
					    "@{upstream", ""};

	begin();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		opens(texts[i], NULL);
		CU_ASSERT(target.input.failure.code != GPC_EXIT_OK);
		gpc_target_release(&target);
	}
	CU_ASSERT(refused("git:main:net/none.yaml", GPC_EXIT_INVALID, "has no file"));
	CU_ASSERT(refused("git:main:../web.yaml", GPC_EXIT_INVALID, "has no file"));
	CU_ASSERT(refused("git:HEAD~7", GPC_EXIT_INVALID, "further than the first commit"));
	end();
}

static void links_in_a_commit_are_not_followed(void)
{
	begin();
	run("ln -s web.yaml link.yaml");
	run(GIT "add -A", f.base);
	run(GIT "commit -q -m link", f.base);
	CU_ASSERT_EQUAL(count_of("HEAD:net/link.yaml", NULL), -(int)GPC_EXIT_INVALID);
	end();
}

GPC_UNIT_MAIN("cmd/target", {"files_folders_and_images_are_found", files_folders_and_images_are_found},
	      {"revisions_are_compiled_without_a_checkout",
	       revisions_are_compiled_without_a_checkout},
	      {"sources_are_those_of_the_target", sources_are_those_of_the_target},
	      {"what_fits_in_two_ways_is_refused", what_fits_in_two_ways_is_refused},
	      {"what_is_nothing_is_refused", what_is_nothing_is_refused},
	      {"links_in_a_commit_are_not_followed", links_in_a_commit_are_not_followed})
