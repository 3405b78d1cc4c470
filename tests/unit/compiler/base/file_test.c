/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char folder_path[] = "/tmp/gpc-file-test-XXXXXX";
static int folder = -1;

static void set_up(void)
{
	snprintf(folder_path, sizeof(folder_path), "/tmp/gpc-file-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder_path));
	folder = open(folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_FATAL(folder >= 0);
}

static size_t count_entries(void)
{
	DIR *dir = opendir(folder_path);
	size_t count = 0;

	while (dir && readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

/* Removes what the tests make and fails if anything else is left. */
static void tear_down(void)
{
	static const char *const made[] = {"a", "link", "fifo"};

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		unlinkat(folder, made[i], 0);
	unlinkat(folder, "sub", AT_REMOVEDIR);
	close(folder);
	CU_ASSERT_EQUAL(rmdir(folder_path), 0);
}

static void make(const char *name, const char *text)
{
	CU_ASSERT_EQUAL_FATAL(gpc_file_write_atomic(folder, name, text, strlen(text), 0644), 0);
}

static enum gpc_read_status status_of(const char *name, bool follow, size_t max, int *ret_error)
{
	char *bytes = NULL;
	size_t size;
	enum gpc_read_status status =
		gpc_file_read(folder, name, follow, max, &bytes, &size, ret_error);

	CU_ASSERT_EQUAL(status == GPC_READ_OK, bytes != NULL);
	free(bytes);
	return status;
}

static bool holds(const char *name, const char *text)
{
	char *bytes = NULL;
	size_t size = 0;
	int error;
	bool same =
		gpc_file_read(folder, name, false, 1000, &bytes, &size, &error) == GPC_READ_OK &&
		size == strlen(text) && memcmp(bytes, text, size + 1) == 0;

	free(bytes);
	return same;
}

static void what_is_written_is_read(void)
{
	set_up();
	make("a", "first");
	CU_ASSERT_TRUE(holds("a", "first"));
	make("a", "second and longer");
	CU_ASSERT_TRUE(holds("a", "second and longer"));
	make("a", "");
	CU_ASSERT_TRUE(holds("a", ""));
	CU_ASSERT_EQUAL(count_entries(), 1);
	tear_down();
}

static void paths_may_be_absolute_or_below_folders(void)
{
	char path[64];

	set_up();
	CU_ASSERT_EQUAL_FATAL(mkdirat(folder, "sub", 0700), 0);
	make("sub/a", "deep");
	CU_ASSERT_TRUE(holds("sub/a", "deep"));
	unlinkat(folder, "sub/a", 0);
	snprintf(path, sizeof(path), "%s/a", folder_path);
	CU_ASSERT_EQUAL(gpc_file_write_atomic(AT_FDCWD, path, "x", 1, 0600), 0);
	CU_ASSERT_TRUE(holds("a", "x"));
	CU_ASSERT_EQUAL(gpc_file_write_atomic(folder, "none/a", "x", 1, 0600), -ENOENT);
	tear_down();
}

static void only_regular_files_of_the_right_size_are_read(void)
{
	int error = 0;

	set_up();
	make("a", "12345");
	CU_ASSERT_EQUAL(status_of("a", false, 5, &error), GPC_READ_OK);
	CU_ASSERT_EQUAL(status_of("a", false, 4, &error), GPC_READ_TOO_LARGE);
	CU_ASSERT_EQUAL(status_of("none", false, 5, &error), GPC_READ_MISSING);
	CU_ASSERT_EQUAL(status_of("a/b", false, 5, &error), GPC_READ_MISSING);
	CU_ASSERT_EQUAL(status_of(".", false, 5, &error), GPC_READ_NOT_REGULAR);
	CU_ASSERT_EQUAL_FATAL(mkfifoat(folder, "fifo", 0600), 0);
	CU_ASSERT_EQUAL(status_of("fifo", false, 5, &error), GPC_READ_NOT_REGULAR);
	CU_ASSERT_EQUAL(status_of("/dev/zero", false, 5, &error), GPC_READ_NOT_REGULAR);
	CU_ASSERT_EQUAL(error, 0);
	tear_down();
}

static void symbolic_links_are_followed_only_when_asked(void)
{
	int error = 0;

	set_up();
	make("a", "12345");
	CU_ASSERT_EQUAL_FATAL(symlinkat("a", folder, "link"), 0);
	CU_ASSERT_EQUAL(status_of("link", false, 5, &error), GPC_READ_SYMLINK);
	CU_ASSERT_EQUAL(status_of("link", true, 5, &error), GPC_READ_OK);
	tear_down();
}

static void what_is_no_regular_file_is_not_replaced(void)
{
	struct stat st;

	set_up();
	make("a", "kept");
	CU_ASSERT_EQUAL_FATAL(symlinkat("a", folder, "link"), 0);
	CU_ASSERT_EQUAL_FATAL(mkfifoat(folder, "fifo", 0600), 0);
	CU_ASSERT_EQUAL_FATAL(mkdirat(folder, "sub", 0700), 0);
	CU_ASSERT_EQUAL(gpc_file_write_atomic(folder, "link", "x", 1, 0600), -ELOOP);
	CU_ASSERT_EQUAL(gpc_file_write_atomic(folder, "fifo", "x", 1, 0600), -EINVAL);
	CU_ASSERT_EQUAL(gpc_file_write_atomic(folder, "sub", "x", 1, 0600), -EISDIR);
	CU_ASSERT_TRUE(holds("a", "kept"));
	CU_ASSERT_EQUAL(fstatat(folder, "fifo", &st, AT_SYMLINK_NOFOLLOW), 0);
	CU_ASSERT_TRUE(S_ISFIFO(st.st_mode));
	CU_ASSERT_EQUAL(count_entries(), 4);
	tear_down();
}

/* A write past RLIMIT_FSIZE fails in the middle of the file, as a full disk would. */
static void failed_write_keeps_the_old_file_and_leaves_nothing_behind(void)
{
	struct rlimit old, tight;
	static char bytes[100000];
	int error;

	set_up();
	make("a", "kept");
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &old), 0);
	tight = old;
	tight.rlim_cur = 5000;
	setrlimit(RLIMIT_FSIZE, &tight);
	error = gpc_file_write_atomic(folder, "a", bytes, sizeof(bytes), 0600);
	setrlimit(RLIMIT_FSIZE, &old);
	CU_ASSERT_EQUAL(error, -EFBIG);
	CU_ASSERT_TRUE(holds("a", "kept"));
	CU_ASSERT_EQUAL(count_entries(), 1);
	tear_down();
}

static void left_over_temporary_file_is_no_obstacle(void)
{
	char name[64];

	set_up();
	snprintf(name, sizeof(name), "%s/.gpc-%ld-0.tmp", folder_path, (long)getpid());
	fclose(fopen(name, "w"));
	make("a", "new");
	CU_ASSERT_TRUE(holds("a", "new"));
	CU_ASSERT_EQUAL(unlink(name), 0);
	tear_down();
}

static void what_is_replaced_keeps_its_mode_and_owner(void)
{
	struct stat st;

	set_up();
	CU_ASSERT_EQUAL(gpc_file_replace(folder, "a", "new", 3), -ENOENT);
	CU_ASSERT_EQUAL(fstatat(folder, "a", &st, 0), -1);
	make("a", "old");
	CU_ASSERT_EQUAL(fchmodat(folder, "a", 0646, 0), 0);
	if (geteuid() == 0)
		CU_ASSERT_EQUAL(fchownat(folder, "a", 12, 34, 0), 0);
	CU_ASSERT_EQUAL(gpc_file_replace(folder, "a", "new", 3), 0);
	CU_ASSERT_TRUE(holds("a", "new"));
	CU_ASSERT_EQUAL(fstatat(folder, "a", &st, 0), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0646);
	CU_ASSERT_EQUAL(st.st_uid, geteuid() == 0 ? 12 : geteuid());
	CU_ASSERT_EQUAL(st.st_gid, geteuid() == 0 ? 34 : getegid());
	CU_ASSERT_EQUAL(symlinkat("a", folder, "link"), 0);
	CU_ASSERT_EQUAL(gpc_file_replace(folder, "link", "no", 2), -ELOOP);
	CU_ASSERT_TRUE(holds("a", "new"));
	tear_down();
}

GPC_UNIT_MAIN("base/file", {"what_is_written_is_read", what_is_written_is_read},
	      {"paths_may_be_absolute_or_below_folders", paths_may_be_absolute_or_below_folders},
	      {"only_regular_files_of_the_right_size_are_read",
	       only_regular_files_of_the_right_size_are_read},
	      {"symbolic_links_are_followed_only_when_asked",
	       symbolic_links_are_followed_only_when_asked},
	      {"what_is_no_regular_file_is_not_replaced", what_is_no_regular_file_is_not_replaced},
	      {"failed_write_keeps_the_old_file_and_leaves_nothing_behind",
	       failed_write_keeps_the_old_file_and_leaves_nothing_behind},
	      {"left_over_temporary_file_is_no_obstacle", left_over_temporary_file_is_no_obstacle},
	      {"what_is_replaced_keeps_its_mode_and_owner",
	       what_is_replaced_keeps_its_mode_and_owner})
