/* SPDX-License-Identifier: MIT */
/* schemas/image.v1.md says of every record, field and section what the code says. Run from the root. */
#include <stdlib.h>
#include <string.h>

#include "../../unit.h"
#include "gpc/image.h"
#include "image/fields.h"
#include "image/layout.h"

#define PATH "schemas/image.v1.md"

static char *document(void)
{
	static char text[64 * 1024];
	FILE *file;

	if (text[0])
		return text;
	file = fopen(PATH, "r");
	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_FATAL(fread(text, 1, sizeof(text) - 1, file) > 1000);
	CU_ASSERT_FATAL(feof(file) != 0);
	fclose(file);
	return text;
}

static void expect(const char *line)
{
	if (!strstr(document(), line))
		printf("%s lacks: %s\n", PATH, line);
	CU_ASSERT_PTR_NOT_NULL(strstr(document(), line));
}

/* The part of the document between a record's heading and the next heading. */
static char *chapter_of(const struct gpc_record *record)
{
	char heading[80];
	const char *start, *end;

	snprintf(heading, sizeof(heading), "\n### `%s`, %u bytes\n", record->name, record->size);
	expect(heading);
	start = strstr(document(), heading);
	if (!start)
		return strdup("");
	end = strstr(start + strlen(heading), "\n#");
	return end ? strndup(start, (size_t)(end - start)) : strdup(start);
}

static size_t count_rows(const char *chapter)
{
	size_t rows = 0;

	for (const char *p = chapter; (p = strstr(p, "\n| ")); p++)
		rows += p[3] >= '0' && p[3] <= '9';
	return rows;
}

static void every_record_has_its_table(void)
{
	size_t record_count, field_count, f = 0;
	const struct gpc_record *records = gpc_records(&record_count);
	const struct gpc_field *fields = gpc_fields(&field_count);

	for (size_t r = 0; r < record_count; r++) {
		char *chapter = chapter_of(&records[r]);
		size_t own = 0;

		for (; f < field_count && !strcmp(fields[f].record, records[r].name); f++, own++) {
			char row[128];

			snprintf(row, sizeof(row), "\n| %u | %u | `%s` |", fields[f].offset,
				 fields[f].size, fields[f].name);
			if (!strstr(chapter, row))
				printf("%s, %s lacks: %s\n", PATH, records[r].name, row + 1);
			CU_ASSERT_PTR_NOT_NULL(strstr(chapter, row));
		}
		CU_ASSERT_EQUAL(count_rows(chapter), own);
		free(chapter);
	}
}

static void sections_stand_in_their_order(void)
{
	const char *behind = document();

#define X(id, name, type)                                                                          \
	{                                                                                          \
		char row[128];                                                                     \
		const char *record = strchr(#type, ' ') ? strchr(#type, ' ') + 1 : #type;          \
                                                                                                   \
		snprintf(row, sizeof(row), "\n| `%s` | `%s` | %u |", name, record,                 \
			 gpc_section_entry_size(GPC_SEC_##id));                                    \
		expect(row);                                                                       \
		CU_ASSERT_PTR_NOT_NULL(strstr(behind, row));                                       \
		behind = strstr(behind, row) ? strstr(behind, row) : behind;                       \
	}
	GPC_SECTIONS(X)
#undef X
}

static void numbers_in_the_text_are_those_of_the_code(void)
{
	char line[80];

	snprintf(line, sizeof(line), "ABI hash of this layout: `0x%08x`.", GPC_ABI_HASH);
	expect(line);
	snprintf(line, sizeof(line), "# The image, format %u\n", GPC_IMAGE_VERSION);
	expect(line);
	snprintf(line, sizeof(line), "`0x%08x`, in the file the text `GPI1`", GPC_IMAGE_MAGIC);
	expect(line);
	snprintf(line, sizeof(line), "0 in a file, `0x%08x` once linked", GPC_LINK_MAGIC);
	expect(line);
	snprintf(line, sizeof(line), "%u times `gpc_section`", GPC_SEC_MAX);
	expect(line);
	snprintf(line, sizeof(line), "%zu + %u × %zu + listeners",
		 sizeof(struct gpc_link_head), GPC_DEVICE_SLOTS,
		 sizeof(struct gpc_link_device));
	expect(line);
	snprintf(line, sizeof(line), "a prime, %u to %u |", GPC_MIN_TABLE_SIZE, GPC_MAX_TABLE_SIZE);
	expect(line);
}

GPC_UNIT_MAIN("image/schema", {"every_record_has_its_table", every_record_has_its_table},
	      {"sections_stand_in_their_order", sections_stand_in_their_order},
	      {"numbers_in_the_text_are_those_of_the_code",
	       numbers_in_the_text_are_those_of_the_code})
