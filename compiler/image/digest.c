/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include "../base/sha256.h"
#include "image_file.h"

#define ZERO_BLOCK 65536u

static void add_zeros(struct gpc_sha256 *sha, size_t size)
{
	static uint8_t zero[ZERO_BLOCK]; /* not const: it costs no bytes of the program */

	for (size_t n; size; size -= n) {
		n = size < ZERO_BLOCK ? size : ZERO_BLOCK;
		gpc_sha256_add(sha, zero, n);
	}
}

void gpc_decision_digest(const void *image, uint8_t ret_digest[32])
{
	const struct gpc_image_head *head = image;

	gpc_sha256((const char *)image + head->decision_offset, head->decision_size, ret_digest);
}

void gpc_file_digest(const void *image, uint8_t ret_digest[32])
{
	const struct gpc_image_head *head = image;
	const char *bytes = image;
	size_t before = offsetof(struct gpc_image_head, file_digest);
	size_t after = before + sizeof(head->file_digest);
	struct gpc_sha256 sha;

	gpc_sha256_init(&sha);
	gpc_sha256_add(&sha, bytes, before);
	add_zeros(&sha, sizeof(head->file_digest));
	gpc_sha256_add(&sha, bytes + after, head->link_offset - after);
	add_zeros(&sha, head->link_size);
	gpc_sha256_finish(&sha, ret_digest);
}

char *gpc_digest_format(const uint8_t digest[32], char out[65])
{
	return gpc_sha256_format(digest, out);
}
