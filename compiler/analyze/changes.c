/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/words.h"
#include "../base/cleanup.h"
#include "../base/ip.h"
#include "../image/dump.h"
#include "../image/vips.h"
#include "../model/id.h"
#include "changes_balancing.h"
#include "changes_invariants.h"
#include "changes_policies.h"
#include "gpc/lookup/vip_entry.h"

#define KEY_FACTOR 0x9e3779b97f4a7c15ull /* 2^64 / golden ratio, odd: spreads addresses */

static const char *const object_names[][2] = {
	{"plane", "planes"},	   {"interface", "interfaces"}, {"backend", "backends"},
	{"endpoint", "endpoints"}, {"listener", "listeners"},	{"policy", "policies"},
	{"rule", "rules"},	   {"invariant", "invariants"}, {"chain", "chains"},
};
_Static_assert(sizeof(object_names) / sizeof(object_names[0]) == GPC_CHANGE_OBJECTS,
	       "one name per kind of object");
static const char *const kind_names[] = {"added", "removed", "changed"};
static const char *const state_names[] = {"ready", "drain", "maint"};
static const char *const mode_names[] = {"native", "generic", "any"};

const char *gpc_change_object_name(enum gpc_change_object object)
{
	return object_names[object][0];
}

const char *gpc_change_object_names(enum gpc_change_object object)
{
	return object_names[object][1];
}

const char *gpc_change_kind_name(enum gpc_change_kind kind)
{
	return kind_names[kind];
}

const char *gpc_state_name(unsigned int state)
{
	return state < 3 ? state_names[state] : "?";
}

/* ---- one kind of object, seen alike: records in any order, an id first, a name, a difference ----
 */

void gpc_change_note(struct gpc_change_text *b, const char *format, ...)
{
	va_list args;
	int n;

	if (b->used && b->used + 2 < sizeof(b->text)) {
		memcpy(b->text + b->used, ", ", 3);
		b->used += 2;
	}
	va_start(args, format);
	n = vsnprintf(b->text + b->used, sizeof(b->text) - b->used, format, args);
	va_end(args);
	b->used += (size_t)n;
	if (b->used >= sizeof(b->text))
		b->used = sizeof(b->text) - 1;
}

struct pair {
	const struct gpc_image *before, *after;
	const uint64_t *keys_before, *keys_after; /* listener_keys() */
};

struct kind {
	enum gpc_section_id section;
	bool (*counts)(const void *record); /* NULL: all */
	char *(*name)(const struct gpc_image *image, const void *record);
	void (*differ)(const struct pair *images, const void *before, const void *after,
		       struct gpc_change_text *out);
};

static uint64_t id_of(const void *record)
{
	uint64_t id;

	memcpy(&id, record, sizeof(id));
	return id;
}

static char *copy(const char *text)
{
	char *out = strdup(text);

	if (!out)
		abort();
	return out;
}

const void *gpc_change_record(const struct gpc_image *image, enum gpc_section_id section,
			      uint32_t index)
{
	uint32_t count;
	const char *first = gpc_image_section(image, section, &count);

	return first + (size_t)index * image->plane->section[section].entry_size;
}

static char *interface_name(const struct gpc_image *image, const void *record)
{
	return copy(gpc_image_name(image, ((const struct gpc_interface *)record)->name));
}

static char *backend_name(const struct gpc_image *image, const void *record)
{
	return copy(gpc_image_name(image, ((const struct gpc_backend *)record)->name));
}

static char *listener_name(const struct gpc_image *image, const void *record)
{
	return copy(gpc_image_name(image, ((const struct gpc_listener *)record)->name));
}

static char *endpoint_name(const struct gpc_image *image, const void *record)
{
	const struct gpc_endpoint *e = record;
	const struct gpc_backend *b = gpc_change_record(image, GPC_SEC_BACKEND, e->backend);
	char *out;

	if (asprintf(&out, "%s/%s", gpc_image_name(image, b->name),
		     gpc_image_name(image, e->name)) < 0)
		abort();
	return out;
}

static void note_hooks(uint32_t from, uint32_t to, struct gpc_change_text *out)
{
	static const struct {
		uint32_t hook;
		const char *name;
	} hooks[] = {{GPC_HOOK_XDP, "xdp"}, {GPC_HOOK_TC_INGRESS, "tc-ingress"}, {GPC_HOOK_TC_EGRESS, "tc-egress"}};

	for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
		if ((from ^ to) & hooks[i].hook)
			gpc_change_note(out, "hook %s %s", hooks[i].name,
					to & hooks[i].hook ? "added" : "removed");
}

static void interface_differ(const struct pair *images, const void *before, const void *after,
			     struct gpc_change_text *out)
{
	const struct gpc_interface *a = before, *b = after;

	(void)images;
	if (a->mode != b->mode)
		gpc_change_note(out, "mode %s -> %s", mode_names[a->mode % 3], mode_names[b->mode % 3]);
	if (a->role != b->role)
		gpc_change_note(out, "role %s -> %s", a->role ? "decap" : "edge", b->role ? "decap" : "edge");
	if (a->hooks != b->hooks)
		note_hooks(a->hooks, b->hooks, out);
}

static void backend_differ(const struct pair *images, const void *before, const void *after,
			   struct gpc_change_text *out)
{
	gpc_changes_backend_differ(images->before, before, images->after, after, out);
}

static void endpoint_differ(const struct pair *images, const void *before, const void *after,
			    struct gpc_change_text *out)
{
	(void)images;
	gpc_changes_endpoint_differ(before, after, out);
}

struct listener_keys {
	uint64_t *keys, *interfaces;	/* by listener; interfaces: of the entry that is looked at */
	uint64_t key;			/* of that entry */
};

/* An entry leads to a listener by several intervals of ports: what counts is where they all do. */
static void join_interfaces(void *user, uint32_t listener, uint64_t interfaces)
{
	struct listener_keys *all = user;

	all->interfaces[listener] |= interfaces;
}

static void add_key(void *user, uint32_t listener, uint64_t interfaces)
{
	struct listener_keys *all = user;

	(void)interfaces;
	if (all->interfaces[listener])
		all->keys[listener] += all->key ^ all->interfaces[listener];
	all->interfaces[listener] = 0;
}

/*
 * By listener index, one number over the prefixes by which the image finds it and their interfaces, whatever
 * their order in the table. malloc'ed.
 */
static uint64_t *listener_keys(const struct gpc_image *image)
{
	uint32_t vips, listeners;
	const struct gpc_vip *vip = gpc_image_section(image, GPC_SEC_VIP, &vips);
	struct listener_keys all;

	gpc_image_section(image, GPC_SEC_LISTENER, &listeners);
	all.keys = calloc(listeners + 1ul, sizeof(*all.keys));
	all.interfaces = calloc(listeners + 1ul, sizeof(*all.interfaces));
	if (!all.keys || !all.interfaces)
		abort();
	for (uint32_t i = 0; i < vips; i++) {
		struct gpc_prefix prefix;

		gpc_vip_prefix_of(&vip[i], &prefix);
		all.key = (vip[i].address_be[0] * 31 + vip[i].address_be[1] + prefix.length) *
			  KEY_FACTOR;
		if (gpc_vip_kind(&vip[i]) == GPC_VIP_SOLE)
			continue;
		gpc_image_vip_listeners(image, &vip[i], join_interfaces, &all);
		gpc_image_vip_listeners(image, &vip[i], add_key, &all);
	}
	free(all.interfaces);
	return all.keys;
}

static uint32_t index_of(const struct gpc_image *image, enum gpc_section_id section,
			 const void *record)
{
	const struct gpc_section *s = &image->plane->section[section];

	return (uint32_t)(((const char *)record - image->bytes - s->offset) / s->entry_size);
}

static void listener_differ(const struct pair *images, const void *before, const void *after,
			    struct gpc_change_text *out)
{
	gpc_changes_listener_differ(images->before, before, images->after, after, out);
	if (images->keys_before[index_of(images->before, GPC_SEC_LISTENER, before)] !=
	    images->keys_after[index_of(images->after, GPC_SEC_LISTENER, after)])
		gpc_changes_listener_places(images->before, before, images->after, after, out);
}

static char *policy_name(const struct gpc_image *image, const void *record)
{
	return copy(gpc_image_name(image, ((const struct gpc_policy *)record)->name));
}

static void policy_differ(const struct pair *images, const void *before, const void *after,
			  struct gpc_change_text *out)
{
	gpc_changes_policy_differ(images->before, before, images->after, after, out);
}

static char *rule_name(const struct gpc_image *image, const void *record)
{
	const struct gpc_rule *rule = record;
	const struct gpc_policy *policy =
		rule->policy == GPC_NONE ? NULL
					 : gpc_change_record(image, GPC_SEC_POLICY, rule->policy);
	char *out;

	if (asprintf(&out, "%s/%s", policy ? gpc_image_name(image, policy->name) : "protect",
		     gpc_image_name(image, rule->name)) < 0)
		abort();
	return out;
}

static void rule_differ(const struct pair *images, const void *before, const void *after,
			struct gpc_change_text *out)
{
	(void)images;
	gpc_changes_rule_differ(before, after, out);
}

static char *invariant_name(const struct gpc_image *image, const void *record)
{
	return copy(gpc_image_name(image, ((const struct gpc_invariant *)record)->name));
}

static void invariant_differ(const struct pair *images, const void *before, const void *after,
			     struct gpc_change_text *out)
{
	gpc_changes_invariant_differ(images->before, before, images->after, after, out);
}

static void builtins_differ(const struct gpc_plane *a, const struct gpc_plane *b,
			    struct gpc_change_text *out)
{

	for (int i = 0; i < GPC_BUILTIN_COUNT; i++)
		if (a->builtin[i] != b->builtin[i])
			gpc_change_note(out, "builtin %s %s -> %s", gpc_builtin_names[i],
					gpc_builtin_action_name(a->builtin[i]),
					gpc_builtin_action_name(b->builtin[i]));
}

static unsigned int fragments_of(const struct gpc_plane *plane)
{
	return plane->flags >> GPC_PLANE_FRAGMENTS_SHIFT & 3;
}

static const char *pickup_text(uint32_t seconds, char out[16])
{
	if (!seconds || seconds == GPC_NONE)
		return seconds ? "always" : "never";
	snprintf(out, 16, "%us", seconds);
	return out;
}

/* The one record without an id: what is true for all packets. */
static void plane_differ(const struct gpc_plane *a, const struct gpc_plane *b, struct gpc_change_text *out)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {{GPC_PLANE_ON_FAIL_DROP, "on-fail"},
		     {GPC_PLANE_MALFORMED_DROP, "malformed"},
		     {GPC_PLANE_NON_IP_DROP, "non-ip"}};
	char from[16], to[16];

	if (memcmp(a->hash_seed, b->hash_seed, sizeof(a->hash_seed)))
		gpc_change_note(out, "hash seed changed: all new flows move");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if ((a->flags ^ b->flags) & flags[i].flag)
			gpc_change_note(out, "%s %s -> %s", flags[i].name,
			     a->flags & flags[i].flag ? "drop" : "pass",
			     b->flags & flags[i].flag ? "drop" : "pass");
	if (fragments_of(a) != fragments_of(b))
		gpc_change_note(out, "fragments %s -> %s", gpc_fragments_name(fragments_of(a)),
				gpc_fragments_name(fragments_of(b)));
	if (a->flows != b->flows)
		gpc_change_note(out, "flows %u -> %u", a->flows, b->flows);
	if (a->flow_inserts != b->flow_inserts)
		gpc_change_note(out, "flow-inserts %u -> %u", a->flow_inserts, b->flow_inserts);
	for (int i = 0; i < GPC_TIMEOUT_COUNT; i++)
		if (a->timeout[i] != b->timeout[i])
			gpc_change_note(out, "timeout %s %u -> %u", gpc_timeout_name((unsigned int)i),
					a->timeout[i], b->timeout[i]);
	if (a->pickup != b->pickup)
		gpc_change_note(out, "pickup %s -> %s", pickup_text(a->pickup, from),
				pickup_text(b->pickup, to));
	builtins_differ(a, b, out);
}

static const struct kind kinds[] = {
	[GPC_CHANGE_INTERFACE] = {GPC_SEC_INTERFACE, NULL, interface_name, interface_differ},
	[GPC_CHANGE_BACKEND] = {GPC_SEC_BACKEND, NULL, backend_name, backend_differ},
	[GPC_CHANGE_ENDPOINT] = {GPC_SEC_ENDPOINT, NULL, endpoint_name, endpoint_differ},
	[GPC_CHANGE_LISTENER] = {GPC_SEC_LISTENER, NULL, listener_name, listener_differ},
	[GPC_CHANGE_POLICY] = {GPC_SEC_POLICY, NULL, policy_name, policy_differ},
	[GPC_CHANGE_RULE] = {GPC_SEC_RULE, gpc_change_counts_rule, rule_name, rule_differ},
	[GPC_CHANGE_INVARIANT] = {GPC_SEC_INVARIANT, NULL, invariant_name, invariant_differ},
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == GPC_CHANGE_CHAIN,
	       "one row per kind of object that has an id");

/* ---- joining two images by id ---- */

static int compare_records(const void *a, const void *b)
{
	uint64_t x = id_of(*(const void *const *)a), y = id_of(*(const void *const *)b);

	return (x > y) - (x < y);
}

/* The records of a section that count, sorted by id; malloc'ed. */
static const void **sorted(const struct gpc_image *image, enum gpc_section_id section,
			   bool (*counts)(const void *record), uint32_t *ret_count)
{
	uint32_t records = 0;
	const void **list;

	*ret_count = 0;
	if (image)
		gpc_image_section(image, section, &records);
	list = calloc(records + 1ul, sizeof(*list));
	if (!list)
		abort();
	for (uint32_t i = 0; i < records; i++) {
		const void *record = gpc_change_record(image, section, i);

		if (!counts || counts(record))
			list[(*ret_count)++] = record;
	}
	qsort(list, *ret_count, sizeof(*list), compare_records);
	return list;
}

void gpc_changes_add(struct gpc_changes *changes, enum gpc_change_object object,
		     enum gpc_change_kind kind, char *name, const char *text)
{
	if ((changes->count & (changes->count - 1)) == 0) { /* full at each power of two */
		size_t room = changes->count ? changes->count * 2 : 1;

		changes->items = reallocarray(changes->items, room, sizeof(*changes->items));
		if (!changes->items)
			abort();
	}
	changes->items[changes->count++] = (struct gpc_change){
		.object = object, .kind = kind, .name = name, .text = copy(text)};
	changes->counts[object][kind]++;
}

static void compare_planes(struct gpc_changes *changes, const struct pair *images)
{
	const char *from = gpc_image_name(images->before, images->before->plane->name);
	const char *to = gpc_image_name(images->after, images->after->plane->name);
	struct gpc_change_text text = {0};

	if (strcmp(from, to))
		gpc_change_note(&text, "name %s -> %s", from, to);
	plane_differ(images->before->plane, images->after->plane, &text);
	if (text.used)
		gpc_changes_add(changes, GPC_CHANGE_PLANE, GPC_CHANGE_CHANGED, copy(to), text.text);
}

static void compare_kind(struct gpc_changes *changes, enum gpc_change_object object,
			 const struct pair *images)
{
	const struct kind *kind = &kinds[object];
	uint32_t na, nb, i = 0, j = 0;
	GPC_AUTO_FREE const void **a = sorted(images->before, kind->section, kind->counts, &na);
	GPC_AUTO_FREE const void **b = sorted(images->after, kind->section, kind->counts, &nb);

	while (i < na || j < nb) {
		if (j == nb || (i < na && id_of(a[i]) < id_of(b[j]))) {
			gpc_changes_add(changes, object, GPC_CHANGE_REMOVED,
				   kind->name(images->before, a[i]), "");
			i++;
		} else if (i == na || id_of(b[j]) < id_of(a[i])) {
			gpc_changes_add(changes, object, GPC_CHANGE_ADDED,
				   kind->name(images->after, b[j]), "");
			j++;
		} else {
			struct gpc_change_text text = {0};

			kind->differ(images, a[i], b[j], &text);
			if (text.used) {
				gpc_changes_add(changes, object, GPC_CHANGE_CHANGED,
					   kind->name(images->after, b[j]), text.text);
				changes->items[changes->count - 1].alone = text.alone;
			}
			i++;
			j++;
		}
	}
}

/* ---- Maglev slots ---- */

/* The table that new v4 (else v6) flows of a backend use; NULL if none. */
static const struct gpc_table *table_of(const struct gpc_image *image, uint32_t backend)
{
	uint32_t count;
	const struct gpc_table *table = gpc_image_section(image, GPC_SEC_TABLE, &count);

	for (uint32_t i = 0; i < count; i++)
		if (table[i].backend == backend)
			return &table[i];
	return NULL;
}

/* What a slot leads to: endpoints[slots[s]]. */
struct slots {
	const __u16 *slots;
	const struct gpc_endpoint *endpoints;
};

static struct slots slots_of(const struct gpc_image *image, const struct gpc_table *table)
{
	const struct gpc_backend *backend = gpc_change_record(image, GPC_SEC_BACKEND, table->backend);

	return (struct slots){
		.slots = (const void *)(image->bytes + table->offset),
		.endpoints = gpc_change_record(image, GPC_SEC_ENDPOINT, backend->first_endpoint),
	};
}

/* Slots of y whose endpoint is another than in x. */
static uint32_t count_moved(const struct pair *images, const struct gpc_table *x,
			    const struct gpc_table *y)
{
	const struct slots before = slots_of(images->before, x), after = slots_of(images->after, y);
	uint32_t moved = 0;

	if (x->size != y->size)
		return y->size;
	for (uint32_t s = 0; s < y->size; s++)
		moved += before.endpoints[before.slots[s]].id != after.endpoints[after.slots[s]].id;
	return moved;
}

static void compare_slots(struct gpc_changes *changes, const struct pair *images)
{
	uint32_t na, nb, i = 0, j = 0;
	GPC_AUTO_FREE const void **a = sorted(images->before, GPC_SEC_BACKEND, NULL, &na);
	GPC_AUTO_FREE const void **b = sorted(images->after, GPC_SEC_BACKEND, NULL, &nb);

	while (i < na && j < nb) {
		const struct gpc_table *x, *y;

		if (id_of(a[i]) != id_of(b[j])) {
			id_of(a[i]) < id_of(b[j]) ? i++ : j++;
			continue;
		}
		x = table_of(images->before, index_of(images->before, GPC_SEC_BACKEND, a[i++]));
		y = table_of(images->after, index_of(images->after, GPC_SEC_BACKEND, b[j++]));
		if (!x || !y)
			continue;
		changes->slots += y->size;
		changes->slots_moved += count_moved(images, x, y);
	}
}

static int compare_changes(const void *a, const void *b)
{
	const struct gpc_change *x = a, *y = b;

	return x->object != y->object ? (int)x->object - (int)y->object : strcmp(x->name, y->name);
}

void gpc_changes_compare(const struct gpc_image *before, const struct gpc_image *after,
			 struct gpc_changes *ret)
{
	GPC_AUTO_FREE uint64_t *keys_before = before ? listener_keys(before) : NULL;
	GPC_AUTO_FREE uint64_t *keys_after = listener_keys(after);
	const struct pair images = {before, after, keys_before, keys_after};
	struct gpc_changes changes = {0};

	if (before)
		compare_planes(&changes, &images);
	for (int object = GPC_CHANGE_PLANE + 1; object < GPC_CHANGE_CHAIN; object++)
		compare_kind(&changes, object, &images);
	gpc_changes_compare_chains(&changes, before, after);
	if (before)
		compare_slots(&changes, &images);
	if (changes.count)
		qsort(changes.items, changes.count, sizeof(*changes.items), compare_changes);
	*ret = changes;
}

void gpc_changes_release(struct gpc_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->items[i].name);
		free(changes->items[i].text);
	}
	free(changes->items);
	*changes = (struct gpc_changes){0};
}
