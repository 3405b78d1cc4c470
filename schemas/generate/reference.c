/* SPDX-License-Identifier: MIT */
/* reference: writes docs/reference.md, every key of the language, from keys.def. */
#include <stdio.h>

#include "gpc/limits.h"
#include "intent/language.h"

static const struct limit {
	const char *what;
	unsigned int value;
} limits[] = {
	{"bytes of a file", GPC_MAX_FILE_BYTES},
	{"keys and values over all files", GPC_MAX_NODES},
	{"depth of nesting", GPC_MAX_DEPTH},
	{"bytes of a value", GPC_MAX_SCALAR_BYTES},
	{"bytes of all values that another one was inserted into", GPC_MAX_EXPANDED_BYTES},
	{"files of a plane", GPC_MAX_FILES},
	{"depth of includes", GPC_MAX_INCLUDE_DEPTH},
	{"bytes of a name", GPC_MAX_NAME_BYTES},
	{"interfaces", GPC_MAX_INTERFACES},
	{"listeners", GPC_MAX_LISTENERS},
	{"addresses of a listener", GPC_MAX_LISTENER_ADDRESSES},
	{"backends", GPC_MAX_BACKENDS},
	{"endpoints of a backend", GPC_MAX_ENDPOINTS_PER_BACKEND},
	{"endpoints", GPC_MAX_ENDPOINTS},
	{"segments", GPC_MAX_SEGMENTS},
	{"rules", GPC_MAX_RULES},
	{"ranges of addresses in all sets together", GPC_MAX_SET_RANGES},
	{"address sets and ports of listeners that all rules together name", GPC_MAX_RULE_BOXES},
	{"items in `ports` of a rule", GPC_MAX_PORTS_ITEMS},
	{"policies", GPC_MAX_POLICIES},
	{"policies of one interface and direction", GPC_MAX_CHAIN_POLICIES},
	{"`protect` items", GPC_MAX_PROTECT},
	{"feeds", GPC_MAX_FEEDS},
	{"bytes of a feed", GPC_MAX_FEED_BYTES},
	{"bytes of all feeds", GPC_MAX_FEEDS_BYTES},
	{"prefixes of a feed", GPC_MAX_FEED_PREFIXES},
	{"tests", GPC_MAX_TESTS},
};

/* A bar would end the cell. */
static void put_cell(const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
}

static void put_words(const struct gpc_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		printf("%s`%s`%s", i ? ", " : "", words->words[i].word,
		       words->words[i].feature == GPC_FEATURE_BUILT ? "" : " (not built yet)");
}

static void put_type(const struct gpc_key *key)
{
	bool named = !key->words || (key->type != GPC_TYPE_ENUM && key->type != GPC_TYPE_BOOL);

	if (named)
		put_cell(gpc_type_name(key->type));
	if (key->words) {
		printf("%s", named ? ": " : "");
		put_words(key->words);
	}
	if (key->max && (key->type == GPC_TYPE_DURATION || key->type == GPC_TYPE_PICKUP))
		printf(", up to 365d");
	else if (key->max && key->type == GPC_TYPE_MILLISECONDS)
		printf(", %llums to %llus", (unsigned long long)key->min,
		       (unsigned long long)key->max / 1000);
	else if (key->max)
		printf(", %llu to %llu", (unsigned long long)key->min,
		       (unsigned long long)key->max);
}

static void put_key(const struct gpc_key *key)
{
	printf("| %s`%s`%s | ", key->required ? "**" : "", key->name, key->required ? "**" : "");
	put_type(key);
	printf(" | ");
	put_cell(key->fallback);
	printf(" | ");
	put_cell(key->doc);
	if (key->feature != GPC_FEATURE_BUILT)
		printf(" *Not built yet: %s.*", gpc_feature_name(key->feature));
	puts(" |");
}

static bool is_built(const struct gpc_object_info *info)
{
	for (size_t i = 0; i < info->count; i++) {
		if (info->keys[i].feature == GPC_FEATURE_BUILT)
			return true;
	}
	return false;
}

static void put_objects(bool built)
{
	for (enum gpc_object object = 0; object < GPC_OBJECT_COUNT; object++) {
		const struct gpc_object_info *info = gpc_object_info(object);

		if (is_built(info) != built)
			continue;
		printf("\n### %s\n\n%s\n\n| key | takes | default | meaning |\n|---|---|---|---|\n",
		       info->title, info->doc);
		for (size_t i = 0; i < info->count; i++)
			put_key(&info->keys[i]);
	}
}

static void put_types(void)
{
	puts("\n## Values\n");
	puts("The schema types a value, YAML does not: `no`, `on`, `22:22`, `0644` and `1e3` are "
	     "never read as");
	puts("something else, quoted and plain mean the same, and nothing, `~` and `null` are "
	     "errors. Numbers are");
	puts("decimal, without sign, leading zero or underscore (N below). `${name}` inserts a "
	     "value, `$${` is a");
	puts("plain `${`.\n");
	puts("| type | grammar |\n|---|---|");
	for (enum gpc_type type = 0; type < GPC_TYPE_COUNT; type++) {
		printf("| %s | ", gpc_type_name(type));
		put_cell(gpc_type_grammar(type));
		puts(" |");
	}
}

static void put_limits(void)
{
	puts("\n## Limits\n\n| what | at most |\n|---|---|");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		printf("| %s | %u |\n", limits[i].what, limits[i].value);
}

int main(void)
{
	puts("<!-- Generated from compiler/intent/keys.def by `make generate`. -->");
	puts("# The intent language, key by key\n");
	puts("What is written is enforced or refused: a key or word that is not built yet is an "
	     "error that says so,");
	puts("even if it is set to its default. Keys in bold are required. An overlay (`kind: "
	     "Overlay`, `-e ENV`");
	puts("reads overlays/ENV.yaml) takes the same keys: mappings merge by key, lists of "
	     "objects by `name`, all");
	puts("else is replaced, and `$delete: true` beside a `name` removes an object.");
	puts("\n## Objects");
	put_objects(true);
	put_types();
	put_limits();
	puts("\n## Objects that are not built yet\n");
	puts("Their sections are refused by name. This is what they will look like.");
	put_objects(false);
	return 0;
}
