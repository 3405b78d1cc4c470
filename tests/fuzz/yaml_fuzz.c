/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a source text. What must hold: the tree lies within the limits and its places within
 * the text; a refused text has a diagnostic and every record a place; the text form holds no
 * control character, whatever the input holds; the JSON form is JSON.
 */
#include <json-c/json.h>

#include "diag/render.h"
#include "gpc/limits.h"
#include "syntax/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "yaml_fuzz: %s\n", what);
	abort();
}

static void check_place(const struct gpc_diags *diags, struct gpc_place place)
{
	require(place.source < diags->sources.n, "place names a source");
	require(place.start <= place.end, "place is no negative range");
	require(place.end <= diags->sources.items[place.source].size, "place lies in the text");
}

static void check_text(const char *text, size_t size)
{
	require(size <= GPC_MAX_SCALAR_BYTES, "scalar is within the limit");
	require(strlen(text) == size, "scalar ends with its only NUL");
}

static size_t check_node(const struct gpc_diags *diags, const struct gpc_node *node,
			 unsigned int depth)
{
	size_t nodes = 1;

	require(node != NULL, "node exists");
	check_place(diags, node->place);
	switch (node->kind) {
	case GPC_NODE_SCALAR:
		check_text(node->scalar.text, node->scalar.size);
		break;
	case GPC_NODE_LIST:
		require(depth < GPC_MAX_DEPTH, "depth is within the limit");
		for (size_t i = 0; i < node->list.count; i++)
			nodes += check_node(diags, node->list.items[i], depth + 1);
		break;
	case GPC_NODE_MAP:
		require(depth < GPC_MAX_DEPTH, "depth is within the limit");
		for (size_t i = 0; i < node->map.count; i++) {
			check_place(diags, node->map.pairs[i].key_place);
			check_text(node->map.pairs[i].key, node->map.pairs[i].key_size);
			nodes += 1 + check_node(diags, node->map.pairs[i].value, depth + 1);
		}
		break;
	}
	return nodes;
}

static char *rendered(const struct gpc_diags *diags, enum gpc_diag_format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	require(out != NULL, "memory stream opens");
	gpc_diags_render(diags, format, false, out);
	fclose(out);
	require(strlen(text) == size, "output holds no NUL");
	return text;
}

static void check_output(const struct gpc_diags *diags)
{
	char *text = rendered(diags, GPC_DIAG_TEXT);
	char *github = rendered(diags, GPC_DIAG_GITHUB);
	char *json = rendered(diags, GPC_DIAG_JSON);

	for (const char *p = text; *p; p++)
		require((unsigned char)*p >= 0x20 || *p == '\n',
			"text form holds no control character");
	for (const char *p = github; *p; p++)
		require((unsigned char)*p >= 0x20 || *p == '\n',
			"GitHub form holds no control character");
	for (char *line = json, *end; *line; line = end + 1) {
		json_object *object;

		end = strchr(line, '\n');
		*end = '\0';
		object = json_tokener_parse(line);
		require(object != NULL, "JSON form is JSON");
		json_object_put(object);
	}
	free(text);
	free(github);
	free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct gpc_arena arena = {0};
	struct gpc_documents documents;
	struct gpc_diags diags;
	size_t nodes = 0;
	bool parsed;

	gpc_diags_init(&diags, &arena, false);
	gpc_diags_add_source(&diags, "in.yaml", (const char *)bytes, size);
	parsed = gpc_yaml_parse(&diags, &arena, 0, &documents);
	require(parsed == (diags.errors == 0), "a refused text has an error");
	for (size_t i = 0; i < documents.count; i++)
		nodes += check_node(&diags, documents.roots[i], 0);
	require(nodes <= diags.nodes, "every node was counted");
	for (size_t i = 0; i < diags.records.n; i++) {
		require(diags.records.items[i].place_count > 0, "every record has a place");
		for (unsigned int j = 0; j < diags.records.items[i].place_count; j++)
			check_place(&diags, diags.records.items[i].places[j].place);
	}
	check_output(&diags);
	gpc_arena_release(&arena);
	return 0;
}
