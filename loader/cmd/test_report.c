// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/cleanup.h"
#include "../../compiler/diag/format.h"
#include "output.h"
#include "test.h"

struct place {
	const char *path;
	struct gpc_line_column at;
};

static struct place place_of(const struct gpc_input *input, struct gpc_place place)
{
	return (struct place){gpc_diags_path(&input->diags, place.source),
			      gpc_place_position(&input->diags, place)};
}

/* ---- text ---- */

static void text_failure(const struct gpc_input *input, const struct gpc_test_result *result,
			 const struct gpc_test_failure *failure)
{
	struct place place = place_of(input, failure->at);
	const struct gpc_test_seen *seen = &result->seen;

	printf("%s:%u:%u: %sfailed:%s ", place.path, place.at.line, place.at.column,
	       gpc_paint(stdout, GPC_RED), gpc_paint(stdout, GPC_PLAIN));
	gpc_put_safe(stdout, result->test->name.text);
	printf(": %s is `%s`, expected `%s` (%s, %s/%s, %s)\n", failure->key, failure->seen,
	       failure->expected, seen->verdict, seen->policy, seen->rule, seen->reason);
}

static void text_passed(const struct gpc_input *input, const struct gpc_test_result *result)
{
	struct place place = place_of(input, result->test->at);

	printf("%s:%u:%u: passed: ", place.path, place.at.line, place.at.column);
	gpc_put_safe(stdout, result->test->name.text);
	putchar('\n');
}

static void report_text(const struct gpc_input *input, const struct gpc_test_results *results,
			bool verbose)
{
	char text[32];

	for (size_t i = 0; i < results->count; i++) {
		const struct gpc_test_result *result = &results->items[i];

		for (size_t k = 0; k < result->failure_count; k++)
			text_failure(input, result, &result->failures[k]);
		if (verbose && !result->failure_count)
			text_passed(input, result);
	}
	printf("%s: %zu passed, %zu failed\n", gpc_text_number(results->count, "test", text),
	       results->count - results->failed, results->failed);
}

/* ---- JSON ---- */

static struct json_object *json_seen(const struct gpc_test_seen *seen)
{
	struct json_object *object = json_object_new_object();

	gpc_json_text(object, "verdict", seen->verdict);
	gpc_json_text(object, "policy", seen->policy);
	gpc_json_text(object, "rule", seen->rule);
	gpc_json_text(object, "would", seen->would);
	gpc_json_text(object, "listener", seen->listener);
	gpc_json_text(object, "backend", seen->backend);
	gpc_json_text(object, "endpoint", seen->endpoint);
	gpc_json_text(object, "reason", seen->reason);
	gpc_json_number(object, "mark", seen->mark);
	return object;
}

static void json_place(struct json_object *object, struct place place)
{
	gpc_json_text(object, "file", place.path);
	gpc_json_number(object, "line", place.at.line);
	gpc_json_number(object, "column", place.at.column);
}

static void json_test(const struct gpc_input *input, const struct gpc_test_result *result)
{
	struct json_object *object = gpc_json("test"), *failures = json_object_new_array();

	gpc_json_text(object, "name", result->test->name.text);
	json_place(object, place_of(input, result->test->at));
	gpc_json_bool(object, "passed", !result->failure_count);
	for (size_t i = 0; i < result->failure_count; i++) {
		const struct gpc_test_failure *failure = &result->failures[i];
		struct json_object *item = json_object_new_object();

		gpc_json_text(item, "key", failure->key);
		gpc_json_text(item, "expected", failure->expected);
		gpc_json_text(item, "seen", failure->seen);
		json_place(item, place_of(input, failure->at));
		json_object_array_add(failures, item);
	}
	json_object_object_add(object, "failures", failures);
	json_object_object_add(object, "seen", json_seen(&result->seen));
	gpc_json_print(object);
}

/* ---- TAP 14 ---- */

/* A description ends at `#`; a backslash makes it plain, and itself. */
static void tap_name(const char *name)
{
	GPC_AUTO_FREE char *escaped = malloc(2 * strlen(name) + 1);
	size_t size = 0;

	if (!escaped)
		abort();
	for (; *name; name++) {
		if (*name == '#' || *name == '\\')
			escaped[size++] = '\\';
		escaped[size++] = *name;
	}
	escaped[size] = '\0';
	gpc_put_safe(stdout, escaped);
}

static void tap_test(const struct gpc_input *input, const struct gpc_test_result *result, size_t number)
{
	printf("%sok %zu - ", result->failure_count ? "not " : "", number);
	tap_name(result->test->name.text);
	putchar('\n');
	if (!result->failure_count)
		return;
	printf("  ---\n  failures:\n");
	for (size_t i = 0; i < result->failure_count; i++) {
		const struct gpc_test_failure *failure = &result->failures[i];
		struct place place = place_of(input, failure->at);

		printf("    - at: \"%s:%u:%u\"\n      key: %s\n      expected: \"%s\"\n"
		       "      seen: \"%s\"\n",
		       place.path, place.at.line, place.at.column, failure->key, failure->expected,
		       failure->seen);
	}
	printf("  reason: \"%s\"\n  decided: \"%s/%s\"\n  ...\n", result->seen.reason,
	       result->seen.policy, result->seen.rule);
}

static void report_tap(const struct gpc_input *input, const struct gpc_test_results *results)
{
	printf("TAP version 14\n1..%zu\n", results->count);
	for (size_t i = 0; i < results->count; i++)
		tap_test(input, &results->items[i], i + 1);
}

/* ---- JUnit ---- */

static void xml(const char *text)
{
	for (; *text; text++) {
		static const char special[] = "<>&\"'";
		static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"};
		const char *found = strchr(special, *text);

		if (found)
			fputs(entities[found - special], stdout);
		else
			putchar((unsigned char)*text < ' ' ? ' ' : *text);
	}
}

static void junit_test(const struct gpc_input *input, const struct gpc_test_result *result)
{
	struct place place = place_of(input, result->test->at);

	printf("    <testcase classname=\"");
	xml(place.path);
	printf("\" name=\"");
	xml(result->test->name.text);
	printf("\" file=\"");
	xml(place.path);
	printf("\" line=\"%u\"%s>\n", place.at.line, result->failure_count ? "" : "/");
	if (!result->failure_count)
		return;
	printf("      <failure message=\"%zu not met\">", result->failure_count);
	for (size_t i = 0; i < result->failure_count; i++) {
		const struct gpc_test_failure *failure = &result->failures[i];

		place = place_of(input, failure->at);
		xml(place.path);
		printf(":%u:%u: %s is ", place.at.line, place.at.column, failure->key);
		xml(failure->seen);
		printf(", expected ");
		xml(failure->expected);
		putchar('\n');
	}
	printf("</failure>\n    </testcase>\n");
}

static void report_junit(const struct gpc_input *input, const struct gpc_test_results *results)
{
	printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"");
	xml(input->compiled.model->name);
	printf("\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n", results->count,
	       results->failed);
	for (size_t i = 0; i < results->count; i++)
		junit_test(input, &results->items[i]);
	printf("  </testsuite>\n</testsuites>\n");
}

void gpc_tests_report(const struct gpc_input *input, const struct gpc_test_results *results,
		      enum gpc_test_format format, bool verbose)
{
	switch (format) {
	case GPC_TEST_TEXT:
		report_text(input, results, verbose);
		break;
	case GPC_TEST_TAP:
		report_tap(input, results);
		break;
	case GPC_TEST_JUNIT:
		report_junit(input, results);
		break;
	case GPC_TEST_JSON:
		for (size_t i = 0; i < results->count; i++)
			json_test(input, &results->items[i]);
		break;
	}
}
