/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "../../unit.h"
#include "gpc/image.h"
#include "image/fields.h"

static void abi_hash_is_that_of_the_layout(void)
{
	uint32_t hash = gpc_abi_hash();

	if (hash != GPC_ABI_HASH)
		printf("the layout changed: bpf/include/gpc/image.h must say\n#define GPC_ABI_HASH 0x%08xu\n",
		       hash);
	CU_ASSERT_EQUAL(hash, GPC_ABI_HASH);
}

/* Explicit padding everywhere: so no field can be missing from the table, and no byte is undefined. */
static void fields_cover_every_byte_of_every_record(void)
{
	size_t record_count, field_count, f = 0;
	const struct gpc_record *records = gpc_records(&record_count);
	const struct gpc_field *fields = gpc_fields(&field_count);

	for (size_t r = 0; r < record_count; r++) {
		uint32_t offset = 0;

		for (; f < field_count && !strcmp(fields[f].record, records[r].name); f++) {
			CU_ASSERT_EQUAL(fields[f].offset, offset);
			offset += fields[f].size;
		}
		CU_ASSERT_EQUAL(offset, records[r].size);
	}
	CU_ASSERT_EQUAL(f, field_count);
}

static void a_field_is_found_by_any_of_its_bytes(void)
{
	CU_ASSERT_STRING_EQUAL(gpc_field_at("gpc_vip", 16)->name, "port_be");
	CU_ASSERT_STRING_EQUAL(gpc_field_at("gpc_vip", 17)->name, "port_be");
	CU_ASSERT_STRING_EQUAL(gpc_field_at("gpc_vip", 18)->name, "protocol");
	CU_ASSERT_PTR_NULL(gpc_field_at("gpc_vip", 32));
	CU_ASSERT_PTR_NULL(gpc_field_at("__u32", 0));
}

GPC_UNIT_MAIN("image/fields", {"abi_hash_is_that_of_the_layout", abi_hash_is_that_of_the_layout},
	      {"fields_cover_every_byte_of_every_record", fields_cover_every_byte_of_every_record},
	      {"a_field_is_found_by_any_of_its_bytes", a_field_is_found_by_any_of_its_bytes})
