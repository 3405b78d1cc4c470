/* SPDX-License-Identifier: MIT */
#include "base/memfiles.h"

#include <errno.h>
#include <stdint.h>

#include "tests/unit/unit.h"

static struct gpc_arena arena;
static struct gpc_memfiles files;

static struct gpc_provider set_up(void)
{
	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, "gpc.yaml", "a: 1\n", 5);
	gpc_memfiles_add(&files, "feeds/one.txt", "x\0y", 3);
	gpc_memfiles_add(&files, "feeds/deep/two.txt", "", 0);
	gpc_memfiles_add(&files, "feeds/deep/three.txt", "", 0);
	gpc_memfiles_add(&files, ".hidden", "", 0);
	gpc_memfiles_add_failing(&files, "feeds/link", GPC_READ_SYMLINK);
	gpc_memfiles_add_failing(&files, "broken", GPC_READ_FAILED);
	return gpc_memfiles_provider(&files);
}

static enum gpc_read_status status_of(const struct gpc_provider *provider, const char *path,
				      size_t max)
{
	enum gpc_read_status status;
	char *text = NULL;
	size_t size;
	int error = 0;

	status = provider->read(provider->context, path, max, &text, &size, &error);
	CU_ASSERT_EQUAL(status == GPC_READ_OK, text != NULL);
	CU_ASSERT_EQUAL(error, status == GPC_READ_FAILED ? EIO : 0);
	free(text);
	return status;
}

static void files_are_read_whole_and_faults_are_told(void)
{
	struct gpc_provider provider = set_up();
	char *text;
	size_t size;
	int error;

	CU_ASSERT_EQUAL_FATAL(
		provider.read(provider.context, "feeds/one.txt", 3, &text, &size, &error),
		GPC_READ_OK);
	CU_ASSERT_EQUAL(size, 3);
	CU_ASSERT_EQUAL(memcmp(text, "x\0y", 4), 0);
	free(text);
	CU_ASSERT_EQUAL(status_of(&provider, "feeds/one.txt", 2), GPC_READ_TOO_LARGE);
	CU_ASSERT_EQUAL(status_of(&provider, "feeds/none.txt", 9), GPC_READ_MISSING);
	CU_ASSERT_EQUAL(status_of(&provider, "feeds", 9), GPC_READ_NOT_REGULAR);
	CU_ASSERT_EQUAL(status_of(&provider, "feeds/link", 9), GPC_READ_SYMLINK);
	CU_ASSERT_EQUAL(status_of(&provider, "broken", 9), GPC_READ_FAILED);
	gpc_arena_release(&arena);
}

static size_t count_names(const struct gpc_provider *provider, const char *path)
{
	char **names;
	size_t count;
	int error;

	if (provider->list(provider->context, path, &names, &count, &error) != GPC_READ_OK)
		return SIZE_MAX;
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return count;
}

static void folders_list_each_entry_once_without_hidden_ones(void)
{
	struct gpc_provider provider = set_up();

	CU_ASSERT_EQUAL(count_names(&provider, ""), 3);
	CU_ASSERT_EQUAL(count_names(&provider, "feeds"), 3);
	CU_ASSERT_EQUAL(count_names(&provider, "feeds/deep"), 2);
	CU_ASSERT_EQUAL(count_names(&provider, "fee"), SIZE_MAX);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("base/memfiles",
	      {"files_are_read_whole_and_faults_are_told",
	       files_are_read_whole_and_faults_are_told},
	      {"folders_list_each_entry_once_without_hidden_ones",
	       folders_list_each_entry_once_without_hidden_ones})
