/* SPDX-License-Identifier: MIT */
/* digest.h: the two digests of an image (image.h says over what). */
#ifndef GPC_IMAGE_DIGEST_H
#define GPC_IMAGE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* `image` starts with a struct gpc_image_head whose offsets lie inside its size. */
void gpc_decision_digest(const void *image, uint8_t ret_digest[32]);

/* The link part counts as zero, so a linked image has the digest of its file. */
void gpc_file_digest(const void *image, uint8_t ret_digest[32]);

#endif
