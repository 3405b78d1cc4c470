/* SPDX-License-Identifier: MIT */
#include "base/sha256.h"

#include <string.h>

#include "tests/unit/unit.h"

static void known_answers_of_fips_180(void)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t digest[GPC_SHA256_BYTES];
		char text[GPC_SHA256_TEXT];

		gpc_sha256(rows[i].text, strlen(rows[i].text), digest);
		CU_ASSERT_STRING_EQUAL(gpc_sha256_format(digest, text), rows[i].digest);
	}
}

static void pieces_give_the_digest_of_the_whole(void)
{
	uint8_t bytes[1000], whole[GPC_SHA256_BYTES], pieces[GPC_SHA256_BYTES];
	struct gpc_sha256 sha;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	gpc_sha256(bytes, sizeof(bytes), whole);
	gpc_sha256_init(&sha);
	for (size_t i = 0; i < sizeof(bytes); i += 125)
		gpc_sha256_add(&sha, bytes + i, 125);
	gpc_sha256_finish(&sha, pieces);
	CU_ASSERT_EQUAL(memcmp(whole, pieces, sizeof(whole)), 0);
	CU_ASSERT_PTR_NULL(sha.state);
}

static void one_state_gives_many_digests(void)
{
	static const char *const texts[] = {"abc", "", "abcd"};
	uint8_t alone[GPC_SHA256_BYTES], next[GPC_SHA256_BYTES];
	struct gpc_sha256 sha;

	gpc_sha256_init(&sha);
	for (size_t i = 0; i < 3; i++) {
		gpc_sha256_add(&sha, texts[i], strlen(texts[i]));
		gpc_sha256_next(&sha, next);
		gpc_sha256(texts[i], strlen(texts[i]), alone);
		CU_ASSERT_EQUAL(memcmp(alone, next, sizeof(next)), 0);
	}
	gpc_sha256_finish(&sha, next);
	CU_ASSERT_PTR_NULL(sha.state);
}

GPC_UNIT_MAIN("base/sha256", {"known_answers_of_fips_180", known_answers_of_fips_180},
	      {"pieces_give_the_digest_of_the_whole", pieces_give_the_digest_of_the_whole},
	      {"one_state_gives_many_digests", one_state_gives_many_digests})
