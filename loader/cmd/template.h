/* SPDX-License-Identifier: MIT */
/*
 * template.h: planes to begin with, kept as intent that works (examples/templates/NAME) and built into
 * gpc. What may be chosen is declared in the intent itself, by the comment above it:
 *
 *   values:
 *     # port: the service's port             a value; its words: type, what it is for
 *     port: 443
 *   interfaces:
 *     # interface wan: where clients arrive  a device, by whose name the intent and its tests call it
 *     - {name: wan0}
 *
 * and `name`, which every plane has. A choice replaces what stands there. Addresses in tests that lie in
 * a prefix move with it; devices in tests that match a pattern do, too.
 */
#ifndef GPC_LOADER_CMD_TEMPLATE_H
#define GPC_LOADER_CMD_TEMPLATE_H

#include "../../compiler/diag/diag.h"
#include "../fail.h"

struct gpc_template_file {
	const char *template; /* its name */
	const char *path;     /* below the folder of the plane */
	const char *text;
};

/* Those of one template stand together. */
extern const struct gpc_template_file gpc_template_files[];
extern const size_t gpc_template_file_count;

struct gpc_parameter {
	const char *name, *type, *fallback, *doc;
	const char *value; /* what was chosen; at first the fallback */
	bool has_interface_name;
};

struct gpc_template {
	const char *name, *summary;
	const struct gpc_template_file *files;
	size_t file_count;
	GPC_VEC(struct gpc_parameter) parameters;
	struct gpc_arena *arena;
};

/* What a template makes; text in its arena. */
struct gpc_rendered {
	const char *path, *text;
	size_t size;
};

/* Their names, in order, NULL behind the last; in the arena. */
const char *const *gpc_template_names(struct gpc_arena *arena, size_t *ret_count);

/* USAGE when there is none of that name. */
int gpc_template_open(struct gpc_arena *arena, const char *name, struct gpc_template *ret,
		      struct gpc_failure *failure);

/* Takes "NAME=VALUE". USAGE for an unknown name, a second choice, and a value of another type. */
int gpc_template_set(struct gpc_template *template, const char *choice,
		     struct gpc_failure *failure);

/*
 * All files with what was chosen, in the canonical layout; as many as file_count. INVALID, with
 * diagnostics, when that is no plane.
 */
int gpc_template_render(const struct gpc_template *template, struct gpc_diags *diags,
			struct gpc_rendered **ret, struct gpc_failure *failure);

#endif
