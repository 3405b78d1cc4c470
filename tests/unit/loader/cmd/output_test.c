/* SPDX-License-Identifier: MIT */
/* What commands say whatever files are called, and that a failure is in the result, too. */
#include "loader/cmd/output.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "tests/unit/loader/history/fixture.h"

static struct folder f;
static char out[65536], err[65536];

static int redirect(int fd, const char *name)
{
	char path[PATH_MAX];
	int old = dup(fd), file;

	snprintf(path, sizeof(path), "%s/%s", f.base, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (old < 0 || file < 0 || dup2(file, fd) < 0)
		abort();
	close(file);
	return old;
}

static void take_back(int fd, int old, const char *name, char text[65536])
{
	char path[PATH_MAX];
	size_t n;
	FILE *in;

	dup2(old, fd);
	close(old);
	snprintf(path, sizeof(path), "%s/%s", f.base, name);
	in = fopen(path, "r");
	n = in ? fread(text, 1, 65535, in) : 0;
	text[n] = '\0';
	if (in)
		fclose(in);
}

/* Runs a command as main() does; what it says is in `out` and `err`. */
static int gpc(const char *const *words, int count)
{
	char *argv[8] = {0};
	int old_out, old_err, rc;
	struct gpc_failure failure;
	struct gpc_call call;

	for (int i = 0; i < count; i++)
		argv[i] = strdup(words[i]);
	fflush(NULL);
	old_out = redirect(1, "out");
	old_err = redirect(2, "err");
	rc = (int)gpc_call_parse(gpc_command_find(words[0]), count, argv, &call, &failure);
	rc = rc ? (int)gpc_finish_failed(&call, &failure) : (int)call.command->run(&call);
	gpc_call_release(&call);
	fflush(NULL);
	take_back(1, old_out, "out", out);
	take_back(2, old_err, "err", err);
	for (int i = 0; i < count; i++)
		free(argv[i]);
	return rc;
}
#define GPC(...)                                                                                   \
	gpc((const char *const[]){__VA_ARGS__},                                                    \
	    (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)))

/* The last line of stdout is a result with this exit and a message. */
static bool ends_with_message(int code, const char *message)
{
	struct json_object *result, *member = NULL;
	char *end = strrchr(out, '\n'), *start;
	bool good;

	if (!end)
		return false;
	*end = '\0';
	start = strrchr(out, '\n');
	result = json_tokener_parse(start ? start + 1 : out);
	good = json_object_object_get_ex(result, "exit", &member) &&
	       json_object_get_int(member) == code &&
	       json_object_object_get_ex(result, "message", &member) &&
	       strstr(json_object_get_string(member), message);
	json_object_put(result);
	return good;
}

static void a_failure_is_in_the_result(void)
{
	folder_make(&f);
	CU_ASSERT_EQUAL(GPC("inspect", "--json", "/nowhere/x.gpi"), GPC_EXIT_INVALID);
	CU_ASSERT(ends_with_message(3, "/nowhere/x.gpi"));
	CU_ASSERT_EQUAL(GPC("inspect", "--json", f.base), GPC_EXIT_INVALID);
	CU_ASSERT(ends_with_message(3, "not a regular file"));
	CU_ASSERT_EQUAL(GPC("check", "--json", "--format", "xml", "x.yaml"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "'xml' is no format"));
	CU_ASSERT_EQUAL(GPC("compile", "--json", "x.yaml"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "-o FILE"));
	CU_ASSERT_EQUAL(GPC("log", "--json", "-n", "x"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "'x' is no number"));
	CU_ASSERT_EQUAL(GPC("check", "--nothing", "--json"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "unknown option '--nothing'"));
	folder_drop(&f);
}

static void what_could_harm_a_terminal_is_escaped(void)
{
	folder_make(&f);
	CU_ASSERT_EQUAL(GPC("inspect", "/nowhere/\033]0;x\007\n\xff.gpi"), GPC_EXIT_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "/nowhere/\\x1b]0;x\\x07\\x0a\\xff.gpi"));
	CU_ASSERT_PTR_NULL(strchr(err, '\033'));
	CU_ASSERT_EQUAL(GPC("check", "--\033[31m"), GPC_EXIT_USAGE);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "\\x1b[31m"));
	CU_ASSERT_PTR_NULL(strchr(err, '\033'));
	folder_drop(&f);
}

static void tables_are_escaped_too(void)
{
	struct gpc_grid grid = {.alignment = "ll"};
	char *text = NULL;
	size_t size;
	FILE *table = open_memstream(&text, &size);

	gpc_grid_add(&grid, GPC_PLAIN, "a\033[2Jb");
	gpc_grid_add(&grid, GPC_PLAIN, "h\xc3\xa4");
	gpc_grid_print(&grid, table, 0);
	fclose(table);
	CU_ASSERT_STRING_EQUAL(text, "a\\x1b[2Jb  h\xc3\xa4\n");
	free(text);
}

/* In a process of its own, which has no stream left to complain on. */
static void closed_streams_are_no_files(void)
{
	struct stat st[3], null;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		int bad = 0;

		for (int fd = 0; fd < 3; fd++)
			close(fd);
		gpc_streams_guard();
		bad |= stat("/dev/null", &null);
		for (int fd = 0; fd < 3; fd++)
			bad |= fstat(fd, &st[fd]) || st[fd].st_rdev != null.st_rdev;
		_exit(bad || open("/dev/null", O_RDONLY) < 3);
	}
	CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
	CU_ASSERT_EQUAL(status, 0);
}

static void an_image_goes_to_stdout_or_into_a_device(void)
{
	char yaml[PATH_MAX];

	folder_make(&f);
	snprintf(yaml, sizeof(yaml), "%s/web.yaml", f.base);
	file_put(yaml, PLANE(TWO_ENDPOINTS));
	CU_ASSERT_EQUAL(GPC("compile", yaml, "-o", "-"), 0);
	CU_ASSERT(*(uint32_t *)(void *)out == GPC_IMAGE_MAGIC);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "plane test"));
	CU_ASSERT_NOT_EQUAL(access("-", F_OK), 0);
	CU_ASSERT_EQUAL(GPC("compile", yaml, "-o", "/dev/null"), 0);
	CU_ASSERT_EQUAL(GPC("compile", yaml, "-o", "/dev/full"), GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(err, "No space left"));
	CU_ASSERT_EQUAL(GPC("compile", yaml, "-o", "-", "--json"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "standard output"));
	folder_drop(&f);
}

static void a_relative_state_folder_is_refused(void)
{
	folder_make(&f);
	setenv("GPC_STATE_DIR", "state", 1);
	CU_ASSERT_EQUAL(GPC("log", "--json"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "'state' is no absolute path"));
	CU_ASSERT_EQUAL(GPC("detach", "--json"), GPC_EXIT_USAGE);
	CU_ASSERT(ends_with_message(64, "'state' is no absolute path"));
	folder_drop(&f);
}

static void json_is_utf8(void)
{
	struct json_object *object = gpc_json("x");

	gpc_json_text(object, "name", "a\xff\xc3\xa4\033");
	CU_ASSERT_STRING_EQUAL(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN),
			       "{\"type\":\"x\",\"name\":\"a\xef\xbf\xbd\xc3\xa4\\u001b\"}");
	json_object_put(object);
}

GPC_UNIT_MAIN("cmd/output", {"a_failure_is_in_the_result", a_failure_is_in_the_result},
	      {"what_could_harm_a_terminal_is_escaped", what_could_harm_a_terminal_is_escaped},
	      {"closed_streams_are_no_files", closed_streams_are_no_files},
	      {"an_image_goes_to_stdout_or_into_a_device",
	       an_image_goes_to_stdout_or_into_a_device},
	      {"a_relative_state_folder_is_refused", a_relative_state_folder_is_refused},
	      {"tables_are_escaped_too", tables_are_escaped_too}, {"json_is_utf8", json_is_utf8})
