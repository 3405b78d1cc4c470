/* SPDX-License-Identifier: MIT */
/* json_text.h: a text as a JSON string, for output that is written as it comes. */
#ifndef GPC_BASE_JSON_TEXT_H
#define GPC_BASE_JSON_TEXT_H

#include <stdio.h>

/* Writes `text` in quotes; bytes that are not UTF-8 become U+FFFD. */
void gpc_json_put(FILE *out, const char *text);

#endif
