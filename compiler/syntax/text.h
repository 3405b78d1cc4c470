/* SPDX-License-Identifier: MIT */
/*
 * text.h: is a source text at all? Checked before the YAML scanner sees it, because that one passes
 * UTF-16 silently and names no cause for the rest.
 */
#ifndef GPC_SYNTAX_TEXT_H
#define GPC_SYNTAX_TEXT_H

#include "../diag/diag.h"

/*
 * One diagnostic (E0003..E0007) at the first byte that is no text, then false. *ret_ascii: every
 * character is one byte.
 */
bool gpc_text_check(struct gpc_diags *diags, uint32_t source, bool *ret_ascii);

/*
 * One diagnostic (E0012) at the first YAML directive, then false. They are refused before the scanner
 * sees them because it takes quadratic time over many of them. So a text in quotes may not continue on
 * a line that starts with `%`.
 */
bool gpc_text_check_directives(struct gpc_diags *diags, uint32_t source);

#endif
