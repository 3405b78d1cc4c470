/* SPDX-License-Identifier: MIT */
#include "intent/language.h"

#include "tests/unit/unit.h"

typedef void each_key(const struct gpc_object_info *info, const struct gpc_key *key);

static void for_each_key(each_key *check)
{
	for (enum gpc_object object = 0; object < GPC_OBJECT_COUNT; object++) {
		const struct gpc_object_info *info = gpc_object_info(object);

		for (size_t i = 0; i < info->count; i++)
			check(info, &info->keys[i]);
	}
}

static void check_unique(const struct gpc_object_info *info, const struct gpc_key *key)
{
	CU_ASSERT_PTR_EQUAL(gpc_key_find(info, key->name), key);
}

static void no_object_has_a_key_twice(void)
{
	for_each_key(check_unique);
}

static void check_words(const struct gpc_object_info *info, const struct gpc_key *key)
{
	bool is_enum = key->type == GPC_TYPE_ENUM || key->type == GPC_TYPE_ENUMS ||
		       key->type == GPC_TYPE_BOOL || key->type == GPC_TYPE_TCP_FLAGS ||
		       key->type == GPC_TYPE_TCP_FLAGS_SET;

	(void)info;
	if (key->feature == GPC_FEATURE_BUILT && key->type != GPC_TYPE_TEXT)
		CU_ASSERT_EQUAL(key->words != NULL, is_enum);
}

static void what_is_built_has_its_words(void)
{
	for_each_key(check_words);
}

static void check_ranges(const struct gpc_object_info *info, const struct gpc_key *key)
{
	bool is_number = key->type == GPC_TYPE_UINT || key->type == GPC_TYPE_PORT ||
			 key->type == GPC_TYPE_LISTENER_PORT || key->type == GPC_TYPE_SIZE ||
			 key->type == GPC_TYPE_RATE || key->type == GPC_TYPE_DURATION ||
			 key->type == GPC_TYPE_PICKUP || key->type == GPC_TYPE_SAMPLE ||
			 key->type == GPC_TYPE_MARK || key->type == GPC_TYPE_VLAN ||
			 key->type == GPC_TYPE_PERCENT || key->type == GPC_TYPE_DSCP;

	(void)info;
	CU_ASSERT_TRUE(key->min <= key->max);
	if (key->feature == GPC_FEATURE_BUILT && is_number)
		CU_ASSERT_TRUE(key->max > 0);
}

static void what_is_built_has_its_range(void)
{
	for_each_key(check_ranges);
}

static void check_target(const struct gpc_object_info *info, const struct gpc_key *key)
{
	CU_ASSERT_TRUE(key->offset == GPC_NO_TARGET || key->offset < info->size);
	if (key->feature != GPC_FEATURE_BUILT)
		CU_ASSERT_EQUAL(key->offset, GPC_NO_TARGET);
}

static void fields_lie_in_the_struct_of_their_object(void)
{
	for_each_key(check_target);
}

static void check_texts(const struct gpc_object_info *info, const struct gpc_key *key)
{
	size_t len = strlen(key->doc);

	(void)info;
	CU_ASSERT_TRUE(len > 1 && key->doc[len - 1] == '.');
	CU_ASSERT_TRUE(*gpc_type_grammar(key->type));
}

static void every_key_is_explained_in_a_sentence(void)
{
	for_each_key(check_texts);
}

/* report_missing() and the suggestions of the binder count on it. */
static void no_object_has_more_than_32_keys(void)
{
	for (enum gpc_object object = 0; object < GPC_OBJECT_COUNT; object++)
		CU_ASSERT_TRUE(gpc_object_info(object)->count <= 32);
}

static void words_match_by_case(void)
{
	const struct gpc_key *key = gpc_key_find(gpc_object_info(GPC_OBJECT_listener), "protocol");

	CU_ASSERT_PTR_NOT_NULL(gpc_word_find(key->words, "TCP"));
	CU_ASSERT_PTR_NULL(gpc_word_find(key->words, "tcp"));
	CU_ASSERT_EQUAL(gpc_word_find(key->words, "SCTP")->feature, GPC_FEATURE_BUILT);
	CU_ASSERT_PTR_NULL(gpc_key_find(gpc_object_info(GPC_OBJECT_listener), "Protocol"));
}

GPC_UNIT_MAIN("intent/language", {"no_object_has_a_key_twice", no_object_has_a_key_twice},
	      {"what_is_built_has_its_words", what_is_built_has_its_words},
	      {"what_is_built_has_its_range", what_is_built_has_its_range},
	      {"fields_lie_in_the_struct_of_their_object",
	       fields_lie_in_the_struct_of_their_object},
	      {"every_key_is_explained_in_a_sentence", every_key_is_explained_in_a_sentence},
	      {"no_object_has_more_than_32_keys", no_object_has_more_than_32_keys},
	      {"words_match_by_case", words_match_by_case})
