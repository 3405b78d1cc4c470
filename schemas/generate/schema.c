/* SPDX-License-Identifier: MIT */
/*
 * schema: writes the JSON Schema of an intent (draft 7, which editors know) from keys.def. It
 * accepts what the compiler accepts, seen through a YAML reader that types scalars by itself; it
 * cannot say what only the whole plane shows (references, names given twice, values).
 */
#include <json-c/json.h>
#include <netinet/in.h>
#include <string.h>

#include "gpc/limits.h"
#include "intent/language.h"
#include "intent/ports.h"

#define ADDRESS "[0-9A-Fa-f:.]+"
#define NUMBER "(0|[1-9][0-9]*)"
#define NAME "[A-Za-z][A-Za-z0-9._-]{0,62}"
#define RESERVED "(any|all|none|default|builtin|protect|host)"
#define LABEL "[A-Za-z0-9][A-Za-z0-9._/-]{0,62}"

static struct json_object *text(const char *value)
{
	return json_object_new_string(value);
}

static struct json_object *object1(const char *key, struct json_object *value)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, key, value);
	return object;
}

static struct json_object *array2(struct json_object *first, struct json_object *second)
{
	struct json_object *array = json_object_new_array();

	json_object_array_add(array, first);
	json_object_array_add(array, second);
	return array;
}

static struct json_object *reference(const char *definition)
{
	char path[128];

	snprintf(path, sizeof(path), "#/definitions/%s", definition);
	return object1("$ref", text(path));
}

static struct json_object *of_type(const char *type)
{
	return object1("type", text(type));
}

static struct json_object *pattern(const char *regex)
{
	struct json_object *schema = of_type("string");

	json_object_object_add(schema, "pattern", text(regex));
	return schema;
}

/* A scalar of that shape, or one that a value is inserted into. */
static struct json_object *substitutable(struct json_object *schema)
{
	return object1("anyOf", array2(schema, reference("substituted")));
}

static struct json_object *integer(uint64_t min, uint64_t max)
{
	struct json_object *schema = of_type("integer");

	json_object_object_add(schema, "minimum", json_object_new_uint64(min));
	json_object_object_add(schema, "maximum", json_object_new_uint64(max));
	return schema;
}

/* A number as YAML types it when it is plain, and as text when it is quoted. */
static struct json_object *number(const struct gpc_key *key, const char *regex)
{
	struct json_object *schema = substitutable(integer(key->min, key->max));

	json_object_array_add(json_object_object_get(schema, "anyOf"), pattern(regex));
	return schema;
}

static struct json_object *words(const struct gpc_words *choices)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < choices->count; i++) {
		if (choices->words[i].feature == GPC_FEATURE_BUILT)
			json_object_array_add(list, text(choices->words[i].word));
	}
	return object1("enum", list);
}

static struct json_object *any_list_of(struct json_object *items)
{
	struct json_object *schema = of_type("array");

	json_object_object_add(schema, "items", items);
	return schema;
}

static struct json_object *list_of(struct json_object *items)
{
	struct json_object *schema = any_list_of(items);

	json_object_object_add(schema, "minItems", json_object_new_int(1));
	return schema;
}

static struct json_object *unique_list_of(struct json_object *items)
{
	struct json_object *schema = list_of(items);

	json_object_object_add(schema, "uniqueItems", json_object_new_boolean(true));
	return schema;
}

/* One, or a list. json-c counts references, so that both may hold the same schema. */
static struct json_object *one_or_list(struct json_object *item)
{
	return object1("anyOf", array2(item, unique_list_of(json_object_get(item))));
}

/* Likewise, and an item may stand in the list again. */
static struct json_object *one_or_many(struct json_object *item)
{
	return object1("anyOf", array2(item, list_of(json_object_get(item))));
}

static struct json_object *name(void)
{
	struct json_object *schema = pattern("^" NAME "$");
	struct json_object *reserved = json_object_new_array();
	static const char *const names[] = {"any",     "all",	  "none", "default",
					    "builtin", "protect", "host"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_array_add(reserved, text(names[i]));
	json_object_object_add(schema, "not", object1("enum", reserved));
	return schema;
}

static struct json_object *scalar_map(const char *key_regex, struct json_object *value)
{
	struct json_object *schema = of_type("object");

	json_object_object_add(schema, "propertyNames", pattern(key_regex));
	json_object_object_add(schema, "additionalProperties", value);
	return schema;
}

/* What YAML makes of text: a plain 1.10, true or nothing as well. */
static struct json_object *any_scalar(bool maybe_nothing)
{
	struct json_object *types = json_object_new_array();

	json_object_array_add(types, text("string"));
	json_object_array_add(types, text("number"));
	json_object_array_add(types, text("boolean"));
	if (maybe_nothing)
		json_object_array_add(types, text("null"));
	return object1("type", types);
}

static struct json_object *object_reference(enum gpc_object object, bool overlay)
{
	char definition[64];

	snprintf(definition, sizeof(definition), "%s%s", gpc_object_info(object)->id,
		 overlay ? "-overlay" : "");
	return reference(definition);
}

/* A mapping with that one key. */
static struct json_object *only_key(const char *key, struct json_object *value)
{
	struct json_object *schema = of_type("object");
	struct json_object *required = json_object_new_array();

	json_object_array_add(required, text(key));
	json_object_object_add(schema, "additionalProperties", json_object_new_boolean(false));
	json_object_object_add(schema, "required", required);
	json_object_object_add(schema, "properties", object1(key, value));
	return schema;
}

static struct json_object *selector(enum gpc_type type)
{
	struct json_object *labels = scalar_map("^" LABEL "$", any_scalar(true));
	struct json_object *any = json_object_new_array();

	json_object_object_add(labels, "minProperties", json_object_new_int(1));
	json_object_array_add(
		any, substitutable(pattern("^(?!" RESERVED "$)(" NAME "|" ADDRESS "(/[0-9]+)?)$")));
	if (type == GPC_TYPE_SELECTOR_PLAIN)
		json_object_put(labels);
	else
		json_object_array_add(any, only_key("labels", labels));
	if (type == GPC_TYPE_SELECTOR_TO)
		json_object_array_add(
			any, only_key("listeners", one_or_many(substitutable(pattern(
							   "^(\\*|" NAME "|" NAME "\\*)$")))));
	return one_or_many(object1("anyOf", any));
}

/* "tcp|udp|...": the protocols, or the types of an ICMP protocol. */
static void join_names(char *out, size_t size, int protocol)
{
	const char *name = "";

	out[0] = '\0';
	for (size_t i = 0; name; i++) {
		name = protocol < 0 ? gpc_protocol_name(i)
				    : gpc_icmp_type_name((uint8_t)protocol, i);
		if (name)
			snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? "|" : "", name);
	}
}

static struct json_object *ports(void)
{
	char protocols[256], types[256], types6[512], regex[2048];
	struct json_object *schema, *list;

	join_names(protocols, sizeof(protocols), -1);
	join_names(types, sizeof(types), IPPROTO_ICMP);
	join_names(types6, sizeof(types6), IPPROTO_ICMPV6);
	snprintf(regex, sizeof(regex),
		 "^(any|(tcp|udp|sctp)(/" NUMBER "(-" NUMBER ")?)?|icmp(/(" NUMBER "|%s)(/" NUMBER
		 ")?)?|icmp6(/(" NUMBER "|%s)(/" NUMBER ")?)?|proto/(" NUMBER "|%s))$",
		 types, types6, protocols);
	schema = one_or_many(substitutable(pattern(regex)));
	list = json_object_array_get_idx(json_object_object_get(schema, "anyOf"), 1);
	json_object_object_add(list, "maxItems", json_object_new_int(GPC_MAX_PORTS_ITEMS));
	return schema;
}

/* A number, or one of the names. */
static struct json_object *number_or_name(const struct gpc_key *key, int protocol)
{
	char names[512], regex[768];

	join_names(names, sizeof(names), protocol);
	snprintf(regex, sizeof(regex), "^(" NUMBER "|%s)$", names);
	return number(key, regex);
}

static struct json_object *boolean(void)
{
	struct json_object *list = json_object_new_array();

	json_object_array_add(list, json_object_new_boolean(true));
	json_object_array_add(list, json_object_new_boolean(false));
	json_object_array_add(list, text("true"));
	json_object_array_add(list, text("false"));
	return substitutable(object1("enum", list));
}

static struct json_object *title(void)
{
	struct json_object *schema = any_scalar(false);

	json_object_object_add(schema, "minLength", json_object_new_int(1));
	json_object_object_add(schema, "maxLength", json_object_new_int(200));
	json_object_object_add(schema, "pattern", text("^[^\\x00-\\x1f]*$"));
	return schema;
}

static struct json_object *command(void)
{
	struct json_object *schema = list_of(any_scalar(false));

	json_object_object_add(schema, "maxItems", json_object_new_int(64));
	return schema;
}

static struct json_object *scalar_schema(const struct gpc_key *key)
{
	switch (key->type) {
	case GPC_TYPE_TITLE:
		return title();
	case GPC_TYPE_TEXT:
		return key->words ? substitutable(words(key->words)) : any_scalar(false);
	case GPC_TYPE_BOOL:
		return boolean();
	case GPC_TYPE_DEVICE:
		return substitutable(pattern("^(?!(\\.|\\.\\.)$)[^/* ]{1,15}$"));
	case GPC_TYPE_ADDRESS:
		return substitutable(pattern("^" ADDRESS "$"));
	case GPC_TYPE_PICKUP:
		return substitutable(pattern("^(never|always|" NUMBER "(ms|s|m|h|d))$"));
	case GPC_TYPE_LIMIT:
		return substitutable(
			pattern("^([1-9][0-9]*/[smh]|[1-9][0-9]*(B|KB|MB|GB|KiB|MiB|GiB)/s)$"));
	case GPC_TYPE_BURST:
		return number(key, "^[1-9][0-9]*(B|KB|MB|GB|KiB|MiB|GiB)?$");
	case GPC_TYPE_SAMPLE:
		return substitutable(pattern("^1/[1-9][0-9]*$"));
	case GPC_TYPE_MARK:
		return number(key, "^(0x[0-9A-Fa-f]+|[1-9][0-9]*)$");
	case GPC_TYPE_VLAN:
		return number(key, "^(none|[1-9][0-9]*)$");
	case GPC_TYPE_DATE:
		return substitutable(pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}"
					     "(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$"));
	case GPC_TYPE_SHA256:
		return substitutable(pattern("^[0-9a-f]{64}$"));
	case GPC_TYPE_PROTOCOL:
		return number_or_name(key, -1);
	case GPC_TYPE_ICMP_TYPE:
		return number_or_name(key, IPPROTO_ICMPV6);
	case GPC_TYPE_NAME:
		return name();
	case GPC_TYPE_INTERFACE_NAME:
		return pattern("^(?!(lo|\\.|\\.\\.)$)([^/* ]{1,15}|[^/* ]{1,14}\\*)$");
	case GPC_TYPE_ENUM:
		return substitutable(words(key->words));
	case GPC_TYPE_UINT:
	case GPC_TYPE_PORT:
		return number(key, "^" NUMBER "$");
	case GPC_TYPE_LISTENER_PORT:
		return number(key, "^(any|" NUMBER "(-" NUMBER ")?)$");
	case GPC_TYPE_DSCP:
		return number(key, "^(copy|" NUMBER ")$");
	case GPC_TYPE_PERCENT:
		return substitutable(pattern("^" NUMBER "(\\.[0-9]{1,2})?%$"));
	case GPC_TYPE_QUIC_ID:
		return object1("anyOf", array2(substitutable(pattern("^([0-9A-Fa-f]{2}){1,15}$")),
					       of_type("number")));
	case GPC_TYPE_SIZE:
		return number(key, "^" NUMBER "(Ki|Mi|Gi|KiB|MiB|GiB|KB|MB|GB)?$");
	case GPC_TYPE_RATE:
		return substitutable(pattern("^" NUMBER "/[smh]$"));
	case GPC_TYPE_DURATION:
	case GPC_TYPE_MILLISECONDS:
		return substitutable(pattern("^" NUMBER "(ms|s|m|h|d)$"));
	case GPC_TYPE_HEX128:
		return object1("anyOf", array2(substitutable(pattern("^[0-9A-Fa-f]{32}$")),
					       of_type("number")));
	case GPC_TYPE_STATUS:
		return object1("anyOf",
			       array2(integer(100, 599),
				      substitutable(pattern("^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"))));
	case GPC_TYPE_URL_PATH:
		return substitutable(pattern("^/[^ ]*$"));
	case GPC_TYPE_HOST:
		return substitutable(pattern("^[][A-Za-z0-9._:-]{1,255}$"));
	case GPC_TYPE_PAYLOAD: /* an unquoted 0x.. is a number for the YAML reader */
		return any_scalar(false);
	case GPC_TYPE_NETNS:
		return substitutable(pattern("^(?![.-])[A-Za-z0-9._-]{1,63}$"));
	case GPC_TYPE_NEXT_HOP:
		return substitutable(pattern("^(auto|fib|" ADDRESS ")$"));
	default:
		return pattern(".");
	}
}

static struct json_object *value_schema(const struct gpc_key *key, bool overlay)
{
	switch (key->type) {
	case GPC_TYPE_ADDRESSES:
		return one_or_list(substitutable(pattern("^" ADDRESS "$")));
	case GPC_TYPE_PREFIXES:
		return one_or_list(substitutable(pattern("^" ADDRESS "(/[0-9]+)?$")));
	case GPC_TYPE_CIDRS:
		return one_or_many(substitutable(pattern("^" ADDRESS "(/[0-9]+)?$")));
	case GPC_TYPE_SELECTOR:
	case GPC_TYPE_SELECTOR_TO:
	case GPC_TYPE_SELECTOR_PLAIN:
		return selector(key->type);
	case GPC_TYPE_PORTS:
		return ports();
	case GPC_TYPE_TCP_FLAGS:
	case GPC_TYPE_TCP_FLAGS_SET:
		return object1("anyOf", array2(substitutable(object1("const", text("syn"))),
					       unique_list_of(substitutable(words(key->words)))));
	case GPC_TYPE_LOG:
		return object1("anyOf", array2(substitutable(object1("const", text("all"))),
					       object_reference(key->object, overlay)));
	case GPC_TYPE_REFERENCES:
		return one_or_list(pattern("."));
	case GPC_TYPE_REFERENCES_OR_NONE:
		return object1("anyOf", array2(pattern("."), any_list_of(pattern("."))));
	case GPC_TYPE_COMMAND:
		return command();
	case GPC_TYPE_PATTERNS:
		return list_of(pattern("^[^/]"));
	case GPC_TYPE_ENUMS:
		return unique_list_of(substitutable(words(key->words)));
	case GPC_TYPE_LABELS:
		return scalar_map("^" LABEL "$", any_scalar(true));
	case GPC_TYPE_VALUES:
		return scalar_map("^[A-Za-z][A-Za-z0-9._-]{0,62}$", any_scalar(false));
	case GPC_TYPE_OBJECT:
	case GPC_TYPE_HEALTH:
		return object_reference(key->object, overlay);
	case GPC_TYPE_OBJECTS:
		return key->required ? list_of(object_reference(key->object, overlay))
				     : any_list_of(object_reference(key->object, overlay));
	case GPC_TYPE_ITEMS: /* replaced whole: the items are complete in an overlay, too */
		return key->object == GPC_OBJECT_split
			       ? list_of(object_reference(key->object, false))
			       : any_list_of(object_reference(key->object, false));
	default:
		return scalar_schema(key);
	}
}

/* A description stands beside the schema, and not beside a $ref, where draft 7 would not look. */
static struct json_object *key_schema(const struct gpc_key *key, bool overlay)
{
	struct json_object *schema = json_object_new_object();
	char description[512];

	if (key->feature != GPC_FEATURE_BUILT) {
		snprintf(description, sizeof(description), "Not built yet, comes with %s. %s",
			 gpc_feature_name(key->feature), key->doc);
		json_object_object_add(schema, "description", text(description));
		json_object_object_add(schema, "not", json_object_new_object());
		return schema;
	}
	snprintf(description, sizeof(description), "%s%s%s%s", key->doc,
		 *key->fallback ? " Default: " : "", key->fallback, *key->fallback ? "." : "");
	json_object_object_add(schema, "description", text(description));
	json_object_object_add(schema, "allOf", json_object_new_array());
	json_object_array_add(json_object_object_get(schema, "allOf"), value_schema(key, overlay));
	return schema;
}

/* `kind` says which of the definitions of a document is meant. */
static struct json_object *kind_schema(const char *kind)
{
	return object1("const", text(kind));
}

/* What keys of one object must fulfil together; an overlay need not have all of them. */
static const struct together {
	enum gpc_object object;
	const char *keyword, *schema;
} together[] = {
	{GPC_OBJECT_health, "oneOf", "[{\"required\":[\"tcp\"]},{\"required\":[\"http\"]}]"},
	{GPC_OBJECT_segment, "oneOf", "[{\"required\":[\"cidrs\"]},{\"required\":[\"from\"]}]"},
	{GPC_OBJECT_send, "oneOf", "[{\"required\":[\"in\"]},{\"required\":[\"out\"]}]"},
	{GPC_OBJECT_probe, "oneOf",
	 "[{\"required\":[\"tcp\"]},{\"required\":[\"http\"]},{\"required\":[\"udp\"]},"
	 "{\"required\":[\"exec\"]}]"},
	{GPC_OBJECT_protect, "anyOf",
	 "[{\"required\":[\"from\"]},{\"required\":[\"to\"]},{\"required\":[\"ports\"]}]"},
	{GPC_OBJECT_listener, "anyOf",
	 "[{\"required\":[\"forward\"],\"properties\":{\"forward\":{\"pattern\":\"\\\\$\\\\{\"}}},"
	 "{\"required\":[\"forward\"],\"properties\":{\"forward\":{\"const\":\"pass\"}},"
	 "\"not\":{\"anyOf\":[{\"required\":[\"backend\"]},{\"required\":[\"split\"]}]}},"
	 "{\"not\":{\"required\":[\"forward\"],\"properties\":{\"forward\":{\"const\":\"pass\"}}},"
	 "\"oneOf\":[{\"required\":[\"backend\"]},{\"required\":[\"split\"]}]}]"},
	{GPC_OBJECT_rule, "if", "{\"properties\":{\"action\":{\"const\":\"mark\"}}}"},
	{GPC_OBJECT_rule, "then", "{\"required\":[\"mark\"]}"},
	{GPC_OBJECT_rule, "not",
	 "{\"required\":[\"mark\"],\"properties\":{\"action\":{\"enum\":[\"deny\",\"reject\","
	 "\"log\"]}}}"},
};

static void add_together(struct json_object *schema, enum gpc_object object)
{
	for (size_t i = 0; i < sizeof(together) / sizeof(together[0]); i++) {
		if (together[i].object == object)
			json_object_object_add(schema, together[i].keyword,
					       json_tokener_parse(together[i].schema));
	}
}

static bool is_needed(const struct gpc_key *key, bool overlay, bool document)
{
	return key->required && (!overlay || document || !strcmp(key->name, "name"));
}

static struct json_object *object_schema(enum gpc_object object, bool overlay)
{
	const struct gpc_object_info *info = gpc_object_info(object);
	bool document = object == GPC_OBJECT_document;
	struct json_object *schema = of_type("object");
	struct json_object *properties = json_object_new_object();
	struct json_object *required = json_object_new_array();

	for (size_t i = 0; i < info->count; i++) {
		const struct gpc_key *key = &info->keys[i];
		bool is_kind = document && !strcmp(key->name, "kind");

		if (overlay && key->type == GPC_TYPE_PATTERNS)
			continue;
		json_object_object_add(properties, key->name,
				       is_kind ? kind_schema(overlay ? "Overlay" : "Plane")
					       : key_schema(key, overlay));
		if (is_needed(key, overlay, document))
			json_object_array_add(required, text(key->name));
	}
	if (overlay && gpc_key_find(info, "name") && object != GPC_OBJECT_metadata)
		json_object_object_add(properties, "$delete",
				       object1("const", json_object_new_boolean(true)));
	json_object_object_add(schema, "description", text(info->doc));
	json_object_object_add(schema, "additionalProperties", json_object_new_boolean(false));
	if (json_object_array_length(required))
		json_object_object_add(schema, "required", required);
	else
		json_object_put(required);
	if (!overlay)
		add_together(schema, object);
	json_object_object_add(schema, "properties", properties);
	return schema;
}

/* An object whose keys are all to come is not described yet: nothing refers to it. */
static bool is_built(enum gpc_object object)
{
	const struct gpc_object_info *info = gpc_object_info(object);

	for (size_t i = 0; i < info->count; i++) {
		if (info->keys[i].feature == GPC_FEATURE_BUILT)
			return true;
	}
	return false;
}

/* A document of kind Tests: what is required of every document, and `tests`. */
static struct json_object *tests_schema(void)
{
	const struct gpc_object_info *info = gpc_object_info(GPC_OBJECT_document);
	struct json_object *schema = of_type("object");
	struct json_object *properties = json_object_new_object();
	struct json_object *required = json_object_new_array();

	for (size_t i = 0; i < info->count; i++) {
		const struct gpc_key *key = &info->keys[i];

		if (!key->required && strcmp(key->name, "tests") != 0)
			continue;
		json_object_object_add(properties, key->name,
				       strcmp(key->name, "kind") ? key_schema(key, false)
								 : kind_schema("Tests"));
		if (key->required)
			json_object_array_add(required, text(key->name));
	}
	json_object_object_add(schema, "description", text("Tests, and nothing else."));
	json_object_object_add(schema, "additionalProperties", json_object_new_boolean(false));
	json_object_object_add(schema, "required", required);
	json_object_object_add(schema, "properties", properties);
	return schema;
}

static struct json_object *is_kind(const char *kind)
{
	return object1("properties", object1("kind", kind_schema(kind)));
}

static struct json_object *definitions(void)
{
	struct json_object *all = json_object_new_object();
	struct json_object *substituted = pattern("\\$\\{");
	char id[64];

	json_object_object_add(substituted, "description",
			       text("Text that a value is inserted into."));
	json_object_object_add(all, "substituted", substituted);
	json_object_object_add(all, "document-tests", tests_schema());
	for (enum gpc_object object = 0; object < GPC_OBJECT_COUNT; object++) {
		if (!is_built(object))
			continue;
		json_object_object_add(all, gpc_object_info(object)->id,
				       object_schema(object, false));
		snprintf(id, sizeof(id), "%s-overlay", gpc_object_info(object)->id);
		json_object_object_add(all, id, object_schema(object, true));
	}
	return all;
}

int main(void)
{
	struct json_object *schema =
		object1("$schema", text("http://json-schema.org/draft-07/schema#"));
	struct json_object *other = object1("if", is_kind("Tests"));

	json_object_object_add(schema, "title", text("gpc/v1 intent"));
	json_object_object_add(schema, "$comment",
			       text("Generated from compiler/intent/keys.def by `make generate`."));
	json_object_object_add(other, "then", reference("document-tests"));
	json_object_object_add(other, "else", object_reference(GPC_OBJECT_document, false));
	json_object_object_add(schema, "if", is_kind("Overlay"));
	json_object_object_add(schema, "then", object_reference(GPC_OBJECT_document, true));
	json_object_object_add(schema, "else", other);
	json_object_object_add(schema, "definitions", definitions());
	puts(json_object_to_json_string_ext(schema, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(schema);
	return 0;
}
