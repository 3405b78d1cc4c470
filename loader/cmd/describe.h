/* SPDX-License-Identifier: MIT */
/* describe.h: what an image is, in a line, a table and as JSON members. */
#ifndef GPC_LOADER_CMD_DESCRIBE_H
#define GPC_LOADER_CMD_DESCRIBE_H

#include <json-c/json.h>
#include <stdio.h>

#include "../../compiler/image/image_file.h"

/* The number of records of a section. */
uint32_t gpc_image_count(const struct gpc_image *image, enum gpc_section_id id);
const void *gpc_image_record(const struct gpc_image *image, enum gpc_section_id id, uint32_t index);

/* "web.gpi: plane web-demo, 1 listener, 3 endpoints, 12.3 KiB, decision 1a2b3c4d5e6f" */
void gpc_describe_line(const struct gpc_image *image, const char *label, FILE *out);
/* Digests in full and the plane's scalars. */
void gpc_describe_plane(const struct gpc_image *image, FILE *out);
/* What the built-in rules do. */
void gpc_describe_builtins(const struct gpc_image *image, FILE *out);
/* Chains, and what each policy's classifiers hold and cost; nothing if there are none. */
void gpc_describe_policies(const struct gpc_image *image, FILE *out);
/* Sizes per section, the Maglev tables, the policies. */
void gpc_describe_sections(const struct gpc_image *image, FILE *out);
/* Adds plane, digests, size and counts. */
void gpc_describe_json(const struct gpc_image *image, struct json_object *object);
/* The first 12 digits of a digest: enough for people. */
char *gpc_digest_short(const char *digest, char out[13]);

#endif
