/* SPDX-License-Identifier: MIT */
/* dump.h: what an image holds, decoded, for `gpc inspect IMAGE [SECTION] [--json]`. */
#ifndef GPC_IMAGE_DUMP_H
#define GPC_IMAGE_DUMP_H

#include <stdio.h>

#include "image_file.h"

/*
 * Sections that gpc_image_dump() knows: those of image.h by name, `maglev-slots` (`maglev` shows
 * each endpoint's share only), `provenance` and `link`. NULL behind the last.
 */
extern const char *const gpc_image_dump_sections[];

/*
 * Writes one record a line, below the names of its columns or as JSON objects {"type": ..., ...}.
 * section NULL: the header, the plane's scalars and one line per section. False, and nothing
 * written, if there is no such section.
 */
bool gpc_image_dump(const struct gpc_image *image, const char *section, bool json, FILE *out);

#endif
