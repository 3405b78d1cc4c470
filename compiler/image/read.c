/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../base/json_check.h"
#include "digest.h"
#include "reader.h"

bool gpc_reader_refuse(const struct gpc_reader *reader, enum gpc_code code, const char *format, ...)
{
	va_list args;
	char *message;

	va_start(args, format);
	message = gpc_arena_vprintf(reader->diags->arena, format, args);
	va_end(args);
	gpc_diag_hint(reader->diags,
		      gpc_diag(reader->diags, code, GPC_NOWHERE, "%s: %s", reader->path, message),
		      "%s", gpc_code_help(code));
	return false;
}

bool gpc_all_zero(const void *bytes, size_t size)
{
	const unsigned char *p = bytes;

	return !size || (!p[0] && !memcmp(p, p + 1, size - 1));
}

static bool check_version(const struct gpc_reader *reader)
{
	const struct gpc_image_head *head = reader->head;

	if (head->magic == __builtin_bswap32(GPC_IMAGE_MAGIC))
		return gpc_reader_refuse(reader, GPC_E0503,
					 "image has foreign byte order (big-endian)");
	if (head->magic != GPC_IMAGE_MAGIC)
		return gpc_reader_refuse(reader, GPC_E0501, "not a gpc image");
	if (head->version > GPC_IMAGE_VERSION)
		return gpc_reader_refuse(reader, GPC_E0504,
					 "image needs gpc with image format %u; this gpc reads %u",
					 head->version, GPC_IMAGE_VERSION);
	if (head->version < GPC_IMAGE_VERSION)
		return gpc_reader_refuse(reader, GPC_E0504,
					 "image has the old format %u; this gpc reads %u",
					 head->version, GPC_IMAGE_VERSION);
	if (head->abi != GPC_ABI_HASH)
		return gpc_reader_refuse(reader, GPC_E0505, "image has ABI %08x; this gpc has %08x",
					 head->abi, GPC_ABI_HASH);
	return true;
}

/* The parts follow each other with no more than padding between them. */
static bool check_parts(const struct gpc_reader *reader)
{
	const struct gpc_image_head *head = reader->head;
	uint64_t decision_end = (uint64_t)head->decision_offset + head->decision_size;
	uint64_t provenance_end = (uint64_t)head->provenance_offset + head->provenance_size;

	return head->head_size == sizeof(*head) && !head->flags && !head->pad0 &&
	       head->decision_offset == sizeof(*head) &&
	       head->decision_size >= sizeof(struct gpc_plane) &&
	       head->provenance_offset >= decision_end &&
	       head->provenance_offset - decision_end < GPC_IMAGE_ALIGN &&
	       head->link_offset >= provenance_end &&
	       head->link_offset - provenance_end < GPC_PAGE &&
	       (uint64_t)head->link_offset + head->link_size == head->size &&
	       head->link_size >= sizeof(struct gpc_link_head) &&
	       gpc_all_zero(head->pad1, sizeof(head->pad1));
}

bool gpc_reader_envelope(const struct gpc_reader *reader)
{
	const struct gpc_image_head *head = reader->head;

	if (!check_version(reader))
		return false;
	if (head->size != reader->size)
		return gpc_reader_refuse(reader, GPC_E0502,
					 "image has %zu bytes, its header names %u", reader->size,
					 head->size);
	if (!check_parts(reader))
		return gpc_reader_refuse(reader, GPC_E0509, "header of the image is malformed");
	return true;
}

bool gpc_reader_digests(const struct gpc_reader *reader)
{
	uint8_t digest[32];

	gpc_file_digest(reader->bytes, digest);
	if (memcmp(digest, reader->head->file_digest, sizeof(digest)) != 0)
		return gpc_reader_refuse(
			reader, GPC_E0507,
			"image is damaged: its digest is not the one in its header");
	gpc_decision_digest(reader->bytes, digest);
	if (memcmp(digest, reader->head->decision_digest, sizeof(digest)) != 0)
		return gpc_reader_refuse(reader, GPC_E0508,
					 "decision digest is not the one in the image's header");
	return true;
}

/* What the bytes from `end` up to the next part hold. */
static bool is_padded(const struct gpc_reader *reader, uint32_t end, uint32_t next)
{
	return gpc_all_zero(reader->bytes + end, next - end);
}

bool gpc_reader_layout(const struct gpc_reader *reader)
{
	const struct gpc_section *sections = reader->plane->section;
	const struct gpc_image_head *head = reader->head;
	uint32_t counts[GPC_SEC_COUNT], end = sizeof(*head) + sizeof(struct gpc_plane);
	struct gpc_layout layout;
	uint64_t size;

	for (int id = 0; id < GPC_SEC_COUNT; id++)
		counts[id] = sections[id].count;
	if (!gpc_layout_compute(counts, head->provenance_size, &layout, &size))
		return gpc_reader_refuse(reader, GPC_E0509, "sections are larger than any image");
	for (int id = 0; id < GPC_SEC_COUNT; id++)
		if (memcmp(&sections[id], &layout.section[id], sizeof(sections[id])) != 0)
			return gpc_reader_refuse(reader, GPC_E0509,
						 "section `%s` is not where its place is",
						 gpc_section_name(id));
	if (!gpc_all_zero(sections + GPC_SEC_COUNT,
			  (GPC_SEC_MAX - GPC_SEC_COUNT) * sizeof(sections[0])) ||
	    layout.decision_size != head->decision_size ||
	    layout.provenance_offset != head->provenance_offset ||
	    layout.link_offset != head->link_offset || layout.link_size != head->link_size ||
	    layout.size != head->size)
		return gpc_reader_refuse(reader, GPC_E0509,
					 "parts do not fit the section directory");
	for (int id = 0; id < GPC_SEC_COUNT; id++) {
		if (!is_padded(reader, end, sections[id].offset))
			return gpc_reader_refuse(reader, GPC_E0509,
						 "padding before section `%s` is not zero",
						 gpc_section_name(id));
		end = sections[id].offset + sections[id].size;
	}
	if (!is_padded(reader, end, head->provenance_offset) ||
	    !is_padded(reader, head->provenance_offset + head->provenance_size, head->link_offset))
		return gpc_reader_refuse(reader, GPC_E0509,
					 "padding around the provenance is not zero");
	return true;
}

bool gpc_reader_provenance(const struct gpc_reader *reader)
{
	const char *text = reader->bytes + reader->head->provenance_offset;
	uint32_t size = reader->head->provenance_size;

	if (!size || gpc_json_is_clean(text, size))
		return true;
	return gpc_reader_refuse(reader, GPC_E0509,
				 "provenance is not JSON text, or holds control characters");
}

static bool check(const struct gpc_reader *reader, bool linked)
{
	return gpc_reader_envelope(reader) && gpc_reader_digests(reader) &&
	       gpc_reader_layout(reader) && gpc_reader_plane(reader) && gpc_reader_names(reader) &&
	       gpc_reader_objects(reader) && gpc_reader_policies(reader) &&
	       gpc_reader_quic(reader) && gpc_reader_tables(reader) &&
	       gpc_reader_listeners(reader) && gpc_reader_vips(reader) &&
	       gpc_reader_invariants(reader) && gpc_reader_provenance(reader) &&
	       gpc_reader_link(reader, linked);
}

/* Size first: nothing is allocated for what cannot be an image. */
static bool check_size(const struct gpc_reader *reader, const void *bytes)
{
	uint32_t magic = 0;

	if (reader->size >= sizeof(magic))
		memcpy(&magic, bytes, sizeof(magic));
	if (magic != GPC_IMAGE_MAGIC && magic != __builtin_bswap32(GPC_IMAGE_MAGIC))
		return gpc_reader_refuse(reader, GPC_E0501, "not a gpc image");
	if (reader->size > GPC_MAX_IMAGE_BYTES)
		return gpc_reader_refuse(reader, GPC_E0506, "image has %zu bytes, the most is %u",
					 reader->size, GPC_MAX_IMAGE_BYTES);
	if (reader->size < sizeof(struct gpc_image_head) + sizeof(struct gpc_plane))
		return gpc_reader_refuse(reader, GPC_E0502, "image is truncated: it has %zu bytes",
					 reader->size);
	return true;
}

/* `bytes` lie in a buffer of their size class, zero behind them. */
static bool open_buffer(struct gpc_reader *reader, char *bytes, bool linked, struct gpc_image *ret_image)
{
	uint32_t log2 = gpc_size_class(reader->size);

	reader->bytes = bytes;
	reader->head = (const struct gpc_image_head *)bytes;
	reader->plane = (const struct gpc_plane *)(bytes + sizeof(*reader->head));
	if (!check(reader, linked))
		return false;
	*ret_image = (struct gpc_image){
		.bytes = bytes,
		.size = reader->size,
		.log2 = log2,
		.head = reader->head,
		.plane = reader->plane,
		.view = {.base = bytes, .mask = ((uint64_t)1 << log2) - 1},
	};
	return true;
}

bool gpc_image_open(struct gpc_diags *diags, const char *path, const void *bytes, size_t size,
		    bool linked, struct gpc_image *ret_image)
{
	struct gpc_reader reader = {.diags = diags, .path = path, .size = size};
	size_t room;
	char *copy;

	if (!check_size(&reader, bytes))
		return false;
	room = (size_t)1 << gpc_size_class(size);
	copy = calloc(1, room);
	if (!copy)
		return gpc_reader_refuse(&reader, GPC_E0511, "no memory for %zu bytes", room);
	memcpy(copy, bytes, size);
	if (open_buffer(&reader, copy, linked, ret_image))
		return true;
	free(copy);
	return false;
}

bool gpc_image_open_written(struct gpc_diags *diags, const char *path, uint8_t *bytes, size_t size,
			    struct gpc_image *ret_image)
{
	struct gpc_reader reader = {.diags = diags, .path = path, .size = size};

	if (!check_size(&reader, bytes) || !open_buffer(&reader, (char *)bytes, false, ret_image))
		return false;
	ret_image->borrowed = true;
	return true;
}

void gpc_image_release(struct gpc_image *image)
{
	if (!image->borrowed)
		free(image->bytes);
	*image = (struct gpc_image){0};
}
