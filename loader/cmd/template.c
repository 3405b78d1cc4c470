/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "../../compiler/base/ip.h"
#include "../../compiler/base/memfiles.h"
#include "../../compiler/format/element.h"
#include "../../compiler/format/format.h"
#include "../../compiler/format/spelling.h"
#include "../../compiler/intent/document.h"
#include "../../compiler/intent/scalar.h"
#include "../../compiler/pipeline.h"
#include "gpc/limits.h"

/* ---- types ---- */

static bool is_address(const char *text, const char *like)
{
	struct gpc_ip a, b;

	return gpc_ip_parse(text, strlen(text), &a) == GPC_IP_OK &&
	       gpc_ip_parse(like, strlen(like), &b) == GPC_IP_OK &&
	       gpc_ip_is_v4(&a) == gpc_ip_is_v4(&b);
}

static bool is_prefix(const char *text, const char *like)
{
	struct gpc_prefix a, b;

	return gpc_prefix_parse(text, strlen(text), &a) == GPC_IP_OK &&
	       gpc_prefix_parse(like, strlen(like), &b) == GPC_IP_OK &&
	       a.v4 == b.v4;
}

static bool is_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;

	return gpc_scalar_uint(text, &value) == GPC_SCALAR_OK && value >= min && value <= max;
}

static bool is_port(const char *text, const char *like)
{
	(void)like;
	return is_number(text, 1, 65535);
}

static bool is_count(const char *text, const char *like)
{
	(void)like;
	return is_number(text, 1, UINT32_MAX);
}

static bool is_weight(const char *text, const char *like)
{
	(void)like;
	return is_number(text, 0, GPC_MAX_WEIGHT);
}

static bool is_rate(const char *text, const char *like)
{
	uint32_t period;
	uint64_t value;
	bool bytes;

	(void)like;
	return gpc_scalar_limit(text, &value, &period, &bytes) == GPC_SCALAR_OK && !bytes && value;
}

static bool is_duration(const char *text, const char *like)
{
	uint64_t value;

	(void)like;
	return gpc_scalar_duration(text, &value) == GPC_SCALAR_OK && value;
}

static bool is_percent(const char *text, const char *like)
{
	uint64_t value;

	(void)like;
	return gpc_scalar_percent(text, &value) == GPC_SCALAR_OK;
}

static bool is_name(const char *text, const char *like)
{
	(void)like;
	return gpc_scalar_is_name(text) && !gpc_scalar_is_null(text) &&
	       !gpc_scalar_is_reserved_name(text);
}

static bool is_interface(const char *text, const char *like)
{
	(void)like;
	return gpc_scalar_is_interface(text) && !gpc_scalar_is_null(text) &&
	       strcmp(text, "lo") != 0 && !strstr(text, "${");
}

static const struct type {
	const char *name;
	bool (*accepts)(const char *text, const char *like);
	const char *grammar;
} types[] = {
	{"address", is_address, "an address of the family that the default has"},
	{"prefix", is_prefix, "an address, `/` and a length, host bits 0, of the default's family"},
	{"port", is_port, "a number from 1 to 65535"},
	{"count", is_count, "a number from 1 to 4294967295"},
	{"weight", is_weight, "a number from 0 to 65535"},
	{"rate", is_rate, "a number, then /s, /m or /h"},
	{"duration", is_duration, "a number, then one of ms s m h d"},
	{"percent", is_percent, "a number with up to 2 decimals, then %, 0 to 100"},
	{"name", is_name, "a letter, then up to 62 letters, digits, `.`, `_` or `-`"},
	{"interface", is_interface,
	 "1 to 15 printable ASCII characters without `/`, `*` or `${`, or such a head and one final `*`; not lo"},
};

static const struct type *type_of(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strlen(types[i].name) == size && !memcmp(types[i].name, name, size))
			return &types[i];
	return NULL;
}

/* ---- parsed templates ---- */

struct parsed {
	struct gpc_diags diags;
	struct gpc_documents documents;
	struct gpc_elements elements;
};

/* What is built in parses: tests see to it. */
static void parse(struct gpc_arena *arena, const struct gpc_template_file *file, struct parsed *ret)
{
	gpc_diags_init(&ret->diags, arena, false);
	gpc_diags_add_source(&ret->diags, file->path, file->text, strlen(file->text));
	if (!gpc_yaml_parse(&ret->diags, arena, 0, &ret->documents))
		abort();
	gpc_elements_read(&ret->diags, 0, &ret->documents, &ret->elements);
}

static const struct gpc_element *child_of(const struct gpc_element *map, const char *key)
{
	for (size_t i = 0; map && i < map->children.n; i++)
		if (!strcmp(map->children.items[i]->pair->key, key))
			return map->children.items[i];
	return NULL;
}

/* "# TYPE: doc", or "# interface NAME: doc"; false for another comment. */
static bool read_declaration(struct gpc_arena *arena, const struct gpc_comment *comment,
			     struct gpc_parameter *ret)
{
	const char *text = comment ? comment->text : "", *colon, *space;
	const struct type *type;

	if (!comment || comment->size < 4 || strncmp(text, "# ", 2) != 0)
		return false;
	text += 2;
	colon = memchr(text, ':', comment->size - 2);
	if (!colon)
		return false;
	space = memchr(text, ' ', (size_t)(colon - text));
	type = type_of(text, (size_t)((space ? space : colon) - text));
	if (!type)
		return false;
	ret->type = type->name;
	ret->doc = gpc_arena_strndup(arena, colon + 2,
				     comment->size - (size_t)(colon + 2 - comment->text));
	if (space)
		ret->name = gpc_arena_strndup(arena, space + 1, (size_t)(colon - space - 1));
	return true;
}

static void add_parameter(struct gpc_template *template, struct gpc_parameter parameter,
			  const char *fallback)
{
	parameter.fallback = parameter.value = fallback;
	*GPC_PUSH(template->arena, &template->parameters) = parameter;
}

static void read_parameters(struct gpc_template *template, const struct gpc_element *root)
{
	const struct gpc_element *values = child_of(root, "values");
	const struct gpc_element *interfaces = child_of(root, "interfaces");
	const struct gpc_element *metadata = child_of(root, "metadata");
	struct gpc_parameter parameter;

	parameter = (struct gpc_parameter){"name", "name", .doc = "what the plane is called"};
	add_parameter(template, parameter, child_of(metadata, "name")->node->scalar.text);
	for (size_t i = 0; values && i < values->children.n; i++) {
		const struct gpc_element *value = values->children.items[i];

		parameter = (struct gpc_parameter){.name = value->pair->key};
		if (read_declaration(template->arena, value->before.first, &parameter))
			add_parameter(template, parameter, value->node->scalar.text);
	}
	for (size_t i = 0; interfaces && i < interfaces->children.n; i++) {
		const struct gpc_element *item = interfaces->children.items[i];

		parameter = (struct gpc_parameter){.has_interface_name = true};
		if (read_declaration(template->arena, item->before.first, &parameter))
			add_parameter(template, parameter,
				      child_of(item, "name")->node->scalar.text);
	}
}

/* "# NAME: what it is" at the head. */
static const char *summary_of(struct gpc_arena *arena, const struct gpc_sheet *sheet)
{
	const struct gpc_comment *comment = sheet->head.first;
	const char *colon = comment ? memchr(comment->text, ':', comment->size) : NULL;

	return colon ? gpc_arena_strndup(arena, colon + 2,
					 comment->size - (size_t)(colon + 2 - comment->text))
		     : "";
}

const char *const *gpc_template_names(struct gpc_arena *arena, size_t *ret_count)
{
	const char **names = GPC_NEW_ARRAY(arena, const char *, gpc_template_file_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < gpc_template_file_count; i++)
		if (!count || strcmp(names[count - 1], gpc_template_files[i].template) != 0)
			names[count++] = gpc_template_files[i].template;
	*ret_count = count;
	return names;
}

static int unknown_template(struct gpc_arena *arena, const char *name, struct gpc_failure *failure)
{
	size_t count;
	const char *const *names = gpc_template_names(arena, &count);
	const char *near = gpc_did_you_mean(name, names, count);

	gpc_fail(failure, GPC_EXIT_USAGE, 0, "there is no template '%s'%s%s%s", name,
		 near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return gpc_fail_hint(failure, "gpc init --list");
}

int gpc_template_open(struct gpc_arena *arena, const char *name, struct gpc_template *ret,
		      struct gpc_failure *failure)
{
	struct gpc_template template = {.name = name, .arena = arena};
	struct parsed parsed;

	for (size_t i = 0; i < gpc_template_file_count; i++) {
		if (strcmp(gpc_template_files[i].template, name) != 0)
			continue;
		if (!template.file_count++)
			template.files = &gpc_template_files[i];
	}
	if (!template.file_count)
		return unknown_template(arena, name, failure);
	parse(arena, template.files, &parsed);
	template.summary = summary_of(arena, &parsed.elements.sheets[0]);
	read_parameters(&template, parsed.elements.sheets[0].root);
	*ret = template;
	return 0;
}

/* ---- choices ---- */

static int unknown_parameter(const struct gpc_template *template, const char *name,
			     struct gpc_failure *failure)
{
	size_t count = template->parameters.n;
	const char **names = GPC_NEW_ARRAY(template->arena, const char *, count);
	const char *near;

	for (size_t i = 0; i < count; i++)
		names[i] = template->parameters.items[i].name;
	near = gpc_did_you_mean(name, names, count);
	gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' has no parameter '%s'%s%s%s", template->name,
		 name, near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	return gpc_fail_hint(failure, "gpc init %s --parameters", template->name);
}

int gpc_template_set(struct gpc_template *template, const char *choice, struct gpc_failure *failure)
{
	const char *equals = strchr(choice, '='), *name;
	struct gpc_parameter *parameter = NULL;
	const struct type *type;

	if (!equals) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "'%s' is no NAME=VALUE", choice);
		return gpc_fail_hint(failure, "gpc init %s --parameters", template->name);
	}
	name = gpc_arena_strndup(template->arena, choice, (size_t)(equals - choice));
	for (size_t i = 0; i < template->parameters.n; i++)
		if (!strcmp(template->parameters.items[i].name, name))
			parameter = &template->parameters.items[i];
	if (!parameter)
		return unknown_parameter(template, name, failure);
	if (parameter->value != parameter->fallback)
		return gpc_fail(failure, GPC_EXIT_USAGE, 0, "parameter '%s' is given twice", name);
	type = type_of(parameter->type, strlen(parameter->type));
	if (!type->accepts(equals + 1, parameter->fallback)) {
		gpc_fail(failure, GPC_EXIT_USAGE, 0, "parameter '%s' wants %s %s, not '%s'", name,
			 strchr("aeiou", *type->name) ? "an" : "a", type->name, equals + 1);
		return gpc_fail_hint(failure, "write %s, as in '%s=%s'", type->grammar, name,
				     parameter->fallback);
	}
	parameter->value = equals + 1;
	return 0;
}

/* ---- rendering ---- */

struct edit {
	struct gpc_place place;
	const char *text;
	bool is_name; /* in quotes where a YAML reader would take it for something else */
};

struct renderer {
	const struct gpc_template *template;
	struct gpc_arena *arena;
	GPC_VEC(struct edit) edits; /* in the order of the text */
};

static const struct gpc_parameter *find_parameter(const struct renderer *r, const char *name,
						  bool has_interface_name)
{
	for (size_t i = 0; i < r->template->parameters.n; i++) {
		const struct gpc_parameter *parameter = &r->template->parameters.items[i];

		if (!strcmp(parameter->name, name) &&
		    parameter->has_interface_name == has_interface_name)
			return parameter;
	}
	return NULL;
}

/* The address with the prefix's bits at its front. */
static struct gpc_ip put_in(const struct gpc_prefix *prefix, struct gpc_ip ip)
{
	unsigned int bits = prefix->length + (prefix->v4 ? 96u : 0u);

	for (unsigned int i = 0; i < bits; i++) {
		uint8_t bit = (uint8_t)(0x80u >> (i % 8));

		ip.bytes[i / 8] = (uint8_t)((ip.bytes[i / 8] & ~bit) |
					    (prefix->ip.bytes[i / 8] & bit));
	}
	return ip;
}

static bool is_in(const struct gpc_prefix *prefix, const struct gpc_ip *ip)
{
	struct gpc_ip same = put_in(prefix, *ip);

	return gpc_ip_is_v4(ip) == prefix->v4 && gpc_ip_compare(&same, ip) == 0;
}

/* The address of a test that lies in a prefix that was chosen anew, there. */
static const char *moved_address(const struct renderer *r, const char *text)
{
	struct gpc_prefix old, chosen;
	struct gpc_ip ip;

	if (gpc_ip_parse(text, strlen(text), &ip) != GPC_IP_OK)
		return NULL;
	for (size_t i = 0; i < r->template->parameters.n; i++) {
		const struct gpc_parameter *p = &r->template->parameters.items[i];
		char *out;

		if (strcmp(p->type, "prefix") != 0 || p->value == p->fallback ||
		    gpc_prefix_parse(p->fallback, strlen(p->fallback), &old) != GPC_IP_OK ||
		    gpc_prefix_parse(p->value, strlen(p->value), &chosen) !=
			    GPC_IP_OK ||
		    !is_in(&old, &ip))
			continue;
		ip = put_in(&chosen, ip);
		out = GPC_NEW_ARRAY(r->arena, char, GPC_IP_TEXT);
		gpc_ip_format(&ip, out);
		return out;
	}
	return NULL;
}

/* A device of a test that an interface stands for, by the name that was chosen. */
static const char *moved_device(const struct renderer *r, const char *text)
{
	for (size_t i = 0; i < r->template->parameters.n; i++) {
		const struct gpc_parameter *p = &r->template->parameters.items[i];
		size_t head = strcspn(p->fallback, "*"), new_head = strcspn(p->value, "*");

		if (!p->has_interface_name || p->value == p->fallback ||
		    strncmp(text, p->fallback, head) != 0 ||
		    (text[head] && p->fallback[head] != '*'))
			continue;
		return p->value[new_head] ? gpc_arena_printf(r->arena, "%.*s%s", (int)new_head,
							     p->value, text[head] ? text + head : "0")
					  : p->value;
	}
	return NULL;
}

static const char *moved_interface(const struct renderer *r, const char *text)
{
	for (size_t i = 0; i < r->template->parameters.n; i++) {
		const struct gpc_parameter *p = &r->template->parameters.items[i];

		if (p->has_interface_name && p->value != p->fallback && !strcmp(text, p->fallback))
			return p->value;
	}
	return NULL;
}

/* What replaces a scalar below `key` of `section`; NULL: nothing. */
static const char *replacement(const struct renderer *r, const char *section, const char *key,
			       const char *text, bool *ret_is_name)
{
	const struct gpc_parameter *parameter;

	*ret_is_name = true;

	if (!strcmp(section, "metadata") || !strcmp(section, "values")) {
		parameter = find_parameter(r, key, false);
		*ret_is_name = parameter && !strcmp(parameter->type, "name");
		return parameter && parameter->value != parameter->fallback ? parameter->value
									     : NULL;
	}
	if (!strcmp(section, "tests") && strcmp(key, "in") != 0 && strcmp(key, "out") != 0) {
		*ret_is_name = false;
		return moved_address(r, text);
	}
	if (!strcmp(section, "tests"))
		return moved_device(r, text);
	if (!strcmp(key, "interfaces") || (!strcmp(section, "interfaces") && !strcmp(key, "name")))
		return moved_interface(r, text);
	return NULL;
}

static void collect(struct renderer *r, const struct gpc_node *node, const char *section,
		    const char *key)
{
	const char *text;
	bool is_name;

	switch (node->kind) {
	case GPC_NODE_SCALAR:
		text = replacement(r, section, key, node->scalar.text, &is_name);
		if (text)
			*GPC_PUSH(r->arena, &r->edits) = (struct edit){node->place, text, is_name};
		break;
	case GPC_NODE_LIST:
		for (size_t i = 0; i < node->list.count; i++)
			collect(r, node->list.items[i], section, key);
		break;
	case GPC_NODE_MAP:
		for (size_t i = 0; i < node->map.count; i++)
			collect(r, node->map.pairs[i].value,
				*section ? section : node->map.pairs[i].key,
				node->map.pairs[i].key);
		break;
	}
}

static const char *edited(struct renderer *r, const char *text)
{
	size_t size = strlen(text) + 1, at = 0, used = 0, spelled_size;
	char *out;

	for (size_t i = 0; i < r->edits.n; i++)
		size += 4 * strlen(r->edits.items[i].text) + 2;
	out = GPC_NEW_ARRAY(r->arena, char, size);
	for (size_t i = 0; i < r->edits.n; i++) {
		const struct edit *edit = &r->edits.items[i];
		const char *spelled = gpc_spell(
			r->arena,
			&(struct gpc_spelling){edit->text, strlen(edit->text), edit->is_name, true},
			&spelled_size);

		memcpy(out + used, text + at, edit->place.start - at);
		used += edit->place.start - at;
		memcpy(out + used, spelled, spelled_size);
		used += spelled_size;
		at = edit->place.end;
	}
	memcpy(out + used, text + at, strlen(text + at));
	return out;
}

static const char *render_file(const struct gpc_template *template,
			       const struct gpc_template_file *file)
{
	struct renderer r = {.template = template, .arena = template->arena};
	struct parsed parsed;

	parse(r.arena, file, &parsed);
	for (size_t i = 0; i < parsed.documents.count; i++)
		collect(&r, parsed.documents.roots[i], "", "");
	return edited(&r, file->text);
}

int gpc_template_render(const struct gpc_template *template, struct gpc_diags *diags,
			struct gpc_rendered **ret, struct gpc_failure *failure)
{
	struct gpc_rendered *files =
		GPC_NEW_ARRAY(template->arena, struct gpc_rendered, template->file_count);
	struct gpc_compile_options options = {
		.inputs = {(const char *const[]){template->files[0].path}, 1, NULL},
		.tool_version = GPC_VERSION,
	};
	struct gpc_memfiles memory;
	struct gpc_compiled compiled;
	struct gpc_provider provider;
	bool good = true;

	gpc_memfiles_init(&memory, template->arena);
	for (size_t i = 0; i < template->file_count; i++) {
		const char *text = render_file(template, &template->files[i]);
		struct gpc_diags own;

		gpc_diags_init(&own, template->arena, false);
		files[i].path = template->files[i].path;
		gpc_diags_add_source(&own, files[i].path, text, strlen(text));
		good = gpc_format(&own, 0, &files[i].text, &files[i].size) && good;
		gpc_memfiles_add(&memory, files[i].path, files[i].text ? files[i].text : text,
				 files[i].text ? files[i].size : strlen(text));
	}
	provider = gpc_memfiles_provider(&memory);
	good = gpc_compile(diags, &provider, &options, &compiled) && good;
	if (!good)
		return gpc_fail(failure, GPC_EXIT_INVALID, 0,
				"template '%s' makes no plane of these values", template->name);
	*ret = files;
	return 0;
}
