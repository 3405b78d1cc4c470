/* SPDX-License-Identifier: MIT */
#include "base/disk.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/unit/unit.h"

static char root_path[] = "/tmp/gpc-disk-test-XXXXXX";
static struct gpc_disk disk = {.root = -1};
static struct gpc_provider provider;

static void set_up(void)
{
	snprintf(root_path, sizeof(root_path), "/tmp/gpc-disk-test-XXXXXX");
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root_path));
	CU_ASSERT_EQUAL_FATAL(gpc_disk_init(&disk, root_path), 0);
	provider = gpc_disk_provider(&disk);
	CU_ASSERT_EQUAL_FATAL(mkdirat(disk.root, "feeds", 0700), 0);
	CU_ASSERT_EQUAL_FATAL(gpc_file_write_atomic(disk.root, "feeds/one.txt", "one\n", 4, 0600),
			      0);
	CU_ASSERT_EQUAL_FATAL(gpc_file_write_atomic(disk.root, "feeds/.hidden", "", 0, 0600), 0);
	CU_ASSERT_EQUAL_FATAL(symlinkat("feeds", disk.root, "folder-link"), 0);
	CU_ASSERT_EQUAL_FATAL(symlinkat("/etc/passwd", disk.root, "outside"), 0);
	CU_ASSERT_EQUAL_FATAL(mkfifoat(disk.root, "fifo", 0600), 0);
}

static void tear_down(void)
{
	static const char *const made[] = {"feeds/one.txt", "feeds/.hidden", "folder-link",
					   "outside", "fifo"};
	char path[64];

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", root_path, made[i]);
		CU_ASSERT_EQUAL(unlink(path), 0);
	}
	snprintf(path, sizeof(path), "%s/feeds", root_path);
	CU_ASSERT_EQUAL(rmdir(path), 0);
	CU_ASSERT_EQUAL(rmdir(root_path), 0);
	gpc_disk_release(&disk);
	CU_ASSERT_EQUAL(disk.root, -1);
}

static enum gpc_read_status status_of(const char *path, size_t max, int *ret_error)
{
	char *text = NULL;
	size_t size;
	enum gpc_read_status status =
		provider.read(provider.context, path, max, &text, &size, ret_error);

	CU_ASSERT_EQUAL(status == GPC_READ_OK, text != NULL);
	free(text);
	return status;
}

static void files_below_the_root_are_read(void)
{
	char *text = NULL;
	size_t size = 0;
	int error = 0;

	set_up();
	CU_ASSERT_EQUAL_FATAL(
		provider.read(provider.context, "feeds/one.txt", 4, &text, &size, &error),
		GPC_READ_OK);
	CU_ASSERT_EQUAL(size, 4);
	CU_ASSERT_STRING_EQUAL(text, "one\n");
	free(text);
	CU_ASSERT_EQUAL(status_of("feeds/one.txt", 3, &error), GPC_READ_TOO_LARGE);
	CU_ASSERT_EQUAL(status_of("feeds/two.txt", 3, &error), GPC_READ_MISSING);
	CU_ASSERT_EQUAL(status_of("none/one.txt", 3, &error), GPC_READ_MISSING);
	CU_ASSERT_EQUAL(status_of("feeds/one.txt/x", 3, &error), GPC_READ_MISSING);
	CU_ASSERT_EQUAL(status_of("feeds", 3, &error), GPC_READ_NOT_REGULAR);
	CU_ASSERT_EQUAL(status_of("fifo", 3, &error), GPC_READ_NOT_REGULAR);
	CU_ASSERT_EQUAL(error, 0);
	tear_down();
}

static void nothing_outside_the_root_is_reached(void)
{
	static const char *const escapes[] = {"../etc/passwd",
					      "feeds/../../x",
					      "/etc/passwd",
					      "feeds/./one.txt",
					      "feeds//one.txt",
					      "..",
					      ".",
					      ""};
	int error = 0;

	set_up();
	CU_ASSERT_EQUAL(status_of("outside", 100000, &error), GPC_READ_SYMLINK);
	CU_ASSERT_EQUAL(status_of("folder-link/one.txt", 100000, &error), GPC_READ_SYMLINK);
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		error = 0;
		CU_ASSERT_EQUAL(status_of(escapes[i], 100000, &error), GPC_READ_FAILED);
		CU_ASSERT_EQUAL(error, EINVAL);
	}
	tear_down();
}

static size_t count_names(const char *path, enum gpc_read_status expected)
{
	char **names = NULL;
	size_t count = 0;
	int error;

	CU_ASSERT_EQUAL(provider.list(provider.context, path, &names, &count, &error), expected);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return count;
}

static void folders_are_listed_without_hidden_entries(void)
{
	set_up();
	CU_ASSERT_EQUAL(count_names("", GPC_READ_OK), 4);
	CU_ASSERT_EQUAL(count_names("feeds", GPC_READ_OK), 1);
	CU_ASSERT_EQUAL(count_names("none", GPC_READ_MISSING), 0);
	CU_ASSERT_EQUAL(count_names("folder-link", GPC_READ_SYMLINK), 0);
	CU_ASSERT_EQUAL(count_names("..", GPC_READ_FAILED), 0);
	tear_down();
}

static void root_that_is_no_folder_is_refused(void)
{
	struct gpc_disk other = {.root = -1};

	CU_ASSERT_EQUAL(gpc_disk_init(&other, "/nonexistent"), -ENOENT);
	CU_ASSERT_EQUAL(gpc_disk_init(&other, "/etc/passwd"), -ENOTDIR);
	CU_ASSERT_EQUAL(other.root, -1);
}

GPC_UNIT_MAIN("base/disk", {"files_below_the_root_are_read", files_below_the_root_are_read},
	      {"nothing_outside_the_root_is_reached", nothing_outside_the_root_is_reached},
	      {"folders_are_listed_without_hidden_entries",
	       folders_are_listed_without_hidden_entries},
	      {"root_that_is_no_folder_is_refused", root_that_is_no_folder_is_refused})
