/* SPDX-License-Identifier: MIT */
/* Projects on disk that try to reach out of their root, to block the reader, or to keep it busy. */
#include "intent/load.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/disk.h"
#include "tests/unit/unit.h"

#define HEAD "apiVersion: gpc/v1\nkind: Plane\n"
#define NAMED HEAD "metadata: {name: plane}\n"

/* A reader that blocks on a FIFO or a loop is ended by this, and the run fails. */
#define PATIENCE_S 60u

static struct gpc_arena arena;
static struct gpc_diags diags;
static struct gpc_disk disk = {.root = -1};
static char root[] = "/tmp/gpc-hostile-XXXXXX";
static char secret[] = "/tmp/gpc-secret-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void end(void)
{
	gpc_disk_release(&disk);
	gpc_arena_release(&arena);
	nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	unlink(secret);
}

static void begin(void)
{
	int fd;

	alarm(PATIENCE_S);
	memcpy(root + strlen(root) - 6, "XXXXXX", 6);
	memcpy(secret + strlen(secret) - 6, "XXXXXX", 6);
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
	fd = mkstemp(secret);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, NAMED, strlen(NAMED)), (ssize_t)strlen(NAMED));
	close(fd);
	CU_ASSERT_EQUAL_FATAL(gpc_disk_init(&disk, root), 0);
	gpc_diags_init(&diags, &arena, false);
}

static const char *below_root(const char *path)
{
	return gpc_arena_printf(&arena, "%s/%s", root, path);
}

__attribute__((format(printf, 2, 3))) static void put(const char *path, const char *format, ...)
{
	FILE *file = fopen(below_root(path), "w");
	va_list args;

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static bool load_with(const char *input, const char *environment)
{
	struct gpc_provider provider = gpc_disk_provider(&disk);
	struct gpc_inputs inputs = {.paths = &input, .count = 1, .environment = environment};
	struct gpc_intent intent = {0};

	return gpc_intent_load(&diags, &provider, &inputs, &intent);
}

/* Every include of `list` is refused with `code` at its own place, and nothing else was read. */
static void check_refused(enum gpc_code code, size_t count, const char *list)
{
	put("gpc.yaml", NAMED "include: [%s]\n", list);
	CU_ASSERT_FALSE(load_with("gpc.yaml", NULL));
	CU_ASSERT_EQUAL(diags.errors, count);
	for (size_t i = 0; i < diags.records.n; i++) {
		CU_ASSERT_EQUAL(diags.records.items[i].code, code);
		CU_ASSERT_EQUAL(
			gpc_place_position(&diags, diags.records.items[i].places[0].place).line, 4);
	}
	CU_ASSERT_EQUAL(diags.sources.n, 1);
}

static void no_include_leaves_the_root(void)
{
	begin();
	CU_ASSERT_EQUAL(mkdir(below_root("parts"), 0755), 0);
	check_refused(GPC_E0047, 5,
		      gpc_arena_printf(&arena, "%s, ../%s, parts/../../x.yaml, \"../*\", parts/..",
				       secret, strrchr(secret, '/') + 1));
	end();
}

static void no_environment_leaves_the_root(void)
{
	static const char *const environments[] = {"../../etc/passwd", "/etc/passwd", "..", "",
						   "a/b"};

	for (size_t i = 0; i < sizeof(environments) / sizeof(environments[0]); i++) {
		begin();
		put("gpc.yaml", NAMED);
		CU_ASSERT_FALSE(load_with("gpc.yaml", environments[i]));
		CU_ASSERT_EQUAL_FATAL(diags.errors, 1);
		CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0052);
		end();
	}
}

static void symbolic_links_are_not_followed(void)
{
	begin();
	CU_ASSERT_EQUAL(mkdir(below_root("parts"), 0755), 0);
	CU_ASSERT_EQUAL(symlink(secret, below_root("parts/out.yaml")), 0);
	CU_ASSERT_EQUAL(symlink("gpc.yaml", below_root("in.yaml")), 0);
	CU_ASSERT_EQUAL(symlink("/etc", below_root("etc")), 0);
	CU_ASSERT_EQUAL(symlink("nowhere", below_root("dangling.yaml")), 0);
	check_refused(GPC_E0042, 5, "parts/*.yaml, in.yaml, etc/passwd, dangling.yaml, \"etc/*\"");
	end();
}

static void a_link_that_goes_round_is_not_followed(void)
{
	begin();
	CU_ASSERT_EQUAL(mkdir(below_root("parts"), 0755), 0);
	CU_ASSERT_EQUAL(symlink("..", below_root("parts/up")), 0);
	CU_ASSERT_EQUAL(symlink("self", below_root("self")), 0);
	check_refused(GPC_E0042, 3, "parts/up/parts/up/gpc.yaml, self, \"parts/*/*/*/*\"");
	end();
}

/* open() of a FIFO would wait for a writer. */
static void what_is_no_regular_file_is_not_opened(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t count = 4;

	begin();
	CU_ASSERT_EQUAL(mkdir(below_root("parts"), 0755), 0);
	CU_ASSERT_EQUAL(mkdir(below_root("parts/folder.yaml"), 0755), 0);
	CU_ASSERT_EQUAL(mkfifo(below_root("parts/fifo.yaml"), 0644), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", below_root("parts/socket.yaml"));
	CU_ASSERT_EQUAL(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	if (mknod(below_root("parts/zero.yaml"), S_IFCHR | 0644, makedev(1, 5)) == 0)
		count++;
	else
		printf("skip: intent/hostile device node: %s\n", strerrorname_np(errno));
	check_refused(GPC_E0043, count, "\"parts/*.yaml\", parts");
	close(listener);
	end();
}

static void includes_end_at_depth_16(void)
{
	begin();
	put("gpc.yaml", NAMED "include: [1.yaml]\n");
	for (int i = 1; i <= 20; i++)
		put(gpc_arena_printf(&arena, "%d.yaml", i), HEAD "include: [%d.yaml]\n", i + 1);
	CU_ASSERT_FALSE(load_with("gpc.yaml", NULL));
	CU_ASSERT_EQUAL_FATAL(diags.errors, 1);
	CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0049);
	CU_ASSERT_EQUAL(diags.sources.n, 17);
	put("16.yaml", HEAD);
	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_TRUE(load_with("gpc.yaml", NULL));
	end();
}

/* A file that two chains reach, the longer one first, has the depth of the shorter one. */
static void depth_does_not_depend_on_the_order_of_includes(void)
{
	begin();
	put("gpc.yaml", NAMED "include: [1.yaml, 15.yaml]\n");
	for (int i = 1; i <= 20; i++)
		put(gpc_arena_printf(&arena, "%d.yaml", i), HEAD "include: [%d.yaml]\n", i + 1);
	put("21.yaml", HEAD);
	CU_ASSERT_TRUE(load_with("gpc.yaml", NULL));
	CU_ASSERT_EQUAL(diags.sources.n, 22);
	end();
}

static void a_plane_has_1000_files_at_most(void)
{
	begin();
	put("gpc.yaml", NAMED "include: [\"parts/*\", \"more/*\", missing.yaml]\n");
	CU_ASSERT_EQUAL(mkdir(below_root("parts"), 0755), 0);
	CU_ASSERT_EQUAL(mkdir(below_root("more"), 0755), 0);
	for (int i = 1; i <= 999; i++)
		put(gpc_arena_printf(&arena, "parts/%d.yaml", i), HEAD);
	put("more/one.yaml", HEAD);
	CU_ASSERT_FALSE(load_with("gpc.yaml", NULL));
	CU_ASSERT_EQUAL_FATAL(diags.errors, 1);
	CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0050);
	CU_ASSERT_EQUAL(diags.sources.n, 1000);
	end();
}

static void patterns_look_into_1000_folders_at_most(void)
{
	begin();
	put("gpc.yaml", NAMED "include: [\"*/*/*/x.yaml\"]\n");
	for (int i = 0; i < 40; i++) {
		CU_ASSERT_EQUAL(mkdir(below_root(gpc_arena_printf(&arena, "%d", i)), 0755), 0);
		for (int j = 0; j < 30; j++)
			CU_ASSERT_EQUAL(
				mkdir(below_root(gpc_arena_printf(&arena, "%d/%d", i, j)), 0755),
				0);
	}
	CU_ASSERT_FALSE(load_with("gpc.yaml", NULL));
	CU_ASSERT_EQUAL_FATAL(diags.errors, 1);
	CU_ASSERT_EQUAL(diags.records.items[0].code, GPC_E0050);
	end();
}

static void files_that_include_each_other_are_read_once(void)
{
	begin();
	put("gpc.yaml", NAMED "include: [\"*.yaml\"]\n");
	put("a.yaml", HEAD "include: [b.yaml, gpc.yaml]\n");
	put("b.yaml", HEAD "include: [a.yaml, ./b.yaml]\n");
	CU_ASSERT_TRUE(load_with("gpc.yaml", NULL));
	CU_ASSERT_EQUAL(diags.sources.n, 3);
	end();
}

GPC_UNIT_MAIN("intent/hostile", {"no_include_leaves_the_root", no_include_leaves_the_root},
	      {"no_environment_leaves_the_root", no_environment_leaves_the_root},
	      {"symbolic_links_are_not_followed", symbolic_links_are_not_followed},
	      {"a_link_that_goes_round_is_not_followed", a_link_that_goes_round_is_not_followed},
	      {"what_is_no_regular_file_is_not_opened", what_is_no_regular_file_is_not_opened},
	      {"includes_end_at_depth_16", includes_end_at_depth_16},
	      {"depth_does_not_depend_on_the_order_of_includes",
	       depth_does_not_depend_on_the_order_of_includes},
	      {"a_plane_has_1000_files_at_most", a_plane_has_1000_files_at_most},
	      {"patterns_look_into_1000_folders_at_most", patterns_look_into_1000_folders_at_most},
	      {"files_that_include_each_other_are_read_once",
	       files_that_include_each_other_are_read_once})
