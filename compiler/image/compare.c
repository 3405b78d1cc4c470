/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/words.h"
#include "fields.h"
#include "layout.h"
#include "vips.h"

struct compare {
	const struct gpc_image *image;
	const char *bytes;
	const struct gpc_image_comparison *options;
	size_t count;
};

/* The next difference's place in the caller's array; NULL once that is full. */
static struct gpc_image_difference *next(struct compare *compare, uint64_t object)
{
	struct gpc_image_difference *difference = NULL;

	if (compare->count < compare->options->max) {
		difference = &compare->options->ret[compare->count];
		difference->object = object;
	}
	compare->count++;
	return difference;
}

__attribute__((format(printf, 3, 4))) static void report(struct compare *compare, uint64_t object,
							 const char *format, ...)
{
	struct gpc_image_difference *difference = next(compare, object);
	va_list args;

	if (!difference)
		return;
	va_start(args, format);
	vsnprintf(difference->what, sizeof(difference->what), format, args);
	va_end(args);
}

/* At most eight bytes from `from`, in hex. */
static void put_hex(char out[17], const char *bytes, size_t size)
{
	for (size_t i = 0; i < 8 && i < size; i++)
		snprintf(out + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
}

static size_t first_difference(const char *a, const char *b, size_t size)
{
	size_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	return i;
}

static void report_bytes(struct compare *compare, uint64_t object, const char *what,
			 const char *field, size_t offset, size_t size)
{
	char here[17] = "", there[17] = "";

	put_hex(here, compare->image->bytes + offset, size);
	put_hex(there, compare->bytes + offset, size);
	report(compare, object, "%s%s%s: %s %s, %s %s", what, field ? " field " : "",
	       field ? field : "", compare->options->image_label, here,
	       compare->options->bytes_label, there);
}

/* Fields of one byte whose values have names. */
static const struct named_field {
	const char *record, *field;
	const char *values[6];
} named_fields[] = {
	{"gpc_rule", "action", {"pass", "allow", "deny", "reject", "log", "mark"}},
	{"gpc_rule", "exceed", {"none", "allow", "deny", "reject"}},
	{"gpc_policy", "fallback", {"pass", "allow", "deny", "reject"}},
	{"gpc_policy", "mode", {"enforce", "audit"}},
};

static const char *value_name(const struct gpc_field *field, uint8_t value)
{
	for (size_t i = 0; i < sizeof(named_fields) / sizeof(named_fields[0]); i++) {
		const struct named_field *named = &named_fields[i];

		if (!strcmp(named->record, field->record) && !strcmp(named->field, field->name) &&
		    value < sizeof(named->values) / sizeof(named->values[0]))
			return named->values[value];
	}
	return NULL;
}

static void report_field(struct compare *compare, uint64_t object, const char *what,
			 const struct gpc_field *field, size_t offset)
{
	const char *here = value_name(field, (uint8_t)compare->image->bytes[offset]);
	const char *there = value_name(field, (uint8_t)compare->bytes[offset]);

	if (here && there)
		report(compare, object, "%s field %s: %s %s, %s %s", what, field->name,
		       compare->options->image_label, here, compare->options->bytes_label, there);
	else
		report_bytes(compare, object, what, field->name, offset, field->size);
}

/* One record: the field in which it differs first. */
static void compare_record(struct compare *compare, uint64_t object, const char *what,
			   const char *record, size_t offset, size_t size)
{
	size_t at = first_difference(compare->image->bytes + offset, compare->bytes + offset, size);
	const struct gpc_field *field;

	if (at == size)
		return;
	field = gpc_field_at(record, (uint32_t)at);
	if (field)
		report_field(compare, object, what, field, offset + field->offset);
	else
		report_bytes(compare, object, what, NULL, offset, size);
}

/* A stretch without records: padding, provenance. */
static void compare_stretch(struct compare *compare, const char *what, size_t offset, size_t end)
{
	size_t at = first_difference(compare->image->bytes + offset, compare->bytes + offset,
				     end - offset);
	char text[64];

	if (at == end - offset)
		return;
	snprintf(text, sizeof(text), "%s at byte %zu", what, offset + at);
	report_bytes(compare, 0, text, NULL, offset + at, end - offset - at);
}

/* ---- what a record is called, and whose place in the YAML explains it ---- */

static const void *record_at(const struct gpc_image *image, enum gpc_section_id id, uint32_t index)
{
	uint32_t count;
	const char *records = gpc_image_section(image, id, &count);

	return records + (size_t)index * gpc_section_entry_size(id);
}

static uint64_t describe_listener(const struct gpc_image *image, uint32_t index, char *out,
				  size_t size)
{
	const struct gpc_listener *listener = record_at(image, GPC_SEC_LISTENER, index);

	snprintf(out, size, "listener `%s`", gpc_image_name(image, listener->name));
	return listener->id;
}

static uint64_t describe_backend(const struct gpc_image *image, uint32_t index, char *out,
				 size_t size)
{
	const struct gpc_backend *backend = record_at(image, GPC_SEC_BACKEND, index);

	snprintf(out, size, "backend `%s`", gpc_image_name(image, backend->name));
	return backend->id;
}

static uint64_t describe_endpoint(const struct gpc_image *image, uint32_t index, char *out,
				  size_t size)
{
	const struct gpc_endpoint *endpoint = record_at(image, GPC_SEC_ENDPOINT, index);
	const struct gpc_backend *backend = record_at(image, GPC_SEC_BACKEND, endpoint->backend);

	snprintf(out, size, "endpoint `%s` of backend `%s`", gpc_image_name(image, endpoint->name),
		 gpc_image_name(image, backend->name));
	return endpoint->id;
}

/* By the endpoint that the entry finds. */
static uint64_t describe_found(const struct gpc_image *image, const char *what, uint32_t endpoint,
			       uint32_t index, char *out, size_t size)
{
	uint64_t object;
	char name[160];

	if (!endpoint) {
		snprintf(out, size, "%s entry %u (empty)", what, index);
		return 0;
	}
	object = describe_endpoint(image, endpoint - 1, name, sizeof(name));
	snprintf(out, size, "%s of %s", what, name);
	return object;
}

static uint64_t describe_quic(const struct gpc_image *image, uint32_t index, char *out, size_t size)
{
	const struct gpc_quic *quic = record_at(image, GPC_SEC_QUIC, index);

	return describe_found(image, "quic server id", quic->endpoint, index, out, size);
}

static uint64_t describe_endpoint_index(const struct gpc_image *image, uint32_t index, char *out,
					size_t size)
{
	const uint32_t *entry = record_at(image, GPC_SEC_EP_INDEX, index);

	return describe_found(image, "index", *entry, index, out, size);
}

/* By listener and backend, as their author wrote it: a share of a split, or who is failed over to. */
static uint64_t describe_pool(const struct gpc_image *image, uint32_t index, char *out, size_t size)
{
	const struct gpc_pool *pool = record_at(image, GPC_SEC_POOL, index);
	char listener[80], backend[80];
	uint64_t object = describe_listener(image, gpc_image_pool_listener(image, index), listener,
					    sizeof(listener));

	describe_backend(image, pool->backend, backend, sizeof(backend));
	snprintf(out, size, "%s of %s", backend, listener);
	return object;
}

static uint64_t describe_interface(const struct gpc_image *image, uint32_t index, char *out,
				   size_t size)
{
	const struct gpc_interface *interface = record_at(image, GPC_SEC_INTERFACE, index);

	snprintf(out, size, "interface `%s`", gpc_image_name(image, interface->name));
	return interface->id;
}

static uint64_t describe_invariant(const struct gpc_image *image, uint32_t index, char *out,
				   size_t size)
{
	const struct gpc_invariant *invariant = record_at(image, GPC_SEC_INVARIANT, index);

	snprintf(out, size, "invariant `%s`", gpc_image_name(image, invariant->name));
	return invariant->id;
}

static void take_first(void *user, uint32_t listener, uint64_t interfaces)
{
	uint32_t *first = user;

	(void)interfaces;
	if (*first == GPC_NONE)
		*first = listener;
}

static uint64_t describe_vip(const struct gpc_image *image, uint32_t index, char *out, size_t size)
{
	const struct gpc_vip *vip = record_at(image, GPC_SEC_VIP, index);
	uint32_t listener = GPC_NONE;
	uint64_t object;
	char name[128];

	gpc_image_vip_listeners(image, vip, take_first, &listener);
	if (listener == GPC_NONE) {
		snprintf(out, size, "vip entry %u%s", index,
			 gpc_vip_is_used(vip) ? "" : " (empty)");
		return 0;
	}
	object = describe_listener(image, listener, name, sizeof(name));
	snprintf(out, size, "vip entry %u of %s", index, name);
	return object;
}

/* Intervals of ports and choices by interface, by their listeners. */
static uint64_t describe_said(const struct gpc_image *image, const char *what, uint32_t listener,
			      uint32_t index, char *out, size_t size)
{
	uint64_t object = 0;
	char name[96] = "no listener";

	if (listener != GPC_NONE)
		object = describe_listener(image, listener, name, sizeof(name));
	snprintf(out, size, "%s entry %u of %s", what, index, name);
	return object;
}

static uint64_t describe_choice(const struct gpc_image *image, uint32_t index, char *out,
				size_t size)
{
	const struct gpc_vip_choice *choice = record_at(image, GPC_SEC_VIP_CHOICE, index);

	return describe_said(image, "vip-choice", choice->listener, index, out, size);
}

static uint64_t describe_ports(const struct gpc_image *image, uint32_t index, char *out, size_t size)
{
	const struct gpc_vip_ports *ports = record_at(image, GPC_SEC_VIP_PORTS, index);
	uint32_t listener = ports->listener;

	if (ports->flags & GPC_VIP_CHOICE)
		listener = ((const struct gpc_vip_choice *)record_at(image, GPC_SEC_VIP_CHOICE,
								     listener))->listener;
	return describe_said(image, "vip-ports", listener, index, out, size);
}

static uint64_t describe_table(const struct gpc_image *image, uint32_t index, char *out,
			       size_t size)
{
	const struct gpc_table *table = record_at(image, GPC_SEC_TABLE, index);
	uint64_t object;
	char name[128];

	object = describe_backend(image, table->backend, name, sizeof(name));
	snprintf(out, size, "maglev table %u of %s", index, name);
	return object;
}

static uint64_t describe_policy(const struct gpc_image *image, uint32_t index, char *out,
				size_t size)
{
	const struct gpc_policy *policy = record_at(image, GPC_SEC_POLICY, index);

	snprintf(out, size, "policy `%s`", gpc_image_name(image, policy->name));
	return policy->id;
}

/* The built-ins and `protect` items belong to no policy. */
static uint64_t describe_rule(const struct gpc_image *image, uint32_t index, char *out, size_t size)
{
	const struct gpc_rule *rule = record_at(image, GPC_SEC_RULE, index);
	const char *name = gpc_image_name(image, rule->name);
	char policy[128];

	if (rule->flags & GPC_RULE_BUILTIN) {
		snprintf(out, size, "built-in rule `%s`", name);
	} else if (rule->flags & GPC_RULE_PROTECT) {
		snprintf(out, size, "protect `%s`", name);
	} else {
		describe_policy(image, rule->policy, policy, sizeof(policy));
		snprintf(out, size, "rule `%s` of %s", name, policy);
	}
	return rule->id;
}

static uint64_t describe_chain(const struct gpc_image *image, uint32_t index, char *out,
			       size_t size)
{
	const struct gpc_chain *chain = record_at(image, GPC_SEC_CHAIN, index);
	uint64_t object;
	char name[128];

	object = describe_interface(image, chain->interface, name, sizeof(name));
	snprintf(out, size, "%s chain of %s",
		 gpc_direction_name(chain->direction), name);
	return object;
}

/* By the policy that asks it. */
static uint64_t describe_classifier(const struct gpc_image *image, uint32_t index, char *out,
				    size_t size)
{
	uint32_t policies = image->plane->section[GPC_SEC_POLICY].count;
	uint64_t object;
	char name[128];

	for (uint32_t i = 0; i < policies; i++) {
		const struct gpc_policy *policy = record_at(image, GPC_SEC_POLICY, i);

		if (policy->decide != index && policy->log != index && policy->mark != index)
			continue;
		object = describe_policy(image, i, name, sizeof(name));
		snprintf(out, size, "classifier %u of %s", index, name);
		return object;
	}
	snprintf(out, size, "classifier %u of protect", index);
	return 0;
}

static uint64_t describe(const struct gpc_image *image, enum gpc_section_id id, uint32_t index,
			 char *out, size_t size)
{
	switch (id) {
	case GPC_SEC_LISTENER:
		return describe_listener(image, index, out, size);
	case GPC_SEC_ENDPOINT:
		return describe_endpoint(image, index, out, size);
	case GPC_SEC_BACKEND:
		return describe_backend(image, index, out, size);
	case GPC_SEC_POOL:
		return describe_pool(image, index, out, size);
	case GPC_SEC_QUIC:
		return describe_quic(image, index, out, size);
	case GPC_SEC_EP_INDEX:
		return describe_endpoint_index(image, index, out, size);
	case GPC_SEC_VIP_CHOICE:
		return describe_choice(image, index, out, size);
	case GPC_SEC_VIP_PORTS:
		return describe_ports(image, index, out, size);
	case GPC_SEC_INTERFACE:
		return describe_interface(image, index, out, size);
	case GPC_SEC_INVARIANT:
		return describe_invariant(image, index, out, size);
	case GPC_SEC_VIP:
		return describe_vip(image, index, out, size);
	case GPC_SEC_TABLE:
		return describe_table(image, index, out, size);
	case GPC_SEC_POLICY:
		return describe_policy(image, index, out, size);
	case GPC_SEC_RULE:
		return describe_rule(image, index, out, size);
	case GPC_SEC_CHAIN:
		return describe_chain(image, index, out, size);
	case GPC_SEC_CLASSIFIER:
		return describe_classifier(image, index, out, size);
	default:
		snprintf(out, size, "%s entry %u", gpc_section_name(id), index);
		return 0;
	}
}

/* ---- sections ---- */

/* What a slot value means in the image's table, "?" if no endpoint of the backend. */
static void name_slot(const struct gpc_image *image, const struct gpc_backend *backend,
		      uint16_t value, char out[80])
{
	const struct gpc_endpoint *endpoint;

	if (value >= backend->endpoints) {
		snprintf(out, 80, "%u (no endpoint)", value);
		return;
	}
	endpoint = record_at(image, GPC_SEC_ENDPOINT, backend->first_endpoint + value);
	snprintf(out, 80, "%s", gpc_image_name(image, endpoint->name));
}

static void compare_slots(struct compare *compare)
{
	const struct gpc_image *image = compare->image;
	uint32_t tables = image->plane->section[GPC_SEC_TABLE].count;

	for (uint32_t t = 0; t < tables; t++) {
		const struct gpc_table *table = record_at(image, GPC_SEC_TABLE, t);
		const struct gpc_backend *backend =
			record_at(image, GPC_SEC_BACKEND, table->backend);

		for (uint32_t slot = 0; slot < table->size; slot++) {
			uint32_t offset = table->offset + 2 * slot;
			uint16_t here, there;
			char wanted[80], found[80];

			memcpy(&here, image->bytes + offset, sizeof(here));
			memcpy(&there, compare->bytes + offset, sizeof(there));
			if (here == there)
				continue;
			name_slot(image, backend, here, wanted);
			name_slot(image, backend, there, found);
			report(compare, backend->id, "maglev slot %u of backend `%s`: %s %s, %s %s",
			       slot, gpc_image_name(image, backend->name),
			       compare->options->image_label, wanted, compare->options->bytes_label,
			       found);
		}
	}
}

/* Records of a section are named as in image.h, "struct gpc_vip"; plain words have no fields. */
static const char *record_name(enum gpc_section_id id)
{
	static const char *const types[GPC_SEC_COUNT] = {
#define X(section, name, type) #type,
		GPC_SECTIONS(X)
#undef X
	};
	const char *space = strchr(types[id], ' ');

	return space ? space + 1 : types[id];
}

static void compare_section(struct compare *compare, enum gpc_section_id id)
{
	const struct gpc_section *section = &compare->image->plane->section[id];
	char what[192];

	if (!memcmp(compare->image->bytes + section->offset, compare->bytes + section->offset,
		    section->size))
		return;
	if (id == GPC_SEC_MAGLEV) {
		compare_slots(compare);
		return;
	}
	if (id == GPC_SEC_NAMES) {
		compare_stretch(compare, "names", section->offset, section->offset + section->size);
		return;
	}
	for (uint32_t i = 0; i < section->count; i++) {
		size_t offset = section->offset + (size_t)i * section->entry_size;
		uint64_t object;

		if (!memcmp(compare->image->bytes + offset, compare->bytes + offset,
			    section->entry_size))
			continue;
		object = describe(compare->image, id, i, what, sizeof(what));
		compare_record(compare, object, what, record_name(id), offset, section->entry_size);
	}
}

static void compare_paddings(struct compare *compare)
{
	const struct gpc_image *image = compare->image;
	const struct gpc_section *sections = image->plane->section;
	size_t end = sizeof(struct gpc_image_head) + sizeof(struct gpc_plane);

	for (int id = 0; id < GPC_SEC_COUNT; id++) {
		compare_stretch(compare, "padding", end, sections[id].offset);
		end = sections[id].offset + sections[id].size;
	}
	compare_stretch(compare, "padding", end, image->head->provenance_offset);
	compare_stretch(compare, "provenance", image->head->provenance_offset,
			image->head->link_offset);
}

size_t gpc_image_compare(const struct gpc_image *image, const void *bytes, size_t size,
			 const struct gpc_image_comparison *comparison)
{
	struct compare compare = {.image = image, .bytes = bytes, .options = comparison};

	if (size < image->head->link_offset) {
		report(&compare, 0, "size: %s %zu bytes, %s %zu", comparison->image_label,
		       image->size, comparison->bytes_label, size);
		return compare.count;
	}
	if (!memcmp(image->bytes, bytes, image->head->link_offset))
		return 0;
	compare_record(&compare, 0, "header", "gpc_image_head", 0, sizeof(struct gpc_image_head));
	compare_record(&compare, 0, "plane", "gpc_plane", sizeof(struct gpc_image_head),
		       sizeof(struct gpc_plane));
	for (int id = 0; id < GPC_SEC_COUNT; id++)
		compare_section(&compare, id);
	compare_paddings(&compare);
	return compare.count;
}
