/* SPDX-License-Identifier: MIT */
#include "language.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "gpc/abi.h"
#include "gpc/image.h"
#include "gpc/limits.h"
#include "intent.h"

/* clang-format off */
/* The words. */
#define BUILT GPC_FEATURE_BUILT
#define POLICY GPC_FEATURE_POLICY
#define BALANCING GPC_FEATURE_BALANCING
#define PROOFS GPC_FEATURE_PROOFS

#define CHOICES(id) static const struct gpc_word words_##id[] = {
#define WORD(...) {__VA_ARGS__},
#define END };
#include "choices.def"
#undef CHOICES
#undef WORD
#undef END

#define CHOICES(id)                                                                                \
	static const struct gpc_words choices_##id = {                                             \
		words_##id, sizeof(words_##id) / sizeof(words_##id[0])};
#define WORD(...)
#define END
#include "choices.def"
#undef CHOICES
#undef WORD
#undef END

/* The keys, one array per object. */
#define REQUIRED true
#define OPTIONAL false
#define RANGE(low, high) .min = (low), .max = (high)
#define WORDS(id) .words = &choices_##id
#define OF(id) .object = GPC_OBJECT_##id
#define PLAIN .words = NULL
#define AT(type, field) .offset = offsetof(struct type, field)
#define NEW(type, field) .offset = offsetof(struct type, field), .allocated = true
#define HERE .offset = 0
#define CHECKED .offset = GPC_NO_TARGET

#define OBJECT(id, title, type, placed, doc) static const struct gpc_key keys_##id[] = {
#define KEY(key, kind, need, what, def, brings, target, text)                                      \
	{.name = key, .type = GPC_TYPE_##kind, .required = need, what, .fallback = def,            \
	 .feature = brings, target, .doc = text},
#define END };
#include "keys.def"
#undef OBJECT
#undef KEY
#undef END

static const struct gpc_object_info objects[] = {
#define PLACED(type) offsetof(struct type, at)
#define UNPLACED(type) GPC_NO_TARGET
#define OBJECT(id, title, type, placed, doc)                                                       \
	{#id,	 title, doc, keys_##id, sizeof(keys_##id) / sizeof(keys_##id[0]), sizeof(struct type), \
	 placed(type)},
#define KEY(...)
#define END
#include "keys.def"
#undef OBJECT
#undef KEY
#undef END
};

/* clang-format on */

static const struct {
	const char *name, *grammar;
} types[] = {
#define X(id, name, grammar) {name, grammar},
#include "types.def"
#undef X
};

static const char *const features[] = {
	[GPC_FEATURE_BUILT] = "this version",
	[GPC_FEATURE_POLICY] = "microsegmentation",
	[GPC_FEATURE_BALANCING] = "the rest of load balancing",
	[GPC_FEATURE_PROOFS] = "plans and proofs",
};
static_assert(sizeof(features) / sizeof(features[0]) == GPC_FEATURE_COUNT, "a name per feature");

const struct gpc_object_info *gpc_object_info(enum gpc_object object)
{
	assert(object < GPC_OBJECT_COUNT);
	return &objects[object];
}

const struct gpc_key *gpc_key_find(const struct gpc_object_info *info, const char *name)
{
	for (size_t i = 0; i < info->count; i++) {
		/* The first byte alone tells most keys apart. */
		if (info->keys[i].name[0] == name[0] && !strcmp(info->keys[i].name, name))
			return &info->keys[i];
	}
	return NULL;
}

const struct gpc_word *gpc_word_find(const struct gpc_words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (!strcmp(words->words[i].word, word))
			return &words->words[i];
	}
	return NULL;
}

const char *gpc_type_name(enum gpc_type type)
{
	assert(type < GPC_TYPE_COUNT);
	return types[type].name;
}

const char *gpc_type_grammar(enum gpc_type type)
{
	assert(type < GPC_TYPE_COUNT);
	return types[type].grammar;
}

const char *gpc_feature_name(enum gpc_feature feature)
{
	assert(feature < GPC_FEATURE_COUNT);
	return features[feature];
}
