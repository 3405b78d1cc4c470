/* SPDX-License-Identifier: MIT */
#include "intent/path.h"

#include "tests/unit/unit.h"

static struct gpc_arena arena;

static const char *resolved(const char *file, const char *relative)
{
	const char *path = "untouched";

	CU_ASSERT_EQUAL(gpc_path_resolve(&arena, file, relative, &path), GPC_PATH_OK);
	return path;
}

static enum gpc_path_error refused(const char *file, const char *relative)
{
	const char *path = "untouched";
	enum gpc_path_error error = gpc_path_resolve(&arena, file, relative, &path);

	CU_ASSERT_STRING_EQUAL(path, "untouched");
	return error;
}

static void paths_are_relative_to_the_folder_of_the_file(void)
{
	CU_ASSERT_STRING_EQUAL(resolved(NULL, "gpc.yaml"), "gpc.yaml");
	CU_ASSERT_STRING_EQUAL(resolved("gpc.yaml", "parts/a.yaml"), "parts/a.yaml");
	CU_ASSERT_STRING_EQUAL(resolved("parts/a.yaml", "b.yaml"), "parts/b.yaml");
	CU_ASSERT_STRING_EQUAL(resolved("a/b/c.yaml", "./d//e.yaml"), "a/b/d/e.yaml");
	CU_ASSERT_STRING_EQUAL(resolved(NULL, "..a/.../b.."), "..a/.../b..");
	gpc_arena_release(&arena);
}

static void nothing_leads_out_of_the_root(void)
{
	CU_ASSERT_EQUAL(refused(NULL, "/etc/passwd"), GPC_PATH_ABSOLUTE);
	CU_ASSERT_EQUAL(refused(NULL, ".."), GPC_PATH_ESCAPES);
	CU_ASSERT_EQUAL(refused(NULL, "../x"), GPC_PATH_ESCAPES);
	CU_ASSERT_EQUAL(refused("a/b.yaml", "../x"), GPC_PATH_ESCAPES);
	CU_ASSERT_EQUAL(refused(NULL, "a/../../x"), GPC_PATH_ESCAPES);
	CU_ASSERT_EQUAL(refused(NULL, "a/.."), GPC_PATH_ESCAPES);
	CU_ASSERT_EQUAL(refused(NULL, ""), GPC_PATH_INVALID);
	CU_ASSERT_EQUAL(refused(NULL, "././/"), GPC_PATH_INVALID);
	gpc_arena_release(&arena);
}

static void a_path_longer_than_any_system_takes_is_refused(void)
{
	char path[5000];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CU_ASSERT_EQUAL(refused(NULL, path), GPC_PATH_INVALID);
	path[4090] = '\0';
	CU_ASSERT_STRING_EQUAL(resolved(NULL, path), path);
	CU_ASSERT_EQUAL(refused("folder/gpc.yaml", path), GPC_PATH_INVALID);
	gpc_arena_release(&arena);
}

static void patterns_match_whole_names(void)
{
	CU_ASSERT_TRUE(gpc_path_matches("*.yaml", "a.yaml"));
	CU_ASSERT_TRUE(gpc_path_matches("*.yaml", ".yaml"));
	CU_ASSERT_TRUE(gpc_path_matches("a*b*c", "axxbyyc"));
	CU_ASSERT_TRUE(gpc_path_matches("a*b*c", "abcbc"));
	CU_ASSERT_TRUE(gpc_path_matches("a?c", "abc"));
	CU_ASSERT_TRUE(gpc_path_matches("*", "anything"));
	CU_ASSERT_FALSE(gpc_path_matches("*.yaml", "a.yaml.bak"));
	CU_ASSERT_FALSE(gpc_path_matches("a?c", "ac"));
	CU_ASSERT_FALSE(gpc_path_matches("a*b*c", "abd"));
	CU_ASSERT_FALSE(gpc_path_matches("[ab]", "a"));
}

/* Backtracking goes to the last star only: with all of them this would not end in a lifetime. */
static void many_stars_take_no_longer_than_one(void)
{
	char pattern[402] = {0}, name[4001] = {0};

	for (size_t i = 0; i < 400; i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	pattern[400] = 'b';
	memset(name, 'a', 4000);
	CU_ASSERT_FALSE(gpc_path_matches(pattern, name));
}

GPC_UNIT_MAIN("intent/path",
	      {"paths_are_relative_to_the_folder_of_the_file",
	       paths_are_relative_to_the_folder_of_the_file},
	      {"nothing_leads_out_of_the_root", nothing_leads_out_of_the_root},
	      {"a_path_longer_than_any_system_takes_is_refused",
	       a_path_longer_than_any_system_takes_is_refused},
	      {"patterns_match_whole_names", patterns_match_whole_names},
	      {"many_stars_take_no_longer_than_one", many_stars_take_no_longer_than_one})
