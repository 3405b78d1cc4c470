/* SPDX-License-Identifier: MIT */
/* Generations: recorded, listed, found, rolled back to, pruned, rebuilt. */
#include "loader/history/history.h"

#include <dirent.h>
#include <time.h>

#include "fixture.h"

/* The clock of this program; everything linked into it, libgit2 too, sees it. */
static time_t clock_now = 1700000000;
time_t time(time_t *ret)
{
	if (ret)
		*ret = clock_now;
	return clock_now;
}

static struct gpc_failure failure;

static struct gpc_history *open_history(const struct folder *f)
{
	struct gpc_history *history = NULL;

	if (gpc_history_open(f->path, true, &history, &failure)) {
		fprintf(stderr, "history_test: %s\n", failure.message);
		abort();
	}
	return history;
}

/* Records `text` as web.yaml; returns its number, 0 on failure. */
static uint32_t record(struct gpc_history *history, const char *text)
{
	struct gpc_history_file file = {"web.yaml", text, strlen(text)};
	struct gpc_image image = image_of(&file, 1, NULL);
	const struct gpc_history_entry entry = {.image = &image,
						.files = &file,
						.file_count = 1,
						.source = "web.yaml",
						.actor = "tester",
						.inputs = "web.yaml\n"};
	uint32_t number = 0;

	if (gpc_history_prepare(history, &entry, &number, &failure) ||
	    gpc_history_publish(history, &failure))
		number = 0;
	gpc_image_release(&image);
	return number;
}

/* A text whose image differs from that of every other n. */
static const char *variant(unsigned int n)
{
	static char text[1024];

	snprintf(text, sizeof(text), PLANE("{name: a, address: 10.0.0.1, weight: %u}"), n);
	return text;
}

static unsigned int count_files(const struct folder *f, const char *name)
{
	char path[PATH_MAX];
	DIR *dir = opendir(folder_file(f, name, path));
	unsigned int count = 0;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		count += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static unsigned int count_images(const struct folder *f)
{
	return count_files(f, "images/sha256");
}

static void drop_images(const struct folder *f)
{
	char path[PATH_MAX];

	nftw(folder_file(f, "images/sha256", path), fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	mkdir(path, 0700);
}

static void a_missing_history_is_empty_unless_it_is_to_be_made(void)
{
	struct gpc_history *history = NULL;
	struct gpc_generation *list = NULL, g;
	struct folder f;
	size_t count = 7;

	folder_make(&f);
	CU_ASSERT_FATAL(!gpc_history_open(f.path, false, &history, &failure));
	CU_ASSERT(!gpc_history_list(history, 0, &list, &count, &failure));
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT(gpc_history_find(history, 0, &g, &failure));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_INVALID);
	CU_ASSERT(access(f.path, F_OK));
	gpc_history_free(&history);
	history = open_history(&f);
	CU_ASSERT(!gpc_history_list(history, 0, &list, &count, &failure));
	CU_ASSERT_EQUAL(count, 0);
	gpc_history_free(&history);
	CU_ASSERT_PTR_NULL(history);
	folder_drop(&f);
}

static void generations_are_listed_newest_first_with_all_they_are(void)
{
	struct gpc_history *history;
	struct gpc_generation *list;
	struct gpc_image image = image_of_text(variant(2));
	char digest[65];
	struct folder f;
	size_t count;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT_EQUAL(record(history, variant(1)), 1);
	CU_ASSERT_EQUAL(record(history, variant(2)), 2);
	CU_ASSERT_FATAL(!gpc_history_list(history, 0, &list, &count, &failure));
	CU_ASSERT_EQUAL_FATAL(count, 2);
	CU_ASSERT_EQUAL(list[0].number, 2);
	CU_ASSERT_EQUAL(list[1].number, 1);
	CU_ASSERT_EQUAL(list[0].rollback_of, 0);
	CU_ASSERT_STRING_EQUAL(list[0].plane, "test");
	CU_ASSERT_STRING_EQUAL(list[0].actor, "tester");
	CU_ASSERT_STRING_EQUAL(list[0].source, "web.yaml");
	CU_ASSERT_STRING_EQUAL(list[0].result, "applied");
	CU_ASSERT_STRING_EQUAL(list[0].decision,
			       gpc_digest_format(image.head->decision_digest, digest));
	CU_ASSERT_STRING_EQUAL(list[0].image, gpc_digest_format(image.head->file_digest, digest));
	CU_ASSERT_EQUAL(list[0].time, 1700000000);
	free(list);
	CU_ASSERT(!gpc_history_list(history, 1, &list, &count, &failure));
	CU_ASSERT_EQUAL(count, 1);
	free(list);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void a_generation_is_found_by_number(void)
{
	struct gpc_history *history;
	struct gpc_generation g;
	struct folder f;

	folder_make(&f);
	history = open_history(&f);
	for (unsigned int i = 1; i <= 3; i++)
		record(history, variant(i));
	CU_ASSERT(!gpc_history_find(history, 2, &g, &failure));
	CU_ASSERT_EQUAL(g.number, 2);
	CU_ASSERT(!gpc_history_find(history, 0, &g, &failure));
	CU_ASSERT_EQUAL(g.number, 3);
	CU_ASSERT(gpc_history_find(history, 4, &g, &failure));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_INVALID);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "generation 4"));
	gpc_history_free(&history);
	folder_drop(&f);
}

static void a_generation_is_found_by_decision_and_by_its_successor(void)
{
	struct gpc_history *history;
	struct gpc_generation first, g;
	struct folder f;
	bool found;

	folder_make(&f);
	history = open_history(&f);
	for (unsigned int i = 1; i <= 3; i++)
		record(history, variant(i % 2));
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &first, &failure));
	CU_ASSERT(!gpc_history_find_decision(history, first.decision, &g, &found, &failure));
	CU_ASSERT(found);
	CU_ASSERT_EQUAL(g.number, 3);
	CU_ASSERT(!gpc_history_find_decision(history, first.image, &g, &found, &failure));
	CU_ASSERT(!found);
	CU_ASSERT(!gpc_history_before(history, &g, &g, &found, &failure));
	CU_ASSERT(found);
	CU_ASSERT_EQUAL(g.number, 2);
	CU_ASSERT(!gpc_history_before(history, &first, &g, &found, &failure));
	CU_ASSERT(!found);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void prepare_without_publish_records_nothing(void)
{
	struct gpc_image image = image_of_text(variant(1));
	struct gpc_history_entry entry = {
		.image = &image, .source = "x", .actor = "y", .inputs = ""};
	struct gpc_history *history;
	struct gpc_generation *list;
	uint32_t number = 0;
	struct folder f;
	size_t count;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_EQUAL(number, 1);
	CU_ASSERT(!gpc_history_list(history, 0, &list, &count, &failure));
	CU_ASSERT_EQUAL(count, 0);
	CU_ASSERT(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_EQUAL(number, 1);
	CU_ASSERT(!gpc_history_publish(history, &failure));
	CU_ASSERT(gpc_history_publish(history, &failure));
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void a_number_that_the_kernel_has_used_is_not_given_again(void)
{
	struct gpc_image image = image_of_text(variant(1));
	struct gpc_history_entry entry = {
		.image = &image, .source = "x", .actor = "y", .inputs = "", .at_least = 7};
	struct gpc_history *history;
	struct gpc_generation g;
	uint32_t number = 0;
	struct folder f;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT(!gpc_history_publish(history, &failure));
	CU_ASSERT_EQUAL(number, 7);
	CU_ASSERT_EQUAL(record(history, variant(2)), 8);
	CU_ASSERT(gpc_history_find(history, 1, &g, &failure));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_INVALID);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void order_is_by_parents_when_the_clock_goes_back(void)
{
	struct gpc_history *history;
	struct gpc_generation *list;
	struct folder f;
	size_t count;

	folder_make(&f);
	history = open_history(&f);
	record(history, variant(1));
	clock_now = 1000000000;
	record(history, variant(2));
	record(history, variant(3));
	clock_now = 1700000000;
	CU_ASSERT_FATAL(!gpc_history_list(history, 0, &list, &count, &failure));
	CU_ASSERT_EQUAL_FATAL(count, 3);
	for (uint32_t i = 0; i < 3; i++)
		CU_ASSERT_EQUAL(list[i].number, 3 - i);
	CU_ASSERT_EQUAL(list[0].time, 1000000000);
	free(list);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void a_rollback_names_the_old_generation_and_takes_its_sources(void)
{
	struct gpc_history *history;
	struct gpc_generation old, g;
	struct gpc_image image;
	struct gpc_history_entry entry = {
		.image = &image, .source = "rollback to 1", .actor = "y", .rollback_of = &old};
	uint32_t number;
	struct folder f;
	bool rebuilt;
	size_t size;
	char *text;

	folder_make(&f);
	history = open_history(&f);
	record(history, variant(1));
	record(history, variant(2));
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &old, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &old, &image, &rebuilt, &failure));
	CU_ASSERT(!rebuilt);
	CU_ASSERT(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT(!gpc_history_publish(history, &failure));
	gpc_image_release(&image);
	CU_ASSERT_FATAL(!gpc_history_find(history, 3, &g, &failure));
	CU_ASSERT_EQUAL(g.rollback_of, 1);
	CU_ASSERT_STRING_EQUAL(g.decision, old.decision);
	CU_ASSERT_FATAL(!gpc_history_read(history, &g, "sources/web.yaml", &text, &size, &failure));
	CU_ASSERT_STRING_EQUAL(text, variant(1));
	free(text);
	drop_images(&f);
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void the_last_images_are_kept_and_older_ones_rebuilt(void)
{
	struct gpc_history *history;
	struct gpc_generation g;
	struct gpc_image image;
	struct folder f;
	char digest[65];
	bool rebuilt;

	folder_make(&f);
	history = open_history(&f);
	for (unsigned int i = 1; i <= GPC_HISTORY_IMAGES + 3; i++)
		CU_ASSERT_EQUAL(record(history, variant(i)), i);
	CU_ASSERT_EQUAL(count_images(&f), GPC_HISTORY_IMAGES);
	CU_ASSERT_FATAL(!gpc_history_find(history, 4, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(!rebuilt);
	gpc_image_release(&image);
	CU_ASSERT_FATAL(!gpc_history_find(history, 3, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	CU_ASSERT_STRING_EQUAL(gpc_digest_format(image.head->decision_digest, digest), g.decision);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

/* Generations of `rebalance: minimal`, each made from the one before; returns the last one's number. */
static uint32_t record_lineage(struct gpc_history *history, struct gpc_image images[3])
{
	uint32_t number = 0;

	for (unsigned int i = 0; i < 3; i++) {
		char text[1024];
		struct gpc_history_file file = {"web.yaml", text, 0};
		struct gpc_history_entry entry = {.image = &images[i],
						  .files = &file,
						  .file_count = 1,
						  .source = "web.yaml",
						  .actor = "tester",
						  .inputs = "web.yaml\n",
						  .parent = i ? &images[i - 1] : NULL};

		file.size = (size_t)snprintf(
			text, sizeof(text),
			PLANE_HEAD "backends:\n  - name: web\n    rebalance: minimal\n    endpoints: ["
				   "{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2, weight: %u}, "
				   "{name: c, address: 10.0.0.3}]\n",
			i == 1 ? 7 : 1);
		images[i] = image_after(entry.parent, &file, 1, NULL);
		CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
		CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	}
	return number;
}

static void what_tables_started_from_is_kept_and_a_rebuild_starts_from_it(void)
{
	struct gpc_image images[3], image;
	struct gpc_history *history;
	struct gpc_generation g;
	char digest[65], path[PATH_MAX];
	struct folder f;
	bool rebuilt;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT_EQUAL(record_lineage(history, images), 3);
	/* The sources of 1 and 3 are the same; what they became depends on what was before. */
	CU_ASSERT(memcmp(images[0].head->decision_digest, images[2].head->decision_digest, 32));
	CU_ASSERT_FATAL(!gpc_history_find(history, 3, &g, &failure));
	CU_ASSERT_STRING_EQUAL(g.parent, gpc_digest_format(images[1].head->file_digest, digest));
	drop_images(&f);
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	CU_ASSERT(!memcmp(image.head->decision_digest, images[2].head->decision_digest, 32));
	gpc_image_release(&image);
	nftw(folder_file(&f, "images/parents", path), fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	/* Without them it is rebuilt from 2, and that from 1. */
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	gpc_image_release(&image);
	memset(g.parent, 'a', 64);
	CU_ASSERT(gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "it is the image of no generation"));
	for (unsigned int i = 0; i < 3; i++)
		gpc_image_release(&images[i]);
	gpc_history_free(&history);
	folder_drop(&f);
}

/* A generation made from `parent`; its image. */
static struct gpc_image record_child(struct gpc_history *history, const struct gpc_image *parent,
				     unsigned int weight)
{
	char text[1024];
	struct gpc_history_file file = {"web.yaml", text, 0};
	struct gpc_history_entry entry = {.files = &file,
					  .file_count = 1,
					  .source = "web.yaml",
					  .actor = "tester",
					  .inputs = "web.yaml\n",
					  .parent = parent};
	struct gpc_image image;
	uint32_t number;

	file.size = (size_t)snprintf(
		text, sizeof(text),
		PLANE_HEAD "backends: [{name: web, rebalance: minimal, endpoints: "
			   "[{name: a, address: 10.0.0.1}, {name: b, address: 10.0.0.2, weight: %u}]}]\n",
		weight);
	image = image_after(parent, &file, 1, NULL);
	entry.image = &image;
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	return image;
}

static void parents_are_kept_as_long_as_their_children(void)
{
	struct gpc_image parent, child, image;
	struct gpc_history *history;
	struct gpc_generation g;
	struct folder f;
	bool rebuilt;

	folder_make(&f);
	history = open_history(&f);
	parent = record_child(history, NULL, 1);
	for (unsigned int i = 2; i <= GPC_HISTORY_IMAGES + 4; i++) {
		child = record_child(history, &parent, i);
		gpc_image_release(&parent);
		parent = child;
	}
	gpc_image_release(&parent);
	CU_ASSERT_EQUAL(count_images(&f), GPC_HISTORY_IMAGES);
	CU_ASSERT_EQUAL(count_files(&f, "images/parents"), GPC_HISTORY_IMAGES);
	/* The oldest whose image is kept has its parent; one before is made from its parent's sources. */
	drop_images(&f);
	CU_ASSERT_FATAL(!gpc_history_find(history, 5, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	gpc_image_release(&image);
	CU_ASSERT_FATAL(!gpc_history_find(history, 4, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

/* It was applied, and its apply killed before it was recorded. */
static void what_runs_is_kept_though_nobody_recorded_it(void)
{
	struct gpc_image running = image_of_text(variant(1)), image;
	struct gpc_history_entry entry = {.image = &running, .source = "a.gpi", .actor = "x"};
	struct gpc_history *history;
	char digest[65], name[96], path[PATH_MAX];
	struct folder f;
	uint32_t number;

	folder_make(&f);
	history = open_history(&f);
	for (unsigned int i = 2; i <= GPC_HISTORY_IMAGES + 2; i++)
		record(history, variant(i));
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	image = image_of_text(variant(100));
	entry.image = &image;
	entry.running = &running;
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	CU_ASSERT_EQUAL(count_images(&f), GPC_HISTORY_IMAGES + 1);
	snprintf(name, sizeof(name), "images/sha256/%s.gpi",
		 gpc_digest_format(running.head->file_digest, digest));
	CU_ASSERT_EQUAL(access(folder_file(&f, name, path), F_OK), 0);
	record(history, variant(101));
	CU_ASSERT_EQUAL(count_images(&f), GPC_HISTORY_IMAGES);
	CU_ASSERT_NOT_EQUAL(access(path, F_OK), 0);
	gpc_image_release(&running);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static const struct gpc_history_file project[] = {
#define FILE_ROW(path, text)                                                                       \
	{                                                                                          \
		path, text, sizeof(text) - 1                                                       \
	}
	FILE_ROW("web.yaml", "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: test}\n"
			     "include: [\"parts/*.yaml\", \"none/*.yaml\"]\n"
			     "values: {w: 1}\n"),
	FILE_ROW("parts/a.yaml", "apiVersion: gpc/v1\nkind: Plane\n"
				 "interfaces:\n  - {name: wan0, mode: any, hooks: [xdp]}\n"
				 "listeners:\n  - {name: http, address: 192.0.2.10, protocol: TCP, "
				 "port: 80, forward: dsr, backend: web}\n"
				 "segments:\n  - name: drop\n    from: {file: drop.txt, max: 1, "
				 "sha256: ed2c579e9516789695c10104192f223e498263d35ecae467ea1d9a258ec9ecdd}\n"),
	FILE_ROW("parts/drop.txt", "10.9.0.0/16\n"),
	FILE_ROW("parts/b.yaml", "apiVersion: gpc/v1\nkind: Plane\nbackends:\n  - name: web\n"
				 "    endpoints: [{name: a, address: 10.0.0.1, weight: \"${w}\"}, "
				 "{name: b, address: 10.0.0.2}]\n"),
	FILE_ROW("overlays/prod.yaml", "apiVersion: gpc/v1\nkind: Overlay\nvalues: {w: 3}\n"),
};

static void includes_feeds_and_overlays_are_rebuilt_too(void)
{
	const size_t count = sizeof(project) / sizeof(project[0]);
	struct gpc_image image = image_of(project, count, "prod");
	struct gpc_history_entry entry = {.image = &image,
					  .files = project,
					  .file_count = count,
					  .source = "web.yaml",
					  .actor = "y",
					  .inputs = "web.yaml\n",
					  .environment = "prod"};
	struct gpc_history *history;
	struct gpc_generation g;
	uint32_t number;
	struct folder f;
	char **paths;
	size_t n;
	bool rebuilt;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	gpc_image_release(&image);
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_files(history, &g, &paths, &n, &failure));
	CU_ASSERT_EQUAL_FATAL(n, 7);
	CU_ASSERT_STRING_EQUAL(paths[0], "image.json");
	CU_ASSERT_STRING_EQUAL(paths[1], "plan.json");
	CU_ASSERT_STRING_EQUAL(paths[2], "sources/overlays/prod.yaml");
	CU_ASSERT_STRING_EQUAL(paths[3], "sources/parts/a.yaml");
	CU_ASSERT_STRING_EQUAL(paths[5], "sources/parts/drop.txt");
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
	drop_images(&f);
	CU_ASSERT_FATAL(!gpc_history_image(history, &g, &image, &rebuilt, &failure));
	CU_ASSERT(rebuilt);
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void a_rebuild_that_decides_otherwise_is_refused_naming_both(void)
{
	struct gpc_history *history;
	struct gpc_generation g;
	struct gpc_image image;
	char truth[65];
	struct folder f;

	folder_make(&f);
	history = open_history(&f);
	record(history, variant(1));
	drop_images(&f);
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &g, &failure));
	snprintf(truth, sizeof(truth), "%s", g.decision);
	memset(g.decision, 'a', 64);
	CU_ASSERT(gpc_history_image(history, &g, &image, NULL, &failure));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, truth));
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, g.decision));
	gpc_history_free(&history);
	folder_drop(&f);
}

static void an_image_without_sources_cannot_be_rebuilt_and_says_so(void)
{
	struct gpc_image image = image_of_text(variant(1));
	struct gpc_history_entry entry = {
		.image = &image, .source = "web.gpi", .actor = "y", .inputs = ""};
	struct gpc_history *history;
	struct gpc_generation g;
	uint32_t number;
	struct folder f;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	gpc_image_release(&image);
	drop_images(&f);
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &g, &failure));
	CU_ASSERT(gpc_history_image(history, &g, &image, NULL, &failure));
	CU_ASSERT_EQUAL(failure.code, GPC_EXIT_FAILED);
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.message, "without sources"));
	CU_ASSERT_PTR_NOT_NULL(strstr(failure.hint, g.image));
	gpc_history_free(&history);
	folder_drop(&f);
}

static void the_diff_shows_the_lines_that_changed(void)
{
	struct gpc_generation before, after;
	struct gpc_history *history;
	struct folder f;
	size_t size;
	char *text;

	folder_make(&f);
	history = open_history(&f);
	record(history, variant(1));
	record(history, variant(42));
	CU_ASSERT_FATAL(!gpc_history_find(history, 1, &before, &failure));
	CU_ASSERT_FATAL(!gpc_history_find(history, 2, &after, &failure));
	CU_ASSERT_FATAL(!gpc_history_diff(history, &before, &after, &text, &size, &failure));
	CU_ASSERT_EQUAL(strlen(text), size);
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\n-    endpoints: [{name: a, address: 10.0.0.1, weight: 1}]"));
	CU_ASSERT_PTR_NOT_NULL(
		strstr(text, "\n+    endpoints: [{name: a, address: 10.0.0.1, weight: 42}]"));
	CU_ASSERT_PTR_NULL(strstr(text, "plan.json"));
	free(text);
	CU_ASSERT_FATAL(!gpc_history_diff(history, NULL, &after, &text, &size, &failure));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "new file"));
	free(text);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void the_plan_counts_what_changed(void)
{
	struct gpc_history *history;
	struct gpc_generation g;
	struct folder f;
	size_t size;
	char *text;

	folder_make(&f);
	history = open_history(&f);
	record(history, PLANE(TWO_ENDPOINTS));
	record(history,
	       PLANE("{name: a, address: 10.0.0.1, weight: 5}, {name: c, address: 10.0.0.3}"));
	CU_ASSERT_FATAL(!gpc_history_find(history, 2, &g, &failure));
	CU_ASSERT_FATAL(!gpc_history_read(history, &g, "plan.json", &text, &size, &failure));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"compared-with\":1"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "\"endpoint\":{\n    \"added\":1,\n    \"removed\":1,\n"
					    "    \"changed\":1\n  }"));
	free(text);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void trailers_stay_one_line_whatever_the_names_are(void)
{
	struct gpc_image image = image_of_text(variant(1));
	struct gpc_history_entry entry = {.image = &image,
					  .source = "a\nGpc-Generation: 99\n",
					  .actor = "eve\r\n\nGpc-Decision: 0",
					  .inputs = ""};
	struct gpc_history *history;
	struct gpc_generation g;
	uint32_t number;
	struct folder f;

	folder_make(&f);
	history = open_history(&f);
	CU_ASSERT_FATAL(!gpc_history_prepare(history, &entry, &number, &failure));
	CU_ASSERT_FATAL(!gpc_history_publish(history, &failure));
	CU_ASSERT_FATAL(!gpc_history_find(history, 0, &g, &failure));
	CU_ASSERT_EQUAL(g.number, 1);
	CU_ASSERT_STRING_EQUAL(g.source, "a?Gpc-Generation: 99?");
	CU_ASSERT_STRING_EQUAL(g.actor, "eve???Gpc-Decision: 0");
	gpc_image_release(&image);
	gpc_history_free(&history);
	folder_drop(&f);
}

static void plain_git_reads_it(void)
{
	struct gpc_history *history;
	char command[2 * PATH_MAX];
	struct folder f;

	folder_make(&f);
	history = open_history(&f);
	record(history, variant(1));
	record(history, variant(2));
	gpc_history_free(&history);
	snprintf(command, sizeof(command),
		 "exec 2>&1; cd / && git -C %.1000s/history.git fsck --strict >/dev/null && "
		 "test \"$(git -C %.1000s/history.git log --format=%%s)\" = 'generation 2: "
		 "web.yaml\n"
		 "generation 1: web.yaml'",
		 f.path, f.path);
	CU_ASSERT_EQUAL(system(command), 0);
	folder_drop(&f);
}

GPC_UNIT_MAIN("history/history",
	      {"a_missing_history_is_empty_unless_it_is_to_be_made",
	       a_missing_history_is_empty_unless_it_is_to_be_made},
	      {"generations_are_listed_newest_first_with_all_they_are",
	       generations_are_listed_newest_first_with_all_they_are},
	      {"a_generation_is_found_by_number", a_generation_is_found_by_number},
	      {"a_generation_is_found_by_decision_and_by_its_successor",
	       a_generation_is_found_by_decision_and_by_its_successor},
	      {"prepare_without_publish_records_nothing", prepare_without_publish_records_nothing},
	      {"a_number_that_the_kernel_has_used_is_not_given_again",
	       a_number_that_the_kernel_has_used_is_not_given_again},
	      {"parents_are_kept_as_long_as_their_children",
	       parents_are_kept_as_long_as_their_children},
	      {"what_runs_is_kept_though_nobody_recorded_it",
	       what_runs_is_kept_though_nobody_recorded_it},
	      {"order_is_by_parents_when_the_clock_goes_back",
	       order_is_by_parents_when_the_clock_goes_back},
	      {"a_rollback_names_the_old_generation_and_takes_its_sources",
	       a_rollback_names_the_old_generation_and_takes_its_sources},
	      {"the_last_images_are_kept_and_older_ones_rebuilt",
	       the_last_images_are_kept_and_older_ones_rebuilt},
	      {"what_tables_started_from_is_kept_and_a_rebuild_starts_from_it",
	       what_tables_started_from_is_kept_and_a_rebuild_starts_from_it},
	      {"includes_feeds_and_overlays_are_rebuilt_too",
	 includes_feeds_and_overlays_are_rebuilt_too},
	      {"a_rebuild_that_decides_otherwise_is_refused_naming_both",
	       a_rebuild_that_decides_otherwise_is_refused_naming_both},
	      {"an_image_without_sources_cannot_be_rebuilt_and_says_so",
	       an_image_without_sources_cannot_be_rebuilt_and_says_so},
	      {"the_diff_shows_the_lines_that_changed", the_diff_shows_the_lines_that_changed},
	      {"the_plan_counts_what_changed", the_plan_counts_what_changed},
	      {"trailers_stay_one_line_whatever_the_names_are",
	       trailers_stay_one_line_whatever_the_names_are},
	      {"plain_git_reads_it", plain_git_reads_it})
