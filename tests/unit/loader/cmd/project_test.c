/* SPDX-License-Identifier: MIT */
/* Which files are compiled, and what the project root is. */
#include "loader/cmd/project.h"

#include <sys/stat.h>

#include "tests/unit/loader/history/fixture.h"

static struct gpc_failure failure;
static struct gpc_project project;

static int find(const char *a, const char *b)
{
	const char *files[] = {a, b};

	return gpc_project_find(files, b ? 2 : a ? 1 : 0, &project, &failure);
}

static void the_root_is_the_folder_of_the_first_input(void)
{
	CU_ASSERT_FATAL(!find("/a/b/./c/../web.yaml", "/a/b//parts/x.yaml"));
	CU_ASSERT_STRING_EQUAL(project.root, "/a/b");
	CU_ASSERT_EQUAL(project.count, 2);
	CU_ASSERT_STRING_EQUAL(project.paths[0], "web.yaml");
	CU_ASSERT_STRING_EQUAL(project.paths[1], "parts/x.yaml");
	gpc_project_release(&project);
}

static void an_input_outside_the_root_is_refused(void)
{
	CU_ASSERT(find("/a/b/web.yaml", "/a/c/x.yaml"));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_INVALID);
	CU_ASSERT(find("/a/b/web.yaml", "/a/b/../x.yaml"));
	CU_ASSERT(find("/a/b/web.yaml", "/a/bc/x.yaml"));
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "/a/bc/x.yaml"));
}

static void a_file_in_the_root_folder_of_the_system_works(void)
{
	CU_ASSERT_FATAL(!find("/../web.yaml", "/etc/x.yaml"));
	CU_ASSERT_STRING_EQUAL(project.root, "/");
	CU_ASSERT_STRING_EQUAL(project.paths[0], "web.yaml");
	CU_ASSERT_STRING_EQUAL(project.paths[1], "etc/x.yaml");
	gpc_project_release(&project);
}

static void where_one_stands_does_not_matter(void)
{
	struct folder f;
	char before[PATH_MAX];

	folder_make(&f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof(before)));
	CU_ASSERT_FATAL(!mkdir(f.path, 0700));
	CU_ASSERT_FATAL(!chdir(f.path));
	CU_ASSERT_FATAL(!find("../web.yaml", "x.yaml"));
	CU_ASSERT_STRING_EQUAL(project.root, f.base);
	CU_ASSERT_STRING_EQUAL(project.paths[0], "web.yaml");
	CU_ASSERT_STRING_EQUAL(project.paths[1], "state/x.yaml");
	gpc_project_release(&project);
	CU_ASSERT_FATAL(!chdir(before));
	folder_drop(&f);
}

static void without_a_file_the_defaults_are_taken_in_byte_order(void)
{
	struct folder f;
	char before[PATH_MAX], path[PATH_MAX];

	folder_make(&f);
	CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof(before)));
	CU_ASSERT_FATAL(!mkdir(f.path, 0700));
	CU_ASSERT_FATAL(!chdir(f.path));
	CU_ASSERT(find(NULL, NULL));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_USAGE);
	CU_ASSERT_FATAL(!mkdir(folder_file(&f, "gpc.d", path), 0700));
	file_put(folder_file(&f, "gpc.d/b.yaml", path), "");
	file_put(folder_file(&f, "gpc.d/B.yaml", path), "");
	file_put(folder_file(&f, "gpc.d/a.txt", path), "");
	CU_ASSERT_FATAL(!find(NULL, NULL));
	CU_ASSERT_EQUAL(project.count, 2);
	CU_ASSERT_STRING_EQUAL(project.paths[0], "gpc.d/B.yaml");
	gpc_project_release(&project);
	file_put(folder_file(&f, "gpc.yaml", path), "");
	CU_ASSERT_FATAL(!find(NULL, NULL));
	CU_ASSERT_EQUAL(project.count, 3);
	CU_ASSERT_STRING_EQUAL(project.paths[0], "gpc.yaml");
	CU_ASSERT_STRING_EQUAL(project.root, ".");
	gpc_project_release(&project);
	CU_ASSERT_FATAL(!chdir(before));
	folder_drop(&f);
}

GPC_UNIT_MAIN("cmd/project",
	      {"the_root_is_the_folder_of_the_first_input",
	       the_root_is_the_folder_of_the_first_input},
	      {"an_input_outside_the_root_is_refused", an_input_outside_the_root_is_refused},
	      {"a_file_in_the_root_folder_of_the_system_works",
	       a_file_in_the_root_folder_of_the_system_works},
	      {"where_one_stands_does_not_matter", where_one_stands_does_not_matter},
	      {"without_a_file_the_defaults_are_taken_in_byte_order",
	       without_a_file_the_defaults_are_taken_in_byte_order})
