/* SPDX-License-Identifier: MIT */
/*
 * element.h: a source text as an author sees it: the node tree, and on each pair and list item the
 * comments and the blank line that belong to it. libyaml drops comments, so they are found by
 * position: whatever stands between two scalars is white space, indicators and comments.
 *
 * What a comment belongs to:
 *   behind something on its line    what was written there last
 *   before the first key            the document, at its head, wherever that key goes
 *   on lines of its own             what comes next; but what is indented deeper than that, as far as
 *                                   a list or mapping that ends here, stands at the end of this one
 */
#ifndef GPC_FORMAT_ELEMENT_H
#define GPC_FORMAT_ELEMENT_H

#include "../intent/language.h"
#include "../syntax/yaml.h"

struct gpc_comment {
	struct gpc_comment *next;
	const char *text; /* from `#` to the last character that is no blank */
	size_t size;
	bool blank;	  /* a blank line stands before it */
};

struct gpc_comments {
	struct gpc_comment *first, *last;
};

/* A pair of a mapping, an item of a list, or a document's root. */
struct gpc_element {
	struct gpc_element *parent;
	const struct gpc_pair *pair; /* NULL for items and roots */
	const struct gpc_node *node;
	GPC_VEC(struct gpc_element *) children; /* mappings: in the order in which they are written */
	struct gpc_comments before; /* on lines of their own */
	struct gpc_comments line;   /* behind it */
	struct gpc_comments tail;   /* behind the last child */
	uint32_t column;	    /* from 0; of its key or dash */
	bool flow;		    /* a collection written in brackets */
	bool blank;		    /* a blank line stands before it */
};

struct gpc_sheet {
	struct gpc_comments head;
	struct gpc_element *root; /* NULL: comments only, in the head */
	bool blank;		  /* a blank line stands behind the head */
};

struct gpc_elements {
	struct gpc_sheet *sheets; /* one per document; one for a text of comments only */
	size_t count;
	size_t comments;	  /* in all */
	uint64_t comments_sum;	  /* equal for the same comments in any order */
};

/*
 * The documents that gpc_yaml_parse() found in source number `source` without an error. Elements live
 * in the arena of diags and point into `documents`. Pairs are sorted by their rows in keys.def;
 * `$delete` follows the name, keys that are in no row come last as they stood.
 */
void gpc_elements_read(struct gpc_diags *diags, uint32_t source,
		       const struct gpc_documents *documents, struct gpc_elements *ret);

/* What was written for a scalar, quotes and all. */
const char *gpc_source_text(const struct gpc_diags *diags, struct gpc_place place, size_t *ret_size);

/* Does a line end at `text`? Its length in bytes, as YAML 1.1 sees line ends, 0 if not. */
size_t gpc_line_end(const char *text, size_t size);

#endif
