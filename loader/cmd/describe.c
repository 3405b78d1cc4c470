/* SPDX-License-Identifier: MIT */
#include "describe.h"

#include <string.h>

#include "../../compiler/base/words.h"
#include "../../compiler/diag/format.h"
#include "../../compiler/image/dump.h"
#include "output.h"

static const char *const section_names[] = {
#define X(id, name, type) [GPC_SEC_##id] = name,
	GPC_SECTIONS(X)
#undef X
};

uint32_t gpc_image_count(const struct gpc_image *image, enum gpc_section_id id)
{
	uint32_t count;

	gpc_image_section(image, id, &count);
	return count;
}

const void *gpc_image_record(const struct gpc_image *image, enum gpc_section_id id, uint32_t index)
{
	uint32_t count;
	const char *first = gpc_image_section(image, id, &count);

	return first + (size_t)index * image->plane->section[id].entry_size;
}

char *gpc_digest_short(const char *digest, char out[13])
{
	snprintf(out, 13, "%.12s", digest);
	return out;
}

static void print_count(FILE *out, uint32_t count, const char *noun)
{
	char text[32];

	fprintf(out, ", %s", gpc_text_number(count, noun, text));
}

/* Rules as written in policies: without built-ins, `protect` items and defaults. */
static uint32_t count_rules(const struct gpc_image *image)
{
	return gpc_image_count(image, GPC_SEC_RULE) - GPC_BUILTIN_COUNT - image->plane->protects -
	       gpc_image_count(image, GPC_SEC_POLICY);
}

static void print_policies(FILE *out, const struct gpc_image *image)
{
	uint32_t count = gpc_image_count(image, GPC_SEC_POLICY);

	if (!count)
		return;
	fprintf(out, ", %u %s", count, count == 1 ? "policy" : "policies");
	print_count(out, count_rules(image), "rule");
}

void gpc_describe_line(const struct gpc_image *image, const char *label, FILE *out)
{
	char digest[65], brief[13], size[32];

	gpc_put_safe(out, label);
	fprintf(out, ": plane %s", gpc_image_name(image, image->plane->name));
	print_count(out, gpc_image_count(image, GPC_SEC_LISTENER), "listener");
	print_count(out, gpc_image_count(image, GPC_SEC_BACKEND), "backend");
	print_count(out, gpc_image_count(image, GPC_SEC_ENDPOINT), "endpoint");
	print_policies(out, image);
	gpc_digest_format(image->head->decision_digest, digest);
	fprintf(out, ", %s, decision %s\n", gpc_text_bytes(image->size, size),
		gpc_digest_short(digest, brief));
}

static void print_defaults(const struct gpc_plane *plane, FILE *out)
{
	struct gpc_grid grid = {.alignment = "lllrr"};
	static const char *const titles[] = {"malformed", "non-ip", "on-fail", "flows",
					     "flow-inserts"};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		gpc_grid_add(&grid, GPC_DIM, "%s", titles[i]);
	gpc_grid_add(&grid, GPC_PLAIN, "%s",
		     plane->flags & GPC_PLANE_MALFORMED_DROP ? "drop" : "pass");
	gpc_grid_add(&grid, GPC_PLAIN, "%s",
		     plane->flags & GPC_PLANE_NON_IP_DROP ? "drop" : "pass");
	gpc_grid_add(&grid, GPC_PLAIN, "%s",
		     plane->flags & GPC_PLANE_ON_FAIL_DROP ? "drop" : "pass");
	gpc_grid_add(&grid, GPC_PLAIN, "%u", plane->flows);
	gpc_grid_add(&grid, GPC_PLAIN, "%u/s", plane->flow_inserts);
	gpc_grid_print(&grid, out, 2);
}

static void print_timeouts(const struct gpc_plane *plane, FILE *out)
{
	struct gpc_grid grid = {.alignment = "lrrrrrrrr"};

	_Static_assert(GPC_TIMEOUT_COUNT == 8, "a column for each timeout");
	gpc_grid_add(&grid, GPC_DIM, "timeout");
	for (int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		gpc_grid_add(&grid, GPC_DIM, "%s", gpc_timeout_name((unsigned int)i));
	gpc_grid_add(&grid, GPC_PLAIN, "seconds");
	for (int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		gpc_grid_add(&grid, GPC_PLAIN, "%u", plane->timeout[i]);
	gpc_grid_print(&grid, out, 2);
}

void gpc_describe_plane(const struct gpc_image *image, FILE *out)
{
	char digest[65];

	fprintf(out, "  decision  %s\n", gpc_digest_format(image->head->decision_digest, digest));
	fprintf(out, "  file      %s\n\n", gpc_digest_format(image->head->file_digest, digest));
	print_defaults(image->plane, out);
	fputc('\n', out);
	print_timeouts(image->plane, out);
	fputc('\n', out);
	gpc_describe_builtins(image, out);
}

static bool uses_table(const struct gpc_pool *pool, uint32_t table)
{
	return pool->table[GPC_V4].table == table || pool->table[GPC_V6].table == table;
}

/* Where the pools of a listener end: those of the next one that has any begin. */
static uint32_t pools_end(const struct gpc_image *image, uint32_t index)
{
	uint32_t count = gpc_image_count(image, GPC_SEC_LISTENER);

	while (++index < count) {
		const struct gpc_listener *next = gpc_image_record(image, GPC_SEC_LISTENER, index);

		if (next->pools)
			return next->first_pool;
	}
	return gpc_image_count(image, GPC_SEC_POOL);
}

static bool chooses_by(const struct gpc_image *image, uint32_t index, uint32_t table)
{
	const struct gpc_listener *listener = gpc_image_record(image, GPC_SEC_LISTENER, index);
	uint32_t end = listener->pools ? pools_end(image, index) : 0;

	for (uint32_t i = listener->first_pool; i < end; i++)
		if (uses_table(gpc_image_record(image, GPC_SEC_POOL, i), table))
			return true;
	return false;
}

/* The listeners that choose by a table, some of them if there are many. */
static void add_users(struct gpc_grid *grid, const struct gpc_image *image, uint32_t table)
{
	char text[3 * (GPC_MAX_NAME_BYTES + 2) + 32] = "";
	uint32_t users = 0;
	size_t at = 0;

	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_LISTENER); i++) {
		const struct gpc_listener *listener = gpc_image_record(image, GPC_SEC_LISTENER, i);

		if (!chooses_by(image, i, table) || users++ >= 3)
			continue;
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at ? ", " : "",
				       gpc_image_name(image, listener->name));
	}
	if (users > 3)
		snprintf(text + at, sizeof(text) - at, " and %u more", users - 3);
	gpc_grid_add(grid, GPC_PLAIN, "%s", text);
}

static void print_tables(const struct gpc_image *image, FILE *out)
{
	struct gpc_grid grid = {.alignment = "rlrrl"};

	if (!gpc_image_count(image, GPC_SEC_TABLE))
		return;
	gpc_grid_add(&grid, GPC_DIM, "table");
	gpc_grid_add(&grid, GPC_DIM, "backend");
	gpc_grid_add(&grid, GPC_DIM, "slots");
	gpc_grid_add(&grid, GPC_DIM, "endpoints");
	gpc_grid_add(&grid, GPC_DIM, "listeners");
	for (uint32_t i = 0; i < gpc_image_count(image, GPC_SEC_TABLE); i++) {
		const struct gpc_table *table = gpc_image_record(image, GPC_SEC_TABLE, i);
		const struct gpc_backend *backend =
			gpc_image_record(image, GPC_SEC_BACKEND, table->backend);

		gpc_grid_add(&grid, GPC_PLAIN, "%u", i);
		gpc_grid_add(&grid, GPC_PLAIN, "%s", gpc_image_name(image, backend->name));
		gpc_grid_add(&grid, GPC_PLAIN, "%u", table->size);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", table->endpoints);
		add_users(&grid, image, i);
	}
	fputc('\n', out);
	gpc_grid_print(&grid, out, 2);
	fputc('\n', out);
}

void gpc_describe_sections(const struct gpc_image *image, FILE *out)
{
	struct gpc_grid grid = {.alignment = "lrrr"};

	gpc_grid_add(&grid, GPC_DIM, "section");
	gpc_grid_add(&grid, GPC_DIM, "records");
	gpc_grid_add(&grid, GPC_DIM, "each");
	gpc_grid_add(&grid, GPC_DIM, "bytes");
	for (unsigned int i = 0; i < GPC_SEC_COUNT; i++) {
		const struct gpc_section *s = &image->plane->section[i];

		gpc_grid_add(&grid, GPC_PLAIN, "%s", section_names[i]);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", s->count);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", s->entry_size);
		gpc_grid_add(&grid, GPC_PLAIN, "%u", s->size);
	}
	gpc_grid_print(&grid, out, 2);
	print_tables(image, out);
	gpc_describe_policies(image, out);
	fprintf(out, "  decision part %u bytes, provenance %u, link part %u, size class %u MiB\n",
		image->head->decision_size, image->head->provenance_size, image->head->link_size,
		1u << (image->log2 - 20));
}

void gpc_describe_json(const struct gpc_image *image, struct json_object *object)
{
	char digest[65];

	gpc_json_text(object, "plane", gpc_image_name(image, image->plane->name));
	gpc_json_text(object, "decision", gpc_digest_format(image->head->decision_digest, digest));
	gpc_json_text(object, "file", gpc_digest_format(image->head->file_digest, digest));
	gpc_json_number(object, "size", image->head->size);
	gpc_json_number(object, "interfaces", gpc_image_count(image, GPC_SEC_INTERFACE));
	gpc_json_number(object, "backends", gpc_image_count(image, GPC_SEC_BACKEND));
	gpc_json_number(object, "endpoints", gpc_image_count(image, GPC_SEC_ENDPOINT));
	gpc_json_number(object, "listeners", gpc_image_count(image, GPC_SEC_LISTENER));
	gpc_json_number(object, "policies", gpc_image_count(image, GPC_SEC_POLICY));
	gpc_json_number(object, "rules", count_rules(image));
}
