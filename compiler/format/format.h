/* SPDX-License-Identifier: MIT */
/*
 * format.h: a source text in the canonical layout. The same documents, the same comments; laying the
 * result out again changes nothing.
 *
 *   indentation   two spaces; a list stands two deeper than its key
 *   keys          in the order of keys.def, others behind them as they stood
 *   collections   in block style; one that its author wrote in brackets stays so where it fits, with
 *                 what stands before it, into GPC_FORMAT_WIDTH columns and holds neither a comment nor
 *                 a text of several lines
 *   texts         plain where that reads the same in every YAML reader, else in quotes; one of several
 *                 lines keeps them
 *   comments      element.h says what they belong to; one behind a value starts in the column
 *                 GPC_FORMAT_COMMENT_COLUMN, or two spaces behind what is longer
 *   blank lines   one at most, none at the start of a collection or at the end
 *   documents     `---` between them and nowhere else; line feeds alone end lines
 */
#ifndef GPC_FORMAT_FORMAT_H
#define GPC_FORMAT_FORMAT_H

#include "../diag/diag.h"

#define GPC_FORMAT_WIDTH 100u
#define GPC_FORMAT_COMMENT_COLUMN 48u /* from 0 */

/*
 * Lays out source number `source`; text in the arena of diags. False, with a diagnostic, for what is no
 * YAML or no document of gpc/v1; nothing is returned then.
 */
bool gpc_format(struct gpc_diags *diags, uint32_t source, const char **ret_text, size_t *ret_size);

/* The same for any YAML that gpc_yaml_parse() takes. */
bool gpc_format_yaml(struct gpc_diags *diags, uint32_t source, const char **ret_text,
		     size_t *ret_size);

#endif
