/* SPDX-License-Identifier: MIT */
#include "loader/override/journal.h"

#include "../history/fixture.h"

#define NOW 1800000000123

static struct folder folder;
static struct gpc_failure failure;

static void begin(void)
{
	folder_make(&folder);
	if (mkdir(folder.path, 0700))
		abort();
}

static struct gpc_override made(const char *endpoint, enum gpc_override_kind kind, int64_t until)
{
	struct gpc_override o = {.backend = "web",
				 .kind = kind,
				 .since = NOW,
				 .until = until,
				 .actor = "anna",
				 .reason = "disk \"sda\" \xc3\xa4 is slow"};

	snprintf(o.endpoint, sizeof(o.endpoint), "%s", endpoint);
	return o;
}

static void a_missing_journal_is_empty(void)
{
	struct gpc_overrides loaded = {0};

	begin();
	CU_ASSERT_EQUAL(gpc_journal_load(folder.path, &loaded, &failure), 0);
	CU_ASSERT_EQUAL(loaded.count, 0);
	gpc_overrides_release(&loaded);
	folder_drop(&folder);
}

static void what_was_saved_is_loaded(void)
{
	struct gpc_overrides overrides = {0}, loaded = {0};
	struct gpc_override weight = made("web-2", GPC_OVERRIDE_WEIGHT, 0);
	struct gpc_override drain = made("web-1", GPC_OVERRIDE_DRAIN, NOW + 1800000);
	struct gpc_override maint = made("", GPC_OVERRIDE_MAINT, 0);

	weight.weight = 65535;
	memset(maint.reason, 0, sizeof(maint.reason));
	begin();
	gpc_overrides_add(&overrides, &drain);
	gpc_overrides_add(&overrides, &weight);
	gpc_overrides_add(&overrides, &maint);
	gpc_overrides_end(&overrides, &weight, GPC_END_UNDRAINED, "bert", NOW + 5);
	CU_ASSERT_EQUAL(gpc_journal_save(folder.path, &overrides, &failure), 0);
	CU_ASSERT_EQUAL_FATAL(gpc_journal_load(folder.path, &loaded, &failure), 0);
	CU_ASSERT_EQUAL_FATAL(loaded.count, 3);
	for (size_t i = 0; i < 3; i++)
		CU_ASSERT_FALSE(memcmp(&loaded.items[i], &overrides.items[i],
				       sizeof(loaded.items[i])));
	CU_ASSERT_EQUAL(loaded.items[1].end, GPC_END_UNDRAINED);
	CU_ASSERT_STRING_EQUAL(loaded.items[1].ended_by, "bert");
	gpc_overrides_release(&overrides);
	gpc_overrides_release(&loaded);
	folder_drop(&folder);
}

/* Any one byte changed, cut off or added: never taken for what gpc wrote. */
static void a_damaged_journal_is_refused(void)
{
	struct gpc_overrides overrides = {0}, loaded = {0};
	struct gpc_override drain = made("web-1", GPC_OVERRIDE_DRAIN, NOW + 1800000);
	char path[PATH_MAX], text[2048], bad[2048];
	size_t size;
	FILE *file;

	begin();
	gpc_overrides_add(&overrides, &drain);
	CU_ASSERT_EQUAL(gpc_journal_save(folder.path, &overrides, &failure), 0);
	file = fopen(folder_file(&folder, "overrides.jsonl", path), "r");
	size = file ? fread(text, 1, sizeof(text) - 2, file) : 0;
	if (file)
		fclose(file);
	text[size] = '\0';
	CU_ASSERT_TRUE_FATAL(size > 100);
	for (size_t i = 0; i <= size; i++) {
		memcpy(bad, text, size + 1);
		if (i < size)
			bad[i] = (char)(bad[i] == 'x' ? 'y' : 'x');
		else
			bad[size - 1] = '\0';
		file_put(path, bad);
		CU_ASSERT_EQUAL(gpc_journal_load(folder.path, &loaded, &failure), -1);
		CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
		CU_ASSERT_TRUE(*failure.hint);
	}
	file_put(path, text);
	CU_ASSERT_EQUAL(gpc_journal_load(folder.path, &loaded, &failure), 0);
	gpc_overrides_release(&overrides);
	gpc_overrides_release(&loaded);
	folder_drop(&folder);
}

static void the_oldest_ended_ones_are_forgotten(void)
{
	struct gpc_overrides overrides = {0}, loaded = {0};
	struct gpc_override first = made("web-0", GPC_OVERRIDE_DRAIN, 0);
	struct gpc_override again = made("web-1", GPC_OVERRIDE_DRAIN, 0);

	begin();
	gpc_overrides_add(&overrides, &first);
	for (unsigned int i = 0; i < GPC_JOURNAL_ENDED + 10; i++)
		gpc_overrides_add(&overrides, &again);
	CU_ASSERT_EQUAL(gpc_journal_save(folder.path, &overrides, &failure), 0);
	CU_ASSERT_EQUAL_FATAL(gpc_journal_load(folder.path, &loaded, &failure), 0);
	CU_ASSERT_EQUAL(loaded.count, GPC_JOURNAL_ENDED + 2);
	CU_ASSERT_STRING_EQUAL(loaded.items[0].endpoint, "web-0");
	CU_ASSERT_EQUAL(loaded.items[0].end, GPC_END_NONE);
	CU_ASSERT_EQUAL(loaded.items[loaded.count - 1].end, GPC_END_NONE);
	gpc_overrides_release(&overrides);
	gpc_overrides_release(&loaded);
	folder_drop(&folder);
}

static void times_are_read_as_they_are_written(void)
{
	static const char *const wrong[] = {"2027-01-15T08:00:00Z",	 "2027-02-30T08:00:00.000Z",
					    "2027-01-15 08:00:00.000Z",	 "2027-01-15T08:00:00.000",
					    "2027-01-15T08:00:00.000Z ", "1969-12-31T23:59:59.999Z", ""};
	char text[GPC_JOURNAL_TIME];
	int64_t value = 7;

	CU_ASSERT_STRING_EQUAL(gpc_journal_time(NOW, text), "2027-01-15T08:00:00.123Z");
	CU_ASSERT_TRUE(gpc_journal_time_parse(text, &value));
	CU_ASSERT_EQUAL(value, NOW);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		CU_ASSERT_FALSE(gpc_journal_time_parse(wrong[i], &value));
	CU_ASSERT_EQUAL(value, NOW);
}

/* ---- override.h ---- */

static void a_later_one_replaces_the_same_kind_only(void)
{
	struct gpc_overrides overrides = {0};
	struct gpc_override drain = made("web-1", GPC_OVERRIDE_DRAIN, 0);
	struct gpc_override maint = made("web-1", GPC_OVERRIDE_MAINT, 0);
	struct gpc_override weight = made("web-1", GPC_OVERRIDE_WEIGHT, 0);

	gpc_overrides_add(&overrides, &drain);
	gpc_overrides_add(&overrides, &weight);
	gpc_overrides_add(&overrides, &maint);
	CU_ASSERT_EQUAL(overrides.items[0].end, GPC_END_REPLACED);
	CU_ASSERT_EQUAL(overrides.items[1].end, GPC_END_NONE);
	CU_ASSERT_EQUAL(overrides.items[2].end, GPC_END_NONE);
	CU_ASSERT_EQUAL(gpc_overrides_end(&overrides, &drain, GPC_END_UNDRAINED, "x", NOW + 1), 2);
	CU_ASSERT_EQUAL(gpc_overrides_end(&overrides, &drain, GPC_END_UNDRAINED, "x", NOW + 2), 0);
	gpc_overrides_release(&overrides);
}

static void what_ends_by_itself_is_written_down(void)
{
	struct gpc_image image = image_of_text(PLANE(TWO_ENDPOINTS));
	struct gpc_overrides overrides = {0};
	struct gpc_override over = made("a", GPC_OVERRIDE_DRAIN, NOW + 10);
	struct gpc_override gone = made("c", GPC_OVERRIDE_DRAIN, 0);
	struct gpc_override whole = made("", GPC_OVERRIDE_DRAIN, 0);

	gpc_overrides_add(&overrides, &over);
	gpc_overrides_add(&overrides, &gone);
	gpc_overrides_add(&overrides, &whole);
	CU_ASSERT_EQUAL(gpc_overrides_settle(&overrides, NULL, NOW + 9), 0);
	CU_ASSERT_EQUAL(gpc_overrides_settle(&overrides, &image, NOW + 10000), 2);
	CU_ASSERT_EQUAL(overrides.items[0].end, GPC_END_TIME);
	CU_ASSERT_EQUAL(overrides.items[0].ended, NOW + 10);
	CU_ASSERT_EQUAL(overrides.items[1].end, GPC_END_GONE);
	CU_ASSERT_EQUAL(overrides.items[2].end, GPC_END_NONE);
	gpc_overrides_release(&overrides);
	gpc_image_release(&image);
}

GPC_UNIT_MAIN("override/journal", {"a_missing_journal_is_empty", a_missing_journal_is_empty},
	      {"what_was_saved_is_loaded", what_was_saved_is_loaded},
	      {"a_damaged_journal_is_refused", a_damaged_journal_is_refused},
	      {"the_oldest_ended_ones_are_forgotten", the_oldest_ended_ones_are_forgotten},
	      {"times_are_read_as_they_are_written", times_are_read_as_they_are_written},
	      {"a_later_one_replaces_the_same_kind_only", a_later_one_replaces_the_same_kind_only},
	      {"what_ends_by_itself_is_written_down", what_ends_by_itself_is_written_down})
