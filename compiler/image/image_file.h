/* SPDX-License-Identifier: MIT */
/*
 * image_file.h: the reader of images. It trusts nothing: magic, version, abi, sizes, alignment,
 * every offset and index of every record, both digests. All that opens an image goes through it.
 */
#ifndef GPC_IMAGE_IMAGE_FILE_H
#define GPC_IMAGE_IMAGE_FILE_H

#include "../diag/diag.h"
#include "gpc/image.h"
#include "gpc/lookup/view.h"

/* A checked image. `bytes` lies in a buffer of 2^log2 bytes (zero behind `size`), so lookups may mask. */
struct gpc_image {
	char *bytes;		/* owned unless `borrowed`: gpc_image_release() */
	bool borrowed;
	size_t size;		/* head->size */
	uint32_t log2;		/* size class, GPC_IMAGE_MIN_LOG2.. */
	const struct gpc_image_head *head;
	const struct gpc_plane *plane;
	struct gpc_view view;
};

/*
 * Copies `size` bytes into an aligned buffer of its size class and checks them. On failure adds
 * diagnostics 05xx to diags (message names `path`) and leaves *ret_image untouched. `linked`: the
 * link part may be filled in (image of a running plane) and is then checked too; else it must be zero.
 */
bool gpc_image_open(struct gpc_diags *diags, const char *path, const void *bytes, size_t size,
		    bool linked, struct gpc_image *ret_image);
/* The same of what gpc_image_write() gave, where it lies: no copy. The bytes outlive the image. */
bool gpc_image_open_written(struct gpc_diags *diags, const char *path, uint8_t *bytes, size_t size,
			    struct gpc_image *ret_image);
void gpc_image_release(struct gpc_image *image);

/* Typed access; the reader has checked that `index` < count is safe. */
const void *gpc_image_section(const struct gpc_image *image, enum gpc_section_id id, uint32_t *ret_count);
const char *gpc_image_name(const struct gpc_image *image, uint32_t name_offset);

/*
 * Index of the interface item that takes a device of this name (SEMANTICS 2.1): the one written just
 * so, else the pattern with the longest head. An item's own text, `lan*`, finds that item. GPC_NONE.
 */
uint32_t gpc_image_interface(const struct gpc_image *image, const char *name);

/* Index of the listener that a pool belongs to. */
uint32_t gpc_image_pool_listener(const struct gpc_image *image, uint32_t pool);

/* 64 hex digits and a NUL. */
char *gpc_digest_format(const uint8_t digest[32], char out[65]);

/* Provenance (source map): JSON text inside the image; NULL and 0 if there is none. */
const char *gpc_image_provenance(const struct gpc_image *image, size_t *ret_size);

/*
 * Place of an object by id: "web.yaml", 12, 5. False if unknown. *ret_path lives in `arena`.
 */
bool gpc_image_place(const struct gpc_image *image, struct gpc_arena *arena, uint64_t id,
		     const char **ret_path, uint32_t *ret_line, uint32_t *ret_column);

#endif
