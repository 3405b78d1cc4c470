/* SPDX-License-Identifier: MIT */
/*
 * language.h: the language as data. keys.def, choices.def and types.def become const tables here;
 * no other module spells out a key, a word of an enumeration or a range.
 */
#ifndef GPC_INTENT_LANGUAGE_H
#define GPC_INTENT_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What brings a key or word that is not built yet. */
enum gpc_feature {
	GPC_FEATURE_BUILT,
	GPC_FEATURE_POLICY,
	GPC_FEATURE_BALANCING,
	GPC_FEATURE_PROOFS,
	GPC_FEATURE_COUNT
};

enum gpc_type {
#define X(id, name, grammar) GPC_TYPE_##id,
#include "types.def"
#undef X
	GPC_TYPE_COUNT
};

enum gpc_object {
#define OBJECT(id, title, type, placed, doc) GPC_OBJECT_##id,
#define KEY(...)
#define END
#include "keys.def"
#undef OBJECT
#undef KEY
#undef END
	GPC_OBJECT_COUNT
};

enum gpc_kind { GPC_KIND_NONE, GPC_KIND_PLANE, GPC_KIND_OVERLAY, GPC_KIND_TESTS };

#define GPC_DAY_MS (24ull * 60 * 60 * 1000)

struct gpc_word {
	const char *word;
	uint64_t value;
	enum gpc_feature feature;
};

struct gpc_words {
	const struct gpc_word *words;
	size_t count;
};

#define GPC_NO_TARGET SIZE_MAX /* checked and then not kept */

struct gpc_key {
	const char *name;
	enum gpc_type type;
	bool required;
	uint64_t min, max;	       /* of numbers; 0, 0: no range */
	const struct gpc_words *words; /* of enumerations, NULL while not built */
	enum gpc_object object;	       /* of OBJECT, OBJECTS, HEALTH */
	const char *fallback;	       /* the default, as text; "" for none */
	enum gpc_feature feature;
	size_t offset; /* in the object's struct, or GPC_NO_TARGET */
	bool allocated; /* a pointer stands there, to a struct that is made when the key is written */
	const char *doc;
};

struct gpc_object_info {
	const char *id; /* as in keys.def */
	const char *title, *doc;
	const struct gpc_key *keys;
	size_t count;
	size_t size; /* of the struct it is bound to */
	size_t place; /* of its struct gpc_place, or GPC_NO_TARGET */
};

const struct gpc_object_info *gpc_object_info(enum gpc_object object);

/* The row of a key, built or not; NULL if the language has no such key there. */
const struct gpc_key *gpc_key_find(const struct gpc_object_info *info, const char *name);

/* NULL if the enumeration has no such word. */
const struct gpc_word *gpc_word_find(const struct gpc_words *words, const char *word);

const char *gpc_type_name(enum gpc_type type);
const char *gpc_type_grammar(enum gpc_type type);

/* "microsegmentation": reads on from "it comes with". */
const char *gpc_feature_name(enum gpc_feature feature);

#endif
