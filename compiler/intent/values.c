/* SPDX-License-Identifier: MIT */
#include "values.h"

#include <stdint.h>
#include <string.h>

#include "gpc/limits.h"
#include "scalar.h"
#include "suggest.h"

#define MOST_CANDIDATES 256u /* among which a near name is looked for */

/* The text of one expansion as it grows. */
struct output {
	struct gpc_values *values;
	const struct gpc_node *scalar;
	GPC_VEC(char) text;
	bool failed;
};

static void check_value(struct gpc_values *values, const struct gpc_pair *pair)
{
	if (!gpc_scalar_is_name(pair->key))
		gpc_diag(values->diags, GPC_E0111, pair->key_place, "not a name: `%s` in values",
			 pair->key);
	if (pair->value->kind != GPC_NODE_SCALAR)
		gpc_diag(values->diags, GPC_E0101, pair->value->place,
			 "not a scalar: value `%s`; a value never makes structure", pair->key);
	else if (gpc_scalar_is_null(pair->value->scalar.text))
		gpc_diag(values->diags, GPC_E0105, pair->value->place,
			 "nothing given for value `%s`", pair->key);
}

void gpc_values_init(struct gpc_values *values, struct gpc_diags *diags,
		     const struct gpc_node *node)
{
	*values = (struct gpc_values){.diags = diags, .node = node};
	if (!node)
		return;
	gpc_names_start(diags->arena, &values->names, node->map.count);
	values->used = GPC_NEW_ARRAY(diags->arena, bool, node->map.count);
	for (size_t i = 0; i < node->map.count; i++) {
		check_value(values, &node->map.pairs[i]);
		gpc_names_add(&values->names, node->map.pairs[i].key);
	}
	gpc_names_sort(diags->arena, &values->names);
}

bool gpc_values_mentioned(const char *text)
{
	return strstr(text, "${") != NULL;
}

static void append(struct output *out, const char *text, size_t size)
{
	struct gpc_values *values = out->values;

	if (out->failed)
		return;
	if (size > GPC_MAX_SCALAR_BYTES - out->text.n ||
	    size > GPC_MAX_EXPANDED_BYTES - values->expanded_bytes) {
		gpc_diag(values->diags, GPC_E0207, out->scalar->place,
			 "expanded text too long: a value may have %u bytes, all expanded values "
			 "together %u",
			 GPC_MAX_SCALAR_BYTES, GPC_MAX_EXPANDED_BYTES);
		out->failed = true;
		return;
	}
	values->expanded_bytes += size;
	for (size_t i = 0; i < size; i++)
		*GPC_PUSH(values->diags->arena, &out->text) = text[i];
}

static void report_undefined(struct gpc_values *values, const struct gpc_node *scalar,
			     const char *name)
{
	struct gpc_diag *diag =
		gpc_diag(values->diags, GPC_E0204, scalar->place, "undefined value `%s`", name);
	size_t count =
		values->names.count < MOST_CANDIDATES ? values->names.count : MOST_CANDIDATES;
	const char *names[MOST_CANDIDATES];
	const char *near;

	if (gpc_diags_full(values->diags))
		return;
	for (size_t i = 0; i < count; i++)
		names[i] = values->names.entries[i].name;
	near = gpc_suggest(name, names, count);
	if (near)
		gpc_diag_hint(values->diags, diag, "did you mean `${%s}`?", near);
	else
		gpc_diag_hint(values->diags, diag,
			      "declare `%s` under `values`, or write `$${` for a plain `${`", name);
}

/* `text` stands behind `${`. Returns what stands behind the `}`, NULL on failure. */
static const char *expand_one(struct output *out, const char *text, struct gpc_scalar *ret)
{
	struct gpc_values *values = out->values;
	size_t len = strcspn(text, "}");
	const char *name = gpc_arena_strndup(values->diags->arena, text, len);
	const struct gpc_pair *pair;
	size_t number;

	if (!text[len] || !gpc_scalar_is_name(name)) {
		struct gpc_diag *diag = gpc_diag(values->diags, GPC_E0206, out->scalar->place,
						 "not a value's name behind `${`");

		gpc_diag_hint(values->diags, diag, "write `${name}`, or `$${` for a plain `${`");
		return NULL;
	}
	number = gpc_names_find(&values->names, name);
	if (number == SIZE_MAX) {
		report_undefined(values, out->scalar, name);
		return NULL;
	}
	pair = &values->node->map.pairs[number];
	values->used[number] = true;
	if (pair->value->kind != GPC_NODE_SCALAR)
		return NULL;
	ret->from = pair->value->place;
	ret->from_name = pair->key;
	append(out, pair->value->scalar.text, pair->value->scalar.size);
	return text + len + 1;
}

static bool expand(struct output *out, struct gpc_scalar *ret)
{
	const char *text = out->scalar->scalar.text;

	while (*text && !out->failed) {
		size_t plain = strcspn(text, "$");

		append(out, text, plain);
		text += plain;
		if (!strncmp(text, "$${", 3)) {
			append(out, "${", 2);
			text += 3;
		} else if (!strncmp(text, "${", 2)) {
			text = expand_one(out, text + 2, ret);
			if (!text)
				return false;
		} else if (*text) {
			append(out, text++, 1);
		}
	}
	return !out->failed;
}

bool gpc_values_expand(struct gpc_values *values, const struct gpc_node *scalar,
		       struct gpc_scalar *ret)
{
	struct output out = {.values = values, .scalar = scalar};
	struct gpc_scalar result = {
		.text = scalar->scalar.text,
		.at = scalar->place,
		.from = GPC_NOWHERE,
	};

	if (gpc_values_mentioned(scalar->scalar.text)) {
		if (!expand(&out, &result))
			return false;
		*GPC_PUSH(values->diags->arena, &out.text) = '\0';
		result.text = out.text.items;
	}
	*ret = result;
	return true;
}

void gpc_values_report_unused(const struct gpc_values *values)
{
	for (size_t i = 0; values->node && i < values->node->map.count; i++) {
		const struct gpc_pair *pair = &values->node->map.pairs[i];
		struct gpc_diag *diag;

		if (values->used[i])
			continue;
		diag = gpc_diag(values->diags, GPC_E0205, pair->key_place, "unused value `%s`",
				pair->key);
		gpc_diag_hint(values->diags, diag, "remove it, or write `${%s}` where it is meant",
			      pair->key);
	}
}
