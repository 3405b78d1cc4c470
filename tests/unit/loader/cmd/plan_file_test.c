/* SPDX-License-Identifier: MIT */
/* What is read of a plan that somebody else may have written: a right digest says nothing about the rest. */
#include "loader/cmd/plan_file.h"

#include "base/cleanup.h"
#include "base/sha256.h"
#include "loader/file.h"
#include "tests/unit/loader/history/fixture.h"

#define GOOD "\"inputs\":[\"web.yaml\"],\"sources\":{\"web.yaml\":\"x: 1\\n\"}"

static const struct gpc_option options[] = {GPC_OPTION_FILE};
static const struct gpc_command command = {.name = "test", .operands = "", GPC_ROWS(options)};

static struct folder f;
static struct gpc_call call;
static char path[PATH_MAX];

static void begin(void)
{
	static char word[] = "test";
	char *argv[] = {word, NULL};
	struct gpc_failure failure;

	folder_make(&f);
	snprintf(path, sizeof(path), "%s/x.gpp", f.base);
	if (gpc_call_parse(&command, 1, argv, &call, &failure))
		abort();
}

static void end(void)
{
	gpc_call_release(&call);
	folder_drop(&f);
}

/* A plan whose digest fits, with `text` as its sources. */
static void put_plan(const char *text)
{
	GPC_CLEANUP(gpc_image_release) struct gpc_image image = image_of_text(PLANE(TWO_ENDPOINTS));
	size_t size = sizeof(struct gpc_plan_head) + image.size + strlen(text);
	struct gpc_plan_head head = {.magic = GPC_PLAN_MAGIC,
				     .version = GPC_PLAN_VERSION,
				     .head_size = sizeof(head),
				     .size = (uint32_t)size,
				     .image_size = (uint32_t)image.size};
	GPC_AUTO_FREE char *bytes = malloc(size);
	struct gpc_failure failure;

	if (!bytes)
		abort();
	memcpy(bytes + sizeof(head), image.bytes, image.size);
	memcpy(bytes + sizeof(head) + image.size, text, strlen(text));
	memcpy(bytes, &head, sizeof(head));
	gpc_sha256(bytes, size, head.digest);
	memcpy(bytes, &head, sizeof(head));
	if (gpc_file_save(path, bytes, size, 0644, &failure))
		abort();
}

/* The exit code; *ret_environment in `out`, "" for none. */
static enum gpc_exit opened(const char *text, char out[64])
{
	GPC_CLEANUP(gpc_input_release) struct gpc_input input = {0};
	const char *environment = NULL;
	struct gpc_plan_head head;
	enum gpc_exit rc;

	put_plan(text);
	rc = gpc_plan_open(&call, path, &input, &head, &environment);
	snprintf(out, 64, "%s", !rc && environment ? environment : "");
	return rc;
}

static void sources_are_taken(void)
{
	char environment[64];

	begin();
	CU_ASSERT_EQUAL(opened("", environment), GPC_EXIT_OK);
	CU_ASSERT_EQUAL(opened("{" GOOD "}", environment), GPC_EXIT_OK);
	CU_ASSERT_STRING_EQUAL(environment, "");
	CU_ASSERT_EQUAL(opened("{" GOOD ",\"environment\":\"prod\"}", environment), GPC_EXIT_OK);
	CU_ASSERT_STRING_EQUAL(environment, "prod");
	end();
}

static void odd_sources_are_refused(void)
{
	static const char *const texts[] = {
		"{" GOOD ",\"environment\":null}",
		"{" GOOD ",\"environment\":1}",
		"{" GOOD ",\"environment\":[]}",
		"{\"inputs\":null,\"sources\":{}}",
		"{\"inputs\":[null],\"sources\":{}}",
		"{\"inputs\":[],\"sources\":null}",
		"{\"inputs\":[],\"sources\":{\"web.yaml\":null}}",
		"{\"inputs\":[],\"sources\":{\"../web.yaml\":\"\"}}",
		"{\"inputs\":[\"/etc/passwd\"],\"sources\":{}}",
		"null",
		"[]",
		"{",
	};
	char environment[64];

	begin();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		enum gpc_exit rc = opened(texts[i], environment);

		CU_ASSERT_EQUAL(rc, GPC_EXIT_INVALID);
		if (rc != GPC_EXIT_INVALID)
			fprintf(stderr, "%s: %d\n", texts[i], rc);
	}
	end();
}

GPC_UNIT_MAIN("cmd/plan_file", {"sources_are_taken", sources_are_taken},
	      {"odd_sources_are_refused", odd_sources_are_refused})
