/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/json_text.h"
#include "../base/utf8.h"
#include "../model/id.h"
#include "segments.h"
#include "write.h"

struct object {
	uint64_t id;
	const char *kind, *owner, *name; /* kind NULL: a policy's rule; owner: an endpoint's backend */
	struct gpc_place at;
	struct gpc_line_column position;
};

#define COLLECT(into, objects, count, kind_)                                                       \
	for (size_t i_ = 0; i_ < (count); i_++)                                                    \
		*(into)++ = (struct object)                                                        \
		{                                                                                  \
			.id = (objects)[i_].id, .kind = (kind_), .name = (objects)[i_].name,       \
			.at = (objects)[i_].at                                                     \
		}

static size_t count_rules(const struct gpc_model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->policy_count; i++)
		count += model->policies[i].rule_count + 1;
	return count;
}

/* The rules of a policy, where each is written, and its default, which is the policy's. */
static struct object *list_rules(const struct gpc_model *model,
				 const struct gpc_model_policy *policy, struct object *next)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		*next++ = (struct object){.id = policy->rule_ids[i],
					  .at = model->rules[policy->rules[i]].at};
	*next++ = (struct object){.id = policy->default_id, .at = policy->at};
	return next;
}

static struct object *list_objects(struct gpc_arena *arena, const struct gpc_model *model,
				   size_t *ret_count)
{
	size_t count = model->interface_count + model->backend_count + model->endpoint_count +
		       model->listener_count + model->policy_count + model->protect_count +
		       model->invariant_count + count_rules(model);
	struct object *objects = GPC_NEW_ARRAY(arena, struct object, count), *next = objects;

	for (size_t i = 0; i < model->endpoint_count; i++) {
		const struct gpc_model_endpoint *endpoint = &model->endpoints[i];

		*next++ = (struct object){.id = endpoint->id,
					  .kind = GPC_KIND_ENDPOINT,
					  .owner = model->backends[endpoint->backend].name,
					  .name = endpoint->name,
					  .at = endpoint->at};
	}
	COLLECT(next, model->interfaces, model->interface_count, GPC_KIND_INTERFACE);
	COLLECT(next, model->backends, model->backend_count, GPC_KIND_BACKEND);
	COLLECT(next, model->listeners, model->listener_count, GPC_KIND_LISTENER);
	COLLECT(next, model->policies, model->policy_count, GPC_KIND_POLICY);
	COLLECT(next, model->protects, model->protect_count, GPC_KIND_PROTECT);
	COLLECT(next, model->invariants, model->invariant_count, GPC_KIND_INVARIANT);
	for (size_t i = 0; i < model->policy_count; i++)
		next = list_rules(model, &model->policies[i], next);
	*ret_count = count;
	return objects;
}

static int by_place(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	if (x->at.source != y->at.source)
		return x->at.source < y->at.source ? -1 : 1;
	return x->at.start < y->at.start ? -1 : x->at.start > y->at.start;
}

static int by_id(const void *a, const void *b)
{
	const struct object *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/*
 * Line and column of all objects in one walk over each text: asking for them one by one would count
 * a long line (JSON is often a single one) again for every object.
 */
static void find_positions(const struct gpc_diags *diags, struct object *objects, size_t count)
{
	uint32_t source = GPC_NO_SOURCE, offset = 0;
	struct gpc_line_column here = {0};

	for (size_t i = 0; i < count; i++) {
		struct gpc_place at = objects[i].at;
		const char *text;

		if (at.source == GPC_NO_SOURCE)
			continue;
		if (at.source != source) {
			source = at.source;
			offset = 0;
			here = (struct gpc_line_column){1, 1};
		}
		for (text = diags->sources.items[source].text; offset < at.start; offset++) {
			if (text[offset] == '\n')
				here = (struct gpc_line_column){here.line + 1, 1};
			else if (!gpc_utf8_is_continuation(text[offset + 1]))
				here.column++;
		}
		objects[i].position = here;
	}
}

/* Sources by path; position of source number i in that order. */
struct sorted_source {
	const char *path;
	uint32_t source;
};

static int by_path(const void *a, const void *b)
{
	const struct sorted_source *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static uint32_t *put_sources(const struct gpc_diags *diags, FILE *out)
{
	size_t count = diags->sources.n;
	struct sorted_source *sorted = GPC_NEW_ARRAY(diags->arena, struct sorted_source, count);
	uint32_t *rank = GPC_NEW_ARRAY(diags->arena, uint32_t, count);

	for (uint32_t i = 0; i < count; i++)
		sorted[i] = (struct sorted_source){diags->sources.items[i].path, i};
	if (count)
		qsort(sorted, count, sizeof(*sorted), by_path);
	fputs("\"sources\":[", out);
	for (uint32_t i = 0; i < count; i++) {
		rank[sorted[i].source] = i;
		fputs(i ? "," : "", out);
		gpc_json_put(out, sorted[i].path);
	}
	fputs("],\n", out);
	return rank;
}

static char *hex(char *to, uint64_t number)
{
	static const char digits[] = "0123456789abcdef";

	for (int shift = 60; shift >= 0; shift -= 4)
		*to++ = digits[number >> shift & 15];
	return to;
}

static char *decimal(char *to, uint32_t number)
{
	char digits[10];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while (number /= 10);
	while (count)
		*to++ = digits[--count];
	return to;
}

/* "0123456789abcdef":[0,123,5]; there may be a hundred thousand, so not by fprintf(). */
static void put_rule(const struct object *object, const uint32_t *rank, FILE *out)
{
	char line[64], *at = line;

	*at++ = '"';
	at = hex(at, object->id);
	*at++ = '"';
	*at++ = ':';
	*at++ = '[';
	at = decimal(at, rank[object->at.source]);
	*at++ = ',';
	at = decimal(at, object->position.line);
	*at++ = ',';
	at = decimal(at, object->position.column);
	*at++ = ']';
	fwrite(line, 1, (size_t)(at - line), out);
}

static void put_object(const struct object *object, const uint32_t *rank, FILE *out)
{
	if (!object->kind) {
		put_rule(object, rank, out);
		return;
	}
	fprintf(out, "\"%016" PRIx64 "\":{\"kind\":\"%s\",", object->id, object->kind);
	if (object->owner) {
		fputs("\"backend\":", out);
		gpc_json_put(out, object->owner);
		fputc(',', out);
	}
	fputs("\"name\":", out);
	gpc_json_put(out, object->name);
	if (object->at.source != GPC_NO_SOURCE)
		fprintf(out, ",\"at\":[%u,%u,%u]", rank[object->at.source], object->position.line,
			object->position.column);
	fputc('}', out);
}

/* Only where there are any. */
static void put_probes(const struct gpc_model *model, FILE *out)
{
	for (size_t i = 0; i < model->probe_count; i++) {
		fputs(i ? ",\n" : "\"probes\":[\n", out);
		gpc_model_probe_json(&model->probes[i], out);
	}
	fputs(model->probe_count ? "\n],\n" : "", out);
}

/* ---- segments ---- */

struct named {
	const struct gpc_model_segment *segment;
	const struct gpc_prefix *prefixes;
	size_t count;
};

static int by_count(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	return strcmp(x->segment->name, y->segment->name);
}

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->segment->name, y->segment->name);
}

/* Those that are small enough, the smallest first while there is room; by name in the end. */
static struct named *choose_segments(struct gpc_arena *arena, const struct gpc_model *model,
				     size_t *ret_count)
{
	struct named *list = GPC_NEW_ARRAY(arena, struct named, model->segment_count);
	size_t count = 0, room = GPC_MAX_NAMED_PREFIXES;

	for (size_t i = 0; i < model->segment_count; i++) {
		const struct gpc_model_segment *segment = &model->segments[i];
		struct named *named = &list[count];

		if (!segment->set.count || segment->set.count > GPC_MAX_SEGMENT_PREFIXES)
			continue;
		named->segment = segment;
		named->prefixes = gpc_set_prefixes(arena, segment->set, &named->count);
		count += named->count <= GPC_MAX_SEGMENT_PREFIXES;
	}
	if (count)
		qsort(list, count, sizeof(*list), by_count);
	for (*ret_count = 0; *ret_count < count && list[*ret_count].count <= room; ++*ret_count)
		room -= list[*ret_count].count;
	if (*ret_count)
		qsort(list, *ret_count, sizeof(*list), by_name);
	return list;
}

static void put_segments(struct gpc_arena *arena, const struct gpc_model *model, FILE *out)
{
	size_t count;
	const struct named *list = choose_segments(arena, model, &count);
	char text[GPC_PREFIX_TEXT];

	fputs("\"segments\":{\n", out);
	for (size_t i = 0; i < count; i++) {
		gpc_json_put(out, list[i].segment->name);
		for (size_t k = 0; k < list[i].count; k++)
			fprintf(out, "%s\"%s\"", k ? "," : ":[",
				gpc_prefix_format(&list[i].prefixes[k], text));
		fputs(i + 1 < count ? "],\n" : "]\n", out);
	}
	fputs("},\n", out);
}

struct gpc_span_text gpc_provenance_text(struct gpc_diags *diags, const struct gpc_model *model,
					 const struct gpc_provenance *provenance)
{
	size_t count, size = 0;
	struct object *objects = list_objects(diags->arena, model, &count);
	struct gpc_span_text result;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	uint32_t *rank;

	if (!out)
		gpc_arena_exhausted();
	if (count)
		qsort(objects, count, sizeof(*objects), by_place);
	find_positions(diags, objects, count);
	if (count)
		qsort(objects, count, sizeof(*objects), by_id);
	fputs("{\"tool\":", out);
	gpc_json_put(out, provenance->tool_version);
	fputs(",\n\"commit\":", out);
	if (provenance->commit)
		gpc_json_put(out, provenance->commit);
	else
		fputs("null", out);
	fputs(",\n", out);
	rank = put_sources(diags, out);
	put_probes(model, out);
	put_segments(diags->arena, model, out);
	fputs("\"objects\":{\n", out);
	for (size_t i = 0; i < count; i++) {
		put_object(&objects[i], rank, out);
		fputs(i + 1 < count ? ",\n" : "\n", out);
	}
	fputs("}}\n", out);
	if (fclose(out))
		gpc_arena_exhausted();
	result = (struct gpc_span_text){gpc_arena_strndup(diags->arena, text, size), size};
	free(text);
	return result;
}
