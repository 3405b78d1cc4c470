/* SPDX-License-Identifier: MIT */
/*
 * sha256.h: SHA-256 of bytes in one piece or in many. libcrypto does the work; that it fails means
 * no memory or no provider, and ends the program like any other exhaustion of memory.
 */
#ifndef GPC_BASE_SHA256_H
#define GPC_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define GPC_SHA256_BYTES 32u
#define GPC_SHA256_TEXT 65u /* in hex, with its NUL */

/* Order: init, any number of add, then finish, which also releases. */
struct gpc_sha256 {
	void *state;
};

void gpc_sha256_init(struct gpc_sha256 *sha);
void gpc_sha256_add(struct gpc_sha256 *sha, const void *bytes, size_t size);
/* The digest of what was added since, and all from the beginning for another one. */
void gpc_sha256_next(struct gpc_sha256 *sha, uint8_t ret[GPC_SHA256_BYTES]);
void gpc_sha256_finish(struct gpc_sha256 *sha, uint8_t ret[GPC_SHA256_BYTES]);

void gpc_sha256(const void *bytes, size_t size, uint8_t ret[GPC_SHA256_BYTES]);

/* Lower-case hex; `out` has GPC_SHA256_TEXT bytes; returns out. */
char *gpc_sha256_format(const uint8_t digest[GPC_SHA256_BYTES], char *out);

#endif
