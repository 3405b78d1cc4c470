/* SPDX-License-Identifier: MIT */
/*
 * reader.h: the steps of gpc_image_open(), inside image/ only. Each step relies on those before it:
 * envelope (sizes and offsets of the parts), digests, layout (sections), records, link part. All are
 * linear in the size of the image. A step that refuses adds one diagnostic and returns false.
 */
#ifndef GPC_IMAGE_READER_H
#define GPC_IMAGE_READER_H

#include "image_file.h"
#include "layout.h"

struct gpc_reader {
	struct gpc_diags *diags;
	const char *path;
	const char *bytes;	/* in a buffer of its size class */
	size_t size;
	const struct gpc_image_head *head;
	const struct gpc_plane *plane;
};

bool gpc_reader_envelope(const struct gpc_reader *reader);
bool gpc_reader_digests(const struct gpc_reader *reader);
bool gpc_reader_layout(const struct gpc_reader *reader);
bool gpc_reader_plane(const struct gpc_reader *reader);		/* scalars, perfect hashes */
bool gpc_reader_names(const struct gpc_reader *reader);		/* NAMES and every reference to it */
bool gpc_reader_objects(const struct gpc_reader *reader);	/* interfaces, backends, endpoints */
bool gpc_reader_policies(const struct gpc_reader *reader);	/* rules, policies, chains, classifiers */
bool gpc_reader_tables(const struct gpc_reader *reader);	/* tables, Maglev slots */
bool gpc_reader_listeners(const struct gpc_reader *reader);	/* listeners and their pools */
bool gpc_reader_quic(const struct gpc_reader *reader);		/* QUIC server ids */
bool gpc_reader_vips(const struct gpc_reader *reader);		/* VIP entries and choices */
bool gpc_reader_invariants(const struct gpc_reader *reader);	/* and their words */
bool gpc_reader_provenance(const struct gpc_reader *reader);	/* JSON that is fit to be shown */
bool gpc_reader_link(const struct gpc_reader *reader, bool linked);

/* Adds `code` with "PATH: message" and its next step; always false, so that a check ends with `return`. */
bool gpc_reader_refuse(const struct gpc_reader *reader, enum gpc_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static inline const void *gpc_reader_section(const struct gpc_reader *reader, enum gpc_section_id id,
					     uint32_t *ret_count)
{
	*ret_count = reader->plane->section[id].count;
	return reader->bytes + reader->plane->section[id].offset;
}

bool gpc_all_zero(const void *bytes, size_t size);

#endif
