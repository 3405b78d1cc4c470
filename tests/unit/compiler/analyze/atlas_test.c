/* SPDX-License-Identifier: MIT */
/* What an atlas says of planes small enough to know it by heart. tests/oracle/atlas_oracle.c has the rest. */
#include "analyze/atlas.h"

#include <netinet/in.h>
#include <string.h>

#include "../../unit.h"
#include "base/memfiles.h"
#include "pipeline.h"

#define HEAD                                                                                                   \
	"apiVersion: gpc/v1\nkind: Plane\nmetadata: {name: p}\ndefaults: {on-fail: pass}\n"                      \
	"interfaces:\n"                                                                                        \
	"  - {name: wan0, mode: any, hooks: [xdp, tc-egress]}\n"                                               \
	"  - {name: wan1, mode: any, hooks: [xdp, tc-egress]}\n"                                               \
	"  - {name: lan0, mode: any, hooks: [xdp, tc-egress]}\n"                                               \
	"segments:\n"                                                                                          \
	"  - {name: office, cidrs: [198.51.100.0/24, \"2001:db8:10::/48\"]}\n"                                 \
	"  - {name: app, cidrs: [10.0.1.0/24, \"2001:db8:1::/64\"]}\n"
#define POLICY(rules)                                                                                          \
	"policies:\n  - {name: in, interfaces: [wan0, wan1], direction: ingress, rules: [" rules "]}\n"

struct pair {
	struct gpc_arena arena;
	struct gpc_diags diags;
	struct gpc_image image[2];
	struct gpc_atlas *atlas;
};

static void open_plane(struct pair *pair, const char *text, struct gpc_image *ret)
{
	const char *path = "gpc.yaml";
	struct gpc_compile_options options = {.inputs = {&path, 1, NULL}, .tool_version = "test"};
	struct gpc_memfiles files;
	struct gpc_provider provider;
	struct gpc_compiled compiled;

	gpc_memfiles_init(&files, &pair->arena);
	gpc_memfiles_add(&files, path, text, strlen(text));
	provider = gpc_memfiles_provider(&files);
	CU_ASSERT_FATAL(gpc_compile(&pair->diags, &provider, &options, &compiled));
	CU_ASSERT_FATAL(gpc_image_open_written(&pair->diags, path, compiled.bytes, compiled.size, ret));
}

static struct pair *open_pair(const char *a, const char *b, struct gpc_atlas_options options)
{
	static struct pair pair;

	memset(&pair, 0, sizeof(pair));
	gpc_diags_init(&pair.diags, &pair.arena, false);
	open_plane(&pair, a, &pair.image[0]);
	options.images[0] = &pair.image[0];
	if (b) {
		open_plane(&pair, b, &pair.image[1]);
		options.images[1] = &pair.image[1];
	}
	pair.atlas = gpc_atlas_new(&pair.arena, &options);
	return &pair;
}

static void close_pair(struct pair *pair)
{
	gpc_image_release(&pair->image[0]);
	if (pair->image[1].bytes)
		gpc_image_release(&pair->image[1]);
	gpc_arena_release(&pair->arena);
}

static size_t place_of(const struct pair *pair, const char *interface, enum gpc_direction direction)
{
	size_t count;
	const struct gpc_atlas_place *places = gpc_atlas_places(pair->atlas, &count);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(places[i].interface, interface) && places[i].direction == direction)
			return i;
	CU_FAIL_FATAL("no such place");
	return 0;
}

/* "tcp/443, udp": all boxes of the piece's region. */
static const char *region_text(struct pair *pair, const struct gpc_atlas_piece *piece)
{
	static char text[2048];
	size_t count, n = 0;
	const struct gpc_atlas_box *boxes = gpc_atlas_boxes(pair->atlas, piece->place, piece->region, &count);

	for (size_t i = 0; i < count && n < sizeof(text); i++) {
		char box[GPC_ATLAS_BOX_TEXT];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? ", " : "",
				      gpc_atlas_box_format(&boxes[i], box));
	}
	return text;
}

static const char *rule_name(const struct pair *pair, unsigned int image, const struct gpc_atlas_piece *piece)
{
	uint32_t count;
	const struct gpc_rule *rules = gpc_image_section(&pair->image[image], GPC_SEC_RULE, &count);

	if (piece->verdict[image].rule == GPC_NONE)
		return "-";
	return gpc_image_name(&pair->image[image], rules[piece->verdict[image].rule].name);
}

static const char one_rule[] =
	HEAD "rules:\n"
	     "  - {name: web, from: office, to: app, ports: [tcp/80], action: allow}\n" POLICY("web");
static const char two_rules[] =
	HEAD "rules:\n"
	     "  - {name: web, from: office, to: app, ports: [tcp/80], action: allow}\n"
	     "  - {name: tls, from: office, to: app, ports: [tcp/443, icmp/echo-request], action: allow}\n" POLICY("web, tls");
static const char reordered[] =
	HEAD "rules:\n"
	     "  - {name: web, from: office, to: app, ports: [tcp/80], action: allow}\n"
	     "  - {name: tls, from: office, to: app, ports: [tcp/443, icmp/echo-request], action: allow}\n" POLICY("tls, web");

static void a_new_rule_is_one_piece(void)
{
	struct pair *pair = open_pair(one_rule, two_rules, (struct gpc_atlas_options){0});
	struct gpc_atlas_pieces pieces;
	const struct gpc_atlas_piece *piece;
	uint8_t lowest[4] = {198, 51, 100, 0};

	CU_ASSERT_EQUAL(gpc_atlas_compare(pair->atlas, place_of(pair, "wan0", GPC_INGRESS), &pieces),
			GPC_ATLAS_DONE);
	CU_ASSERT_EQUAL_FATAL(pieces.count, 1);
	piece = &pieces.items[0];
	CU_ASSERT_STRING_EQUAL(region_text(pair, piece), "icmp/8, tcp/443");
	CU_ASSERT_STRING_EQUAL(rule_name(pair, 0, piece), "default");
	CU_ASSERT_STRING_EQUAL(rule_name(pair, 1, piece), "tls");
	CU_ASSERT_EQUAL(piece->verdict[0].action, GPC_ACTION_DENY);
	CU_ASSERT_EQUAL(piece->verdict[1].action, GPC_ACTION_ALLOW);
	CU_ASSERT_EQUAL(piece->source_count, 2); /* v4 and v6 */
	CU_ASSERT_EQUAL(piece->destination_count, 2);
	CU_ASSERT_EQUAL(piece->witness.protocol, IPPROTO_ICMP);
	CU_ASSERT_EQUAL(piece->witness.family, GPC_V4);
	CU_ASSERT(!memcmp((const char *)piece->witness.source + 12, lowest, 4));
	CU_ASSERT_EQUAL(gpc_atlas_compare(pair->atlas, place_of(pair, "lan0", GPC_INGRESS), &pieces), GPC_ATLAS_DONE);
	CU_ASSERT_EQUAL(pieces.count, 0);
	close_pair(pair);
}

static void what_is_alike_is_said(void)
{
	struct pair *pair = open_pair(two_rules, reordered, (struct gpc_atlas_options){0});
	size_t count, wan0 = place_of(pair, "wan0", GPC_INGRESS), wan1 = place_of(pair, "wan1", GPC_INGRESS);
	const struct gpc_atlas_place *places = gpc_atlas_places(pair->atlas, &count);
	struct gpc_atlas_pieces pieces;

	CU_ASSERT_EQUAL(count, 6);
	CU_ASSERT_EQUAL(places[wan1].alike, wan0);
	CU_ASSERT_EQUAL(places[wan0].alike, wan0);
	CU_ASSERT_NOT_EQUAL(places[place_of(pair, "lan0", GPC_INGRESS)].alike, wan0);
	for (size_t i = 0; i < count; i++) {
		CU_ASSERT_EQUAL(gpc_atlas_compare(pair->atlas, i, &pieces), GPC_ATLAS_DONE);
		CU_ASSERT_EQUAL(pieces.count, 0);
	}
	close_pair(pair);
}

static struct gpc_set prefix_set(struct gpc_arena *arena, const char *text)
{
	struct gpc_prefix prefix;

	CU_ASSERT_FATAL(gpc_prefix_parse(text, strlen(text), &prefix) == GPC_IP_OK);
	return gpc_set_of_prefixes(arena, &prefix, 1);
}

static void the_first_packet_of_a_query(void)
{
	struct gpc_arena arena = {0};
	struct gpc_set sets[2] = {prefix_set(&arena, "198.51.100.128/25"), prefix_set(&arena, "10.0.1.7")};
	struct gpc_service_item tcp = {IPPROTO_TCP, IPPROTO_TCP, GPC_ANY_PORT, GPC_ANY_PORT};
	struct gpc_service service = {&tcp, 1, GPC_MATCH_ANY};
	struct gpc_atlas_options options = {.sets = sets, .set_count = 2, .services = &service, .service_count = 1};
	struct pair *pair = open_pair(two_rules, NULL, options);
	uint32_t from = 0, to = 1;
	struct gpc_atlas_query query = {
		.place = place_of(pair, "wan1", GPC_INGRESS),
		.sources = gpc_atlas_atoms_in(&arena, pair->atlas, GPC_ATLAS_SOURCE, &from, 1),
		.destinations = gpc_atlas_atoms_in(&arena, pair->atlas, GPC_ATLAS_DESTINATION, &to, 1),
	};
	struct gpc_atlas_piece piece;
	uint8_t source[4] = {198, 51, 100, 128}, destination[4] = {10, 0, 1, 7};

	CU_ASSERT_EQUAL_FATAL(gpc_atlas_first(pair->atlas, &query, &piece), GPC_ATLAS_DONE);
	CU_ASSERT(!memcmp((const char *)piece.witness.source + 12, source, 4));
	CU_ASSERT(!memcmp((const char *)piece.witness.destination + 12, destination, 4));
	CU_ASSERT_EQUAL(piece.witness.protocol, IPPROTO_TCP);
	CU_ASSERT_EQUAL(piece.witness.destination_port, 80);
	CU_ASSERT_STRING_EQUAL(rule_name(pair, 0, &piece), "web");
	query.outside = true;
	CU_ASSERT_EQUAL_FATAL(gpc_atlas_first(pair->atlas, &query, &piece), GPC_ATLAS_DONE);
	CU_ASSERT_EQUAL(piece.witness.protocol, IPPROTO_ICMP);
	query.destinations = NULL;
	query.sources = gpc_atlas_atoms_in(&arena, pair->atlas, GPC_ATLAS_SOURCE, &to, 1);
	CU_ASSERT_EQUAL(gpc_atlas_first(pair->atlas, &query, &piece), GPC_ATLAS_NONE);
	close_pair(pair);
	gpc_arena_release(&arena);
}

GPC_UNIT_MAIN("compiler/analyze/atlas", {"a new rule is one piece", a_new_rule_is_one_piece},
	      {"what is alike is said", what_is_alike_is_said},
	      {"the first packet of a query", the_first_packet_of_a_query})
