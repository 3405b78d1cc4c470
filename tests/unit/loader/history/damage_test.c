/* SPDX-License-Identifier: MIT */
/* A history in every bad shape: one failure that says which file and what next, never a crash. */
#include "loader/history/history.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "fixture.h"

static struct gpc_failure failure;

static int record(struct gpc_history *history, const char *text)
{
	struct gpc_history_file file = {"web.yaml", text, strlen(text)};
	struct gpc_image image = image_of(&file, 1, NULL);
	const struct gpc_history_entry entry = {.image = &image,
						.files = &file,
						.file_count = 1,
						.source = "web.yaml",
						.actor = "tester",
						.inputs = "web.yaml\n"};
	uint32_t number;
	int rc = gpc_history_prepare(history, &entry, &number, &failure);

	if (!rc)
		rc = gpc_history_publish(history, &failure);
	gpc_image_release(&image);
	return rc;
}

/* A state folder with two generations. */
static void make(struct folder *f)
{
	struct gpc_history *history = NULL;

	folder_make(f);
	CU_ASSERT_FATAL(!gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT_FATAL(!record(history, PLANE(TWO_ENDPOINTS)));
	CU_ASSERT_FATAL(!record(history, PLANE("{name: a, address: 10.0.0.1}")));
	gpc_history_free(&history);
}

/* FAILED, naming `file` (below the state folder) and a next step. */
static void check_failure(const char *file)
{
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	if (!strstr(failure.message, file))
		fprintf(stderr, "damage_test: '%s' does not name '%s'\n", failure.message, file);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, file));
	CU_ASSERT(*failure.hint);
	failure = (struct gpc_failure){0};
}

/* Opening fails, for reading and for writing. */
static void check_not_opened(const struct folder *f, const char *file)
{
	struct gpc_history *history = NULL;

	CU_ASSERT(gpc_history_open(f->path, true, &history, &failure));
	check_failure(file);
	CU_ASSERT(gpc_history_open(f->path, false, &history, &failure));
	check_failure(file);
	CU_ASSERT_PTR_NULL(history);
}

/* It opens, but neither lists, finds nor takes a new generation. */
static void check_unreadable(const struct folder *f, const char *file)
{
	struct gpc_history *history = NULL;
	struct gpc_generation *list = NULL, g;
	size_t count;

	CU_ASSERT_FATAL(!gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT(gpc_history_list(history, 0, &list, &count, &failure));
	check_failure(file);
	CU_ASSERT(gpc_history_find(history, 0, &g, &failure));
	check_failure(file);
	CU_ASSERT(record(history, PLANE("{name: z, address: 10.0.0.9}")));
	check_failure(file);
	gpc_history_free(&history);
}

static char *newest_object(const struct folder *f, char out[PATH_MAX], char name[64])
{
	char path[PATH_MAX], hex[41] = "";
	FILE *in = fopen(folder_file(f, "history.git/refs/heads/main", path), "r");

	if (!in || !fgets(hex, sizeof(hex), in))
		abort();
	fclose(in);
	snprintf(name, 64, "objects/%.2s/%s", hex, hex + 2);
	snprintf(path, sizeof(path), "history.git/%s", name);
	return folder_file(f, path, out);
}

static void a_truncated_commit_is_named(void)
{
	char path[PATH_MAX], name[64];
	struct folder f;

	make(&f);
	newest_object(&f, path, name);
	chmod(path, 0600);
	CU_ASSERT_FATAL(!truncate(path, 20));
	check_unreadable(&f, name);
	CU_ASSERT_FATAL(!truncate(path, 0));
	check_unreadable(&f, name);
	folder_drop(&f);
}

static void a_lost_commit_is_named(void)
{
	char path[PATH_MAX], name[64];
	struct folder f;

	make(&f);
	CU_ASSERT_FATAL(!unlink(newest_object(&f, path, name)));
	check_unreadable(&f, name);
	folder_drop(&f);
}

static void a_flipped_bit_in_a_commit_is_noticed(void)
{
	char path[PATH_MAX], name[64], byte;
	struct folder f;
	int fd;

	make(&f);
	newest_object(&f, path, name);
	chmod(path, 0600);
	fd = open(path, O_RDWR);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_FATAL(pread(fd, &byte, 1, 40) == 1);
	byte ^= 0x10;
	CU_ASSERT_FATAL(pwrite(fd, &byte, 1, 40) == 1);
	close(fd);
	check_unreadable(&f, name);
	folder_drop(&f);
}

static void a_branch_that_points_nowhere_is_noticed(void)
{
	char path[PATH_MAX];
	struct folder f;

	make(&f);
	folder_file(&f, "history.git/refs/heads/main", path);
	file_put(path, "1234567890123456789012345678901234567890\n");
	check_unreadable(&f, "objects/12/34567890123456789012345678901234567890");
	file_put(path, "no commit\n");
	check_unreadable(&f, "refs/heads/main");
	file_put(path, "");
	check_unreadable(&f, "refs/heads/main");
	folder_drop(&f);
}

static void a_commit_of_somebody_else_is_no_generation(void)
{
	char command[2 * PATH_MAX];
	struct folder f;

	make(&f);
	snprintf(command, sizeof(command),
		 "cd '%.1000s/history.git' && c=$(git -c user.name=x -c user.email=x commit-tree "
		 "-m hello main^{tree}) && git update-ref refs/heads/main $c",
		 f.path);
	CU_ASSERT_FATAL(system(command) == 0);
	check_unreadable(&f, "history.git/objects/");
	folder_drop(&f);
}

static void a_repository_that_is_none_is_not_opened(void)
{
	char path[PATH_MAX];
	struct folder f;

	make(&f);
	file_put(folder_file(&f, "history.git/HEAD", path), "\xff\xfe nonsense");
	check_not_opened(&f, "history.git");
	CU_ASSERT_FATAL(!unlink(path));
	check_not_opened(&f, "history.git");
	file_put(path, "ref: refs/heads/other\n");
	check_not_opened(&f, "history.git/HEAD");
	file_put(path, "ref: refs/heads/main\n");
	nftw(folder_file(&f, "history.git/objects", path), fixture_remove, 16,
	     FTW_DEPTH | FTW_PHYS);
	check_not_opened(&f, "history.git");
	nftw(folder_file(&f, "history.git", path), fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	file_put(path, "a file");
	check_not_opened(&f, "history.git");
	folder_drop(&f);
}

static void a_symbolic_link_is_refused(void)
{
	char path[PATH_MAX], aside[PATH_MAX];
	struct folder f, g;

	make(&f);
	folder_file(&f, "history.git", path);
	folder_file(&f, "moved.git", aside);
	CU_ASSERT_FATAL(!rename(path, aside));
	CU_ASSERT_FATAL(!symlink("moved.git", path));
	check_not_opened(&f, "history.git");
	folder_make(&g);
	CU_ASSERT_FATAL(!symlink(f.path, g.path));
	check_not_opened(&g, g.path);
	folder_drop(&g);
	folder_drop(&f);
}

static void a_folder_that_others_can_reach_is_refused(void)
{
	static const char *const folders[] = {"", "history.git", "images/sha256"};
	char path[PATH_MAX];
	struct folder f;

	make(&f);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		folder_file(&f, folders[i], path);
		CU_ASSERT_FATAL(!chmod(path, 0777));
		check_not_opened(&f, folders[i]);
		CU_ASSERT_FATAL(!chmod(path, 0750));
		check_not_opened(&f, folders[i]);
		CU_ASSERT_FATAL(!chmod(path, 0700));
	}
	folder_drop(&f);
}

static void a_foreign_owner_is_refused(void)
{
	char path[PATH_MAX];
	struct folder f;

	if (geteuid() != 0) {
		puts("skip: history/damage: a foreign owner needs root");
		return;
	}
	make(&f);
	CU_ASSERT_FATAL(!chown(folder_file(&f, "history.git", path), 65534, 65534));
	check_not_opened(&f, "history.git");
	CU_ASSERT_FATAL(!chown(path, 0, 0));
	CU_ASSERT_FATAL(!chown(f.path, 65534, 65534));
	check_not_opened(&f, f.path);
	folder_drop(&f);
}

/* Writes one byte into the only image of generation 1 (the larger one). */
static void damage_images(const struct folder *f)
{
	char command[2 * PATH_MAX];

	snprintf(command, sizeof(command),
		 "for i in '%.1000s'/images/sha256/*.gpi; do printf x | dd of=\"$i\" bs=1 seek=600 "
		 "conv=notrunc status=none; done",
		 f->path);
	CU_ASSERT_FATAL(system(command) == 0);
}

static void a_damaged_image_is_rebuilt_and_mended(void)
{
	struct gpc_history *history = NULL;
	struct gpc_generation g;
	struct gpc_image image;
	struct folder f;
	bool rebuilt = false;

	make(&f);
	damage_images(&f);
	CU_ASSERT_FATAL(!gpc_history_open(f.path, true, &history, &failure));
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	gpc_image_release(&image);
	CU_ASSERT_FATAL(!record(history, PLANE(TWO_ENDPOINTS)));
	CU_ASSERT_FATAL(!gpc_history_find(history, 3, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(!rebuilt);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void the_lock_file_of_a_killed_publish_is_no_obstacle(void)
{
	struct gpc_history *history = NULL;
	char path[PATH_MAX];
	struct folder f;

	make(&f);
	file_put(folder_file(&f, "history.git/refs/heads/main.lock", path), "");
	CU_ASSERT_FATAL(!gpc_history_open(f.path, true, &history, &failure));
	CU_ASSERT(!record(history, PLANE("{name: z, address: 10.0.0.9}")));
	gpc_history_free(&history);
	folder_drop(&f);
}

static void a_half_made_repository_is_made_anew(void)
{
	struct gpc_history *history = NULL;
	char path[PATH_MAX];
	struct folder f;

	folder_make(&f);
	CU_ASSERT_FATAL(!mkdir(f.path, 0700));
	CU_ASSERT_FATAL(!mkdir(folder_file(&f, "history.git.new", path), 0700));
	file_put(folder_file(&f, "history.git.new/HEAD", path), "half");
	CU_ASSERT_FATAL(!gpc_history_open(f.path, true, &history, &failure));
	CU_ASSERT(!record(history, PLANE(TWO_ENDPOINTS)));
	gpc_history_free(&history);
	folder_drop(&f);
}

static void publish_refuses_when_the_branch_has_moved(void)
{
	struct gpc_image image = image_of_text(PLANE(TWO_ENDPOINTS));
	const struct gpc_history_entry entry = {
		.image = &image, .source = "x", .actor = "y", .inputs = ""};
	struct gpc_history *one = NULL, *two = NULL;
	uint32_t number;
	struct folder f;

	make(&f);
	CU_ASSERT_FATAL(!gpc_history_open(f.path, true, &one, &failure));
	CU_ASSERT_FATAL(!gpc_history_open(f.path, true, &two, &failure));
	CU_ASSERT_FATAL(!gpc_history_prepare(one, &entry, &number, &failure));
	CU_ASSERT_FATAL(!record(two, PLANE("{name: z, address: 10.0.0.9}")));
	CU_ASSERT(gpc_history_publish(one, &failure));
	check_failure("refs/heads/main");
	gpc_history_free(&one);
	gpc_history_free(&two);
	gpc_image_release(&image);
	folder_drop(&f);
}

/* ---- file systems that refuse: in a child with its own mounts ---- */

/* The tmpfs is mounted on f->path in the child only. */
static void in_private_mounts(void (*body)(const struct folder *f), const char *size)
{
	struct folder f;
	int status;
	pid_t pid;

	if (geteuid() != 0) {
		puts("skip: history/damage: mounting needs root");
		return;
	}
	folder_make(&f);
	CU_ASSERT_FATAL(!mkdir(f.path, 0700));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", f.path, "tmpfs", 0, size)) {
			fprintf(stderr, "damage_test: mount: %s\n", strerror(errno));
			_exit(99);
		}
		body(&f);
		_exit(CU_get_number_of_failures() ? 1 : 0);
	}
	CU_ASSERT_FATAL(pid > 0);
	CU_ASSERT_FATAL(waitpid(pid, &status, 0) == pid);
	CU_ASSERT_EQUAL(status, 0);
	folder_drop(&f);
}

static void fill(const char *path)
{
	static const char zeros[4096];
	FILE *out = fopen(path, "w");

	if (!out)
		abort();
	setbuf(out, NULL);
	while (fwrite(zeros, 1, sizeof(zeros), out) == sizeof(zeros))
		;
	fclose(out);
}

static void meet_full_disk(const struct folder *f)
{
	struct gpc_history *history = NULL;
	struct gpc_generation g;
	char path[PATH_MAX];

	CU_ASSERT_FATAL(!gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT(!record(history, PLANE(TWO_ENDPOINTS)));
	fill(folder_file(f, "filler", path));
	CU_ASSERT(record(history, PLANE("{name: a, address: 10.0.0.1}")));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "No space left"));
	CU_ASSERT(!gpc_history_find(history, 0, &g, &failure));
	CU_ASSERT_EQUAL(g.number, 1);
	unlink(path);
	CU_ASSERT(!record(history, PLANE("{name: a, address: 10.0.0.1}")));
	gpc_history_free(&history);
}

static void a_full_disk_records_nothing_and_harms_nothing(void)
{
	in_private_mounts(meet_full_disk, "size=1m,mode=700");
}

static void meet_full_disk_first(const struct folder *f)
{
	struct gpc_history *history = NULL;
	char path[PATH_MAX];

	fill(folder_file(f, "filler", path));
	CU_ASSERT(gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	unlink(path);
	CU_ASSERT_FATAL(!gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT(!record(history, PLANE(TWO_ENDPOINTS)));
	gpc_history_free(&history);
}

static void a_full_disk_at_the_first_apply_leaves_no_half_repository(void)
{
	in_private_mounts(meet_full_disk_first, "size=1m,mode=700");
}

static void meet_read_only(const struct folder *f)
{
	struct gpc_history *history = NULL;
	struct gpc_generation g;

	CU_ASSERT_FATAL(!gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT(!record(history, PLANE(TWO_ENDPOINTS)));
	gpc_history_free(&history);
	CU_ASSERT_FATAL(!mount(NULL, f->path, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	CU_ASSERT_FATAL(!gpc_history_open(f->path, true, &history, &failure));
	CU_ASSERT(!gpc_history_find(history, 0, &g, &failure));
	CU_ASSERT(record(history, PLANE("{name: a, address: 10.0.0.1}")));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "Read-only"));
	gpc_history_free(&history);
}

static void a_read_only_folder_can_be_read_but_not_recorded_in(void)
{
	in_private_mounts(meet_read_only, "size=4m,mode=700");
}

GPC_UNIT_MAIN(
	"history/damage", {"a_truncated_commit_is_named", a_truncated_commit_is_named},
	{"a_lost_commit_is_named", a_lost_commit_is_named},
	{"a_flipped_bit_in_a_commit_is_noticed", a_flipped_bit_in_a_commit_is_noticed},
	{"a_branch_that_points_nowhere_is_noticed", a_branch_that_points_nowhere_is_noticed},
	{"a_commit_of_somebody_else_is_no_generation", a_commit_of_somebody_else_is_no_generation},
	{"a_repository_that_is_none_is_not_opened", a_repository_that_is_none_is_not_opened},
	{"a_symbolic_link_is_refused", a_symbolic_link_is_refused},
	{"a_folder_that_others_can_reach_is_refused", a_folder_that_others_can_reach_is_refused},
	{"a_foreign_owner_is_refused", a_foreign_owner_is_refused},
	{"a_damaged_image_is_rebuilt_and_mended", a_damaged_image_is_rebuilt_and_mended},
	{"the_lock_file_of_a_killed_publish_is_no_obstacle",
	 the_lock_file_of_a_killed_publish_is_no_obstacle},
	{"a_half_made_repository_is_made_anew", a_half_made_repository_is_made_anew},
	{"publish_refuses_when_the_branch_has_moved", publish_refuses_when_the_branch_has_moved},
	{"a_full_disk_records_nothing_and_harms_nothing",
	 a_full_disk_records_nothing_and_harms_nothing},
	{"a_full_disk_at_the_first_apply_leaves_no_half_repository",
	 a_full_disk_at_the_first_apply_leaves_no_half_repository},
	{"a_read_only_folder_can_be_read_but_not_recorded_in",
	 a_read_only_folder_can_be_read_but_not_recorded_in})
