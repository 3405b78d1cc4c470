/* SPDX-License-Identifier: MIT */
#include "parent.h"

#include <stdlib.h>
#include <string.h>

#include "../base/sha256.h"
#include "rebalance.h"

struct before {
	uint64_t id; /* the backend's */
	uint32_t first_endpoint, endpoints;
	uint32_t table[GPC_REACH_COUNT]; /* index of TABLE, GPC_NONE */
};

struct gpc_parent {
	struct gpc_view view;
	const struct gpc_plane *plane;
	struct before *backends; /* by id */
	size_t count;
};

static const void *section(const struct gpc_parent *parent, enum gpc_section_id id)
{
	return parent->view.base + parent->plane->section[id].offset;
}

static uint32_t section_count(const struct gpc_parent *parent, enum gpc_section_id id)
{
	return parent->plane->section[id].count;
}

static int by_id(const void *a, const void *b)
{
	const struct before *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct before *find(const struct gpc_parent *parent, uint64_t id)
{
	struct before key = {.id = id};

	if (!parent->count)
		return NULL;
	return bsearch(&key, parent->backends, parent->count, sizeof(key), by_id);
}

static void list_backends(struct gpc_arena *arena, struct gpc_parent *parent)
{
	const struct gpc_backend *backends = section(parent, GPC_SEC_BACKEND);

	parent->count = section_count(parent, GPC_SEC_BACKEND);
	parent->backends = GPC_NEW_ARRAY(arena, struct before, parent->count);
	for (size_t i = 0; i < parent->count; i++) {
		parent->backends[i] = (struct before){backends[i].id, backends[i].first_endpoint,
						      backends[i].endpoints, {0}};
		for (int reach = 0; reach < GPC_REACH_COUNT; reach++)
			parent->backends[i].table[reach] = GPC_NONE;
	}
	if (parent->count)
		qsort(parent->backends, parent->count, sizeof(*parent->backends), by_id);
}

/* What the flows of one listener use of a pool, and of those that it fails over to. */
static void visit_pools(struct gpc_view view, uint32_t listener, uint32_t pool,
			gpc_table_visit *visit, void *context)
{
	const struct gpc_plane *plane = gpc_view_plane(view);
	const struct gpc_listener *listeners =
		(const void *)(view.base + plane->section[GPC_SEC_LISTENER].offset);
	const struct gpc_pool *pools = (const void *)(view.base + plane->section[GPC_SEC_POOL].offset);

	for (uint32_t i = 0; i <= GPC_MAX_FAILOVER && pool != GPC_NONE; i++) {
		struct gpc_table_use use = {.listener = listener, .backend = pools[pool].backend};

		for (int family = GPC_V4; family <= GPC_V6; family++) {
			if (!pools[pool].table[family].size)
				continue;
			use.table = pools[pool].table[family].table;
			use.family = (enum gpc_family)family;
			use.reach = gpc_reach((enum gpc_forward)listeners[listener].forward, use.family);
			visit(context, &use);
		}
		pool = pools[pool].failover;
	}
}

void gpc_tables_visit(struct gpc_view view, gpc_table_visit *visit, void *context)
{
	const struct gpc_section *section = &gpc_view_plane(view)->section[GPC_SEC_LISTENER];
	const struct gpc_listener *listeners = (const void *)(view.base + section->offset);

	for (uint32_t i = 0; i < section->count; i++)
		for (uint32_t k = 0; k < listeners[i].pools; k++)
			visit_pools(view, i, listeners[i].first_pool + k, visit, context);
}

static void note_use(void *context, const struct gpc_table_use *use)
{
	struct gpc_parent *parent = context;
	const struct gpc_backend *backends = section(parent, GPC_SEC_BACKEND);

	find(parent, backends[use->backend].id)->table[use->reach] = use->table;
}

static const struct gpc_parent *read_view(struct gpc_arena *arena, struct gpc_view view)
{
	struct gpc_parent *parent = GPC_NEW(arena, struct gpc_parent);

	parent->view = view;
	parent->plane = gpc_view_plane(view);
	list_backends(arena, parent);
	gpc_tables_visit(view, note_use, parent);
	return parent;
}

static const char *hex(struct gpc_arena *arena, const uint8_t digest[GPC_SHA256_BYTES])
{
	char text[GPC_SHA256_TEXT];

	gpc_sha256_format(digest, text);
	return gpc_arena_strdup(arena, text);
}

static bool is_named(struct gpc_diags *diags, const struct gpc_model *model,
		     const struct gpc_view *view)
{
	const struct gpc_image_head *head = (const void *)view->base;
	struct gpc_diag *diag;

	if (!model->parent->set ||
	    !memcmp(model->parent->bytes, head->decision_digest, sizeof(head->decision_digest)))
		return true;
	diag = gpc_diag(diags, GPC_E0450, model->parent->at,
			"the image given as parent is not the one that `metadata.parent` names");
	gpc_diag_hint(diags, diag, "its decision digest is %s",
		      hex(diags->arena, head->decision_digest));
	return false;
}

static void warn_of_no_parent(struct gpc_diags *diags, const struct gpc_model *model,
			      const struct gpc_model_backend *first, size_t wanting)
{
	const char *others = wanting == 1 ? ""
					  : gpc_arena_printf(diags->arena, " and %zu more", wanting - 1);
	struct gpc_diag *diag = gpc_diag(diags, GPC_W0452, first->rebalance_at,
					 "no parent is given: tables of backend `%s`%s are made anew",
					 first->name, others);

	if (model->parent->set)
		gpc_diag_hint(diags, diag, "give with --parent the image of decision %s",
			      hex(diags->arena, model->parent->bytes));
	else
		gpc_diag_hint(diags, diag, "give with --parent the image that runs now");
}

bool gpc_parent_read(struct gpc_diags *diags, const struct gpc_model *model,
		     const struct gpc_view *view, const struct gpc_parent **ret)
{
	const struct gpc_model_backend *first = NULL;
	size_t wanting = 0;

	if (view && !is_named(diags, model, view))
		return false;
	for (size_t i = 0; i < model->backend_count; i++) {
		if (model->backends[i].rebalance != GPC_REBALANCE_MINIMAL)
			continue;
		first = first ? first : &model->backends[i];
		wanting++;
	}
	if (wanting && !view)
		warn_of_no_parent(diags, model, first, wanting);
	*ret = wanting && view ? read_view(diags->arena, *view) : NULL;
	return true;
}

/* Endpoint of the parent (counted in its backend) -> index of `endpoints`; both stand by id. */
static uint32_t *match_endpoints(struct gpc_arena *arena, const struct gpc_parent *parent,
				 const struct before *before,
				 const struct gpc_maglev_endpoint *endpoints, size_t count)
{
	const struct gpc_endpoint *old = section(parent, GPC_SEC_ENDPOINT);
	uint32_t *map = GPC_NEW_ARRAY(arena, uint32_t, before->endpoints);
	size_t k = 0;

	old += before->first_endpoint;
	for (uint32_t i = 0; i < before->endpoints; i++) {
		while (k < count && endpoints[k].id < old[i].id)
			k++;
		map[i] = k < count && endpoints[k].id == old[i].id ? (uint32_t)k : GPC_SLOT_NOBODY;
	}
	return map;
}

/* The table of the same reach; where no listener used one, another of the backend: better than none. */
static uint32_t choose_table(const struct before *before, enum gpc_reach reach)
{
	uint32_t table = before ? before->table[reach] : GPC_NONE;

	for (int other = 0; before && table == GPC_NONE && other < GPC_REACH_COUNT; other++)
		table = before->table[other];
	return table;
}

static void warn_of_size(struct gpc_diags *diags, const struct gpc_model_backend *backend,
			 uint32_t size)
{
	struct gpc_place at = backend->table_size_given ? backend->table_size_at : backend->at;
	struct gpc_diag *diag = gpc_diag(diags, GPC_W0451, at,
					 "backend `%s` has a table of %u slots, in the parent of %u: it is "
					 "made anew",
					 backend->name, backend->table_size, size);

	gpc_diag_hint(diags, diag, "`table-size: %u` keeps what may stay", size);
}

bool gpc_parent_rebalance(struct gpc_diags *diags, const struct gpc_parent *parent,
			  const struct gpc_model_backend *backend, enum gpc_reach reach,
			  const struct gpc_maglev_endpoint *endpoints, size_t count, uint16_t *slots)
{
	const struct before *before = parent ? find(parent, backend->id) : NULL;
	uint32_t number = choose_table(before, reach);
	const struct gpc_table *table;
	const uint16_t *old;
	uint32_t *map, *holders;

	if (number == GPC_NONE)
		return false;
	table = (const struct gpc_table *)section(parent, GPC_SEC_TABLE) + number;
	if (table->size != backend->table_size) {
		warn_of_size(diags, backend, table->size);
		return false;
	}
	map = match_endpoints(diags->arena, parent, before, endpoints, count);
	holders = GPC_NEW_ARRAY(diags->arena, uint32_t, table->size);
	old = (const uint16_t *)(parent->view.base + table->offset);
	for (uint32_t i = 0; i < table->size; i++)
		holders[i] = map[old[i]];
	gpc_rebalance(endpoints, count, holders, slots, table->size);
	return true;
}
