/* SPDX-License-Identifier: MIT */
#include "format.h"

#include <string.h>

#include "../intent/document.h"
#include "element.h"
#include "writer.h"

/* ---- is it the same? ------------------------------------------------------------------------ */

static bool same_node(const struct gpc_element *element, const struct gpc_node *node)
{
	const struct gpc_node *own = element->node;

	if (own->kind != node->kind)
		return false;
	switch (node->kind) {
	case GPC_NODE_SCALAR:
		return own->scalar.size == node->scalar.size &&
		       memcmp(own->scalar.text, node->scalar.text, node->scalar.size) == 0;
	case GPC_NODE_LIST:
		if (element->children.n != node->list.count)
			return false;
		for (size_t i = 0; i < node->list.count; i++)
			if (!same_node(element->children.items[i], node->list.items[i]))
				return false;
		return true;
	case GPC_NODE_MAP:
		break;
	}
	if (element->children.n != node->map.count)
		return false;
	for (size_t i = 0; i < node->map.count; i++) {
		const struct gpc_element *child = element->children.items[i];
		const struct gpc_pair *pair = &node->map.pairs[i];

		if (child->pair->key_size != pair->key_size ||
		    memcmp(child->pair->key, pair->key, pair->key_size) != 0 ||
		    !same_node(child, pair->value))
			return false;
	}
	return true;
}

/* The layout is read again: no document and no comment may be another one. */
static bool is_same(struct gpc_diags *again, const struct gpc_elements *elements, size_t documents,
		    struct gpc_written written)
{
	uint32_t source = gpc_diags_add_source(again, "layout", written.text, written.size);
	struct gpc_documents parsed;
	struct gpc_elements reread;

	if (!gpc_yaml_parse(again, again->arena, source, &parsed) || parsed.count != documents)
		return false;
	for (size_t i = 0; i < documents; i++)
		if (!same_node(elements->sheets[i].root, parsed.roots[i]))
			return false;
	gpc_elements_read(again, source, &parsed, &reread);
	return reread.comments == elements->comments &&
	       reread.comments_sum == elements->comments_sum;
}

static bool write_checked(struct gpc_diags *diags, const struct gpc_elements *elements,
			  size_t documents, bool one_line, struct gpc_written *ret)
{
	struct gpc_arena arena = {0};
	struct gpc_diags again;
	bool same;

	*ret = gpc_elements_write(diags, elements, one_line);
	gpc_diags_init(&again, &arena, false);
	same = is_same(&again, elements, documents, *ret);
	gpc_arena_release(&arena);
	return same;
}

/* ---- the door ------------------------------------------------------------------------------- */

/* Carriage returns end lines, alone or before a line feed. */
static uint32_t without_returns(struct gpc_diags *diags, uint32_t source)
{
	const struct gpc_source *old = &diags->sources.items[source];
	const char *path = old->path;
	size_t used = 0;
	char *text;

	if (!memchr(old->text, '\r', old->size))
		return source;
	text = GPC_NEW_ARRAY(diags->arena, char, old->size + 1);
	for (size_t i = 0; i < old->size; i++) {
		if (old->text[i] != '\r')
			text[used++] = old->text[i];
		else if (i + 1 == old->size || old->text[i + 1] != '\n')
			text[used++] = '\n';
	}
	return gpc_diags_add_source(diags, path, text, used);
}

static bool lay_out(struct gpc_diags *diags, uint32_t source, const struct gpc_documents *documents,
		    const char **ret_text, size_t *ret_size)
{
	struct gpc_elements elements;
	struct gpc_written written;

	gpc_elements_read(diags, source, documents, &elements);
	if (!write_checked(diags, &elements, documents->count, false, &written) &&
	    !write_checked(diags, &elements, documents->count, true, &written)) {
		gpc_diag(diags, GPC_E0018, (struct gpc_place){source, 0, 0},
			 "text cannot be laid out anew without a change of its meaning");
		return false;
	}
	*ret_text = written.text ? written.text : "";
	*ret_size = written.size;
	return true;
}

/* *source: of the text that was parsed at last, which has no carriage return. */
static bool parse(struct gpc_diags *diags, uint32_t *source, struct gpc_documents *ret)
{
	uint32_t plain;

	if (!gpc_yaml_parse(diags, diags->arena, *source, ret))
		return false;
	plain = without_returns(diags, *source);
	if (plain == *source)
		return true;
	*source = plain;
	diags->nodes = 0;
	return gpc_yaml_parse(diags, diags->arena, plain, ret);
}

bool gpc_format_yaml(struct gpc_diags *diags, uint32_t source, const char **ret_text,
		     size_t *ret_size)
{
	struct gpc_documents documents;

	return parse(diags, &source, &documents) &&
	       lay_out(diags, source, &documents, ret_text, ret_size);
}

bool gpc_format(struct gpc_diags *diags, uint32_t source, const char **ret_text, size_t *ret_size)
{
	struct gpc_documents documents;
	bool known = true;

	if (!parse(diags, &source, &documents))
		return false;
	for (size_t i = 0; i < documents.count; i++)
		known = gpc_document_kind(diags, documents.roots[i]) != GPC_KIND_NONE && known;
	return known && lay_out(diags, source, &documents, ret_text, ret_size);
}
