/* SPDX-License-Identifier: MIT */
/*
 * emit.h: one record a line, as `kind key value key value` or as a JSON object, from the same calls:
 * gpc_emit_begin(), any number of fields, gpc_emit_end().
 */
#ifndef GPC_IMAGE_EMIT_H
#define GPC_IMAGE_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct gpc_emitter {
	FILE *out;
	bool json;
};

void gpc_emit_begin(const struct gpc_emitter *emitter, const char *kind);
void gpc_emit_end(const struct gpc_emitter *emitter);

void gpc_emit_string(const struct gpc_emitter *emitter, const char *key, const char *value);
void gpc_emit_number(const struct gpc_emitter *emitter, const char *key, uint64_t value);
void gpc_emit_share(const struct gpc_emitter *emitter, const char *key, double value);

/* Sixteen hex digits: ids, seeds and masks do not fit a JSON number. */
void gpc_emit_hex(const struct gpc_emitter *emitter, const char *key, uint64_t value);

/* 16 bytes in network order, v4 as ::ffff:a.b.c.d. */
void gpc_emit_address(const struct gpc_emitter *emitter, const char *key, const void *bytes);

#endif
