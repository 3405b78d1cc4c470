/* SPDX-License-Identifier: MIT */
#include "sha256.h"

#include <openssl/evp.h>
#include <stdatomic.h>

#include "arena.h"

static void must(int ok)
{
	if (ok != 1)
		gpc_arena_exhausted();
}

/* Looking the algorithm up costs more than a short digest, so it is kept for the whole process. */
static const EVP_MD *algorithm(void)
{
	static _Atomic(EVP_MD *) kept;
	EVP_MD *found = atomic_load(&kept), *none = NULL;

	if (found)
		return found;
	found = EVP_MD_fetch(NULL, "SHA256", NULL);
	must(found != NULL);
	if (atomic_compare_exchange_strong(&kept, &none, found))
		return found;
	EVP_MD_free(found);
	return none;
}

void gpc_sha256_init(struct gpc_sha256 *sha)
{
	sha->state = EVP_MD_CTX_new();
	must(sha->state != NULL);
	must(EVP_DigestInit_ex(sha->state, algorithm(), NULL));
}

void gpc_sha256_add(struct gpc_sha256 *sha, const void *bytes, size_t size)
{
	must(EVP_DigestUpdate(sha->state, bytes, size));
}

void gpc_sha256_next(struct gpc_sha256 *sha, uint8_t ret[GPC_SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(sha->state, ret, NULL));
	must(EVP_DigestInit_ex(sha->state, algorithm(), NULL));
}

void gpc_sha256_finish(struct gpc_sha256 *sha, uint8_t ret[GPC_SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(sha->state, ret, NULL));
	EVP_MD_CTX_free(sha->state);
	sha->state = NULL;
}

void gpc_sha256(const void *bytes, size_t size, uint8_t ret[GPC_SHA256_BYTES])
{
	struct gpc_sha256 sha;

	gpc_sha256_init(&sha);
	gpc_sha256_add(&sha, bytes, size);
	gpc_sha256_finish(&sha, ret);
}

char *gpc_sha256_format(const uint8_t digest[GPC_SHA256_BYTES], char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < GPC_SHA256_BYTES; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[2 * GPC_SHA256_BYTES] = '\0';
	return out;
}
