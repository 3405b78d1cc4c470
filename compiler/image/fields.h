/* SPDX-License-Identifier: MIT */
/*
 * fields.h: every field of every record of image.h: name, offset, size. The ABI hash is held against
 * this table, schemas/image.v1.md too, and `verify` names a differing field from it.
 */
#ifndef GPC_IMAGE_FIELDS_H
#define GPC_IMAGE_FIELDS_H

#include <stddef.h>
#include <stdint.h>

struct gpc_field {
	const char *record;	/* "gpc_vip" */
	const char *name;	/* "port_be" */
	uint32_t offset, size;
};

struct gpc_record {
	const char *name;
	uint32_t size;
};

/* Fields of one record stand together, in the order of their offsets. */
const struct gpc_field *gpc_fields(size_t *ret_count);
const struct gpc_record *gpc_records(size_t *ret_count);

/* The field that holds byte `offset` of a record, NULL if the name is no record's. */
const struct gpc_field *gpc_field_at(const char *record, uint32_t offset);

/* What GPC_ABI_HASH must be: a hash of all records, fields, sections and the constants of the layout. */
uint32_t gpc_abi_hash(void);

#endif
