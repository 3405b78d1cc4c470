/* SPDX-License-Identifier: MIT */
#include "../../unit.h"
#include "base/memfiles.h"
#include "image/segments.h"
#include "image_tools.h"
#include "pipeline.h"

/* Two objects on one long line with characters of several bytes, one behind a line break. */
static void positions_are_those_of_the_diagnostics(void)
{
	static const char text[] =
		"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 one two\n\n  \xc3\xa4 three\n";
	static const char *const words[] = {"one", "two", "three"};
	struct gpc_model_interface interfaces[3] = {0};
	struct gpc_model model = {.interfaces = interfaces, .interface_count = 3};
	struct gpc_provenance provenance = {.tool_version = "1", .commit = "abc"};
	struct gpc_arena arena = {0};
	struct gpc_span_text written;
	struct gpc_diags diags;
	uint32_t source;

	gpc_diags_init(&diags, &arena, false);
	gpc_diags_add_source(&diags, "z.yaml", "", 0);
	source = gpc_diags_add_source(&diags, "a.yaml", text, sizeof(text) - 1);
	for (int i = 0; i < 3; i++) {
		interfaces[i].name = words[i];
		interfaces[i].id = (uint64_t)i + 1;
		interfaces[i].at.source = source;
		interfaces[i].at.start = (uint32_t)(strstr(text, words[i]) - text);
	}
	written = gpc_provenance_text(&diags, &model, &provenance);
	CU_ASSERT_PTR_NOT_NULL(strstr(written.text, "\"commit\":\"abc\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(written.text, "\"sources\":[\"a.yaml\",\"z.yaml\"]"));
	for (int i = 0; i < 3; i++) {
		struct gpc_line_column place = gpc_place_position(&diags, interfaces[i].at);

		CU_ASSERT_PTR_NOT_NULL(strstr(
			written.text,
			gpc_arena_printf(
				&arena, "{\"kind\":\"interface\",\"name\":\"%s\",\"at\":[0,%u,%u]}",
				words[i], place.line, place.column)));
	}
	gpc_arena_release(&arena);
}

static bool place_of(const struct gpc_image *image, uint64_t id)
{
	struct gpc_arena arena = {0};
	uint32_t line, column;
	const char *path;
	bool found = gpc_image_place(image, &arena, id, &path, &line, &column);

	gpc_arena_release(&arena);
	return found;
}

static void objects_are_found_and_others_not(void)
{
	struct gpc_image_bytes bytes;
	struct gpc_image image;
	struct fixture f;

	fixture_small_plane(&f);
	CU_ASSERT_FATAL(fixture_compile(&f, &bytes));
	CU_ASSERT_FATAL(gpc_image_open(&f.diags, "a.gpi", bytes.bytes, bytes.size, false, &image));
	CU_ASSERT(place_of(&image, gpc_stable_id("listener", NULL, "https")));
	CU_ASSERT(place_of(&image, gpc_stable_id("endpoint", "web", "web-3")));
	CU_ASSERT(place_of(&image, gpc_stable_id("interface", NULL, "lan*")));
	CU_ASSERT_FALSE(place_of(&image, gpc_stable_id("listener", NULL, "httpz")));
	CU_ASSERT_FALSE(place_of(&image, 0));
	CU_ASSERT_FALSE(place_of(&image, UINT64_MAX));
	gpc_image_release(&image);
	fixture_release(&f);
}

static void segments_are_named_as_they_are(void)
{
	static const char text[] = "apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\n"
				   "interfaces: [{name: wan0, hooks: [xdp]}]\n"
				   "segments:\n"
				   "  - {name: zoo, cidrs: [10.0.0.0/8, 2001:db8::/32]}\n"
				   "  - {name: every, cidrs: [0.0.0.0/0, \"::/0\"]}\n"
				   "  - {name: most, cidrs: [0.0.0.0/0], except: [zoo]}\n";
	struct gpc_compile_options options = {.inputs = {(const char *const[]){"p.yaml"}, 1, NULL},
					      .tool_version = "1"};
	struct gpc_arena arena = {0};
	struct gpc_memfiles files;
	struct gpc_compiled compiled;
	struct gpc_image_segment *list;
	struct gpc_provider provider;
	struct gpc_prefix *prefixes;
	struct gpc_diags diags;
	struct gpc_image image;
	size_t count;

	gpc_diags_init(&diags, &arena, false);
	gpc_memfiles_init(&files, &arena);
	gpc_memfiles_add(&files, "p.yaml", text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	CU_ASSERT_FATAL(gpc_compile(&diags, &provider, &options, &compiled));
	CU_ASSERT_FATAL(gpc_image_open(&diags, "p", compiled.bytes, compiled.size, false, &image));
	list = gpc_image_segments(&image, &arena, &count);
	CU_ASSERT_EQUAL_FATAL(count, 3);
	CU_ASSERT_STRING_EQUAL(list[0].name, "every");
	CU_ASSERT(gpc_set_equal(list[0].set, gpc_set_all(&arena)));
	CU_ASSERT_STRING_EQUAL(list[1].name, "most");
	CU_ASSERT(!gpc_set_overlaps(list[1].set, list[2].set));
	prefixes = gpc_set_prefixes(&arena, list[1].set, &count);
	CU_ASSERT_EQUAL(count, 8);
	CU_ASSERT_EQUAL(prefixes[0].length, 5);
	CU_ASSERT_PTR_NOT_NULL(memmem(image.bytes, image.size, "\"every\":[\"0.0.0.0/0\",\"::/0\"]", 28));
	gpc_image_release(&image);
	gpc_arena_release(&arena);
}

/* The reader judges that the provenance is JSON, not what it says: that may be anything. */
static void any_provenance_is_survived(void)
{
	size_t size;
	uint8_t *bytes = small_image(&size), *copy = malloc(size);
	const struct gpc_image_head *head = (const struct gpc_image_head *)bytes;
	struct gpc_arena arena = {0};
	struct gpc_diags diags;
	uint64_t random = 1;
	unsigned int opened = 0;

	gpc_diags_init(&diags, &arena, false);
	for (int round = 0; round < 2000; round++) {
		struct gpc_image image;

		memcpy(copy, bytes, size);
		for (int flips = 0; flips < 3; flips++) {
			static const char bytes_to_put[] = "\0\n\"{}[],:0\xff";

			random = random * 6364136223846793005ull + 1442695040888963407ull;
			copy[head->provenance_offset + (random >> 33) % head->provenance_size] =
				(uint8_t)bytes_to_put[(random >> 20) % (sizeof(bytes_to_put) - 1)];
		}
		fix_digests(copy);
		if (!gpc_image_open(&diags, "a.gpi", copy, size, false, &image))
			continue;
		opened++;
		place_of(&image, gpc_stable_id("listener", NULL, "https"));
		place_of(&image, gpc_stable_id("endpoint", "web", "web-3"));
		gpc_image_segments(&image, &arena, &(size_t){0});
		gpc_image_release(&image);
	}
	CU_ASSERT(opened > 10 && opened < 1990);
	gpc_arena_release(&arena);
	free(copy);
	free(bytes);
}

static void escapes_for_a_terminal_are_refused(void)
{
	static const char *const hostile[] = {"\\u001b", "\\u202e", "\\u0007", "\\ud83d", "\\u009b"};
	size_t size;
	uint8_t *bytes = small_image(&size), *copy = malloc(size);
	const struct gpc_image_head *head = (const struct gpc_image_head *)bytes;
	char *path = memmem(bytes + head->provenance_offset, head->provenance_size, "\"sources\":[\"", 12);
	struct gpc_arena arena = {0};
	struct gpc_diags diags;

	gpc_diags_init(&diags, &arena, false);
	CU_ASSERT_PTR_NOT_NULL_FATAL(path);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		struct gpc_image image;

		memcpy(copy, bytes, size);
		memcpy(copy + (path + 12 - (char *)bytes), hostile[i], 6);
		fix_digests(copy);
		CU_ASSERT_FALSE(gpc_image_open(&diags, "a.gpi", copy, size, false, &image));
		CU_ASSERT_EQUAL(diags.records.items[diags.records.n - 1].code, GPC_E0509);
	}
	gpc_arena_release(&arena);
	free(copy);
	free(bytes);
}

GPC_UNIT_MAIN("image/provenance",
	      {"positions_are_those_of_the_diagnostics", positions_are_those_of_the_diagnostics},
	      {"objects_are_found_and_others_not", objects_are_found_and_others_not},
	      {"segments_are_named_as_they_are", segments_are_named_as_they_are},
	      {"any_provenance_is_survived", any_provenance_is_survived},
	      {"escapes_for_a_terminal_are_refused", escapes_for_a_terminal_are_refused})
